"""A program on a terminal of its own: keys go in, and what it writes is read as a user reads it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from tests.bench.pairs import WrongAnswerError

# Sequences that move, colour or ask: CSI, OSC, DCS and the short ones. What is left is what a user reads.
CONTROL = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]P_X^].*?(?:\x07|\x1b\\)|[ -/]*[0-~])|[\x00-\x20\x7f]", re.DOTALL)
# Borders and bars are nothing to read.
WORD = re.compile(rb"[A-Za-z0-9]{2}")
DEADLINE = 30.0
ROWS, COLUMNS = 40, 120


class Terminal:
    """A pseudo-terminal of 120x40 with one program on it, which is killed at the end."""

    def __init__(self, argv: Sequence[str], home: Path, folder: Path | None = None, **more: str) -> None:
        self.argv = list(argv)
        self.seen = b""
        self.started = time.perf_counter()
        self.pid, self._wire = pty.fork()
        if self.pid == 0:
            ours = {"HOME": home, "XDG_STATE_HOME": home / "state", "XDG_CACHE_HOME": home / "cache"}
            os.environ.update({name: str(place) for name, place in ours.items()})
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", LC_ALL="C.UTF-8", **more)
            os.chdir(folder or home)
            os.execv(self.argv[0], self.argv)  # noqa: S606 - the program that is measured
        fcntl.ioctl(self._wire, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._wire)

    def send(self, keys: bytes) -> None:
        """Type something; what was written before is forgotten."""
        self.seen = b""
        os.write(self._wire, keys)

    def read(self, seconds: float) -> bool:
        """Read what there is, waiting for it at most so long; return whether there was anything."""
        if not select.select([self._wire], [], [], seconds)[0]:
            return False
        try:
            self.seen += os.read(self._wire, 1 << 16)
        except OSError as exc:
            raise WrongAnswerError(f"{self.argv} closed its terminal: {self.seen[-500:]!r}") from exc
        return True

    def rest(self, seconds: float) -> None:
        """Read along for so long."""
        until = time.perf_counter() + seconds
        while (left := until - time.perf_counter()) > 0:
            self.read(left)

    def first_content(self) -> float:
        """Return how long it was from the start until there was something to read."""
        while time.perf_counter() - self.started < DEADLINE:
            self.read(0.1)
            if b"Traceback" in self.seen or b"error:" in self.seen:
                break
            # On the app's own screen: what was said before it counts for nothing. A sequence that is not whole yet
            # would look like text.
            _, switched, drawn = self.seen.partition(b"\x1b[?1049h")
            if switched and WORD.search(CONTROL.sub(b" ", drawn[: drawn.rfind(b"\x1b")])):
                return time.perf_counter() - self.started
        raise WrongAnswerError(f"{self.argv} showed nothing on its terminal: {self.seen[-300:]!r}")

    def wait(self, words: str, seconds: float = DEADLINE) -> None:
        """Read until these words were written since the last key; spaces may be moves of the cursor."""
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            self.read(0.1)
            if self.shows(words):
                return
        raise WrongAnswerError(f"{self.argv} did not show {words!r}: {CONTROL.sub(b' ', self.seen)[-1500:]!r}")

    def shows(self, words: str) -> bool:
        """Whether these words were written since the last key."""
        return words.replace(" ", "").encode() in CONTROL.sub(b"", self.seen)

    def echo(self, key: str, shown: str) -> float:
        """Type a key and return how long it was until `shown` was written."""
        sought = shown.encode()
        started = time.perf_counter()
        self.send(key.encode())
        while time.perf_counter() - started < DEADLINE:
            if self.read(0.5) and sought in self.seen:
                return time.perf_counter() - started
        raise WrongAnswerError(f"{self.argv} did not echo {shown!r}: {self.seen[-1500:]!r}")

    def processor(self) -> float:
        """Return the seconds of a processor that the program has taken so far."""
        # What stands behind the name, which may hold anything, begins with the state; utime and stime follow.
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
