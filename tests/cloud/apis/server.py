"""What the providers' APIs have in common: HTTP on loopback, routes, the machines that are billed, faults on demand.

A provider is a subclass that says its routes and the shapes of its answers. Nothing here knows of stackwise.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import itertools
import json
import re
import socket
import ssl
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Call:
    """A request as it came: `body` is JSON where it was JSON, else the text."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Answer:
    """What is sent back: a `body` that is no text is sent as JSON."""

    code: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class RefusalError(Exception):
    """The API says no, in its own shape: see `Api.refusal`."""

    def __init__(self, code: int, words: str, kind: str = "") -> None:
        super().__init__(words)
        self.code, self.words, self.kind = code, words, kind


Harm = Literal["code", "reset", "html", "cut", "slow", "hang"]


@dataclass
class Fault:
    """What goes wrong at a call.

    `code` answers so, `reset` cuts the connection, `html` answers a proxy's page, `cut` ends in the middle of the JSON,
    `slow` sends a byte now and then, `hang` answers nothing for `seconds`. `at` is a pattern on "METHOD /path". With
    `after`, the call is carried out first, so that only the answer is lost.
    """

    harm: Harm
    at: str = ""
    code: int = 500
    after: bool = False
    times: int = 1
    headers: Mapping[str, str] = field(default_factory=dict)
    words: str = "something went wrong"
    kind: str = ""
    seconds: float = 5

    def is_for(self, call: Call) -> bool:
        return self.times > 0 and re.search(self.at, str(call)) is not None


@dataclass
class Machine:
    """A server that the provider has and bills.

    `address` stays empty until it has one; `extra["status"]` is told in place of its true state.
    """

    id: str
    name: str
    size: str
    image: str
    location: str
    user_data: str
    tags: Any = ()
    keys: tuple[str, ...] = ()
    made: float = field(default_factory=time.monotonic)
    address: str = ""
    running: bool = False
    looks: int = 0
    extra: dict[str, Any] = field(default_factory=dict)


class Boots(Protocol):
    """What stands behind a machine: nothing (it only takes time), or a real one."""

    def boot(self, machine: Machine) -> None:
        """Begin; sets `address` and `running` when it is there. May take its time: it is called in a thread."""

    def start(self, machine: Machine) -> None:
        """Start it again."""

    def stop(self, machine: Machine) -> None:
        """Stop it; it is billed on."""

    def destroy(self, machine: Machine) -> None:
        """Remove it."""


class AtOnce:
    """Machines that are there at once, at addresses of the documentation's network, where nobody answers."""

    def __init__(self) -> None:
        self._hosts = itertools.count(1)

    def boot(self, machine: Machine) -> None:
        number = next(self._hosts)
        machine.address = f"198.51.{100 + number // 250}.{number % 250 + 1}"
        machine.running = True

    def start(self, machine: Machine) -> None:
        machine.running = True

    def stop(self, machine: Machine) -> None:
        machine.running = False

    def destroy(self, machine: Machine) -> None:
        machine.running = False


class Api(ABC):
    """A provider's API with its state. Use `serving()`, which gives the URL."""

    # The state as its owner sees it; `calls` is every request that came, faults included.
    routes: ClassVar[tuple[tuple[str, str, str], ...]]
    # Each key has at least "name" and "public_key".
    keys: dict[str, dict[str, Any]]
    token = "canary-token-1234"  # noqa: S105 - no real one
    # As many items as a page has at most, and as many machines as an account may have.
    most = 50
    limit = 25

    def __init__(self, boots: Boots | None = None, looks: int = 0) -> None:
        """Begin empty. A new machine stays as it is until it was looked at `looks` times."""
        self.boots = boots or AtOnce()
        self.looks = looks
        self.machines: dict[str, Machine] = {}
        self.keys = {}
        # What was begun and can be asked after, by id.
        self.actions: dict[str, dict[str, Any]] = {}
        self.faults: list[Fault] = []
        self.calls: list[Call] = []
        self.made: list[str] = []
        self.url = ""
        self.lock = threading.RLock()
        self._numbers = itertools.count(1001)
        self._booting: dict[str, threading.Thread] = {}
        self._ending: list[threading.Thread] = []

    @abstractmethod
    def refusal(self, code: int, words: str, kind: str = "") -> Answer:
        """Return an error in the shape that the API documents."""

    def is_let_in(self, call: Call) -> bool:
        """Whether the credentials of a call are right: here, whether it bears the token."""
        return call.headers.get("Authorization") == f"Bearer {self.token}"

    def budget(self) -> Mapping[str, str]:
        """Return the headers of every answer that say how often one may ask, where the API has such."""
        return {}

    def named(self, call: Call) -> Call:
        """Return a call as it is counted and as faults know it: by its path, unless the API names its actions apart."""
        return call

    def number(self) -> int:
        """Return an id that nothing else has."""
        return next(self._numbers)

    def bill(self, machine: Machine) -> Machine:
        """Take a machine into the books, and begin to boot it."""
        self.machines[machine.id] = machine
        self.made.append(machine.id)
        thread = threading.Thread(target=self.boots.boot, args=(machine,), daemon=True)
        thread.start()
        if isinstance(self.boots, AtOnce):
            thread.join()
        self._booting[machine.id] = thread
        return machine

    def register(self, name: str, public_key: str) -> None:
        """Register a key as somebody else would."""
        number = self.number()
        self.keys[str(number)] = {"id": number, "name": name, "public_key": public_key}

    def phase(self, machine: Machine) -> Literal["new", "up", "off"]:
        """Return how far a machine is for whoever looks; each look counts."""
        machine.looks += 1
        if machine.looks <= self.looks or not machine.address:
            return "new"
        return "up" if machine.running else "off"

    def looked_at(self, machine: Machine) -> bool:
        """Whether a machine is there for whoever looks; each look counts."""
        return self.phase(machine) == "up"

    def remove(self, machine: Machine) -> None:
        """Take a machine off the books; what stands behind it goes as soon as it has booted."""
        self.machines.pop(machine.id, None)
        thread = threading.Thread(target=self._end, args=(machine,), daemon=True)
        thread.start()
        if isinstance(self.boots, AtOnce):
            thread.join()
        self._ending.append(thread)

    def _end(self, machine: Machine) -> None:
        self._booting[machine.id].join()
        self.boots.destroy(machine)

    def answer(self, call: Call) -> Answer:
        """Answer a call: credentials, the route, then what it says."""
        if not self.is_let_in(call):
            return self.refusal(401, "Unable to authenticate you")
        known = False
        for method, pattern, name in self.routes:
            if (found := re.fullmatch(pattern, call.path)) is None:
                continue
            known = True
            if method == call.method:
                try:
                    with self.lock:
                        answer: Answer = getattr(self, name)(call, *found.groups())
                except RefusalError as exc:
                    return self.refusal(exc.code, exc.words, exc.kind)
                return answer
        return self.refusal(405 if known else 404, "The resource you were accessing could not be found.")

    def fault_for(self, call: Call) -> Fault | None:
        """Return what shall go wrong at a call, once."""
        with self.lock:
            fault = next((fault for fault in self.faults if fault.is_for(call)), None)
            if fault is not None:
                fault.times -= 1
            return fault

    @contextmanager
    def serving(self, certificate: Path | None = None) -> Iterator[str]:
        """Serve on a free port of loopback; yield the URL without a slash at its end.

        With a `certificate`, a file that has its key too, over TLS. Whatever still stands at the end is removed.
        """
        api = self

        class Handler(_Handler):
            owner = api

        server = _Server(("127.0.0.1", 0), Handler)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True)
        thread.start()
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}"
        try:
            yield self.url
        finally:
            server.shutdown()
            server.server_close()
            for machine in list(self.machines.values()):
                self.remove(machine)
            for ending in self._ending:
                ending.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that hangs up is what many tests are about."""


class _Handler(BaseHTTPRequestHandler):
    owner: Api
    protocol_version = "HTTP/1.1"
    # Head and body go out together, or the other side's kernel waits 40 ms before it says that it has the first.
    wbufsize = -1

    def _any(self) -> None:
        call = self.owner.named(self._call())
        self.owner.calls.append(call)
        fault = self.owner.fault_for(call)
        if fault is None:
            self._send(self.owner.answer(call))
            return
        answer = self.owner.answer(call) if fault.after else self.owner.refusal(fault.code, fault.words, fault.kind)
        harms: dict[str, Callable[[Fault, Answer], None]] = {
            "code": lambda fault, _: self._send(self._refused(fault)),
            "reset": self._reset,
            "html": lambda fault, _: self._send(
                Answer(fault.code, "<html><body><h1>Bad Gateway</h1></body></html>", {"Content-Type": "text/html"})
            ),
            "cut": self._cut,
            "slow": self._drip,
            "hang": self._hang,
        }
        with suppress(OSError):
            harms[fault.harm](fault, answer)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _any  # noqa: N815 - the base class's own names

    def _refused(self, fault: Fault) -> Answer:
        refusal = self.owner.refusal(fault.code, fault.words, fault.kind)
        return Answer(refusal.code, refusal.body, {**refusal.headers, **fault.headers})

    def _call(self) -> Call:
        parts = urlsplit(self.path)
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = raw
        return Call(self.command, parts.path, dict(parse_qsl(parts.query)), dict(self.headers.items()), body)

    def _bytes(self, answer: Answer) -> bytes:
        if answer.body is None:
            return b""
        return (answer.body if isinstance(answer.body, str) else json.dumps(answer.body)).encode()

    def _head(self, answer: Answer, length: int) -> None:
        self.send_response(answer.code)
        usual = {"Content-Type": "application/json; charset=utf-8", **self.owner.budget()}
        for name, value in {**usual, **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def _send(self, answer: Answer) -> None:
        raw = self._bytes(answer)
        self._head(answer, len(raw))
        self.wfile.write(raw)

    def _cut(self, fault: Fault, answer: Answer) -> None:
        """Send half of the JSON as if that were all."""
        raw = self._bytes(answer if fault.after else Answer(200, {"half": ["of", "a", "document"]}))
        half = raw[: max(1, len(raw) // 2)]
        self._head(Answer(200), len(half))
        self.wfile.write(half)

    def _drip(self, fault: Fault, answer: Answer) -> None:
        """Send a byte now and then, so that no time-out of a single read helps."""
        raw = self._bytes(answer)
        self._head(answer, len(raw))
        until = time.monotonic() + fault.seconds
        for byte in raw:
            if time.monotonic() > until:
                break
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(0.05)
        self.close_connection = True

    def _hang(self, fault: Fault, _: Answer) -> None:
        time.sleep(fault.seconds)
        self.close_connection = True

    def _reset(self, _: Fault, __: Answer) -> None:
        # Closing with a linger of zero sends RST.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self.close_connection = True
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's own name
        """Say nothing."""


def page_of(
    items: list[Any], call: Call, size: int, page: str = "page", per_page: str = "per_page"
) -> tuple[list[Any], int, int]:
    """Return the items of the page that is asked for, its number and that of the last one."""
    wanted, many = int(call.query.get(page, 1)), min(int(call.query.get(per_page, size)), size)
    last = max(1, -(-len(items) // many))
    return items[(wanted - 1) * many : wanted * many], wanted, last


def fingerprint_of(public: str, words: str) -> str:
    """Return a public key's fingerprint as ssh-keygen -E md5 prints it; refuse what is no key with `words`."""
    try:
        raw = base64.b64decode(public.split()[1], validate=True)
    except (IndexError, binascii.Error):
        raise RefusalError(422, words) from None
    return hashlib.md5(raw, usedforsecurity=False).digest().hex(":")
