"""The first content of the walk, beside an app of Textual that shows one line: both through a real terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.cli import program
from tests.bench.pairs import Pair, WrongAnswerError, in_turns

BARE = """\
from textual.app import App
from textual.widgets import Static

class Bare(App):
    def compose(self):
        yield Static("first content")

Bare().run()
"""
TIMES = 9
DEADLINE = 20.0
# Sequences that move, colour or ask: CSI, OSC, DCS and the short ones. What is left is what a user reads.
CONTROL = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]P_X^].*?(?:\x07|\x1b\\)|[ -/]*[0-~])|[\x00-\x20\x7f]", re.DOTALL)


def measure(times: int) -> Iterator[Pair]:
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.py"
        bare.write_text(BARE)
        theirs = [sys.executable, "-P", str(bare)]
        pair = Pair("first content of the walk", "stackwise", "a bare Textual app", "s", 1.5)
        pair.notes.append(
            "a pseudo-terminal of 120x40; from exec to the first readable characters after control sequences"
        )
        first_content(program(), folder)
        first_content(theirs, folder)
        yield in_turns(
            pair, lambda: first_content(program(), folder), lambda: first_content(theirs, folder), times or TIMES
        )


def first_content(argv: list[str], home: str) -> float:
    """Start a program on a terminal of its own and return how long it was until there was something to read."""
    started = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(
            HOME=home, XDG_STATE_HOME=home, XDG_CACHE_HOME=home, TERM="xterm-256color", COLORTERM="truecolor"
        )
        os.chdir(home)
        os.execv(argv[0], argv)  # noqa: S606 - the program that is measured
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    try:
        return _until_readable(terminal, argv) - started
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)


def _until_readable(terminal: int, argv: list[str]) -> float:
    seen = b""
    until = time.perf_counter() + DEADLINE
    while time.perf_counter() < until:
        if not select.select([terminal], [], [], 0.1)[0]:
            continue
        try:
            seen += os.read(terminal, 65536)
        except OSError:
            break  # the program closed its terminal
        if b"Traceback" in seen or b"error:" in seen:
            break
        # A sequence that is not whole yet would look like text.
        if b"\x1b[?1049h" in seen and CONTROL.sub(b"", seen[: seen.rfind(b"\x1b")]):
            return time.perf_counter()
    raise WrongAnswerError(f"{argv} showed nothing on its terminal: {seen[-300:]!r}")
