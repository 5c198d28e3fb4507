"""Where the walk begins: what was found in this folder, and where the answers will be kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Button, Footer, Input, Static

if TYPE_CHECKING:
    from stackwise.tui.app import Walk
    from stackwise.walk.design import Design

Part = str | tuple[str, str]


class StartScreen(Screen[None]):
    """The first picture. It is drawn before anything is read."""

    HELP = """# Start

stackwise looks at the project in this folder without running it. `enter` begins the walk through all the choices;
every one of them has a recommended answer already. `ctrl+r` goes straight to the review of what would be made.

The answers are kept in one file, `stackwise.yml`, which you can read, edit and commit. Below, another folder or another
answers file can be opened.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+n", "begin", "Begin", id="start.begin", tooltip="Begin at the first step"),
        Binding("ctrl+g", "goto", "Go to", id="start.goto", tooltip="Choose a step from the whole walk"),
        Binding("ctrl+r", "review", "Review", id="start.review", tooltip="See the plan and what speaks against it"),
    ]

    @property
    def walk(self) -> Walk:
        """The app, by its own type."""
        return cast("Walk", self.app)

    def compose(self) -> ComposeResult:
        """Make the first picture."""
        with Vertical(id="start"):
            yield Static("stackwise", id="name")
            yield Static("Pick a stack you can defend, then stand it up.", id="motto")
            yield Static("Looking at this folder ...", markup=False, id="found")
            with Horizontal(id="buttons"):
                yield Button("Begin the walk", id="begin", variant="primary", disabled=True)
                yield Button("Straight to the review", id="review", disabled=True)
            yield Static("Another folder, or another answers file", classes="quiet")
            yield Input(compact=True, id="other")
        yield Footer(show_command_palette=False)

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

    @on(Button.Pressed, "#begin")
    def action_begin(self) -> None:
        """Begin at the first step. A new answers file is written now."""
        self._go(self.walk.steps[0].id if self.walk.steps else "")

    @on(Button.Pressed, "#review")
    def action_review(self) -> None:
        """Go straight to the review."""
        self._go("review")

    def action_goto(self) -> None:
        """Ask where to go."""
        self.walk.action_goto()

    def _go(self, step: str) -> None:
        if self.walk.design is not None:
            self.walk.go(step)

    @on(Input.Submitted, "#other")
    def _other(self, event: Input.Submitted) -> None:
        place = Path(event.value.strip()).expanduser()
        if event.value.strip():
            self.query_one("#found", Static).update(f"Looking at {place} ...")
            self.walk.open(place / "stackwise.yml" if place.is_dir() else place)


def _found(design: Design) -> Iterator[Part]:
    project = design.project
    django = f" {project.django_version}" if project.django_version else ""
    words = f"a Django{django} project" if project.framework == "django" else f"a Python project ({project.framework})"
    yield project.name, "bold"
    yield f", {words}\n"
    rows = {
        "folder": project.root,
        "settings": project.settings,
        "serves": project.wsgi or project.asgi,
        "needs": project.requirements.source,
        "database": ", ".join(d.engine.rpartition(".")[2] for d in project.databases if d.engine),
        "uses": ", ".join(project.uses),
    }
    for name, value in rows.items():
        if value:
            yield f"  {name:<9} ", "dim"
            yield f"{value}\n"
    yield "\n"
    if design.new:
        yield f"The answers will be kept in {design.path}; each has a recommended value already.", "dim"
    else:
        yield "Answers  ", "dim"
        yield f"{design.path}, for {design.summary.name} ({design.summary.environment})"
