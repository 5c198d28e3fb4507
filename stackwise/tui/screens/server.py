"""Provider, region and size as one table of what is really sold together, and how the design fits on each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from stackwise.advice.offers import Sold
from stackwise.catalog.model import Component
from stackwise.provision.clouds.account import credentials_of
from stackwise.tui.aside import aside
from stackwise.tui.messages import TriedOut
from stackwise.tui.screens.choosing import ChoosingScreen, Part, Row
from stackwise.tui.screens.credentials import Credentials
from stackwise.tui.screens.dialogs import Explanation
from stackwise.tui.screens.step import KEYS_HELP
from stackwise.tui.widgets.summary import cut, moved_words
from stackwise.walk.questions import price
from stackwise.walk.trials import Trial, missing_credentials, trial_of

_CELLS = 6
_HEAD = f"  ★ {'recommended':<13}{'region':<15}{'size':<14}{'CPU':>3}{'MiB':>7}{'a month':>11} memory"


class ServerScreen(ChoosingScreen):
    """Where the server stands and how large it is."""

    HELP = f"""# The server

Each row is a size that is really sold in that region, with its price of the day that stands below. The bar shows how
much of the memory is planned with. What is recommended is the cheapest that carries the need on one server. Of the
providers at which stackwise makes no servers yet the best fitting size is shown, to compare with.

| key | does |
|---|---|
| `t` | tries the provider out, with credentials where it wants some; they are kept in memory only |
| `/` | shows only what has certain words: a provider, a region, a size |
| `?` | what a provider is |
{KEYS_HELP}"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "try_out", "Try it out", id="server.try", tooltip="Ask the provider whether it lets you in"),
        Binding("question_mark", "explain", "What is this?", id="server.explain", tooltip="What a provider is"),
        Binding("ctrl+r", "review", "Review", show=False, id="step.review", tooltip="See the whole plan"),
        Binding("ctrl+g", "goto", "Go to", show=False, id="step.goto", tooltip="Choose a step from the whole walk"),
    ]

    def heading(self) -> str:
        """Return what is decided here."""
        return "Server. Where shall it stand, and how large shall it be?"

    def compose_head(self) -> Iterator[Widget]:
        """Name the columns."""
        yield Static(_HEAD, markup=False, id="head")

    def on_mount(self) -> None:
        """Try the chosen provider out at once."""
        self.trials: dict[str, Trial] = {}
        super().on_mount()
        self._try(self.design.catalog.component(str(self.design.choices["hosting.provider"])))

    def rows(self) -> tuple[Row, ...]:
        """Return what is sold."""
        self.sold = {_id(sold): sold for sold in self.design.sold()}
        return tuple(_row(name, sold) for name, sold in self.sold.items())

    def note(self, row: Row) -> Content:
        """Return whether the provider lets us in, what a row would move, and what it is."""
        sold = self.sold[row.id]
        return Content.assemble(*_trial(self.trials.get(sold.provider.id)), *self._moves(sold), *_note(sold))

    def choose(self, row: Row) -> None:
        """Take provider, region and size together."""
        self.walk.answer_all(self.sold[row.id].answers)
        self._try(self.sold[row.id].provider)

    def action_explain(self) -> None:
        """Say what a provider is."""
        category = self.design.catalog.categories[self.step.category]
        self.app.push_screen(Explanation(category.name, category.beginner))

    def action_try_out(self) -> None:
        """Try the provider of the highlighted row out, with credentials where it wants some."""
        row = self.highlighted
        if row is None:
            return
        provider = self.sold[row.id].provider
        wanted = missing_credentials(provider, self.walk.credentials)
        if not wanted:
            self._try(provider)
            return

        def given(values: dict[str, str] | None) -> None:
            if values is not None:
                self.walk.credentials.update(values)
                self._try(provider)

        remark = "" if provider.installable else "stackwise makes no servers there yet; this only proves the key."
        self.app.push_screen(Credentials(provider.name, wanted, remark), given)

    @work(exclusive=True, exit_on_error=False, group="trial")
    async def _try(self, provider: Component) -> None:
        credentials = dict(self.walk.credentials)
        found = await aside(lambda: trial_of(provider, credentials))
        if found is not None:
            self.post_message(TriedOut(found))

    def on_tried_out(self, message: TriedOut) -> None:
        """Show what the provider said; what was refused is asked for again the next time."""
        trial = message.trial
        self.trials[trial.provider] = trial
        if trial.refused:
            for credential in credentials_of(self.design.catalog.component(trial.provider)):
                self.walk.credentials.pop(credential.variable, None)
        if self.here:
            self.show_note()

    def _moves(self, sold: Sold) -> Iterator[Part]:
        if sold.chosen or sold.why_not:
            return
        then = self.design.would_be(sold.answers)
        words = ", ".join(moved_words(self.design.summary, then)) if then else ""
        yield "Taking it: ", "bold"
        yield f"{words or 'no figure of the summary moves'}\n\n"


def _id(sold: Sold) -> str:
    return "_".join(sold.answers.values()).replace(".", "-")


def _row(name: str, sold: Sold) -> Row:
    mark, style = ("●", "$text-success") if sold.chosen else ("✗", "$text-error") if sold.why_not else ("○", "")
    size, dim = sold.size, "dim" if sold.why_not else ""
    cost = "unknown" if size.price is None else f"{size.price:g} {sold.currency}"
    figures = f"{sold.region or '-':<15}{cut(size.id, 13):<14}{size.cpus:>3g}{size.memory_mb:>7}{cost:>11} "
    content = Content.assemble(
        (mark, style),
        (" ★ " if sold.recommended else "   ", "$text-accent"),
        (f"{cut(sold.provider.id, 12):<13}", dim or "bold"),
        (figures, dim),
        *_bar(sold),
    )
    words = f"{sold.provider.id} {sold.provider.name} {sold.region} {size.id}"
    return Row(name, f"{sold.provider.name} {size.id}", content, words, sold.why_not, sold.chosen)


def _bar(sold: Sold) -> Iterator[Part]:
    share = sold.needed_mb / sold.memory_mb
    if not sold.fits:
        yield "too small", "$text-error"
        return
    filled = min(_CELLS, round(share * _CELLS))
    yield "━" * filled, "$text-success"
    yield "─" * (_CELLS - filled), "dim"


def _trial(trial: Trial | None) -> Iterator[Part]:
    if trial is not None:
        yield ("✓ ", "$text-success") if trial.ok else ("✗ ", "bold $text-error")
        yield f"{trial.says}\n"
        yield (f"  {trial.hint}\n\n" if trial.hint else "\n"), "dim"


def _note(sold: Sold) -> Iterator[Part]:
    size, provider = sold.size, sold.provider
    yield f"{provider.name} {size.id}", "bold"
    yield f"   {price(size.price, sold.currency)}, as of {sold.priced.isoformat()}\n", "dim"
    if sold.why_not:
        yield "✗ cannot be taken: ", "bold $text-error"
        yield f"{sold.why_not}\n"
    if sold.recommended:
        yield "Recommended: ", "bold $text-accent"
        yield f"the cheapest here that carries {sold.wanted:,} requests a minute on one server.\n"
    yield f"{sold.needed_mb} of {sold.memory_mb} MiB planned, {size.cpus:g} CPU, {size.disk_gb} GB of disk; "
    yield f"carries {sold.carries:,} requests a minute of {sold.wanted:,} wanted.\n"
    for note in (provider.summary, *provider.notes):
        yield f"\n{note}\n"
