"""The first words, written before Textual is loaded: that takes a fifth of a second, on a small machine much longer.

They stand where the start screen puts the same words a moment later, so that nothing jumps.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

# The measures of start.tcss, and of the break-points of the app.
_NARROW, _WIDE, _WIDE_FROM, _TALL_FROM = 78, 130, 110, 32
_ENTER, _LEAVE = "\x1b[?1049h\x1b[2J\x1b[?25l", "\x1b[?25h\x1b[?1049l"


def first_words(width: int, height: int) -> tuple[tuple[int, int, str], ...]:
    """Return column, row (both from 0) and words of what is shown first, on a terminal of a size."""
    room = _WIDE if width >= _WIDE_FROM else _NARROW
    left = max(0, (width - room) // 2) + 2
    if height >= _TALL_FROM:
        return (left, 4, "stackwise"), (left, 7, "Looking at this folder ...")
    return (left, 0, "stackwise"), (left, 2, "Looking at this folder ...")


@contextmanager
def splash(stream: TextIO | None = sys.__stderr__) -> Iterator[None]:
    """Show the first words while the walk is loaded; where that fails, give the terminal back as it was.

    They go where Textual draws.
    """
    if stream is None or not stream.isatty():
        yield
        return
    size = shutil.get_terminal_size()
    words = "".join(f"\x1b[{row + 1};{column + 1}H{text}" for column, row, text in first_words(*size))
    stream.write(_ENTER + words)
    stream.flush()
    try:
        yield
    except BaseException:
        stream.write(_LEAVE)
        stream.flush()
        raise
