"""Questions as fields: this is where a question of the catalog becomes a widget."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Collapsible, Input, RadioButton, RadioSet, Static

from stackwise.tui.messages import Answered
from stackwise.walk.questions import Asked, text_of, value_of

# Choices stand side by side as long as their words fit the narrowest terminal.
_SIDE_BY_SIDE = 64
_YES_OR_NO = ((True, "yes"), (False, "no"))
Pair = tuple[str, Any]


class Choice(RadioButton):
    """A word to choose. Its mark is filled where it is chosen, so that colour is not needed to see it."""

    BUTTON_INNER = " "

    def watch_value(self) -> None:
        """Fill the mark, or empty it."""
        self.BUTTON_INNER = "●" if self.value else " "
        super().watch_value()


class Choices(RadioSet):
    """A few words to choose from. Enter takes the one under the cursor and goes on."""

    BINDINGS = [  # noqa: RUF012 - Textual reads it from the class
        Binding("enter", "take", "Take it", show=False, id="choices.take", tooltip="Take this answer and go on"),
        Binding("space", "toggle_button", "Choose", show=False, id="choices.choose", tooltip="Take this answer"),
    ]

    class Taken(Message):
        """An answer was taken by enter."""

    def on_mount(self) -> None:
        """Begin at the answer that stands, once the set knows which one that is."""
        self.call_later(self._begin)

    def _begin(self) -> None:
        for _ in range(self.pressed_index):
            self.action_next_button()

    def action_take(self) -> None:
        """Take the answer under the cursor, and say so."""
        self.action_toggle_button()
        self.post_message(self.Taken())


class Field(Vertical):
    """One question: what is asked, the widget, and why it is asked or what is wrong."""

    def __init__(self, asked: Asked) -> None:
        """Ask `asked`."""
        super().__init__()
        self.asked = asked

    def compose(self) -> ComposeResult:
        """Make the question, its widget and the line below."""
        unit = f" ({self.asked.question.unit})" if self.asked.question.unit else ""
        yield Static(f"{self.asked.question.ask}{unit}", markup=False, classes="ask")
        yield self._widget()
        if self.other:
            yield Input(self._typed_before(), placeholder="or another one", compact=True)
        yield Static(self.asked.question.why, markup=False, classes="why")

    @property
    def other(self) -> bool:
        """Whether something else than what is offered can be typed."""
        return bool(self.asked.offered) and not self.asked.closed

    @property
    def offered(self) -> tuple[tuple[Any, str], ...]:
        """What can be chosen, with its words: a yes and a no are words as well."""
        return _YES_OR_NO if self.asked.question.type == "boolean" else self.asked.offered

    def _typed_before(self) -> str:
        offered = {value for value, _ in self.asked.offered}
        return "" if self.asked.shown in offered else text_of(self.asked.shown)

    def on_mount(self) -> None:
        """Say at once what is wrong with what the file has."""
        self._judge(self.asked.written)

    def pending(self) -> Iterator[Pair]:
        """Yield what was typed, if it is right and new; it counts as handed over then."""
        for box in self.query(Input):
            value = value_of(self.asked.question, box.value)
            if self.other and value is None:
                continue
            if self._judge(value) and (value or None) != (self._standing() or None):
                self._remember(value)
                yield self.asked.key, value

    def _widget(self) -> Widget:
        asked = self.asked
        if self.offered:
            return _choices(self.offered, asked.shown)
        kept = asked.written if asked.key.startswith("options.") else asked.shown
        return Input(text_of(kept), placeholder=self._placeholder(), compact=True)

    def _placeholder(self) -> str:
        asked = self.asked
        if asked.key.startswith("options."):
            # An option that nobody answered goes on following from the server's size.
            return f"{text_of(asked.stands)}   ({asked.origin})"
        usual = asked.question.default if asked.written is not None else asked.stands
        return "nothing" if usual in (None, []) else f"{text_of(usual)}   (the usual value)"

    def _standing(self) -> Any:
        """Return the value that the field began with."""
        if self.asked.key.startswith("options."):
            return self.asked.written
        return None if self.asked.shown == [] and self.asked.written is None else self.asked.shown

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        value = value_of(self.asked.question, event.value)
        self._judge(self.asked.shown if self.other and value is None else value)

    @on(Input.Blurred)
    @on(Input.Submitted)
    def _done_typing(self) -> None:
        for key, value in self.pending():
            self.post_message(Answered(key, value))

    @on(RadioSet.Changed)
    def _picked(self, event: RadioSet.Changed) -> None:
        value = self.offered[event.index][0]
        if value != self._standing():
            self._hand_over(value)

    def _hand_over(self, value: Any) -> None:
        self._remember(value)
        self.post_message(Answered(self.asked.key, value))

    def _remember(self, value: Any) -> None:
        self.asked = replace(self.asked, written=value, stands=value)

    def _judge(self, value: Any) -> bool:
        """Show what is wrong with a value; return whether it is right."""
        wrong = self.asked.wrong(value)
        below = self.query_one(".why", Static)
        below.update(f"✗ {wrong}" if wrong else self.asked.question.why)
        self.set_class(bool(wrong), "wrong")
        return wrong is None


class Form(VerticalScroll):
    """Several questions below each other. Enter goes to the next one."""

    can_focus = False

    def __init__(self, questions: Sequence[Asked], done: Callable[[], None]) -> None:
        """Ask `questions`; `done` is called by enter in the last one."""
        super().__init__()
        self.questions = questions
        self.done = done

    def compose(self) -> ComposeResult:
        """Make a field a question; what most teams can leave as it is stands folded."""
        yield from (Field(asked) for asked in self.questions if not asked.question.more)
        more = [asked for asked in self.questions if asked.question.more]
        if more:
            words = "1 more question" if len(more) == 1 else f"{len(more)} more questions"
            title = f"{words}: each has a usual answer"
            wrong = any(asked.wrong(asked.written) for asked in more)
            yield Collapsible(*(Field(asked) for asked in more), title=title, collapsed=not wrong)

    def pending(self) -> Iterator[Pair]:
        """Yield everything that was typed, is right, and was not handed over yet."""
        for field in self.query(Field):
            yield from field.pending()

    @on(Input.Submitted)
    @on(Choices.Taken)
    def _next(self) -> None:
        folded = any(fold.collapsed for fold in self.query(Collapsible))
        if self.query("Form > Field" if folded else "Field").last().has_focus_within:
            self.done()
        else:
            self.screen.focus_next()


def _choices(offered: Sequence[tuple[Any, str]], shown: Any) -> Widget:
    words = sum(len(label) + 6 for _, label in offered)
    buttons = [Choice(Content(label), value == shown) for value, label in offered]
    group = Choices(*buttons, compact=True)
    return Horizontal(group, classes="across") if words <= _SIDE_BY_SIDE else group


def show_question(screen: Screen[Any], keys: Sequence[str]) -> None:
    """Put the cursor where the first of the keys is asked for, folded out where it is folded in."""
    for field in screen.query(Field):
        if field.asked.key in keys:
            for fold in field.ancestors:
                if isinstance(fold, Collapsible):
                    fold.collapsed = False
            for box in list(field.query("Input, Choices"))[:1]:
                box.focus()
            return
