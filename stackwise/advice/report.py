"""The whole advice on a set of answers: what fits and why, what it carries and costs, what is wrong with it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from stackwise.advice import Advice, advise, filled, why_not
from stackwise.advice.cost import Need, Quote, market, quote_of
from stackwise.advice.facts import chosen, gather, offer_of
from stackwise.advice.failures import PointOfFailure, points_of_failure
from stackwise.advice.hosting import Kind, kinds
from stackwise.advice.limits import Limit, limits
from stackwise.advice.ranking import Reason, Scale, Tip, best, eligible, tips
from stackwise.advice.sizing import Share, memory_shares, option_values
from stackwise.answers import Choices
from stackwise.catalog import Catalog
from stackwise.catalog.expression import Facts, evaluate
from stackwise.catalog.model import Category, Component
from stackwise.catalog.tables import Verdict
from stackwise.project import Project

PROPERTIES = ("available", "resilient", "secure", "responsive", "capacity")


@dataclass(frozen=True, slots=True)
class Layer:
    """What is recommended for a layer, why, what was close, and which answers would tip it.

    `recommended` is None where the design does without; the category says why.
    """

    category: Category
    chosen: tuple[str, ...]
    recommended: Component | None
    fit: float
    reasons: tuple[Reason, ...]
    runner_up: Component | None
    behind: float
    tips: tuple[Tip, ...]
    better: Component | None = None
    """What would fit better, and is not installed by stackwise."""

    @property
    def best(self) -> str:
        """The id of what is recommended, or "none"."""
        return self.recommended.id if self.recommended else "none"


@dataclass(frozen=True, slots=True)
class Report:
    """Everything there is to say."""

    choices: Choices
    facts: dict[str, Any]
    hosting: tuple[Kind, ...]
    layers: tuple[Layer, ...]
    memory: tuple[Share, ...]
    formulas: dict[str, str]
    """What each part takes of the memory, by component, and how its options follow, by `component.option`."""
    limits: tuple[Limit, ...]
    enough: Quote | None
    """The cheapest size of the chosen provider that carries the need; None where none does, or no price is known."""
    market: tuple[Quote, ...]
    verdicts: tuple[Verdict, ...]
    failures: tuple[PointOfFailure, ...]
    advice: tuple[Advice, ...]


def report(choices: Choices, project: Project, catalog: Catalog) -> Report:
    """Return the whole advice. Raises UsageError for a provider or a size that does not exist."""
    facts = gather(choices, project, catalog)
    parts = chosen(choices, catalog)
    quotes = market(choices, project, catalog, "vps")
    return Report(
        choices=choices,
        facts=facts,
        hosting=kinds(choices, project, catalog),
        layers=tuple(recommend(choices, project, catalog)),
        memory=memory_shares(parts, facts),
        formulas=dict(_formulas(parts, choices, facts)),
        limits=limits(facts),
        enough=enough_at(choices, project, catalog),
        market=quotes,
        verdicts=tuple(_verdicts(catalog, facts)),
        failures=tuple(points_of_failure(catalog, facts, quotes)),
        advice=advise(choices, project, catalog),
    )


def enough_at(choices: Choices, project: Project, catalog: Catalog) -> Quote | None:
    """Return the cheapest size of the chosen provider that carries the need; None where none is known to.

    Raises UsageError for a provider or a size that does not exist.
    """
    need = Need(chosen(choices, catalog), choices.under("options"), gather(choices, project, catalog))
    return quote_of(choices["hosting.provider"], offer_of(choices, catalog), need, catalog)


def _formulas(parts: tuple[Component, ...], choices: Choices, facts: Facts) -> Iterator[tuple[str, str]]:
    yield from ((part.id, part.memory_mb) for part in parts if part.memory_mb != "0")
    for value in option_values(parts, choices.under("options"), facts):
        if value.question.formula:
            unit = f" {value.question.unit}" if value.question.unit else ""
            yield f"{value.component}.{value.question.id}", f"{value.value}{unit} {value.because}"


def recommend(choices: Choices, project: Project, catalog: Catalog) -> Iterator[Layer]:
    """Yield the recommendation for every category that has something to recommend, in the order of the walk."""
    facts = gather(choices, project, catalog)
    scale = Scale(catalog, facts)
    eligibles: dict[str, dict[str, bool]] = {}
    alive: dict[str, dict[str, bool]] = {}
    for category in catalog.categories.values():
        options = catalog.options(category.id)
        reasons = {c.id: why_not(c, category, choices, project, catalog) for c in options}
        eligibles[category.id] = {c.id: eligible(c, category, reasons[c.id]) for c in options}
        # What we do not install may still be the better choice; what cannot work here is none.
        alive[category.id] = {
            c.id: c.state.state != "gone" and (not c.installable or not reasons[c.id]) for c in options
        }
    orders = {
        name: best(options, catalog.components, catalog.categories[name], scale) for name, options in alive.items()
    }
    turned = tips(alive, {name: order[0] for name, order in orders.items() if order}, catalog, facts)
    for name, order in orders.items():
        category = catalog.categories[name]
        ours = best(eligibles[name], catalog.components, category, scale)
        if not evaluate(category.wanted, facts):
            yield Layer(category, (), None, 0.0, (), None, 0.0, ())
        elif ours:
            yield _layer(category, ours[0], order, choices, scale, turned[name])


def _layer(  # noqa: PLR0913, PLR0917 - what one recommendation is made of
    category: Category, winner: str, order: list[str], choices: Choices, scale: Scale, turned: list[Tip]
) -> Layer:
    components = scale.catalog.components
    component = components[winner]
    others = [name for name in order if name != winner]
    runner_up = components[others[0]] if others else None
    behind = round(scale.fit(component) - scale.fit(runner_up), 2) if runner_up else 0.0
    return Layer(
        category=category,
        chosen=choices.components(category.answer) if category.answer else (),
        recommended=component,
        fit=round(scale.fit(component), 2),
        reasons=scale.reasons(component),
        runner_up=runner_up,
        behind=behind,
        tips=tuple(turned),
        better=runner_up if behind < 0 else None,
    )


def _verdicts(catalog: Catalog, facts: Facts) -> Iterator[Verdict]:
    for name in PROPERTIES:
        found = next(v for v in catalog.verdicts if v.property == name and evaluate(v.when, facts))
        yield Verdict(
            property=found.property,
            verdict=found.verdict,
            when=found.when,
            because=filled(found.because, facts),
            settle=found.settle,
        )
