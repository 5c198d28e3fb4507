"""Small screens over a step: each has a result type, and escape closes it without one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, ScreenResultType
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option as Row

from stackwise.tui.widgets.map import MARKS

if TYPE_CHECKING:
    from stackwise.walk.steps import Standing, Step

_CLOSE = Binding("escape", "close", "Close", id="dialog.close", tooltip="Close this without a result")


class Box(ModalScreen[ScreenResultType]):
    """A small screen over another one; what is typed after it is closed does not close what is below it."""

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Close it, unless it is closed already: Textual would close whatever is on top."""
        return super().dismiss(result) if self.is_current else AwaitComplete()


class Explanation(Box[None]):
    """A few words about something."""

    CSS_PATH = "dialogs.tcss"
    HELP = "Any of `escape`, `enter` and `?` closes it."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,question_mark", "close", "Close", id="explanation.close", tooltip="Close the explanation")
    ]

    def __init__(self, title: str, text: str) -> None:
        """Show `text` under `title`."""
        super().__init__()
        self.words = Content.assemble((title, "bold"), "\n\n", text, ("\n\nescape closes this", "dim"))

    def compose(self) -> ComposeResult:
        """Make the box."""
        with Vertical(classes="box"):
            yield Static(self.words)

    def action_close(self) -> None:
        """Close it."""
        self.dismiss(None)

    def on_click(self) -> None:
        """Close it by mouse."""
        self.dismiss(None)


def reading_width(terminal: int) -> int:
    """Return how many columns a long text has on a terminal of so many: what border, padding and bar leave."""
    return min(90, terminal * 9 // 10) - 8


class Reading(Box[None]):
    """A text that is longer than the screen, to be read and closed."""

    CSS_PATH = "dialogs.tcss"
    HELP = "Arrows and page keys scroll; `escape` closes it."
    BINDINGS: ClassVar[list[BindingType]] = [_CLOSE]

    def __init__(self, title: str, lines: Sequence[str]) -> None:
        """Show `lines` under `title`."""
        super().__init__()
        self.title_words, self.lines = title, lines

    def compose(self) -> ComposeResult:
        """Make the box."""
        with Vertical(classes="box large"):
            yield Static(self.title_words, markup=False, classes="title")
            with VerticalScroll():
                yield Static("\n".join(self.lines), markup=False)
            yield Static("escape closes this", markup=False, classes="quiet")

    def on_mount(self) -> None:
        """Let the keys scroll at once."""
        self.query_one(VerticalScroll).focus()

    def action_close(self) -> None:
        """Close it."""
        self.dismiss(None)


class Sure(Box[bool]):
    """A question that is answered by yes or no."""

    CSS_PATH = "dialogs.tcss"
    HELP = "`y` is yes; `n` and `escape` are no."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "yes", "Yes", id="sure.yes", tooltip="Do it"),
        Binding("n,escape", "no", "No", id="sure.no", tooltip="Leave it as it is"),
    ]

    def __init__(self, question: str, yes: str, no: str) -> None:
        """Ask `question`; the buttons say `yes` and `no`."""
        super().__init__()
        self.question, self.words = question, {"yes": yes, "no": no}

    def compose(self) -> ComposeResult:
        """Make the box."""
        with Vertical(classes="box"):
            yield Static(self.question, markup=False)
            with Horizontal(classes="buttons"):
                yield Button(Content(f"{self.words['no']} (n)"), id="no", compact=True, variant="primary")
                yield Button(Content(f"{self.words['yes']} (y)"), id="yes", compact=True)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")

    def action_yes(self) -> None:
        """Do it."""
        self.dismiss(True)

    def action_no(self) -> None:
        """Leave it."""
        self.dismiss(False)


class Reason(Box[str | None]):
    """Asks for a reason in one line; empty takes the reason back."""

    CSS_PATH = "dialogs.tcss"
    HELP = "Type the reason and press `enter`. It is kept in the answers file, for whoever reads it later."
    BINDINGS: ClassVar[list[BindingType]] = [_CLOSE]

    def __init__(self, question: str, reason: str) -> None:
        """Ask `question`; `reason` is the one that stands."""
        super().__init__()
        self.question, self.reason = question, reason

    def compose(self) -> ComposeResult:
        """Make the box."""
        with Vertical(classes="box"):
            yield Static(self.question, markup=False)
            yield Input(self.reason, placeholder="the reason; empty takes it back", compact=True)
            yield Static("enter keeps it, escape leaves everything as it was", markup=False, classes="quiet")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip())

    def action_close(self) -> None:
        """Leave it."""
        self.dismiss(None)


class GoTo(Box[str | None]):
    """Every step of the walk, to choose one from."""

    CSS_PATH = "dialogs.tcss"
    HELP = "Arrows and `enter`. ✓ was looked at, · is open, ✗ has a conflict."
    BINDINGS: ClassVar[list[BindingType]] = [_CLOSE]

    def __init__(self, steps: Sequence[Step], standings: dict[str, Standing], here: str) -> None:
        """Offer `steps`, beginning at the one that is `here`."""
        super().__init__()
        self.steps, self.standings, self.here = steps, standings, here

    def compose(self) -> ComposeResult:
        """Make the list."""
        rows = [Row(self._row(step), id=step.id) for step in self.steps]
        with Vertical(classes="box"):
            yield OptionList(*rows, compact=True)

    def on_mount(self) -> None:
        """Begin where one is."""
        self.query_one(OptionList).highlighted = next(
            (place for place, step in enumerate(self.steps) if step.id == self.here), 0
        )

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id)

    def action_close(self) -> None:
        """Stay."""
        self.dismiss(None)

    def _row(self, step: Step) -> Content:
        mark, style = MARKS[self.standings[step.id]]
        group = "" if step.group == step.title else f"{step.group}: "
        return Content.assemble((mark, style), " ", (group, "dim"), step.title)
