"""Providers that keep their regions apart: a line for each, and how all of them are looked at."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from stackwise.provision.clouds.line import Line

T = TypeVar("T")
# One after the other, a dozen regions would take a quarter of a minute.
_AT_ONCE = 8


class Regions:
    """The lines to the regions of one provider. With `location`, that region is the only one that is looked at."""

    def __init__(self, open_line: Callable[[str], Line[Any]], location: str, home: str) -> None:
        """Open a line for a region when it is asked; `home` is where an account is asked for its regions."""
        self._open, self._location, self._home = open_line, location, home
        self._lines: dict[str, Line[Any]] = {}

    def line(self, region: str) -> Line[Any]:
        """Return the line to a region."""
        return self._lines.setdefault(region, self._open(region))

    def there(self) -> list[str]:
        """Return the regions that are open to the account, as its driver tells them."""
        home = self.line(self._location or self._home)
        return list(home.read("the regions", lambda driver: driver.regions()))

    def everywhere(self, look: Callable[[str], T]) -> list[T]:
        """Return what each region answers; if one cannot be asked, nobody knows what is there, and it raises."""
        if self._location:
            return [look(self._location)]
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            return list(pool.map(look, self.there()))
