"""The line that is always in sight: what it costs, what of the memory is planned, what stands against it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

if TYPE_CHECKING:
    from stackwise.walk.design import Design, Summary

_CELLS = 8
_TIGHT, _FULL = 0.9, 1.0
Part = tuple[str, str]


class SummaryLine(Static):
    """The summary; what the last change moved is underlined."""

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__(markup=False)

    def show(self, design: Design) -> None:
        """Show how the design stands."""
        self.update(summary_content(design))


def summary_content(design: Design) -> Content:
    """Return the line."""
    summary, moved = design.summary, design.summary.changed_from(design.before)
    parts: list[Part] = [
        (" ", ""),
        (_cost(summary), "underline bold" if "cost" in moved else ""),
        ("  ", ""),
        *_memory(summary, underlined="needed_mb" in moved or "memory_mb" in moved),
        ("  ", ""),
        *_against(summary),
        (f"  {_saved(design)}", "dim"),
        (f"  {summary.name}", ""),
        (f" {summary.environment}", "dim"),
    ]
    return Content.assemble(*parts)


def _cost(summary: Summary) -> str:
    return "price unknown" if summary.cost is None else f"{summary.cost:g} {summary.currency}/month"


def _memory(summary: Summary, *, underlined: bool) -> Iterator[Part]:
    share = summary.needed_mb / summary.memory_mb
    style = "$text-error" if share > _FULL else "$text-warning" if share > _TIGHT else "$text-success"
    filled = min(_CELLS, round(share * _CELLS))
    yield "━" * filled, style
    yield "─" * (_CELLS - filled), "dim"
    yield f" {summary.needed_mb}/{summary.memory_mb} MiB", "underline bold" if underlined else ""


def _against(summary: Summary) -> Iterator[Part]:
    if summary.faults:
        yield f"✗ {_count(summary.faults, 'fault')} ", "bold $text-error"
    if summary.conflicts:
        yield f"✗ {_count(summary.conflicts, 'conflict')} ", "bold $text-error"
    if summary.warnings:
        yield f"! {_count(summary.warnings, 'warning')}", "$text-warning"
    if not (summary.faults or summary.conflicts or summary.warnings):
        yield "✓ no conflict", "$text-success"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _saved(design: Design) -> str:
    if design.saved is not None:
        return time.strftime("saved %H:%M", time.localtime(design.saved))
    return "not saved yet" if design.new else ""
