"""Says whether the site can answer: for web servers, monitors and deployments."""

from django.db import connection
from django.http import HttpResponse


def healthz(request):
    """Answer 200 when the database answers. The cache is not asked: the site works without it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return HttpResponse("ok\n", content_type="text/plain", headers={"Cache-Control": "no-store"})
