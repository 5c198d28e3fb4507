"""A field for a place in the file system, which completes what is typed."""

from __future__ import annotations

import asyncio
from pathlib import Path

from textual.suggester import Suggester
from textual.widgets import Input

_ENDINGS = (".yml", ".yaml")
# A folder with more in it is not looked through while somebody types.
_MOST = 2000


class Places(Suggester):
    """Completes folders, and files with some endings."""

    def __init__(self, endings: tuple[str, ...] = _ENDINGS) -> None:
        """Complete folders, and files with one of the `endings`."""
        # The files may change at any time, and their names have capitals.
        super().__init__(use_cache=False, case_sensitive=True)
        self.endings = endings

    async def get_suggestion(self, value: str) -> str | None:
        """Return the first place that begins with what is typed."""
        return await asyncio.to_thread(completion, value, self.endings) if value else None


def completion(typed: str, endings: tuple[str, ...]) -> str | None:
    """Return `typed` as it may go on: the first folder or wanted file by name, None where there is none."""
    start, slash, begun = typed.rpartition("/")
    try:
        folder = Path(f"{start}{slash}" or ".").expanduser()
        found = [place for place, _ in zip(folder.iterdir(), range(_MOST), strict=False)]
        wanted = sorted(
            f"{place.name}/" if place.is_dir() else place.name
            for place in found
            if place.name.startswith(begun) and (begun or not place.name.startswith("."))
            if place.is_dir() or place.name.endswith(endings)
        )
    except (OSError, RuntimeError):
        # What cannot be read cannot be completed, and a user without a home has none to expand.
        return None
    return next((f"{start}{slash}{name}" for name in wanted if name != begun), None)


class PlaceInput(Input):
    """A field for a place; the right arrow takes what it suggests."""

    def __init__(self, value: str = "", *, placeholder: str = "", id: str | None = None) -> None:  # noqa: A002 - Textual's name
        """Begin with `value`."""
        super().__init__(value, placeholder=placeholder, compact=True, suggester=Places(), id=id)
