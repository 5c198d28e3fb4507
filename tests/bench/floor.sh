#!/bin/bash
# The floor: the shortest honest script that brings superbook onto a fresh Debian 13. It runs as root on the server, with
# the project unpacked in /srv/superbook/app.
# It installs what our plan installs to serve the site. It leaves out: the firewall, unattended upgrades, log rotation,
# hardening of ssh and of the units, the administrator's account, brotli, the check of the release and of its settings,
# renewal of the certificate, and any thought of a second run.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends nginx postgresql-17 redis-server python3-venv openssl ca-certificates >/dev/null

cd /srv/superbook
useradd --system --home /srv/superbook superbook
mkdir -p static media
python3 -m venv venv
PIP_CERT=/etc/ssl/certs/ca-certificates.crt venv/bin/pip install -q --no-cache-dir -r app/requirements.txt 'granian>=2.8.7,<2.9'
cd / && runuser -u postgres -- psql -qc 'CREATE ROLE superbook LOGIN' -c 'CREATE DATABASE superbook OWNER superbook'
cd /srv/superbook

cat > env <<END
DJANGO_SETTINGS_MODULE=superbook.settings.production
SECRET_KEY=$(openssl rand -hex 32)
ALLOWED_HOSTS=superbook.test
DATABASE_URL=postgresql://superbook@/superbook?host=/run/postgresql
REDIS_URL=redis://127.0.0.1:6379/0
STATIC_ROOT=/srv/superbook/static
MEDIA_ROOT=/srv/superbook/media
END
chown -R superbook: static media
manage() { (set -a; . ./env; cd app; runuser -u superbook -- ../venv/bin/python manage.py "$@"); }
manage migrate --noinput -v 0
manage collectstatic --noinput -v 0

cat > /etc/systemd/system/superbook.service <<END
[Service]
User=superbook
WorkingDirectory=/srv/superbook/app
EnvironmentFile=/srv/superbook/env
RuntimeDirectory=superbook
ExecStart=/srv/superbook/venv/bin/granian --interface wsgi --workers 1 --blocking-threads 4 --uds /run/superbook/app.sock --uds-permissions 511 superbook.wsgi:application
Restart=always
[Install]
WantedBy=multi-user.target
END
systemctl enable --now --quiet superbook

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj /CN=superbook.test \
  -keyout /etc/ssl/private/superbook.key -out /etc/ssl/superbook.crt 2>/dev/null
cat > /etc/nginx/sites-enabled/default <<'END'
server {
    listen 443 ssl;
    server_name superbook.test;
    ssl_certificate /etc/ssl/superbook.crt;
    ssl_certificate_key /etc/ssl/private/superbook.key;
    location /static/ { alias /srv/superbook/static/; }
    location /media/ { alias /srv/superbook/media/; }
    location / {
        proxy_pass http://unix:/run/superbook/app.sock;
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-Proto $scheme;
    }
}
END
systemctl enable --quiet nginx && systemctl restart nginx
# There is no curl on a minimal system. The page has to come, with its static files' hashed names in it.
python3 - <<'END'
import http.client, ssl, sys, time
for _ in range(50):
    try:
        site = http.client.HTTPSConnection("127.0.0.1", context=ssl._create_unverified_context())
        site.request("GET", "/", headers={"Host": "superbook.test"})
        answer = site.getresponse()
        if answer.status == 200 and b"/static/superbook/style." in answer.read():
            sys.exit(print("200"))
    except OSError:
        pass
    time.sleep(0.1)
sys.exit("the site does not answer")
END
