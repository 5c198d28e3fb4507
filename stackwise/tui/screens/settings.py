"""A component's own settings, over its layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from stackwise.tui.widgets.form import Form
from stackwise.walk.questions import Asked

if TYPE_CHECKING:
    from stackwise.tui.app import Walk


class Settings(ModalScreen[None]):
    """A component's own questions. Each has a value already; an emptied field goes back to it."""

    CSS_PATH = ["form.tcss", "dialogs.tcss"]  # noqa: RUF012 - Textual reads it from the class
    HELP = "Each setting has a value already; what you type here wins, and an emptied field goes back."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", id="settings.close", tooltip="Close this; what was typed is saved")
    ]

    def __init__(self, component: str, questions: Sequence[Asked]) -> None:
        """Ask the `questions` of a component, which is named above them."""
        super().__init__()
        self.component = component
        self.questions = questions

    def compose(self) -> ComposeResult:
        """Make the form."""
        with Vertical(classes="box large"):
            yield Static(f"Settings of {self.component}", markup=False, classes="title")
            yield Form(self.questions, self.action_close)
            yield Static("escape closes this; what was typed is saved", markup=False, classes="quiet")

    def action_close(self) -> None:
        """Keep what was typed, and close."""
        for key, value in self.query_one(Form).pending():
            cast("Walk", self.app).answer(key, value)
        self.dismiss(None)
