"""The map of the walk: every step, how it stands, and where one is. A strip, or on a wide terminal a list.

Each is one widget that knows where its words stand, since a widget a step would make every change of screens slower.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.events import Click
from textual.widgets import Static

from stackwise.tui.messages import Wanted

if TYPE_CHECKING:
    from stackwise.walk.steps import Standing, Step

# The mark and the style together, so that nothing is told by colour alone.
MARKS = {
    "done": ("✓", "$text-success"),
    "open": ("·", "dim"),
    "conflict": ("✗", "$text-error"),
    "running": ("▸", "$text-primary"),
}
_WORST = ("conflict", "running", "open", "done")
_GAP = " "
Part = tuple[str, str]


def _entry(title: str, standing: Standing, *, here: bool) -> tuple[Part, Part]:
    mark, style = MARKS[standing]
    return (f"{mark} ", style), (title, "bold underline $text-primary" if here else "")


class WalkList(Static):
    """Every step, one a line; a group of several has a heading."""

    def __init__(self, steps: Sequence[Step], here: Step) -> None:
        """Show `steps`, with the one that is `here`."""
        super().__init__(markup=False)
        self.steps = steps
        self.here = here
        self.lines: list[str] = []

    def show(self, standings: dict[str, Standing]) -> None:
        """Show how every step stands."""
        self.lines = []
        self.update(Content.assemble(*self._parts(standings)))

    def _parts(self, standings: dict[str, Standing]) -> Iterator[Part]:
        group = ""
        for step in self.steps:
            alone = sum(other.group == step.group for other in self.steps) == 1
            if step.group != group and not alone:
                yield f"{step.group}\n", "dim"
                self.lines.append(step.id)
            group = step.group
            yield ("" if alone else " "), ""
            yield from _entry(step.title, standings[step.id], here=step == self.here)
            yield "\n", ""
            self.lines.append(step.id)

    def on_click(self, event: Click) -> None:
        """Go to the step on this line."""
        if event.y < len(self.lines):
            self.post_message(Wanted(self.lines[event.y]))


class WalkMap(VerticalScroll):
    """The list of steps, which scrolls where it is longer than the terminal."""

    can_focus = False

    def __init__(self, steps: Sequence[Step], here: Step) -> None:
        """Show `steps`, with the one that is `here`."""
        super().__init__()
        self.list = WalkList(steps, here)

    def compose(self) -> ComposeResult:
        """Make the list."""
        yield self.list

    def show(self, standings: dict[str, Standing]) -> None:
        """Show how every step stands."""
        self.list.show(standings)


class WalkStrip(Static):
    """The groups of steps in one line; each stands as its worst step."""

    def __init__(self, steps: Sequence[Step], here: Step) -> None:
        """Show the groups of `steps`, with the one that `here` belongs to."""
        super().__init__(markup=False)
        self.groups = {group: [s for s in steps if s.group == group] for group in dict.fromkeys(s.group for s in steps)}
        self.here = here

    def show(self, standings: dict[str, Standing]) -> None:
        """Show how every group stands."""
        parts: list[Part] = []
        for group, steps in self.groups.items():
            worst = next(word for word in _WORST if word in {standings[step.id] for step in steps})
            mark, title = _entry(group, worst, here=group == self.here.group)
            # All of them fit the narrowest terminal.
            parts += [(mark[0].strip(), mark[1]), title, (_GAP, "")]
        self.update(Content.assemble(*parts))

    def on_click(self, event: Click) -> None:
        """Go to the first step of the group under the pointer."""
        offset = event.get_content_offset(self)
        end = 0
        for group, steps in self.groups.items():
            end += 1 + len(group) + len(_GAP)
            if offset is not None and offset.x < end:
                self.post_message(Wanted(steps[0].id))
                return
