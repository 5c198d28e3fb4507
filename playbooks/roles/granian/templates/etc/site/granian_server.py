# Written by Ansible, role granian.
"""Granian on the socket that systemd holds, where visitors wait while the service restarts and none is turned away.

Granian has no option to take such a socket: https://github.com/emmett-framework/granian/issues/786 is open. So the method
of its server that makes the socket is replaced here, and the one by which a worker is stopped. They and SocketHolder are
private names of Granian, and may change in any release: the catalog asks for the few that this was tested with.
"""

import contextlib
import gc
import importlib
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from functools import partial
from pathlib import Path

# The command names Python by the link to the current release. That link moves on while this runs, and what is imported
# by way of it later would come from another release; so this starts once more by the folder that it leads to now.
if __name__ == "__main__" and sys.prefix != os.path.realpath(sys.prefix):
    python = os.path.join(os.path.realpath(sys.prefix), "bin", "python")
    os.execv(python, [python, __file__])

from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LOGGING_CONFIG
from granian.server import mp

APPLICATION = {{ granian_application | to_json }}
WORKERS = {{ granian_workers }}
# The first descriptor that systemd hands over, and the length of its queue as the socket's unit has it: a worker sets
# it anew.
DESCRIPTOR, BACKLOG = 3, 4096
# For so many seconds a worker that shall stop sends its connections away, each with an answer, before it closes them.
FAREWELL = 0.2
# What each request has, whatever the process has under the same name.
OF_A_REQUEST = {
    "CONTENT_LENGTH", "CONTENT_TYPE", "PATH_INFO", "QUERY_STRING", "REMOTE_ADDR", "REMOTE_PORT", "REQUEST_METHOD",
    "SCRIPT_NAME", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL",
}


class Worker(mp.WorkerProcess):
    """A worker that lets its connections go one by one before it goes itself.

    Granian closes those that rest between two requests all at once. What the web server has just sent by one of them is
    lost then: it asks again for a page by itself, but not for a form.
    """

    def terminate(self):
        self.interrupt_by_parent = True
        if self.is_alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._id(), signal.SIGUSR1)
            time.sleep(FAREWELL)
        super().terminate()


class Server(mp.MPServer):
    """Granian's server of several processes, but for where its socket comes from and who removes it."""

    def _init_shared_socket(self):
        self._shd = SocketHolder(DESCRIPTOR, True, BACKLOG)
        self._sfd = DESCRIPTOR
        self._sso = socket.socket(fileno=DESCRIPTOR)
        self._sso.set_inheritable(True)

    def _unlink_pidfile(self):
        """Leave the socket's file in its place, for it is systemd's; there is no other file to remove."""


def load(loaded):
    """Load the application in a worker, and say so."""
    # A worker that is asked to stop before it serves ends at once. Granian handles the signal from then on.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    going = threading.Event()
    signal.signal(signal.SIGUSR1, partial(say_farewell, going, socket_without_visitors()))
    module, _, name = APPLICATION.partition(":")
    application = getattr(importlib.import_module(module), name or "application")
    # Spare the collector what was loaded at the start and stays; look for garbage less often than after each page.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, *gc.get_threshold()[1:])
    loaded.release()
    return behind_web_server(application, going)


def behind_web_server(application, going):
    """Tell the application what the web server says of the visitor's connection, and nothing of this process."""
    ours = set(os.environ) - OF_A_REQUEST

    def answer(environ, start_response):
        # Granian puts the variables of the process among those of the request, where error reports would show them.
        for name in ours:
            environ.pop(name, None)
        # Requests come over a unix socket, which has no port, from the web server alone, which sets this header itself.
        is_secure = environ.get("HTTP_X_FORWARDED_PROTO") == "https"
        environ["wsgi.url_scheme"], environ["SERVER_PORT"] = ("https", "443") if is_secure else ("http", "80")
        return application(environ, partial(start_last_response, start_response) if going.is_set() else start_response)

    return answer


def socket_without_visitors():
    """Return a socket that listens where nobody will ever ask."""
    nobody = socket.socket(socket.AF_UNIX)
    nobody.bind("")
    nobody.listen()
    nobody.setblocking(False)
    return nobody


def say_farewell(going, nobody, *_):
    """Accept no more visitors, who wait in systemd's socket for the next worker, and let those who are here go."""
    os.dup2(nobody.fileno(), DESCRIPTOR)
    going.set()


def start_last_response(start_response, status, headers, exc_info=None):
    """Begin an answer that is the last one on its connection."""
    return start_response(status, [*headers, ("Connection", "close")], exc_info)


def tell_systemd(loaded):
    """Say that the service is up, once each worker has loaded the application."""
    for _ in range(WORKERS):
        loaded.acquire()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.connect(os.environ["NOTIFY_SOCKET"].replace("@", "\0", 1))
        notify.send(b"READY=1")


def main():
    """Serve until systemd says to stop."""
    given = {name: os.environ.pop(name, "") for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")}
    if given["LISTEN_PID"] != str(os.getpid()) or given["LISTEN_FDS"] != "1":
        sys.exit("This gets its socket from systemd, and there is none: start it by systemctl start SITE.service.")
    with socket.socket(fileno=os.dup(DESCRIPTOR)) as listening:
        path = Path(listening.getsockname())

    # Resolved once, so that a worker that is replaced later does not mix two releases.
    release = Path(os.path.realpath({{ granian_release | to_json }}))
    os.chdir(release / "app" / {{ granian_app_dir | to_json }})
    # This folder, with the site's secrets in it, is no place to import from.
    sys.path[:1] = [str(release / "settings"), str(Path.cwd())]

    # Until it can say farewell, a worker has nobody to say it to.
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    mp.WorkerProcess = Worker
    loaded = multiprocessing.Semaphore(0)
    if "NOTIFY_SOCKET" in os.environ:
        threading.Thread(target=tell_systemd, args=(loaded,), daemon=True).start()
    server = Server(
        APPLICATION,
        # Nothing is made there: it is what the journal calls the address.
        uds=path,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        # Connections are kept between requests for longer than the web server keeps them.
        http1_settings=HTTP1Settings(header_read_timeout={{ granian_keepalive * 1000 }}),
        workers=WORKERS,
        blocking_threads={{ granian_threads }},
        # A thread keeps its connection to the database, so that one which ends is dear: ten minutes are the most.
        blocking_threads_idle_timeout=600,
        respawn_failed_workers=True,
        workers_max_rss={{ granian_max_memory_mb }} or None,
        workers_kill_timeout={{ granian_graceful_timeout }},
        # The web server writes the access log; what Granian itself has to say goes to stderr, and so to the journal.
        log_dictconfig={
            "handlers": {name: {**each, "stream": "ext://sys.stderr"} for name, each in LOGGING_CONFIG["handlers"].items()}
        },
    )
    server.serve(target_loader=partial(load, loaded), wrap_loader=False)


# A worker may import this file once more, where Python starts processes from nothing.
if __name__ == "__main__":
    main()
