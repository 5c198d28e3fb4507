"""The walk through a real terminal: what comes out of it where no colours are wanted."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.tui.walking import small_project

# The last of a key's words: what the terminal has then shown.
_PATIENCE = 60.0


class Terminal:
    """The program at the other end of a pseudo terminal, and all that it wrote."""

    def __init__(self, handle: int) -> None:
        self.handle = handle
        self.seen = b""

    def until(self, words: str) -> None:
        """Read until it wrote some words after what was asked last."""
        start = len(self.seen)
        while words.encode() not in _plain(self.seen[start:]):
            ready, _, _ = select.select([self.handle], [], [], _PATIENCE)
            assert ready, f"{words!r} did not come"
            self.seen += os.read(self.handle, 65536)

    def press(self, keys: str) -> None:
        os.write(self.handle, keys.encode())


def _plain(data: bytes) -> bytes:
    return re.sub(rb"\x1b\[[\d;?]*[A-Za-z]", b"", data)


@contextmanager
def walking(folder: Path, *arguments: str, **environment: str) -> Iterator[Terminal]:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    kept = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "COLORTERM"}}
    argv = [sys.executable, "-m", "stackwise", *arguments]
    process = subprocess.Popen(
        argv,
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**kept, **environment},
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield Terminal(ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _colours(data: bytes) -> set[bytes]:
    """Return every colour that was asked for; 39 and 49 are the terminal's own."""
    codes = {code for group in re.findall(rb"\x1b\[([\d;:]*)m", data) for code in re.split(rb"[;:]", group)}
    return {code for code in codes if re.fullmatch(rb"3[0-8]|4[0-8]|9[0-7]|10[0-7]", code)}


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        ((), {"NO_COLOR": "1", "TERM": "xterm-256color"}),
        (("--no-color",), {"TERM": "xterm-256color"}),
        ((), {"TERM": "vt100"}),
    ],
    ids=["NO_COLOR", "--no-color", "a terminal without colours"],
)
def test_no_colour_comes_out_where_none_is_wanted(
    arguments: tuple[str, ...], environment: dict[str, str], tmp_path: Path
) -> None:
    with walking(small_project(tmp_path), *arguments, **environment) as terminal:
        terminal.until("Begin the walk")
        terminal.until("Django")
        terminal.press("\r")
        terminal.until("MiB")
        terminal.press("\x12")
        terminal.until("Advice")
        terminal.press("2")
        terminal.until("Servers (1)")
        terminal.press("e")
        terminal.until("Where to")
        assert _colours(terminal.seen) == set()
        # What the cursor is on is told all the same: reversed, or underlined.
        assert re.search(rb"\x1b\[[\d;]*\b7[;m]", terminal.seen)


def test_colours_come_out_otherwise(tmp_path: Path) -> None:
    with walking(small_project(tmp_path), TERM="xterm-256color") as terminal:
        terminal.until("Begin the walk")
        assert _colours(terminal.seen)
