"""The faults of an answers file, each with its place. Nothing of the file is changed by looking at them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Button, Footer, Static

if TYPE_CHECKING:
    from stackwise.errors import Fault
    from stackwise.tui.app import Walk

Part = str | tuple[str, str]


class FaultsScreen(Screen[None]):
    """Every fault at once, and the ways on."""

    CSS_PATH = "faults.tcss"
    AUTO_FOCUS = "Button"
    HELP = """# Faults

The answers file has something that cannot be right. Mend it in your editor and press `r` to read it again; or go on
with what is right. A wrong answer stays in the file as it is until you give another one, and nothing can be made
before that.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "again", "Read it again", id="faults.again", tooltip="Read the file again, after you mended it"),
        Binding("escape", "leave", "Back", id="faults.leave", tooltip="Go on with what is right"),
    ]

    def __init__(self, path: Path, faults: Sequence[Fault], *, can_go_on: bool) -> None:
        """Show the `faults` of the file at `path`."""
        super().__init__()
        self.path, self.faults, self.can_go_on = path, faults, can_go_on

    def compose(self) -> ComposeResult:
        """Make the list and the ways on."""
        many = "a fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        with Vertical(id="faults"):
            yield Static(f"{self.path} has {many}; the file stays as it is", markup=False, classes="title")
            with VerticalScroll():
                yield Static(Content.assemble(*self._rows()))
            with Horizontal(classes="buttons"):
                if self.can_go_on:
                    yield Button("Go on with what is right", id="on", variant="primary")
                yield Button("Read it again", id="again")
                yield Button("Quit", id="quit")
        yield Footer(show_command_palette=False)

    def _rows(self) -> Iterator[Part]:
        for fault in self.faults:
            yield f"{fault.place}\n", "bold"
            yield f"  {fault.message}\n"
            if fault.hint:
                yield f"  {fault.hint}\n", "dim"
            yield "\n"

    @on(Button.Pressed, "#on")
    def action_leave(self) -> None:
        """Go on with what is right, or back to the start where nothing is."""
        self.app.pop_screen()

    @on(Button.Pressed, "#again")
    def action_again(self) -> None:
        """Read the file again."""
        self.app.pop_screen()
        cast("Walk", self.app).open(self.path)

    @on(Button.Pressed, "#quit")
    async def _quit(self) -> None:
        await self.app.action_quit()
