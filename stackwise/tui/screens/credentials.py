"""Asks for what a provider wants to see. Nothing of it is shown, written to a file, or kept when the walk is left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from stackwise.tui.screens.dialogs import Box

if TYPE_CHECKING:
    from stackwise.catalog.model import Credential


class Credentials(Box[dict[str, str] | None]):
    """A masked field for each credential, named by the variable that it comes from."""

    CSS_PATH = "dialogs.tcss"
    HELP = "What is typed here is masked, kept in memory only, and handed to the run by its environment."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", id="credentials.close", tooltip="Close this; nothing is tried")
    ]

    def __init__(self, provider: str, wanted: Sequence[Credential], remark: str = "") -> None:
        """Ask for what the `provider` wants to see; the `remark` says what that is good for."""
        super().__init__()
        self.provider, self.wanted, self.remark = provider, wanted, remark

    def compose(self) -> ComposeResult:
        """Make a field each."""
        with Vertical(classes="box"):
            yield Static(f"{self.provider} wants to know who you are", markup=False, classes="title")
            yield Static(self.remark, markup=False)
            for credential in self.wanted:
                yield Static(credential.variable, markup=False)
                yield Static(credential.says, markup=False, classes="quiet")
                yield Input(password=True, compact=True, name=credential.variable)
            words = (
                "Enter tries it, escape leaves. Kept in memory until you quit, never in a file. Set the variable "
                "yourself to be asked no more."
            )
            yield Static(words, markup=False, classes="quiet")

    @on(Input.Submitted)
    def _submitted(self) -> None:
        boxes = list(self.query(Input))
        empty = next((box for box in boxes if not box.value.strip()), None)
        if empty is not None:
            empty.focus()
            return
        self.dismiss({str(box.name): box.value.strip() for box in boxes})

    def action_close(self) -> None:
        """Try nothing."""
        self.dismiss(None)
