"""The program that runs Granian, rendered and run: the private names of Granian that it uses are there, and do it."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.templates.test_roles import ROLES, render

TEMPLATE = ROLES / "granian/templates/etc/site/granian_server.py"
APPLICATION = """\
import os, time

def application(environ, start_response):
    if environ["PATH_INFO"] == "/dies":
        os._exit(3)
    if environ["PATH_INFO"] == "/slow":
        time.sleep(1)
    start_response("200 OK", [("Content-Type", "text/plain")])
    names = ("REMOTE_ADDR", "SERVER_PORT", "wsgi.url_scheme", "HTTP_X_SENT", "HTTP_PROXY", "REMOTE_USER")
    names += ("PASSWORD", "NOTIFY_SOCKET")
    said = {name: environ.get(name) for name in names}
    return [repr({**said, "cwd": os.getcwd(), "pid": os.getpid()}).encode()]
"""


class Visitor(HTTPConnection):
    """One connection over a unix socket, kept between requests."""

    def __init__(self, path: Path) -> None:
        super().__init__("site.test", timeout=10)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(str(self.path))

    def ask(self, path: str = "/", **headers: str) -> tuple[str, str | None]:
        self.request("GET", path, headers=headers)
        answer = self.getresponse()
        return answer.read().decode(), answer.getheader("Connection")


@dataclass(frozen=True)
class Running:
    """The server, and the socket that was made for it."""

    process: subprocess.Popen[str]
    path: Path

    def ask(self, path: str = "/", **headers: str) -> str:
        """Ask once, as a visitor who goes again."""
        with closing(Visitor(self.path)) as visitor:
            return visitor.ask(path, **headers)[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a release with an application, and the link to it."""
    (tmp_path / "r1" / "app" / "src").mkdir(parents=True)
    (tmp_path / "r1" / "settings").mkdir()
    (tmp_path / "r1" / "app" / "src" / "hello.py").write_text(APPLICATION)
    (tmp_path / "current").symlink_to(tmp_path / "r1")
    return tmp_path


@contextmanager
def serve(folder: Path, method: str = "", workers: int = 2) -> Iterator[Running]:
    """Start it as systemd does: with the socket as descriptor 3, until it says that it is ready."""
    text = render(
        TEMPLATE,
        granian_application="hello:application",
        granian_release=str(folder / "current"),
        granian_app_dir="src",
        granian_workers=workers,
        granian_max_memory_mb=300,
    )
    program = folder / "granian_server.py"
    program.write_text(
        text.replace("    main()", f"    multiprocessing.set_start_method({method!r} or None)\n    main()")
    )
    path, notified = folder / "app.sock", folder / "notify.sock"
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        listening.bind(str(path))
        listening.listen(64)
        notify.bind(str(notified))
        notify.settimeout(20)
        command = f"exec 3<&{listening.fileno()}; export LISTEN_PID=$$ LISTEN_FDS=1; exec {sys.executable} {{}}"
        process = subprocess.Popen(
            ["/bin/bash", "-c", command.format(shlex.quote(str(program)))],
            env={
                "PATH": os.environ["PATH"],
                "NOTIFY_SOCKET": str(notified),
                "PASSWORD": "secret",
                "HTTP_PROXY": "http://me:secret@proxy.test",
                "REMOTE_USER": "root",
            },
            pass_fds=[listening.fileno()],
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert notify.recv(100) == b"READY=1"
            yield Running(process, path)
        finally:
            process.terminate()
            process.communicate(timeout=20)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_it_serves_on_the_socket_of_systemd_however_processes_are_started(folder: Path, method: str) -> None:
    with serve(folder, method) as running:
        said = running.ask("/", **{"X-Forwarded-Proto": "https", "X-Sent": "hello"})
        assert f"'cwd': '{folder / 'r1' / 'app' / 'src'}'" in said
        assert "'wsgi.url_scheme': 'https'" in said
        assert "'SERVER_PORT': '443'" in said
        assert "'HTTP_X_SENT': 'hello'" in said
        assert "'wsgi.url_scheme': 'http'" in running.ask()
        # What is the process's own is no business of a request, which may be shown by an error report.
        # A variable of the process must not pass for a header, or for a user who has logged in.
        assert "'REMOTE_USER': None" in said
        assert "'HTTP_PROXY': None" in said
        assert "'PASSWORD': None" in said
        assert "'NOTIFY_SOCKET': None" in said
    assert running.process.returncode == 0
    # The socket stays for the next one.
    assert running.path.exists()


def test_it_says_farewell_on_each_connection_and_finishes_what_it_serves(folder: Path) -> None:
    with serve(folder) as running:
        with closing(Visitor(running.path)) as slow, closing(Visitor(running.path)) as kept:
            assert kept.ask()[1] != "close"
            slow.request("GET", "/slow")
            time.sleep(0.2)
            running.process.send_signal(signal.SIGTERM)
            deadline = time.monotonic() + 10
            while kept.ask()[1] != "close":
                assert time.monotonic() < deadline
            answer = slow.getresponse()
            assert answer.status == 200
            assert answer.read()
        assert running.process.wait(timeout=10) == 0


def test_a_worker_that_dies_is_replaced(folder: Path) -> None:
    with serve(folder, workers=1) as running:
        first = running.ask()
        with pytest.raises(ConnectionError):
            running.ask("/dies")
        # Meanwhile a visitor waits in the socket.
        assert running.ask() != first


def test_without_a_socket_it_says_who_gives_it_one(folder: Path) -> None:
    program = folder / "granian_server.py"
    program.write_text(render(TEMPLATE))
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "gets its socket from systemd" in done.stderr
