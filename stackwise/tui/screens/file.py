"""One rendered file, on the whole screen."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Footer, Static

from stackwise.readable import readable
from stackwise.tui.widgets.plan_view import PlanView
from stackwise.tui.widgets.source import SourceView, coloured


class FileScreen(Screen[None]):
    """A file to be read and left again."""

    CSS_PATH = "review.tcss"
    AUTO_FOCUS = "SourceView"
    HELP = """# A file

It is written like this into the Ansible project. Arrows, page keys, `j` and `k` scroll, `g` and `G` go to its ends;
`escape` goes back to the plan.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "Back to the plan", id="file.close", tooltip="Go back to the plan")
    ]

    def __init__(self, path: str, data: bytes) -> None:
        """Show the file at `path` in the rendered project."""
        super().__init__()
        self.path, self.data = path, data

    def compose(self) -> ComposeResult:
        """Make the title and the text."""
        yield Static(readable(self.path), markup=False, id="file-title")
        yield SourceView()
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Give it its colours."""
        self._colour()

    @work(thread=True, exclusive=True, exit_on_error=False, group="colours")
    def _colour(self) -> None:
        self.post_message(PlanView.Coloured(self.path, coloured(self.data, self.path)))

    @on(PlanView.Coloured)
    def _coloured(self, message: PlanView.Coloured) -> None:
        self.query_one(SourceView).show(message.text)

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(None)
