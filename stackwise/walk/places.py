"""What somebody types as a place in the file system, turned into one."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def place_of(typed: str) -> Path | None:
    """Return the place that was typed, None where none can be of that name or nobody may look at it."""
    try:
        place = Path(typed).expanduser() if typed.startswith("~") else Path(typed)
        # That nothing is there yet is no fault.
        with suppress(FileNotFoundError, NotADirectoryError):
            os.stat(place)  # noqa: PTH116 - it raises what Path.exists passes over
    except (OSError, RuntimeError, ValueError):
        # A user without a home has none to expand, and a name can be too long or no name at all.
        return None
    return place
