"""One HTTP request to one address, in the name of the site: what a visitor would get if the name led there."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stackwise.errors import ProvisionError

_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Response:
    """An answer.

    `headers` has lower-case names; `seconds` is the time to the last byte; `certificate` as `ssl` tells it.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float
    tls: str = ""
    certificate: Mapping[str, Any] = field(default_factory=dict)


class _AddressedConnection(http.client.HTTPSConnection):
    """Connects to an address, and asks for the certificate of a name."""

    def __init__(self, address: str, name: str, context: ssl.SSLContext) -> None:
        super().__init__(address, timeout=_SECONDS, context=context)
        self._name = name
        self._tls = context

    def connect(self) -> None:
        self.sock = self._tls.wrap_socket(
            socket.create_connection((self.host, self.port), timeout=_SECONDS), server_hostname=self._name
        )


@dataclass(frozen=True, slots=True)
class Site:
    """Where a site answers: the address of its web server, its name, and the authority that signed its certificate."""

    address: str
    domain: str
    tls: bool
    authority: Path | None = None
    # Several sites answer at the address, so that the name alone leads to this one.
    by_name: bool = False

    @property
    def url(self) -> str:
        """The URL that works without the name being known anywhere, if there is one."""
        return f"{'https' if self.tls else 'http'}://{self.domain if self.by_name else self.address}/"

    def get(
        self, path: str, *, headers: Mapping[str, str] | None = None, tls: bool | None = None, host: str = ""
    ) -> Response:
        """GET a path. Raises ProvisionError with the reason where there is no answer."""
        secure = self.tls if tls is None else tls
        connection = self._connection(secure)
        started = time.monotonic()
        try:
            connection.request(
                "GET", path, headers={"Host": host or self.domain, "User-Agent": "stackwise-verify", **(headers or {})}
            )
            answer = connection.getresponse()
            body = answer.read()
            seconds = time.monotonic() - started
            version, certificate = _tls_of(connection)
        except (OSError, http.client.HTTPException) as exc:
            raise ProvisionError(
                f"no answer from {self.address}: {exc or type(exc).__name__}", hint="see what it says: stackwise logs"
            ) from exc
        finally:
            connection.close()
        return Response(
            answer.status, {k.lower(): v for k, v in answer.getheaders()}, body, seconds, version, certificate
        )

    def _connection(self, secure: bool) -> http.client.HTTPConnection:
        if not secure:
            return http.client.HTTPConnection(self.address, timeout=_SECONDS)
        context = ssl.create_default_context(cafile=str(self.authority) if self.authority else None)
        return _AddressedConnection(self.address, self.domain, context)


def _tls_of(connection: http.client.HTTPConnection) -> tuple[str, Mapping[str, Any]]:
    wire = connection.sock
    return (wire.version() or "", wire.getpeercert() or {}) if isinstance(wire, ssl.SSLSocket) else ("", {})


def is_open(address: str, port: int, seconds: float = 2.0) -> bool:
    """Whether a TCP connection to a port succeeds within some seconds."""
    try:
        with socket.create_connection((address, port), timeout=seconds):
            return True
    except OSError:
        return False
