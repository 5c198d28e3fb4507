"""The map of the walk: every step, how it stands, and where one is. A strip, or on a wide terminal a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from stackwise.tui.messages import Wanted

if TYPE_CHECKING:
    from stackwise.tui.steps import Standing, Step

# The mark and the style together, so that nothing is told by colour alone.
MARKS = {"done": ("✓", "$text-success"), "open": ("·", "dim"), "conflict": ("✗", "$text-error")}
_WORST = ("conflict", "open", "done")


class Entry(Static):
    """One step, or one group of steps; a click goes there."""

    def __init__(self, step: str, title: str, *, inner: bool = False) -> None:
        """Stand for the step with the id `step`."""
        super().__init__(markup=False, classes="inner" if inner else "")
        self.step = step
        self.title = title

    def show(self, standing: str, *, here: bool) -> None:
        """Show how it stands, and whether one is here."""
        mark, style = MARKS[standing]
        self.update(Content.assemble((mark, style), " ", (self.title, "bold $text-primary" if here else "")))
        self.set_class(here, "here")

    def on_click(self) -> None:
        """Ask to go there."""
        self.post_message(Wanted(self.step))


class WalkMap(VerticalScroll):
    """Every step, one a line."""

    can_focus = False

    def __init__(self, steps: Sequence[Step], here: Step) -> None:
        """Show `steps`, with the one that is `here`."""
        super().__init__()
        self.steps = steps
        self.here = here

    def compose(self) -> ComposeResult:
        """Make a line a step; a group of several has a heading."""
        group = ""
        for step in self.steps:
            alone = sum(other.group == step.group for other in self.steps) == 1
            if step.group != group and not alone:
                yield Static(step.group, markup=False, classes="group")
            group = step.group
            yield Entry(step.id, step.title, inner=not alone)

    def show(self, standings: dict[str, Standing]) -> None:
        """Show how every step stands."""
        for entry in self.query(Entry):
            entry.show(standings[entry.step], here=entry.step == self.here.id)


class WalkStrip(Horizontal):
    """The groups of steps, in one line."""

    def __init__(self, steps: Sequence[Step], here: Step) -> None:
        """Show the groups of `steps`, with the one that `here` belongs to."""
        super().__init__()
        self.steps = steps
        self.here = here

    def compose(self) -> ComposeResult:
        """Make an entry a group; it leads to the group's first step."""
        for group in dict.fromkeys(step.group for step in self.steps):
            yield Entry(next(step.id for step in self.steps if step.group == group), group)

    def show(self, standings: dict[str, Standing]) -> None:
        """Show how every group stands: as its worst step."""
        for entry in self.query(Entry):
            of_group = [standings[step.id] for step in self.steps if step.group == entry.title]
            entry.show(next(word for word in _WORST if word in of_group), here=entry.title == self.here.group)
