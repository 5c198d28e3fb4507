# Written by Ansible, role gunicorn.
import gc
import os

_release = os.path.realpath({{ gunicorn_release | to_json }})

wsgi_app = {{ gunicorn_application | to_json }}
chdir = os.path.join(_release, "app", {{ gunicorn_app_dir | to_json }})
pythonpath = os.path.join(_release, "settings")

# Threads share the memory of their process, and keep the web server's connections open between requests.
worker_class = "gthread"
workers = {{ gunicorn_workers }}
threads = {{ gunicorn_threads }}
timeout = {{ gunicorn_timeout }}
graceful_timeout = {{ gunicorn_graceful_timeout }}
keepalive = {{ gunicorn_keepalive }}
max_requests = {{ gunicorn_max_requests }}
max_requests_jitter = {{ gunicorn_max_requests_jitter }}

# Heartbeats of the processes: a file on a disk can stall with the disk.
worker_tmp_dir = "/dev/shm"
# Requests come over a unix socket from the web server alone, which sets these headers itself.
forwarded_allow_ips = "*"
# The web server writes the access log; errors go to the journal.
accesslog = None
errorlog = "-"
control_socket_disable = True


def post_worker_init(worker):
    """Spare the collector what was loaded at the start and stays; look for garbage less often than after each page."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, *gc.get_threshold()[1:])
