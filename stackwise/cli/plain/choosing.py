"""What somebody typed, as one of several things: by its number, its id, or a beginning that no other has."""

from __future__ import annotations

from collections.abc import Sequence

Named = tuple[str, str]
"""An id and a name."""


class NotOneError(Exception):
    """What was typed is none of them, or may be several; the message says what is possible."""


def pick(text: str, things: Sequence[Named]) -> int:
    """Return the place of what was typed among `things`. Raises NotOneError."""
    if text.isdecimal():
        if 1 <= int(text) <= len(things):
            return int(text) - 1
        raise NotOneError(f"There is no number {text}. {_possible(things)}")
    word = text.casefold()
    for place, names in enumerate(things):
        if word in (name.casefold() for name in names):
            return place
    found = [place for place, names in enumerate(things) if any(n.casefold().startswith(word) for n in names)]
    if len(found) == 1:
        return found[0]
    if found:
        raise NotOneError(f"{text} may be {' or '.join(things[place][0] for place in found)}. Type more of it.")
    raise NotOneError(f"{text} is none of these. {_possible(things)}")


def _possible(things: Sequence[Named]) -> str:
    ids = ", ".join(dict.fromkeys(name for name, _ in things))
    return f"Possible is a number from 1 to {len(things)}, or an id or the beginning of one: {ids}."
