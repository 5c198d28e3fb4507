#!/bin/bash
# The configuration that tutorials give, beside ours on the same server: three sync workers of gunicorn on TCP, nginx as it
# comes, the database over TCP, with a new connection for each request (port 8001) or with persistent ones (port 8002).
# The same release, database, cache, certificate and nginx process: what differs is what the tutorials say.
set -euo pipefail
app=/srv/superbook/current
runuser -u postgres -- psql -qc "ALTER SYSTEM SET listen_addresses = '127.0.0.1'" -c "ALTER ROLE superbook PASSWORD 'tutorial'"
systemctl restart 'postgresql@*'
mkdir -p /srv/tutorial
cat > /srv/tutorial/tutorial_settings.py <<'END'
import os
from superbook.settings.production import *
DATABASES["default"].update(CONN_MAX_AGE=int(os.environ["CONN_MAX_AGE"]), CONN_HEALTH_CHECKS=False)
# The names of the static files as our release has them; both arms read the same list.
STORAGES["staticfiles"] = {"BACKEND": "stackwise_storage.HashedStaticFilesStorage"}
END
cat > /etc/systemd/system/tutorial@.service <<END
[Service]
Type=notify
User=superbook
WorkingDirectory=$app/app
Environment=PYTHONPATH=/srv/tutorial:$app/settings DJANGO_SETTINGS_MODULE=tutorial_settings
Environment=SECRET_KEY=a-benchmark-has-no-secret-and-this-is-it-fifty-characters ALLOWED_HOSTS=tutorial.test,persistent.test
Environment=DATABASE_URL=postgresql://superbook:tutorial@127.0.0.1/superbook REDIS_URL=unix:///run/redis/redis-server.sock?db=1
Environment=STATIC_ROOT=/srv/superbook/static MEDIA_ROOT=/srv/superbook/media
EnvironmentFile=/srv/tutorial/%i.env
ExecStart=$app/venv/bin/gunicorn --workers 3 --bind 127.0.0.1:%i superbook.wsgi
END
echo CONN_MAX_AGE=0 > /srv/tutorial/8001.env
echo CONN_MAX_AGE=600 > /srv/tutorial/8002.env
systemctl daemon-reload
systemctl restart tutorial@8001 tutorial@8002
for pair in tutorial:8001 persistent:8002; do
  cat <<END
server {
    listen 443 ssl;
    server_name ${pair%:*}.test;
    ssl_certificate /etc/superbook/tls/fullchain.pem;
    ssl_certificate_key /etc/superbook/tls/privkey.pem;
    location / {
        proxy_pass http://127.0.0.1:${pair#*:};
        proxy_set_header Host \$host;
        proxy_set_header X-Forwarded-For \$proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto \$scheme;
    }
}
END
done > /etc/nginx/sites-enabled/tutorial.conf
nginx -q -t
systemctl reload nginx
# Our own workers had their database restarted under them.
systemctl restart superbook.service
