"""The wsgi application of superbook."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "superbook.settings.production")

application = get_wsgi_application()
