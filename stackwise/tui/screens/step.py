"""What every step of the walk has in common: the map, the summary, and the keys that lead from one to the next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Footer, Static

from stackwise.readable import readable
from stackwise.tui.messages import Explained
from stackwise.tui.screens.dialogs import Reading, reading_width
from stackwise.tui.widgets.map import WalkMap, WalkStrip
from stackwise.tui.widgets.summary import SummaryLine, SummaryPanel

if TYPE_CHECKING:
    from stackwise.tui.app import Walk
    from stackwise.walk.design import Design
    from stackwise.walk.steps import Step

KEYS_HELP = """

| key | does |
|---|---|
| `enter` | take what is under the cursor, and go on |
| `ctrl+n`, `escape` | the next step, the step before |
| `ctrl+g` | go to any step |
| `ctrl+z`, `ctrl+y` | take the last change back, make it again |
| `ctrl+r` | the review of the whole plan |
| `f2` | the whole advice: what fits, what was close, what it carries and costs |
| `ctrl+p` | every action by name, and the themes |
| `ctrl+q` | quit; everything is saved already |
"""


class StepScreen(Screen[None]):
    """One step of the walk."""

    CSS_PATH = ["step.tcss"]  # noqa: RUF012 - Textual reads it from the class
    AUTO_FOCUS = "#body Input, #body Choices, #body OptionList, #body Button"
    HELP = KEYS_HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", id="step.back", tooltip="Go to the step before"),
        Binding("ctrl+n", "next", "Next", id="step.next", tooltip="Go to the next step"),
        Binding("ctrl+g", "goto", "Go to", id="step.goto", tooltip="Choose a step from the whole walk"),
        Binding("ctrl+r", "review", "Review", id="step.review", tooltip="See the plan and what speaks against it"),
        Binding("f2", "advise", "Advice", id="step.advise", show=False, tooltip="Read the whole advice on the choices"),
    ]

    def __init__(self, step: Step) -> None:
        """Show `step`."""
        super().__init__()
        self.step = step

    @property
    def walk(self) -> Walk:
        """The app, by its own type."""
        return cast("Walk", self.app)

    @property
    def design(self) -> Design:
        """The answers, and what follows from them."""
        design = self.walk.design
        assert design is not None, "no step is shown before the answers are there"  # noqa: S101 - an invariant of the walk
        return design

    @property
    def here(self) -> bool:
        """Whether the screen has all its widgets: what was asked for may come when it is half made, or half gone."""
        return bool(self.query(WalkMap)) and bool(self.query(SummaryLine))

    def compose(self) -> ComposeResult:
        """Put the map beside (or above) the step, and the summary below it."""
        yield WalkStrip(self.walk.steps, self.step)
        with Horizontal(id="across"):
            yield WalkMap(self.walk.steps, self.step)
            with Vertical(id="body"):
                yield Static(self.heading(), markup=False, id="heading")
                yield Static(markup=False, id="faults-here")
                yield from self.compose_step()
            yield SummaryPanel()
        yield SummaryLine()
        yield Footer(show_command_palette=False)

    def heading(self) -> str:
        """Return what the step is about."""
        return self.step.title

    def compose_step(self) -> Iterator[Widget]:
        """Make what is between heading and summary."""
        yield from ()

    def on_mount(self) -> None:
        """Show how things stand."""
        self.design.visited.add(self.step.id)
        self.refresh_facts()

    def refresh_facts(self) -> None:
        """Show map and summary as they are now; called after every change."""
        standings = self.walk.standings()
        self.query_one(WalkMap).show(standings)
        self.query_one(WalkStrip).show(standings)
        # Both, since a terminal may be made wider at any time.
        self.query_one(SummaryLine).show(self.design)
        self.query_one(SummaryPanel).show(self.design)
        faults = self.design.faults_of(self.step.keys)
        here = self.query_one("#faults-here", Static)
        here.display = bool(faults)
        here.update("\n".join(f"✗ {fault.place}: {fault.message}; {fault.hint}".rstrip("; ") for fault in faults))

    def flush(self) -> None:
        """Hand over what was typed and not handed over yet; called before the step is left."""

    def action_next(self) -> None:
        """Go to the next step."""
        self.walk.go_by(self.step, 1)

    def action_back(self) -> None:
        """Close the help where it is open, else leave what is open here, else go to the step before."""
        if self.query("HelpPanel"):
            self.walk.action_hide_help_panel()
        elif not self.leave():
            self.walk.go_by(self.step, -1)

    def leave(self) -> bool:
        """Leave what is open on this step, a filter or settings; return whether there was anything."""
        return False

    def action_review(self) -> None:
        """Go to the review."""
        self.walk.go("review")

    def action_advise(self) -> None:
        """Show the whole advice on the choices as they stand."""
        self.flush()
        self._advise(reading_width(self.app.size.width))

    @work(thread=True, exclusive=True, exit_on_error=False, group="why")
    def _advise(self, width: int) -> None:
        self.post_message(Explained("What fits, what was close, what it carries and costs", self.design.advised(width)))

    def on_explained(self, message: Explained) -> None:
        """Show it, unless the step was left meanwhile."""
        if self.is_current:
            self.app.push_screen(Reading(message.title, [readable(line) for line in message.lines]))

    def action_goto(self) -> None:
        """Ask where to go."""
        self.walk.action_goto()
