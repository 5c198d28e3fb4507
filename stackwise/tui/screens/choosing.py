"""What every screen with one decision has: rows to choose from, a filter, and notes on the highlighted one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from stackwise.tui.screens.step import StepScreen

Part = str | tuple[str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """One thing to choose: its line, the words that a filter looks at, and why it cannot be taken."""

    id: str
    name: str
    content: Content
    words: str
    why_not: str = ""
    chosen: bool = False


class ChoosingScreen(StepScreen):
    """Rows, and beside or below them what is to be said about the highlighted one."""

    CSS_PATH = ["step.tcss", "choosing.tcss"]  # noqa: RUF012 - Textual reads it from the class
    AUTO_FOCUS = "#options"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "take", "Take", show=False, id="choose.take", tooltip="Take this one and stay here"),
        Binding("j", "down", "Down", show=False, id="choose.down", tooltip="The one below"),
        Binding("k", "up", "Up", show=False, id="choose.up", tooltip="The one above"),
        Binding("slash", "filter", "Filter", show=False, id="choose.filter", tooltip="Show only what has these words"),
        Binding("ctrl+n", "next", "Next", show=False, id="step.next", tooltip="Go to the next step"),
    ]

    @abstractmethod
    def rows(self) -> tuple[Row, ...]:
        """Return what can be chosen, as things stand now."""

    @abstractmethod
    def note(self, row: Row) -> Content:
        """Return what is to be said about a row."""

    @abstractmethod
    def choose(self, row: Row) -> None:
        """Take a row."""

    def several(self) -> bool:
        """Whether several can be taken."""
        return False

    def compose_step(self) -> Iterator[Widget]:
        """Put the rows beside the notes."""
        self.shown: tuple[Row, ...] = ()
        yield Input(placeholder="show only what has these words", compact=True, id="filter")
        with Container(id="decision"):
            with Container(id="choices"):
                yield from self.compose_head()
                yield OptionList(id="options", markup=False, compact=True)
            with VerticalScroll(id="notes"):
                yield Static(markup=False, id="note")

    def compose_head(self) -> Iterator[Widget]:
        """Make what stands above the rows."""
        yield from ()

    def on_mount(self) -> None:
        """Begin at what is taken."""
        super().on_mount()
        self.query_one("#filter", Input).display = False
        self.list.highlighted = next((place for place, row in enumerate(self.shown) if row.chosen), 0)

    @property
    def list(self) -> OptionList:
        """The list of rows."""
        return self.query_one("#options", OptionList)

    @property
    def highlighted(self) -> Row | None:
        """The row under the cursor; None where the filter leaves none."""
        place = self.list.highlighted
        return self.shown[place] if place is not None and place < len(self.shown) else None

    def refresh_facts(self) -> None:
        """Show the rows as they are now; the cursor stays."""
        super().refresh_facts()
        here = self.highlighted
        wanted = self.query_one("#filter", Input).value.lower().split()
        self.shown = tuple(row for row in self.rows() if all(word in row.words.lower() for word in wanted))
        self.list.clear_options()
        self.list.add_options(Option(row.content, id=row.id) for row in self.shown)
        if not self.shown:
            self.query_one("#note", Static).update("Nothing here has these words. escape shows all again.")
            return
        places = {row.id: place for place, row in enumerate(self.shown)}
        self.list.highlighted = places.get(here.id, 0) if here else 0

    @on(OptionList.OptionHighlighted, "#options")
    def show_note(self) -> None:
        """Show what is to be said about the highlighted row."""
        if row := self.highlighted:
            self.query_one("#note", Static).update(self.note(row))
            self.query_one("#notes").scroll_home(animate=False)

    @on(OptionList.OptionSelected, "#options")
    def _selected(self) -> None:
        if (row := self.highlighted) and self._take(row) and not self.several():
            self.action_next()

    def _take(self, row: Row) -> bool:
        """Take a row; say why where it cannot be taken. Return whether it is taken."""
        if row.why_not:
            self.notify(row.why_not, title=f"{row.name} cannot be taken", severity="warning", markup=False)
            return False
        if not row.chosen or self.several() or self.design.faults_of(self.step.keys):
            self.choose(row)
        return True

    def action_take(self) -> None:
        """Take the highlighted row and stay."""
        if row := self.highlighted:
            self._take(row)

    def action_down(self) -> None:
        """Highlight the row below."""
        self.list.action_cursor_down()

    def action_up(self) -> None:
        """Highlight the row above."""
        self.list.action_cursor_up()

    def action_filter(self) -> None:
        """Ask for words to look for."""
        box = self.query_one("#filter", Input)
        box.display = True
        box.focus()

    def leave(self) -> bool:
        """Show all rows again where a filter is open."""
        box = self.query_one("#filter", Input)
        if not box.display:
            return False
        box.display = False
        box.value = ""
        self.list.focus()
        return True

    @on(Input.Changed, "#filter")
    def _filter(self) -> None:
        self.refresh_facts()

    @on(Input.Submitted, "#filter")
    def _filtered(self) -> None:
        self.list.focus()
