#!/bin/bash
# The configuration that tutorials give, beside ours on the same server: three sync workers of gunicorn on TCP, nginx as it
# comes, the database over TCP, with a new connection for each request (port 8001) or with persistent ones (port 8002).
# The same release, database, cache, certificate and nginx process: what differs is what the tutorials say.
# And a third arm, to be known: our own release as our role sets Gunicorn up (gthread.socket, gthread.service).
# Called with the requirement for Gunicorn and the path of our role's gunicorn.conf.py.
set -euo pipefail
app=/srv/superbook/current
# Connections enough for all arms, for all of them keep running.
runuser -u postgres -- psql -qc "ALTER SYSTEM SET listen_addresses = '127.0.0.1'" -c "ALTER SYSTEM SET max_connections = 60" \
  -c "ALTER ROLE superbook PASSWORD 'tutorial'"
systemctl restart 'postgresql@*'
mkdir -p /srv/tutorial
# The packages of our release, version by version, but for its server; by Debian's own pip, as the release was made.
packages=$($app/venv/bin/python -c 'from importlib.metadata import distributions
print(*{f"{found.name}=={found.version}" for found in distributions() if found.name != "granian"})')
python3 -m venv --without-pip /srv/tutorial/venv
pip=$(echo /usr/share/python-wheels/pip-*.whl)/pip
# shellcheck disable=SC2086 # one word a package
PIP_CERT=/etc/ssl/certs/ca-certificates.crt /srv/tutorial/venv/bin/python "$pip" install -q \
  --no-cache-dir --no-input --root-user-action=ignore $packages "$1"
cp "$2" /srv/tutorial/gunicorn.conf.py
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
ExecStart=/srv/tutorial/venv/bin/gunicorn --workers 3 --bind 127.0.0.1:%i superbook.wsgi
END
echo CONN_MAX_AGE=0 > /srv/tutorial/8001.env
echo CONN_MAX_AGE=600 > /srv/tutorial/8002.env
units=/etc/systemd/system
sed "s#^ListenStream=.*#ListenStream=/run/superbook/gthread.sock#" $units/superbook.socket > $units/gthread.socket
# The site's service sees of /srv itself alone; this one has its server elsewhere.
sed -e 's#^Requires=.*#Requires=gthread.socket#' -e 's#^BindReadOnlyPaths=.*#& /srv/tutorial#' \
  -e 's#^ExecStart=.*#ExecStart=/srv/tutorial/venv/bin/gunicorn --config /srv/tutorial/gunicorn.conf.py#' \
  $units/superbook.service > $units/gthread.service
systemctl daemon-reload
systemctl restart tutorial@8001 tutorial@8002 gthread.socket gthread.service
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
sed -e 's#^upstream superbook#upstream gthread#; s#http://superbook;#http://gthread;#; s#/run/superbook/app.sock#/run/superbook/gthread.sock#' \
  -e 's#server_name superbook.*#server_name gthread.test;#; s#Host \$host#Host superbook.test#' \
  /etc/nginx/sites-enabled/superbook.conf > /etc/nginx/sites-enabled/gthread.conf
nginx -q -t
systemctl reload nginx
# Our own workers had their database restarted under them.
systemctl restart superbook.service
