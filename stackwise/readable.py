"""What others wrote, made fit for a terminal: it moves no cursor, sets no title and turns no line around. Pure."""

from __future__ import annotations

import re

INSTEAD = "\ufffd"
# C0 but tab and new line, DEL, C1; then the separators and the signs that turn the direction, and halves of letters.
_CONTROL = re.compile(r"[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def readable(text: str) -> str:
    """Return `text` with U+FFFD for each control character; a new line of any system is a new line."""
    return _CONTROL.sub(INSTEAD, text.replace("\r\n", "\n"))
