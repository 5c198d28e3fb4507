"""What becomes of a run when the window is closed."""

from __future__ import annotations

from typing import ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Static

from stackwise.tui.screens.dialogs import Box

Way = Literal["leave", "stop"]


class Leaving(Box[Way | None]):
    """Asks whether the run shall go on without the window."""

    CSS_PATH = "dialogs.tcss"
    AUTO_FOCUS = "#leave"
    HELP = """The run has a process of its own: it goes on when the window is closed, and `stackwise` shows it again.
`s` stops it at the next safe point first; `escape` stays here."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "answer('leave')", "Leave it", id="leaving.leave", tooltip="Close the window; the run goes on"),
        Binding("s", "answer('stop')", "Stop it", id="leaving.stop", tooltip="Stop the run, then close the window"),
        Binding("escape", "answer('')", "Stay", id="leaving.stay", tooltip="Stay here"),
    ]

    def compose(self) -> ComposeResult:
        """Make the box."""
        with Vertical(classes="box"):
            yield Static("The run goes on without this window. To see it again, type: stackwise", markup=False)
            with Horizontal(classes="buttons"):
                yield Button(Content("Leave it running (l)"), id="leave", compact=True, variant="primary")
                yield Button(Content("Stop it (s)"), id="stop", compact=True)
                yield Button(Content("Stay (esc)"), id="stay", compact=True)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.action_answer(event.button.id or "")

    def action_answer(self, way: str) -> None:
        """Close it with an answer."""
        self.dismiss("leave" if way == "leave" else "stop" if way == "stop" else None)
