"""A step with one decision: the options of a layer, and beside them what speaks for and against the highlighted one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option as Row

from stackwise.advice import Option
from stackwise.catalog import Catalog
from stackwise.catalog.model import Category, Component
from stackwise.tui.screens.dialogs import Explanation
from stackwise.tui.screens.settings import Settings
from stackwise.tui.screens.step import KEYS_HELP, StepScreen

Part = str | tuple[str, str]


class LayerScreen(StepScreen):
    """One layer of the stack."""

    CSS_PATH = ["step.tcss", "layer.tcss"]  # noqa: RUF012 - Textual reads it from the class
    HELP = f"""# One decision

Move through the options with the arrows (or `j` and `k`); the notes on the right follow. `enter` takes one and goes on,
`space` takes it and stays. What cannot be taken is marked with ✗ and says why; its notes can be read all the same.

`?` says what this layer is. `o` opens the settings of the component that is taken; each has a value already.
{KEYS_HELP}"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "take", "Take", show=False, id="layer.take", tooltip="Take this option and stay here"),
        Binding("j", "down", "Down", show=False, id="layer.down", tooltip="The option below"),
        Binding("k", "up", "Up", show=False, id="layer.up", tooltip="The option above"),
        Binding("question_mark", "explain", "What is this?", id="layer.explain", tooltip="What this layer is"),
        Binding("o", "settings", "Settings", show=False, id="layer.settings", tooltip="The component's own settings"),
        Binding("ctrl+n", "next", "Next", show=False, id="step.next", tooltip="Go to the next step"),
    ]

    @property
    def category(self) -> Category:
        """The layer."""
        return self.design.catalog.categories[self.step.category]

    def heading(self) -> str:
        """Return the layer, and the question in plain words."""
        return f"{self.category.name}. {self.category.ask}"

    def compose_step(self) -> Iterator[Widget]:
        """Put the options beside the notes."""
        self.options: tuple[Option, ...] = ()
        with Horizontal(id="decision"):
            yield OptionList(id="options", markup=False, compact=True)
            with VerticalScroll(id="notes"):
                yield Static(markup=False, id="note")

    def on_mount(self) -> None:
        """Begin at the option that is taken."""
        super().on_mount()
        taken = next((place for place, option in enumerate(self.options) if option.chosen), 0)
        self.rows.highlighted = taken

    @property
    def rows(self) -> OptionList:
        """The list of options."""
        return self.query_one("#options", OptionList)

    def refresh_facts(self) -> None:
        """Show the options as they are now; the cursor stays."""
        super().refresh_facts()
        here = self.rows.highlighted
        self.options = self.design.options(self.category)
        self.rows.clear_options()
        self.rows.add_options(Row(row_content(option), id=option.component.id) for option in self.options)
        self.rows.highlighted = here

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        option = self.options[event.option_index]
        self.query_one("#note", Static).update(note_content(option, self.design.catalog))
        self.query_one("#notes").scroll_home(animate=False)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        if self._take(self.options[event.option_index]) and not self.category.multiple:
            self.action_next()

    def action_take(self) -> None:
        """Take the highlighted option and stay."""
        if self.rows.highlighted is not None:
            self._take(self.options[self.rows.highlighted])

    def action_down(self) -> None:
        """Highlight the option below."""
        self.rows.action_cursor_down()

    def action_up(self) -> None:
        """Highlight the option above."""
        self.rows.action_cursor_up()

    def action_explain(self) -> None:
        """Say what this layer is."""
        self.app.push_screen(Explanation(self.category.name, self.category.beginner))

    def action_settings(self) -> None:
        """Open the settings of what is taken."""
        for option in self.options:
            keys = self.design.option_keys(option.component.id)
            if option.chosen and keys:
                self.app.push_screen(Settings(option.component.name, [self.design.asked(key) for key in keys]))
                return
        self.notify("There is nothing to set here.", markup=False)

    def _take(self, option: Option) -> bool:
        """Take an option; say why where it cannot be taken. Return whether it is taken."""
        if option.why_not:
            self.notify(
                option.why_not, title=f"{option.component.name} cannot be taken", severity="warning", markup=False
            )
            return False
        if not option.chosen or self.category.multiple or self.design.faults_of(self.step.keys):
            self.walk.choose(self.category, option.component.id)
        return True


def row_content(option: Option) -> Content:
    """Return an option as a row: its mark, its name, and one line of reasons."""
    component = option.component
    mark, style = ("●", "$text-success") if option.chosen else ("✗", "$text-error") if option.why_not else ("○", "")
    parts: list[Part] = [(mark, style), " ", (component.name, "dim" if option.why_not else "bold")]
    if component.state.state != "current":
        parts.append((f" {component.state.state}", "$text-warning"))
    parts.append("\n")
    if option.recommended:
        parts.append(("recommended  ", "$text-accent"))
    return Content.assemble(*parts, (option.why_not or option.because, "dim"))


def note_content(option: Option, catalog: Catalog) -> Content:
    """Return all that is to be said about an option."""
    return Content.assemble(*_note(option, option.component, catalog))


def _note(option: Option, component: Component, catalog: Catalog) -> Iterator[Part]:
    yield component.name, "bold"
    yield f"   {component.licence}\n", "dim"
    yield f"{component.summary}\n"
    if option.why_not:
        yield "\n✗ cannot be taken: ", "bold $text-error"
        yield f"{option.why_not}\n"
    if component.state.note:
        yield f"\n{component.state.state}: ", "bold" if component.state.state == "current" else "bold $text-warning"
        yield f"{component.state.note}\n"
    for title, mark, style, words in (
        ("Good at", "+", "$text-success", component.good_at),
        ("Costs", "−", "$text-warning", component.costs),  # noqa: RUF001 - a minus is what it is
    ):
        if words:
            yield f"\n{title}\n", "bold"
        for word in words:
            yield f" {mark} {word}  ", style
            yield f"{catalog.tradeoffs[word].says}\n"
    yield from _when(component)
    yield from _sources(component)


def _when(component: Component) -> Iterator[Part]:
    yield "\nTake it when  ", "bold"
    yield f"{component.choose_when}\n"
    yield "Leave it when  ", "bold"
    yield f"{component.leave_when}\n"
    for note in component.notes:
        yield f"\n{note}\n"


def _sources(component: Component) -> Iterator[Part]:
    for support in component.support:
        yield f"\nVersion {support.version}, looked after until {support.until or 'unknown'}"
    yield "\nSources\n", "bold"
    for source in component.sources:
        yield f" {source.says or 'read'} ", ""
        yield f"{source.url}, read {source.read.isoformat()}\n", "dim"
