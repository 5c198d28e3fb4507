"""The line to a provider's API: libcloud's driver, asked with patience where that is harmless, and once where not.

Every call has a deadline, whatever the other side does, and ends at once when the user stops the run. What the drivers
raise comes out as ours.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from email.utils import mktime_tz, parsedate_tz
from typing import Any, Generic, TypeVar

import libcloud.security

from stackwise.errors import (
    DeadlineError,
    InterruptedRunError,
    ProviderUnreachableError,
    RateLimitedError,
    ServerLostError,
)
from stackwise.provision.cloud import Progress
from stackwise.provision.clouds.account import Account
from stackwise.provision.clouds.faults import RAISED, Answered, translated

D = TypeVar("D")
T = TypeVar("T")

# What requests reads, for those who have an authority of their own.
_AUTHORITIES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often the provider is asked. All in seconds, but for `tries`.

    A pause doubles from `first` up to `longest`; what the provider itself asks us to wait is honoured up to `most`.
    """

    tries: int = 5
    first: float = 0.5
    longest: float = 8.0
    most: float = 90.0
    deadline: float = 60.0

    def pauses(self) -> Iterator[float]:
        """Yield the pauses between the tries, a little apart by chance, so that two who wait do not meet again."""
        for number in range(self.tries - 1):
            yield min(self.first * 2**number, self.longest) * random.uniform(0.8, 1.2)  # noqa: S311 - no secret


class Line(Generic[D]):
    """Asks one provider. `make` returns a new driver of libcloud."""

    def __init__(
        self,
        account: Account,
        make: Callable[[], D],
        *,
        progress: Progress = lambda _: None,
        stop: threading.Event | None = None,
        patience: Patience | None = None,
    ) -> None:
        """Keep what is needed; nobody is asked yet."""
        self.account = account
        self.provider = account.provider
        self._make = make
        self._driver: D | None = None
        self._progress = progress
        self._stop = stop or threading.Event()
        self._patience = patience or Patience()

    def read(self, what: str, call: Callable[[D], T]) -> T:
        """Return what a call answers that may be sent twice, as it changes or removes; asked again where that may help.

        `what` is awaited, in words. Raises ProvisionError or one of its kinds, InterruptedRunError.
        """
        for pause in self._patience.pauses():
            try:
                return self._asked(what, call, makes=False)
            except (ProviderUnreachableError, RateLimitedError) as exc:
                wanted = exc.retry_after if isinstance(exc, RateLimitedError) else 0
                if wanted > self._patience.most:
                    raise
                self._progress(f"{exc.message}; asking again for {what} in {max(wanted, pause):.1f} s")
                self._wait(max(wanted, pause), what)
        return self._asked(what, call, makes=False)

    def remove(self, what: str, call: Callable[[D], object]) -> None:
        """Have something removed; what went by a try whose answer was lost is no error. Raises as `read`."""
        with suppress(ServerLostError):
            self.read(what, call)

    def once(self, what: str, call: Callable[[D], T]) -> T:
        """Return what a call answers that makes something. It is sent once.

        Raises AnswerLostError where it may have been carried out, another ProvisionError where it was not.
        """
        return self._asked(what, call, makes=True)

    def until(self, what: str, holds: Callable[[], bool], seconds: float) -> None:
        """Look again until it holds; `what` is awaited, in words, for so many seconds at most.

        Raises DeadlineError, InterruptedRunError and whatever `holds` raises.
        """
        started, pause = time.monotonic(), self._patience.first
        while not holds():
            if time.monotonic() - started > seconds:
                message = f"waited {seconds:.0f} s for {what}"
                raise DeadlineError(
                    message, hint=f"look at it there, at {self.provider.name}, then type the same again"
                )
            self._wait(pause, what)
            pause = min(pause * 2, self._patience.longest)

    def _asked(self, what: str, call: Callable[[D], T], *, makes: bool) -> T:
        """Ask in a thread of its own: no time-out of a socket ends an answer that comes a byte at a time."""
        box: list[tuple[bool, Any]] = []
        done = threading.Event()
        driver = self._opened()

        def ask() -> None:
            try:
                box.append((True, call(driver)))
            except RAISED as exc:
                error = translated(self.provider, exc, _answered(driver), makes=makes)
                error.__cause__ = exc
                box.append((False, error))
            except Exception as exc:  # noqa: BLE001 - the top of a thread: raised again by whoever waits
                box.append((False, exc))
            finally:
                done.set()

        _forget_answer(driver)
        threading.Thread(target=ask, daemon=True, name=f"ask {self.provider.id}").start()
        self._until(done, what, makes=makes)
        good, value = box[0]
        if not good:
            raise value
        return value  # type: ignore[no-any-return] # what the call returns

    def _until(self, done: threading.Event, what: str, *, makes: bool) -> None:
        waited = 0.0
        while not done.wait(_LOOK):
            waited += _LOOK
            # What makes something is not left half done: the run stops as soon as the answer is there.
            if self._stop.is_set() and not makes:
                self._driver = None
                raise InterruptedRunError(f"stopped while waiting for {what}", hint="go on with: stackwise up")
            if waited > self._patience.deadline:
                # The driver belongs to the thread that still waits; whoever asks next gets a new one.
                self._driver = None
                late = TimeoutError(f"no answer within {self._patience.deadline:.0f} s")
                raise translated(self.provider, late, Answered(), makes=makes)

    def _opened(self) -> D:
        if self._driver is None:
            _trust_own_authorities()
            try:
                self._driver = self._make()
            except RAISED as exc:
                raise translated(self.provider, exc, Answered(), makes=False) from exc
        return self._driver

    def _wait(self, seconds: float, what: str) -> None:
        if self._stop.wait(seconds):
            raise InterruptedRunError(f"stopped while waiting for {what}", hint="go on with: stackwise up")


_LOOK = 0.05


def _trust_own_authorities() -> None:
    """Let libcloud trust whom the user's other tools trust: it looks at a variable of its own only."""
    if authority := next((os.environ[name] for name in _AUTHORITIES if os.environ.get(name)), ""):
        libcloud.security.CA_CERTS_PATH = authority


def _forget_answer(driver: object) -> None:
    connection = getattr(getattr(driver, "connection", None), "connection", None)
    if connection is not None:
        connection.response = None


def _answered(driver: object) -> Answered:
    """Return what the last answer said, whatever the driver made of it."""
    response = getattr(getattr(getattr(driver, "connection", None), "connection", None), "response", None)
    if response is None:
        return Answered()
    return Answered(int(response.status_code), _seconds(response.headers.get("Retry-After", "")))


def _seconds(value: str) -> float:
    """Return what Retry-After says, in seconds; a date counts from now, and what is no number is none."""
    try:
        return max(0.0, float(value))
    except ValueError:
        day = parsedate_tz(value)
        return max(0.0, mktime_tz(day) - time.time()) if day else 0.0
