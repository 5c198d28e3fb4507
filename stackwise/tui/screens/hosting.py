"""The kinds of hosting as one table: what each costs today and at ten times the need, in money and in hours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from stackwise.advice import Option
from stackwise.advice.hosting import Kind
from stackwise.render.advice_text import DEGREES, degree_words, money_words
from stackwise.tui.screens.choosing import Part, Row
from stackwise.tui.screens.layer import LayerScreen
from stackwise.tui.widgets.summary import cut

_FIGURES = f"{'today':>9}{'tenfold':>9}{'hours':>6}  effort lock-in control ceiling"
# So many columns have the names on a narrow terminal, and on a wide one.
_NARROW, _WIDE = 16, 25
_WIDE_FROM = 110


class HostingScreen(LayerScreen):
    """The first decision, on which all the others stand."""

    def compose_head(self) -> Iterator[Widget]:
        """Name the columns."""
        yield Static(markup=False, id="head")

    def on_resize(self) -> None:
        """Give the names the room that there is."""
        self.refresh_facts()

    @property
    def _names(self) -> int:
        return _WIDE if self.app.size.width >= _WIDE_FROM else _NARROW

    def refresh_facts(self) -> None:
        """Show the table as it is now."""
        self.query_one("#head", Static).update(f"{'★ recommended':<{self._names + 4}}{_FIGURES}")
        super().refresh_facts()

    def rows(self) -> tuple[Row, ...]:
        """Return the kinds, with their figures."""
        rows = {row.id: row for row in super().rows()}
        self.kinds = {kind.component.id: kind for kind in self.design.kinds()}
        currency = str(self.design.facts["budget.currency"])
        return tuple(
            replace(row, content=kind_content(self.options[name], kind, currency, self._names))
            for name, kind in self.kinds.items()
            if (row := rows.get(name))
        )

    def note(self, row: Row) -> Content:
        """Return the figures in words, then all that is said about every option."""
        return Content.assemble(*_figures(self.kinds[row.id]), super().note(row))


def kind_content(option: Option, kind: Kind, currency: str, names: int) -> Content:
    """Return a kind of hosting as a row of the table; its name has `names` columns."""
    mark, style = ("●", "$text-success") if option.chosen else ("✗", "$text-error") if option.why_not else ("○", "")
    money = "".join(f"{money_words(quote, currency):>9}" for quote in (kind.today, kind.tenfold))
    degrees = "".join(
        f"{degree_words(getattr(kind.hosting, name).degree):<{len(title) + 1}}" for name, title in DEGREES.items()
    )
    return Content.assemble(
        (mark, style),
        (" ★ " if option.recommended else "   ", "$text-accent"),
        (f"{cut(kind.component.name, names):<{names}}", "dim" if option.why_not else "bold"),
        f"{money}{kind.hours:>6g}  {degrees}".rstrip(),
    )


def _figures(kind: Kind) -> Iterator[Part]:
    for name, title in DEGREES.items():
        degree = getattr(kind.hosting, name)
        yield f"{title.capitalize():<8} {degree_words(degree.degree)}  ", "bold"
        yield f"{degree.says}\n"
    for when, quote in (("Today", kind.today), ("At ten times the need", kind.tenfold)):
        if quote:
            yield f"{when}: ", "bold"
            yield f"{quote.servers} x {quote.size} at {quote.provider}, prices of {quote.priced.isoformat()}"
            yield (f"; not counted: {', '.join(quote.unknown)}\n" if quote.unknown else "\n"), "dim"
    yield "Hours are the team's own, a month, by our estimate; degrees go from 1 (hardly any) to 5.\n\n", "dim"
