"""Where the walk begins: what was found in this folder, what was open lately, and where a run can go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Button, Footer, Input, OptionList, Static
from textual.widgets.option_list import Option as Row

from stackwise.paths import DEFAULT_FILE
from stackwise.tui.widgets.place import PlaceInput
from stackwise.walk.places import place_of

if TYPE_CHECKING:
    from stackwise.tui.app import Walk
    from stackwise.walk.design import Design
    from stackwise.walk.recent import LastRun, Recent

Part = str | tuple[str, str]
# The mark and the style together, so that nothing is told by colour alone.
_MARKS = {
    "never": ("·", "dim"),
    "going on": ("▸", "$text-accent"),
    "done": ("✓", "$text-success"),
    "removed": ("-", "dim"),
    "stopped": ("!", "$text-warning"),
    "failed": ("✗", "$text-error"),
}
_RESUMES = {"going on": "Watch the run", "stopped": "Go on with the run", "failed": "Go on with the run"}


class StartScreen(Screen[None]):
    """The first picture. It is drawn before anything is read."""

    HELP = """# Start

stackwise looks at the project in this folder without running it. `enter` begins the walk through all the choices;
every one of them has a recommended answer already. `ctrl+r` goes straight to the review of what would be made. Where
the last run did not end well, `r` leads to it.

The answers are kept in one file, `stackwise.yml`, which you can read, edit and commit. What was open lately is listed
with how its last run ended: `tab` to it, then arrows and `enter`. Another folder or answers file is opened by its
place; the right arrow takes what is suggested.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+n", "begin", "Begin", id="start.begin", tooltip="Begin at the first step"),
        Binding("ctrl+g", "goto", "Go to", id="start.goto", tooltip="Choose a step from the whole walk"),
        Binding("ctrl+r", "review", "Review", id="start.review", tooltip="See the plan and what speaks against it"),
        Binding("escape", "close_help", "Close the help", show=False, id="start.close", tooltip="Close the help again"),
        Binding("r", "resume", "To the run", id="start.resume", tooltip="Go to the run that did not end, or not well"),
    ]

    def __init__(self) -> None:
        """Begin with nothing known."""
        super().__init__()
        self.last: LastRun | None = None
        self.places: list[Path] = []
        self.first: Path | None = None

    @property
    def walk(self) -> Walk:
        """The app, by its own type."""
        return cast("Walk", self.app)

    def compose(self) -> ComposeResult:
        """Make the first picture."""
        with Vertical(id="start"):
            yield Static("stackwise", id="name")
            yield Static("Pick a stack you can defend, then stand it up.", id="motto")
            with Container(id="panes"):
                with Vertical(id="here"):
                    yield Static("Looking at this folder ...", markup=False, id="found")
                    yield Static(markup=False, id="last")
                    with Horizontal(id="buttons"):
                        yield Button("Begin the walk", id="begin", variant="primary", disabled=True)
                        yield Button("Straight to the review", id="review", disabled=True)
                        yield Button("Go on with the run", id="resume", variant="warning")
                with Vertical(id="others"):
                    yield Static("Open lately", classes="quiet", id="lately")
                    yield OptionList(id="recents", markup=False, compact=True)
                    yield Static("Another folder, or another answers file", classes="quiet")
                    yield PlaceInput(placeholder="its place; the right arrow completes it", id="other")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Leave out what is not known yet."""
        self.first = self.walk.path
        self._show_last(None)
        self._show_places([], [])

    def on_screen_resume(self) -> None:
        """Look anew at how runs ended: one may have, meanwhile."""
        if self.walk.design is not None:
            self.refresh_facts()
            self.walk.recall(self.walk.design)

    def refresh_facts(self) -> None:
        """Show what is known of the project as it is now."""
        if self.walk.design is not None and self.query("#found"):
            self.query_one("#found", Static).update(Content.assemble(*_found(self.walk.design)))

    def show_recalled(self, recents: Sequence[tuple[Recent, LastRun]], here: LastRun | None) -> None:
        """Show what was open lately, and how the last run of what is open now ended."""
        self._show_last(here)
        rows = [_recent_row(recent, run) for recent, run in recents]
        places = [recent.path for recent, _ in recents]
        if self.first is not None and self.walk.path.resolve() != self.first.resolve() and self.first not in places:
            rows.insert(0, Content.assemble(("This folder", "bold"), "\n", (str(self.first.resolve().parent), "dim")))
            places.insert(0, self.first)
        self._show_places(rows, places)

    def _show_last(self, last: LastRun | None) -> None:
        self.last = last if last is not None and last.is_open else None
        shown = self.query_one("#last", Static)
        shown.display = self.query_one("#resume").display = self.last is not None
        if self.last is not None:
            mark, style = _MARKS[self.last.ended]
            shown.update(Content.assemble((f"{mark} ", style), self.last.words, (f"\n  {self.last.says}", "dim")))
            self.query_one("#resume", Button).label = _RESUMES[self.last.ended]
        self.refresh_bindings()

    def _show_places(self, rows: list[Content], places: list[Path]) -> None:
        listed = self.query_one("#recents", OptionList)
        listed.display = self.query_one("#lately").display = bool(rows)
        self.places = places
        at = listed.highlighted
        listed.clear_options()
        listed.add_options(Row(row) for row in rows)
        listed.highlighted = at if at is not None and at < len(rows) else 0 if rows else None

    def show(self, design: Design) -> None:
        """Show what was found; faults of an answers file have a screen of their own."""
        self._found(Content.assemble(*_found(design)), can_begin=True)
        if design.faults and not design.new:
            from stackwise.tui.screens.faults import FaultsScreen  # noqa: PLC0415 - not wanted before the first picture

            self.app.push_screen(FaultsScreen(design.path, design.faults, can_go_on=True))

    def show_error(self, error: Exception) -> None:
        """Show why there is nothing to begin with."""
        from stackwise.errors import AnswersError, StackwiseError  # noqa: PLC0415 - as above

        message, hint = f"something went wrong that should not: {error!r}", "see more with: stackwise --debug check"
        if isinstance(error, StackwiseError):
            message, hint = error.message, error.hint
        self._found(Content.assemble(("✗ ", "$text-error"), message, (f"\n  {hint}", "dim")), can_begin=False)
        if isinstance(error, AnswersError):
            from stackwise.tui.screens.faults import FaultsScreen  # noqa: PLC0415 - as above

            self.app.push_screen(FaultsScreen(self.walk.path, error.faults, can_go_on=False))

    def _found(self, content: Content, *, can_begin: bool) -> None:
        self.query_one("#found", Static).update(content)
        for button in self.query(Button):
            button.disabled = not can_begin
        self.query_one("#begin" if can_begin else "#other").focus()
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what leads somewhere."""
        del parameters
        if action in {"begin", "goto", "review"}:
            # Shown and not to be had while there is nothing to begin with.
            return True if self.walk.design is not None else None
        return self.last is not None if action == "resume" else True

    @on(Button.Pressed, "#begin")
    def action_begin(self) -> None:
        """Begin at the first step. A new answers file is written now."""
        self._go(self.walk.steps[0].id if self.walk.steps else "")

    @on(Button.Pressed, "#review")
    def action_review(self) -> None:
        """Go straight to the review."""
        self._go("review")

    @on(Button.Pressed, "#resume")
    def action_resume(self) -> None:
        """Go to the run that did not end, or not well."""
        self._go("run")

    def action_close_help(self) -> None:
        """Close the help where it is open."""
        self.walk.action_hide_help_panel()

    def action_goto(self) -> None:
        """Ask where to go."""
        self.walk.action_goto()

    def _go(self, step: str) -> None:
        if self.walk.design is not None:
            self.walk.go(step)

    @on(Input.Submitted, "#other")
    def _other(self, event: Input.Submitted) -> None:
        typed = event.value.strip()
        if typed:
            place = place_of(typed)
            if place is None:
                self.notify(f"{typed[:60]} is no place that can be.", severity="error", markup=False)
            else:
                self._open(place / DEFAULT_FILE if place.is_dir() else place)

    @on(OptionList.OptionSelected, "#recents")
    def _again(self, event: OptionList.OptionSelected) -> None:
        self._open(self.places[event.option_index])

    def _open(self, place: Path) -> None:
        self._show_last(None)
        self.query_one("#found", Static).update(f"Looking at {place} ...")
        self.walk.open(place)


def _recent_row(recent: Recent, run: LastRun) -> Content:
    """Return an answers file in two lines: whose it is and how it stands, and where it lies."""
    mark, style = _MARKS[run.ended]
    when = recent.opened.astimezone().strftime("%d %b %H:%M")
    place = recent.path.parent if recent.path.name == DEFAULT_FILE else recent.path
    shown = f"~/{place.relative_to(Path.home())}" if place.is_relative_to(Path.home()) else str(place)
    return Content.assemble(
        (recent.name, "bold"),
        (f" {recent.environment}  ", "dim"),
        (f"{mark} ", style),
        f"{run.words}\n",
        (f"{when}  {shown}", "dim"),
    )


def _found(design: Design) -> Iterator[Part]:
    from stackwise.walk.scanning import found_rows, project_kind  # noqa: PLC0415 - not wanted before the first picture

    project = design.project
    yield project.name, "bold"
    yield f", {project_kind(project)}\n"
    for name, value in found_rows(project).items():
        yield f"  {name:<9} ", "dim"
        yield f"{value}\n"
    yield "\n"
    if design.new:
        yield f"The answers will be kept in {design.path}; each has a recommended value already.", "dim"
    else:
        yield "Answers  ", "dim"
        yield f"{design.path}, for {design.summary.name} ({design.summary.environment})"
