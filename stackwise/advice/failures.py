"""Which single points of failure a design has, and what removing each costs. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from stackwise.advice.cost import Quote
from stackwise.catalog import Catalog
from stackwise.catalog.expression import Facts, evaluate
from stackwise.catalog.tables import Failure


@dataclass(frozen=True, slots=True)
class PointOfFailure:
    """A single point of failure, and what removing it costs a month; None where the price of a server is unknown."""

    failure: Failure
    money: float | None


def failures(catalog: Catalog, facts: Facts) -> tuple[Failure, ...]:
    """Return the single points of failure, in the order of the catalog."""
    return tuple(failure for failure in catalog.failures.values() if evaluate(failure.when, facts))


def points_of_failure(catalog: Catalog, facts: Facts, quotes: tuple[Quote, ...]) -> Iterator[PointOfFailure]:
    """Yield the single points of failure with what removing each costs a month, by the prices in `quotes`."""
    price = _price_of_a_server(catalog, facts, quotes)
    for failure in failures(catalog, facts):
        money = 0.0 if not failure.servers else None if price is None else price * failure.servers
        yield PointOfFailure(failure, money)


def _price_of_a_server(catalog: Catalog, facts: Facts, quotes: tuple[Quote, ...]) -> float | None:
    """Return what the chosen size costs in the currency of the budget; where that is nothing, the cheapest rented."""
    if facts["cost.amount"]:
        return catalog.convert(facts["cost.amount"], facts["cost.currency"], facts["budget.currency"])
    first = next((quote for quote in quotes if quote.lines[0].amount is not None), None)
    amount = first.lines[0].amount if first else None
    if first is None or amount is None:
        return None
    return catalog.convert(amount / first.servers, first.currency, facts["budget.currency"])
