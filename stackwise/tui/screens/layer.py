"""A step with one decision: the options of a layer, and beside them what speaks for and against the highlighted one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.content import Content

from stackwise.advice import Option
from stackwise.catalog import Catalog
from stackwise.catalog.model import Category, Component
from stackwise.render.comparison import MOST_COMPARED, comparison_lines
from stackwise.tui.messages import Explained
from stackwise.tui.screens.choosing import ChoosingScreen, Part, Row
from stackwise.tui.screens.dialogs import Explanation, Reading, reading_width
from stackwise.tui.screens.step import KEYS_HELP
from stackwise.tui.widgets.form import Form
from stackwise.tui.widgets.summary import moved_words


class LayerScreen(ChoosingScreen):
    """One layer of the stack."""

    CSS_PATH = ["step.tcss", "choosing.tcss", "form.tcss"]  # noqa: RUF012 - Textual reads it from the class
    HELP = f"""# One decision

Move through the options with the arrows (or `j` and `k`); the notes on the right follow. `enter` takes one and goes on,
`space` takes it and stays. What cannot be taken is marked with ✗ and says why; its notes can be read all the same.

| key | does |
|---|---|
| `w` | why: what the fit of this option and of the recommended one is made of, and what would tip it |
| `c` | compares up to four side by side: the marked ones, else this one with what is taken and what is recommended |
| `m` | marks this one for the comparison |
| `o` | folds out the component's own settings; each has a value already |
| `/` | shows only what has certain words |
| `?` | what this layer is |
{KEYS_HELP}"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "why", "Why", id="layer.why", tooltip="Why this is recommended, and what would tip it"),
        Binding("c", "compare", "Compare", id="layer.compare", tooltip="Put up to four beside each other"),
        Binding("m", "mark", "Mark", show=False, id="layer.mark", tooltip="Mark this one for the comparison"),
        Binding(
            "o",
            "settings",
            "Settings",
            show=False,
            id="layer.settings",
            tooltip="Fold out its own settings",
        ),
        Binding("question_mark", "explain", "What is this?", id="layer.explain", tooltip="What this layer is"),
        Binding("ctrl+r", "review", "Review", show=False, id="step.review", tooltip="See the whole plan"),
        Binding("ctrl+g", "goto", "Go to", show=False, id="step.goto", tooltip="Choose a step from the whole walk"),
    ]

    @property
    def category(self) -> Category:
        """The layer."""
        return self.design.catalog.categories[self.step.category]

    def heading(self) -> str:
        """Return the layer, and the question in plain words."""
        return f"{self.category.name}. {self.category.ask}"

    def several(self) -> bool:
        """Whether several can be taken."""
        return self.category.multiple

    def on_mount(self) -> None:
        """Begin at the option that is taken, with nothing marked."""
        self.marked: list[str] = []
        super().on_mount()

    def rows(self) -> tuple[Row, ...]:
        """Return the options, with the reason why one cannot be taken."""
        self.options = {option.component.id: option for option in self.design.options(self.category)}
        return tuple(self._row(option) for option in self.options.values())

    def _row(self, option: Option) -> Row:
        component = option.component
        words = " ".join((component.id, component.name, component.summary, *component.good_at, *component.aliases))
        content = row_content(option, marked=component.id in self.marked)
        return Row(component.id, component.name, content, words, option.why_not, option.chosen)

    def note(self, row: Row) -> Content:
        """Return all that is to be said about an option, first what taking it would move."""
        option = self.options[row.id]
        return Content.assemble(
            *_moves(self, option), *self._settings(option), *_note(option, option.component, self.design.catalog)
        )

    def _settings(self, option: Option) -> Iterator[Part]:
        """Yield that there are settings, and how to come to them."""
        if option.chosen and (keys := self.design.option_keys(option.component.id)):
            words = "1 setting" if len(keys) == 1 else f"{len(keys)} settings"
            yield f"o folds out its {words}; each has a value already\n\n", "dim"

    def choose(self, row: Row) -> None:
        """Take an option."""
        self.walk.choose(self.category, row.id)

    def action_explain(self) -> None:
        """Say what this layer is."""
        self.app.push_screen(Explanation(self.category.name, self.category.beginner))

    def action_mark(self) -> None:
        """Mark the highlighted option for the comparison, or take the mark away."""
        row = self.highlighted
        if row is None:
            return
        if row.id in self.marked:
            self.marked.remove(row.id)
        elif len(self.marked) < MOST_COMPARED:
            self.marked.append(row.id)
        else:
            self.notify(f"{MOST_COMPARED} are marked already; m takes a mark away.", markup=False)
        self.refresh_facts()

    def action_compare(self) -> None:
        """Put the marked options beside each other; where few are marked, the nearest ones with them."""
        names = list(dict.fromkeys((*self.marked, *self._nearest())))[: max(len(self.marked), 2)]
        if len(names) < 2:  # noqa: PLR2004 - one alone is no comparison
            self.notify("There is nothing to compare it with.", markup=False)
            return
        catalog = self.design.catalog
        lines = comparison_lines(
            [catalog.component(name) for name in names], catalog, reading_width(self.app.size.width)
        )
        self.app.push_screen(Reading(f"{self.category.name}: side by side", list(lines)))

    def _nearest(self) -> Iterator[str]:
        """Yield what is worth comparing: this one, what is taken, what is recommended, then what fits best."""
        if row := self.highlighted:
            yield row.id
        options = self.options.values()
        yield from (option.component.id for option in options if option.chosen)
        yield from (option.component.id for option in options if option.recommended)
        yield from (o.component.id for o in sorted(options, key=lambda o: -(o.fit or 0)))

    def action_why(self) -> None:
        """Say what the fit of this option is made of, and of the recommended one."""
        if row := self.highlighted:
            self._explain(self.category, row.id, reading_width(self.app.size.width))

    @work(thread=True, exclusive=True, exit_on_error=False, group="why")
    def _explain(self, category: Category, name: str, width: int) -> None:
        from stackwise.render.why_text import why_lines  # noqa: PLC0415 - only who asks for it waits for it

        lines = list(why_lines(self.design.why(category), name, self.design.catalog, width))
        self.post_message(Explained(f"{category.name}: why", lines))

    async def action_settings(self) -> None:
        """Fold out the settings of what is taken below its notes, or fold them in again."""
        if self.query("#settings"):
            self._keep_settings()
            await self.query("#settings").remove()
            self.list.focus()
            return
        taken = next((o.component for o in self.options.values() if o.chosen), None)
        keys = self.design.option_keys(taken.id) if taken else ()
        if taken is None or not keys:
            self.notify("There is nothing to set here.", markup=False)
            return
        self.list.highlighted = self.list.get_option_index(taken.id) if taken.id in self._ids() else None
        form = Form([self.design.asked(key) for key in keys], self._settings_done)
        form.id = "settings"
        await self.query_one("#notes").mount(form, before="#note")
        self.query_one("#settings Input, #settings Choices").focus()

    def _ids(self) -> set[str]:
        return {row.id for row in self.shown}

    def _settings_done(self) -> None:
        self.run_worker(self.action_settings())

    def _keep_settings(self) -> None:
        for form in self.query(Form):
            for key, value in form.pending():
                self.walk.answer(key, value)

    def leave(self) -> bool:
        """Fold the settings in where they are open."""
        if not self.query("#settings"):
            return super().leave()
        self.run_worker(self.action_settings())
        return True

    def flush(self) -> None:
        """Hand over what was typed into the settings."""
        self._keep_settings()


def _moves(screen: LayerScreen, option: Option) -> Iterator[Part]:
    """Yield what would be another figure if an option were taken."""
    if option.chosen or option.why_not or screen.category.multiple:
        return
    then = screen.design.would_be({screen.category.answer: option.component.id})
    if then is not None:
        words = ", ".join(moved_words(screen.design.summary, then)) or "no figure of the summary moves"
        yield "Taking it: ", "bold"
        yield f"{words}\n\n"


def row_content(option: Option, *, marked: bool = False) -> Content:
    """Return an option as a row: its mark, its name and fit, and one line of reasons."""
    component = option.component
    mark, style = ("●", "$text-success") if option.chosen else ("✗", "$text-error") if option.why_not else ("○", "")
    parts: list[Part] = [(mark, style), " ", (component.name, "dim" if option.why_not else "bold")]
    if option.fit is not None:
        parts.append((f"  fit {option.fit:+g}", "dim"))
    if marked:
        parts.append(("  ▪ marked", "$text-accent"))
    if component.state.state != "current":
        parts.append((f"  {component.state.state}", "$text-warning"))
    parts.append("\n")
    if option.recommended:
        parts.append(("recommended  ", "$text-accent"))
    return Content.assemble(*parts, (option.why_not or option.because, "dim"))


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
    yield from sources(component)


def _when(component: Component) -> Iterator[Part]:
    yield "\nTake it when  ", "bold"
    yield f"{component.choose_when}\n"
    yield "Leave it when  ", "bold"
    yield f"{component.leave_when}\n"
    for note in component.notes:
        yield f"\n{note}\n"


def sources(component: Component) -> Iterator[Part]:
    """Yield how long a component is looked after, and where all of it was read."""
    for support in component.support:
        yield f"\nVersion {support.version}, looked after until {support.until or 'unknown'}"
    yield "\nSources\n", "bold"
    for source in component.sources:
        yield f" {source.says or 'read'} ", ""
        yield f"{source.url}, read {source.read.isoformat()}\n", "dim"
