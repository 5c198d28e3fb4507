"""What a design costs a month, at every provider whose prices are known. Pure.

The size is the cheapest that carries the need; where one does not, it is several of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from stackwise.advice.facts import chosen, gather, load_facts
from stackwise.advice.sizing import BASE_MB, HEADROOM, option_key, option_values, part_mb
from stackwise.answers import Choices
from stackwise.catalog import Catalog
from stackwise.catalog.model import Component, Offer, Size
from stackwise.project import Project

# Estimates of ours, shown with `--explain`: what a request sends, and how much busier the busiest minute is than the
# average one.
MEGABYTES_A_REQUEST = 0.1
PEAK_TO_AVERAGE = 4
MINUTES_A_MONTH = 60 * 24 * 30
# What the system itself takes of a disk, in GB.
SYSTEM_GB = 8


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a bill; the amount is None where no source told the price."""

    what: str
    amount: float | None


@dataclass(frozen=True, slots=True)
class Quote:
    """What the design costs at one provider, a month, in the currency of the offer; `total` in the one asked for."""

    provider: str
    size: str
    servers: int
    lines: tuple[Line, ...]
    currency: str
    priced: date
    total: float | None
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Need:
    """What has to be carried: the parts of the stack, their answered options, the facts, other memory in MiB."""

    parts: tuple[Component, ...]
    answered: Mapping[str, Any]
    facts: dict[str, Any]
    extra_mb: int = 0


def traffic_gb(requests_per_minute: float) -> float:
    """Return the outgoing traffic of a month, in GB."""
    return requests_per_minute / PEAK_TO_AVERAGE * MINUTES_A_MONTH * MEGABYTES_A_REQUEST / 1000


def market(choices: Choices, project: Project, catalog: Catalog, kind: str, extra_mb: int = 0) -> tuple[Quote, ...]:
    """Return a quote of every provider that sells a kind ("vps", "bare-metal", "paas"), the cheapest first.

    What lacks a price stands behind what does not: it would look cheaper than it is.
    """
    facts = gather(choices, project, catalog)
    need = Need(chosen(choices, catalog), choices.under("options"), facts, extra_mb)
    sellers = (component for name in ("provider", "paas") for component in catalog.components.of(name))
    quotes = [
        quote
        for seller in sellers
        if seller.offer and seller.offer.kind == kind and _serves(seller, seller.offer, facts)
        if (quote := quote_of(seller.id, seller.offer, need, catalog))
    ]
    return tuple(sorted(quotes, key=lambda q: (q.total is None, bool(q.unknown), q.total or 0, q.provider)))


def _serves(seller: Component, offer: Offer, facts: Mapping[str, Any]) -> bool:
    """Whether visitors can be served from there: in the open, by somebody who is still there, on their continent."""
    near = facts["needs.visitors"] == "anywhere" or not offer.continents or facts["needs.visitors"] in offer.continents
    return near and seller.state.state != "gone" and "not-for-the-public" not in seller.costs


def quote_of(seller: str, offer: Offer, need: Need, catalog: Catalog) -> Quote | None:
    """Return what the design costs there; None where no size is known or none can carry it."""
    fitting = [found for size in offer.sizes if (found := _fitting(offer, size, need))]
    if not fitting:
        return None
    size, count = min(fitting, key=lambda f: (f[0].price is None, (f[0].price or 0) * f[1], f[1], f[0].memory_mb))
    lines = (*_lines(offer, size, count, need.facts), *_beside(offer, catalog))
    total = sum(line.amount for line in lines if line.amount is not None) if size.price is not None else None
    currency = str(need.facts["budget.currency"])
    shown = None if total is None else catalog.convert(total, offer.currency, currency)
    unknown = tuple(line.what for line in lines if line.amount is None)
    return Quote(seller, size.id, count, lines, offer.currency, offer.priced, shown, unknown)


def _fitting(offer: Offer, size: Size, need: Need) -> tuple[Size, int] | None:
    """Return how many of a size carry the need: as many as the processor asks for, if the memory of each is enough."""
    facts, on_platform = need.facts, offer.kind == "paas"
    here = tuple(part for part in need.parts if not on_platform or "app" in part.categories)
    # A server may carry several sites; on a platform each has processes of its own.
    shared = 1 if on_platform else facts["hosting.sites"]
    memory = part_mb(size.memory_mb, shared)
    supposed = {**facts, "cpus": size.cpus, "memory_mb": memory, "disk_gb": size.disk_gb, "hosting.sites": shared}
    # What follows from the size is another value on another one.
    for value in option_values(need.parts, need.answered, supposed):
        supposed[option_key(value.component, value.question.id)] = value.value
    load = load_facts(here, supposed)
    # A platform runs the application alone in what is bought, keeps the database elsewhere and the system to itself.
    needed = load["memory.needed_mb"] + need.extra_mb - (BASE_MB if on_platform else 0)
    if needed > memory * HEADROOM:
        return None
    carried = load["capacity.requests_per_minute"] / max(1, facts["servers.app"])
    count = max(1, math.ceil(facts["needs.requests_per_minute"] / carried)) if carried else 1
    several = facts["needs.downtime"] in ("minutes", "none")
    return size, max(count, 2 if several else 1) * math.ceil(facts["needs.sites"] / shared)


def _lines(offer: Offer, size: Size, count: int, facts: dict[str, Any]) -> Iterator[Line]:
    extras = offer.extras
    what = "process" if offer.kind == "paas" else "server"
    yield Line(f"{count} x {what} {size.id}", None if size.price is None else size.price * count)
    if extras.ipv4:
        yield Line("IPv4 address", extras.ipv4 * count)
    if offer.kind == "paas":
        sites = facts["needs.sites"]
        yield Line("managed PostgreSQL", None if extras.database is None else extras.database * sites)
        if facts["stack.cache"] == "redis":
            yield Line("managed Redis or Valkey", None if extras.cache is None else extras.cache * sites)
        return
    # Where the pages want several servers, the database has one of its own: for each site, or for those that share.
    groups = math.ceil(facts["needs.sites"] / facts["hosting.sites"])
    if count > groups:
        whose = "each site" if facts["hosting.sites"] == 1 else "the sites of a server"
        yield Line(f"a server for the database of {whose}", None if size.price is None else size.price * groups)
    if facts["needs.data"] != "disposable":
        yield Line("backups", _backups(offer, size, count, facts))
    together = min(facts["hosting.sites"], facts["needs.sites"])
    beyond = groups * max(0, facts["needs.storage_gb"] * together + SYSTEM_GB - size.disk_gb)
    if beyond:
        yield Line(f"{beyond} GB of storage", None if extras.volume_gb is None else extras.volume_gb * beyond)
    sent = traffic_gb(facts["needs.requests_per_minute"] * facts["needs.sites"])
    over = 0 if size.traffic_gb is None else max(0, sent - size.traffic_gb * count)
    if over:
        yield Line(f"{over:.0f} GB of traffic", None if extras.traffic_gb is None else extras.traffic_gb * over)


def _beside(offer: Offer, catalog: Catalog) -> Iterator[Line]:
    for price in catalog.prices.values():
        amount = catalog.convert(price.amount, price.currency, offer.currency)
        yield Line(price.what, None if amount is None else round(amount, 2))


def _backups(offer: Offer, size: Size, count: int, facts: dict[str, Any]) -> float | None:
    """Return the price of backups: object storage for twice the data where it is sold, else a share of the server."""
    extras = offer.extras
    if extras.object_gb is not None:
        return extras.object_gb * int(facts["needs.storage_gb"] * facts["needs.sites"]) * 2
    if extras.backup_percent is not None and size.price is not None:
        return size.price * count * extras.backup_percent / 100
    return None
