"""Import a WSGI application and ask it for one page, in this process: a release that can't answer is found."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable
from typing import Any
from wsgiref.util import setup_testing_defaults

SERVER_ERROR = 500


def ask(application: Any, path: str, host: str) -> tuple[str, bytes]:
    """Ask as the web server would, over TLS, and give the status and the body."""
    environ: dict[str, Any] = {
        "HTTP_HOST": host,
        "SERVER_NAME": host,
        "SERVER_PORT": "443",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_X_FORWARDED_PROTO": "https",
        "wsgi.url_scheme": "https",
        "PATH_INFO": path.partition("?")[0],
        "QUERY_STRING": path.partition("?")[2],
    }
    setup_testing_defaults(environ)
    status = ["nothing"]

    def start_response(line: str, *_: object) -> None:
        status[0] = line

    body: Iterable[bytes] = application(environ, start_response)
    return status[0], b"".join(body)


def main() -> None:
    """Fail if the page is missing or an error of the server."""
    name, path, host = sys.argv[1:4]
    module, _, attribute = name.partition(":")
    status, body = ask(getattr(importlib.import_module(module), attribute or "application"), path, host)
    if not status[:3].isdigit() or int(status[:3]) >= SERVER_ERROR:
        sys.stderr.write(body[:2000].decode(errors="replace") + "\n")
        sys.exit(f"The release answers {path} with {status}.")
    sys.stdout.write(f"The release answers {path} with {status}.\n")


if __name__ == "__main__":
    main()
