"""Import a WSGI application and ask it for one page, in this process: does this release answer?"""

from __future__ import annotations

import importlib
import io
import sys
from wsgiref.util import setup_testing_defaults

SERVER_ERROR = 500


def main() -> None:
    application, path, host = sys.argv[1:4]
    module, _, name = application.partition(":")
    environ = {
        "HTTP_HOST": host,
        "SERVER_NAME": host,
        "REQUEST_METHOD": "GET",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_X_FORWARDED_PROTO": "https",
        "wsgi.url_scheme": "https",
        "SERVER_PORT": "443",
        "PATH_INFO": path.partition("?")[0],
        "QUERY_STRING": path.partition("?")[2],
        "wsgi.input": io.BytesIO(),
    }
    setup_testing_defaults(environ)
    answered = []
    answer = getattr(importlib.import_module(module), name or "application")
    body = b"".join(answer(environ, lambda status, headers, exc_info=None: answered.append(status)))
    if not answered or int(answered[0].split()[0]) >= SERVER_ERROR:
        sys.stderr.write(body[:2000].decode(errors="replace"))
        sys.exit(f"The release answers {path} with {answered or 'nothing'}.")
    print(f"The release answers {path} with {answered[0]}.")


main()
