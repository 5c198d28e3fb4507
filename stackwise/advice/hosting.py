"""The four kinds of hosting beside each other, for this team: today and at ten times the need. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from stackwise.advice.cost import Quote, market
from stackwise.advice.facts import gather
from stackwise.answers import Choices
from stackwise.catalog import Catalog
from stackwise.catalog.expression import Facts, evaluate
from stackwise.catalog.model import Component, Hosting
from stackwise.project import Project

TENFOLD = 10


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of hosting: the cheapest known quote today and at ten times the need, and the team's own hours a month."""

    component: Component
    hosting: Hosting
    today: Quote | None
    tenfold: Quote | None
    hours: float


def kinds(choices: Choices, project: Project, catalog: Catalog) -> tuple[Kind, ...]:
    """Return every kind of hosting, in the order of the catalog."""
    facts = gather(choices, project, catalog)
    need = choices["needs.requests_per_minute"]
    grown = Choices({**choices.values, "needs.requests_per_minute": need * TENFOLD}, choices.origins, choices.folder)
    found = []
    for component in catalog.components.of("hosting-kind"):
        hosting = component.hosting
        if hosting is None:
            continue
        extra = int(evaluate(hosting.memory_mb, facts))
        today, tenfold = (_cheapest(c, project, catalog, hosting, extra) for c in (choices, grown))
        found.append(Kind(component, hosting, today, tenfold, hours_of(component, facts)))
    return tuple(found)


def hours_of(kind: Component, facts: Facts) -> float:
    """Return the team's own hours of work a month with a kind of hosting: an estimate of ours."""
    return float(evaluate(kind.hosting.hours, facts)) if kind.hosting else 0.0


def _cheapest(choices: Choices, project: Project, catalog: Catalog, hosting: Hosting, extra_mb: int) -> Quote | None:
    quotes = market(choices, project, catalog, hosting.sold_as, extra_mb)
    return next((quote for quote in quotes if quote.total is not None), None)
