"""The whole advice on a set of answers: what fits and why, what it carries and costs, what is wrong with it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from stackwise.advice import Advice, advise, filled, why_not
from stackwise.advice.cost import Quote, market
from stackwise.advice.facts import chosen, gather
from stackwise.advice.hosting import Kind, kinds
from stackwise.advice.limits import Limit, limits
from stackwise.advice.ranking import Reason, Scale, Tip, best, eligible, tips
from stackwise.advice.sizing import Share, memory_shares
from stackwise.answers import Choices
from stackwise.catalog import Catalog
from stackwise.catalog.expression import Facts, evaluate
from stackwise.catalog.model import Category, Component, Failure, Verdict
from stackwise.project import Project

PROPERTIES = ("available", "resilient", "secure", "responsive", "capacity")


@dataclass(frozen=True, slots=True)
class Layer:
    """What is recommended for a layer, why, what was close, and which answers would tip it."""

    category: Category
    chosen: tuple[str, ...]
    recommended: Component
    fit: float
    reasons: tuple[Reason, ...]
    runner_up: Component | None
    behind: float
    tips: tuple[Tip, ...]
    better: Component | None = None
    """What would fit better and is not installed by stackwise; only of a layer that is installed."""


@dataclass(frozen=True, slots=True)
class PointOfFailure:
    """A single point of failure, and what removing it costs a month; None where the price of a server is unknown."""

    failure: Failure
    money: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything there is to say."""

    choices: Choices
    facts: dict[str, Any]
    hosting: tuple[Kind, ...]
    layers: tuple[Layer, ...]
    memory: tuple[Share, ...]
    limits: tuple[Limit, ...]
    market: tuple[Quote, ...]
    verdicts: tuple[Verdict, ...]
    failures: tuple[PointOfFailure, ...]
    advice: tuple[Advice, ...]


def report(choices: Choices, project: Project, catalog: Catalog) -> Report:
    """Return the whole advice. Raises UsageError for a provider or a size that does not exist."""
    facts = gather(choices, project, catalog)
    return Report(
        choices=choices,
        facts=facts,
        hosting=kinds(choices, project, catalog),
        layers=tuple(recommend(choices, project, catalog)),
        memory=memory_shares(chosen(choices, catalog), facts),
        limits=limits(facts),
        market=market(choices, project, catalog, "vps"),
        verdicts=tuple(_verdicts(catalog, facts)),
        failures=tuple(_failures(catalog, facts)),
        advice=advise(choices, project, catalog),
    )


def recommend(choices: Choices, project: Project, catalog: Catalog) -> Iterator[Layer]:
    """Yield the recommendation for every category that has something to recommend, in the order of the walk."""
    facts = gather(choices, project, catalog)
    scale = Scale(catalog, facts)
    options: dict[str, dict[str, bool]] = {}
    ranked: dict[str, list[str]] = {}
    for category in catalog.categories.values():
        options[category.id] = {
            component.id: eligible(component, category, why_not(component, category, choices, project, catalog))
            for component in catalog.options(category.id)
        }
        ranked[category.id] = best(options[category.id], catalog.components, category, scale)
    winners = {name: order[0] for name, order in ranked.items() if order}
    turned = tips(options, winners, catalog, facts)
    for name, winner in winners.items():
        yield _layer(catalog.categories[name], ranked[name], choices, catalog, scale, turned[name], winner)


def _layer(  # noqa: PLR0913, PLR0917 - what one recommendation is made of
    category: Category,
    order: list[str],
    choices: Choices,
    catalog: Catalog,
    scale: Scale,
    turned: list[Tip],
    winner: str,
) -> Layer:
    component = catalog.components[winner]
    alive = {c.id: c.state.state != "gone" for c in catalog.options(category.id)}
    first = best(alive, catalog.components, category, scale)[0]
    runner_up = catalog.components[order[1]] if len(order) > 1 else None
    return Layer(
        category=category,
        chosen=choices.components(category.answer) if category.answer else (),
        recommended=component,
        fit=round(scale.fit(component), 2),
        reasons=scale.reasons(component),
        runner_up=runner_up,
        behind=round(scale.fit(component) - scale.fit(runner_up), 2) if runner_up else 0.0,
        tips=tuple(turned),
        better=catalog.components[first] if scale.fit(catalog.components[first]) > scale.fit(component) else None,
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


def _failures(catalog: Catalog, facts: Facts) -> Iterator[PointOfFailure]:
    price = facts["cost.amount"]
    for failure in catalog.failures.values():
        if evaluate(failure.when, facts):
            money = 0.0 if not failure.servers else None if price is None else price * failure.servers
            yield PointOfFailure(failure, money)
