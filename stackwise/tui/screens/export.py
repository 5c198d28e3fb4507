"""Takes something out of the walk: what it is, and where it goes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, Input, RadioSet, Static

from stackwise.tui.screens.dialogs import Box, Sure
from stackwise.tui.widgets.form import Choice, Choices
from stackwise.tui.widgets.place import PlaceInput
from stackwise.walk.export import EXPORTS, Export, in_words, is_taken, usual_place, write_export
from stackwise.walk.places import place_of

if TYPE_CHECKING:
    from stackwise.walk.design import Design


class ExportScreen(Box[str | None]):
    """Asks what to write and where; its result says what was written."""

    CSS_PATH = ["dialogs.tcss", "export.tcss"]  # noqa: RUF012 - Textual reads it from the class
    AUTO_FOCUS = "Choices"
    HELP = """# Export

Choose what to write, then where: arrows and `enter`, or the mouse. The place is completed by the right arrow. Nothing
that is there is replaced without asking.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", id="export.close", tooltip="Close this and write nothing")
    ]

    class Written(Message):
        """It was written, or why not."""

        def __init__(self, said: str, error: Exception | None = None) -> None:
            """Carry what was `said` of it."""
            super().__init__()
            self.said, self.error = said, error

    def __init__(self, design: Design) -> None:
        """Write something of `design`."""
        super().__init__()
        self.design = design
        self.export = EXPORTS[0]
        self.written = ""

    def compose(self) -> ComposeResult:
        """Make the box."""
        with Vertical(classes="box"):
            yield Static("Export", classes="title")
            yield Choices(
                *(Choice(Content(export.title), export is self.export) for export in EXPORTS), compact=True, id="what"
            )
            yield Static("Where to", classes="quiet")
            yield PlaceInput(self._usual(self.export), id="where")
            yield Static(markup=False, id="wrong")
            with Horizontal(classes="buttons"):
                yield Button("Write it", id="write", compact=True, variant="primary")
                yield Button("Close", id="close", compact=True)

    def _usual(self, export: Export) -> str:
        return str(usual_place(export, self.design.path.resolve().parent, self.design.summary.name))

    @on(RadioSet.Changed)
    def _chosen(self, event: RadioSet.Changed) -> None:
        """Go along with the place, unless somebody typed one."""
        where = self.query_one("#where", Input)
        if where.value == self._usual(self.export):
            where.value = self._usual(EXPORTS[event.index])
        self.export = EXPORTS[event.index]
        self._say("")

    @on(Choices.Taken)
    def _on_to_the_place(self) -> None:
        self.query_one("#where").focus()

    @on(Input.Submitted)
    @on(Button.Pressed, "#write")
    def _wanted(self) -> None:
        typed = self._typed()
        target = place_of(typed)
        if not typed:
            self._say("Type a place to write to.")
        elif target is None:
            self._say("Nothing can be written there. Type another place.")
        elif self._taken(target):
            self.app.push_screen(self._question(target), self._sure)
        else:
            self._write(target)

    def _question(self, target: Path) -> Sure:
        if self.export.id == "project":
            return Sure(
                f"{target} is not empty. Write into it? Files of the same name are replaced.", "Do it", "Leave it"
            )
        return Sure(f"{target} is there already. Replace it?", "Replace it", "Leave it")

    def _taken(self, target: Path) -> bool:
        try:
            return is_taken(self.export, target)
        except OSError:
            # Writing will say what is wrong with it.
            return False

    def _sure(self, yes: bool | None) -> None:
        if yes and (target := place_of(self._typed())) is not None:
            self._write(target)

    def _typed(self) -> str:
        return self.query_one("#where", Input).value.strip()

    def _write(self, target: Path) -> None:
        self._say("writing ...")
        self._work(self.export, target)

    @work(thread=True, exclusive=True, exit_on_error=False, group="export")
    def _work(self, export: Export, target: Path) -> None:
        try:
            self.post_message(self.Written(write_export(export, self.design.document, self.design.fresh_job, target)))
        except Exception as exc:  # noqa: BLE001 - the top of a thread: Textual would print it with its variables
            self.post_message(self.Written(in_words(exc), exc))

    @on(Written)
    def _written(self, message: Written) -> None:
        if message.error is not None:
            self._say(message.said)
        elif self.is_current:
            self.dismiss(message.said)
        else:
            # Something else is on top, the palette perhaps: this one closes when it is seen again.
            self.written = message.said

    def on_screen_resume(self) -> None:
        """Close where all is written."""
        if self.written:
            self.dismiss(self.written)

    def _say(self, words: str) -> None:
        self.query_one("#wrong", Static).update(words)

    @on(Button.Pressed, "#close")
    def action_close(self) -> None:
        """Close it and write nothing."""
        self.dismiss(None)
