"""The walk in a real terminal beside a bare app of Textual: first picture, a key's echo, a long log, doing nothing."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.pairs import Pair
from tests.bench.tui import echo, first, idle


def measure(times: int) -> Iterator[Pair]:
    yield from first.measure(times)
    yield from echo.measure(times)
    yield from idle.measure()
