"""What is always in sight: cost, memory, what it carries, points of failure, hours of work, and what stands against it.

A panel where there is room beside the step, else one or two lines below it. What the last change moved is marked and
says what it was.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual.content import Content
from textual.events import Resize
from textual.widgets import Static

from stackwise.walk.questions import count

if TYPE_CHECKING:
    from stackwise.walk.design import Design, Summary

_CELLS = 8
_PANEL_CELLS = 20
_TIGHT, _FULL = 0.9, 1.0
_MOVED = "underline bold"
# So many conflicts and warnings are named in the panel; the review has them all.
_NAMED = 5
_GAP = 3
Part = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Moves:
    """What the last change moved: the names of the parts, and how they were."""

    now: Summary
    before: Summary | None

    def style(self, *names: str) -> str:
        """Return how a part is written that shows some of the values."""
        return _MOVED if self._moved & set(names) else ""

    def was(self, name: str) -> str:
        """Return how a value was before, in brackets; nothing where it did not move."""
        return f" (was {_figure(getattr(self.before, name))})" if name in self._moved else ""

    @property
    def _moved(self) -> frozenset[str]:
        return self.now.changed_from(self.before)


class SummaryLine(Static):
    """The summary in one line, or in two where one is too narrow."""

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__(markup=False)
        self.pieces: list[list[Part]] = []

    def show(self, design: Design) -> None:
        """Show how the design stands."""
        self.pieces = [list(piece) for piece in line_pieces(design)]
        self._lay_out()

    def on_resize(self, event: Resize) -> None:
        """Break the lines anew."""
        del event
        self._lay_out()

    def _lay_out(self) -> None:
        self.update(Content.assemble(*_in_lines(self.pieces, self.size.width or self.app.size.width)))


class SummaryPanel(Static):
    """The summary beside the step, with room for words."""

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__(markup=False)

    def show(self, design: Design) -> None:
        """Show how the design stands."""
        self.update(Content.assemble(*panel_parts(design)))


def line_pieces(design: Design) -> Iterator[Sequence[Part]]:
    """Yield the pieces of the line; each stays whole where the line is broken."""
    summary, moves = design.summary, _Moves(design.summary, design.before)
    yield [(_cost(summary), moves.style("cost"))]
    yield [*_bar(summary, _CELLS), (f" {summary.needed_mb}/{summary.memory_mb} MiB", moves.style(*_MEMORY))]
    yield [(f"carries {_figure(summary.carries)}/min, {_figure(summary.wanted)} wanted", moves.style(*_LOAD))]
    yield [(count(len(summary.failures), "point") + " of failure", moves.style("failures"))]
    yield [(f"{summary.hours:g} h work/month", moves.style("hours"))]
    yield list(_against(summary))
    yield [(_saved(design), "dim")]
    yield [(summary.name, ""), (f" {summary.environment}", "dim")]


_MEMORY = ("needed_mb", "memory_mb")
_LOAD = ("carries", "wanted")


def panel_parts(design: Design) -> Iterator[Part]:
    """Yield the panel: a heading and its figures for each part of the summary."""
    summary, moves = design.summary, _Moves(design.summary, design.before)
    yield f"{summary.name}", "bold"
    yield f" {summary.environment}\n", "dim"
    yield f"{_saved(design)}\n\n", "dim"
    yield "Cost\n", "bold"
    yield f"{_cost(summary)}{moves.was('cost')}\n\n", moves.style("cost")
    yield "Memory\n", "bold"
    yield from _bar(summary, _PANEL_CELLS)
    yield f"\n{summary.needed_mb}{moves.was('needed_mb')} of {summary.memory_mb} MiB\n\n", moves.style(*_MEMORY)
    yield "Carries\n", "bold"
    yield f"{_figure(summary.carries)}{moves.was('carries')} requests a minute\n", moves.style("carries")
    yield f"{_figure(summary.wanted)} wanted", moves.style("wanted")
    yield (f"; {summary.gives_first} gives first\n\n" if summary.gives_first else "\n\n"), "dim"
    yield "Single points of failure\n", "bold"
    yield ("\n".join(summary.failures) or "none") + "\n\n", moves.style("failures")
    yield "Your own work\n", "bold"
    yield f"{summary.hours:g} hours a month{moves.was('hours')}\n\n", moves.style("hours")
    yield from _against(summary)
    yield from _said(design)


def _said(design: Design) -> Iterator[Part]:
    found = [(f"✗ {fault.message}", "$text-error") for fault in design.faults]
    marks = {"conflict": ("✗", "$text-error"), "warning": ("!", "$text-warning")}
    for advice in design.advice:
        if advice.kind in marks and not advice.accepted:
            mark, style = marks[advice.kind]
            found.append((f"{mark} {advice.says}", style))
    for words, style in found[:_NAMED]:
        yield f"\n{words}", style
    if len(found) > _NAMED:
        yield f"\nand {len(found) - _NAMED} more: ctrl+r", "dim"


def moved_words(now: Summary, then: Summary) -> Iterator[str]:
    """Yield what would be another figure, in words: `memory 614 → 590 MiB`."""
    names: dict[str, tuple[str, str]] = {
        "cost": ("", f" {then.currency} a month"),
        "needed_mb": ("memory ", " MiB"),
        "carries": ("carries ", " a minute"),
        "hours": ("work ", " h a month"),
        "conflicts": ("conflicts ", ""),
        "warnings": ("warnings ", ""),
    }
    moved = then.changed_from(now)
    for name, (before, after) in names.items():
        if name in moved:
            yield f"{before}{_figure(getattr(now, name))} → {_figure(getattr(then, name))}{after}"
    if "failures" in moved:
        yield f"points of failure {len(now.failures)} → {len(then.failures)}"


def _in_lines(pieces: Sequence[Sequence[Part]], width: int) -> Iterator[Part]:
    used = 1
    yield " ", ""
    for piece in pieces:
        length = sum(len(words) for words, _ in piece)
        if not length:
            continue
        if used > 1:
            broken = used + _GAP + length > width
            yield ("\n " if broken else " " * _GAP), ""
            used = 1 if broken else used + _GAP
        yield from piece
        used += length


def _cost(summary: Summary) -> str:
    return "price unknown" if summary.cost is None else f"{summary.cost:g} {summary.currency}/month"


def _bar(summary: Summary, cells: int) -> Iterator[Part]:
    share = summary.needed_mb / summary.memory_mb
    style = "$text-error" if share > _FULL else "$text-warning" if share > _TIGHT else "$text-success"
    filled = min(cells, round(share * cells))
    yield "━" * filled, style
    yield "─" * (cells - filled), "dim"


def _against(summary: Summary) -> Iterator[Part]:
    if summary.faults:
        yield f"✗ {count(summary.faults, 'fault')} ", "bold $text-error"
    if summary.conflicts:
        yield f"✗ {count(summary.conflicts, 'conflict')} ", "bold $text-error"
    if summary.warnings:
        yield f"! {count(summary.warnings, 'warning')}", "$text-warning"
    if not (summary.faults or summary.conflicts or summary.warnings):
        yield "✓ no conflict", "$text-success"


def cut(text: str, cells: int) -> str:
    """Return a text of at most so many cells; that something is left out can be seen."""
    return text if len(text) <= cells else f"{text[: cells - 1]}…"


def _figure(value: Any) -> str:
    """Return a figure as it is read: thousands apart, unknown said."""
    if value is None:
        return "unknown"
    return f"{value:,}" if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else str(value)


def _saved(design: Design) -> str:
    if design.unsaved:
        return "not saved yet" if design.new else "✗ not saved"
    if design.saved is not None:
        return time.strftime("saved %H:%M", time.localtime(design.saved))
    return ""
