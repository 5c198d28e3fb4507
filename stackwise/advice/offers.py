"""What can be bought: provider, region and size as they are sold together, and how the design fits on each. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import product

from stackwise.advice import why_not
from stackwise.advice.cost import Need, market, quote_of
from stackwise.advice.facts import FOUND, chosen, found_size, gather, load_facts
from stackwise.advice.sizing import HEADROOM
from stackwise.answers import Choices
from stackwise.catalog import Catalog
from stackwise.catalog.model import Component, Offer, Size
from stackwise.errors import UsageError
from stackwise.project import Project

# What is bought together.
KEYS = ("hosting.provider", "hosting.region", "hosting.size")


@dataclass(frozen=True, slots=True)
class Sold:
    """A size as a provider sells it in a region, and how the design fits on it.

    Money is a month's price of one server in `currency`, None where no source told it; memory is in MiB; `carries` in
    requests a minute. `region` is empty where the provider's regions are not known. `why_not` is the reason why it
    cannot be taken, empty where it can.
    """

    provider: Component
    region: str
    size: Size
    currency: str
    priced: date
    needed_mb: int
    memory_mb: int
    carries: int
    wanted: int
    chosen: bool
    recommended: bool
    why_not: str

    @property
    def fits(self) -> bool:
        """Whether the design has enough memory, and carries what is wanted."""
        return self.needed_mb <= self.memory_mb * HEADROOM and self.carries >= self.wanted

    @property
    def answers(self) -> dict[str, str]:
        """The answers that take it."""
        return dict(zip(KEYS, (self.provider.id, self.region, self.size.id), strict=True))


def sold(choices: Choices, project: Project, catalog: Catalog, everywhere: str = "") -> tuple[Sold, ...]:
    """Return what can be bought for these choices: all that can be taken, then the best of each other provider.

    Of the chosen provider, and of the one that `everywhere` names, that is every region; of the others the first.

    What is recommended is the cheapest of the chosen provider that carries the need on one server.
    """
    shop = _Shop(choices, project, catalog, everywhere)
    return (*shop.takeable(), *shop.others())


@dataclass(frozen=True, slots=True)
class _Shop:
    choices: Choices
    project: Project
    catalog: Catalog
    everywhere: str

    def takeable(self) -> Iterator[Sold]:
        """Yield every size in every region of the chosen provider, then of the others in their first region."""
        wanted_at = self.choices["hosting.provider"]
        # Who has a server knows it, and everybody else would stumble over it.
        options = sorted(self.catalog.options("provider"), key=lambda one: (one.id != wanted_at, one.id == FOUND))
        for provider in options:
            offer = provider.offer
            if not provider.installable or offer is None:
                continue
            best = self._best(provider, offer)
            regions, sizes = self._places(provider, offer)
            # How a design fits on a size is the same in every region.
            fits = tuple(self._fitted(provider, offer, regions[0], size, best) for size in sizes)
            for region, one in product(regions, fits):
                recommended = one.recommended and region == regions[0]
                yield replace(
                    one, region=region, chosen=self._is_chosen(provider, region, one.size), recommended=recommended
                )

    def _places(self, provider: Component, offer: Offer) -> tuple[Sequence[str], Sequence[Size]]:
        """Return the regions and sizes of a provider; a server that is there already has one of each."""
        if provider.id == FOUND:
            return (self.choices["hosting.region"],), (found_size(self.choices),)
        here = provider.id in (self.choices["hosting.provider"], self.everywhere)
        return offer.locations if here else offer.locations[:1], offer.sizes

    def _fitted(self, provider: Component, offer: Offer, region: str, size: Size, best: str) -> Sold:
        layer = self.catalog.categories["provider"]
        reason = why_not(provider, layer, self._supposing(region, size), self.project, self.catalog)
        return self._sold(provider, offer, region, size, recommended=size.id == best, why_not=reason)

    def _is_chosen(self, provider: Component, region: str, size: Size) -> bool:
        # A server that is there already is of one size, whatever stands in the answers as that of another one.
        if provider.id == FOUND:
            return bool(self.choices["hosting.provider"] == FOUND)
        return (provider.id, region, size.id) == tuple(self.choices[key] for key in KEYS)

    def others(self) -> Iterator[Sold]:
        """Yield the best size of each provider that stackwise makes no servers at, the cheapest first."""
        for quote in market(self._affordable(), self.project, self.catalog, "vps"):
            provider = self.catalog.component(quote.provider)
            if provider.offer and not provider.installable:
                size = next(size for size in provider.offer.sizes if size.id == quote.size)
                reason = "stackwise makes no servers there yet"
                yield self._sold(provider, provider.offer, "", size, recommended=False, why_not=reason)

    def _best(self, provider: Component, offer: Offer) -> str:
        """Return the cheapest size of the chosen provider that carries the need on one server; else nothing."""
        if provider.id != self.choices["hosting.provider"]:
            return ""
        choices = self._affordable()
        parts, answered = chosen(choices, self.catalog), choices.under("options")
        need = Need(parts, answered, gather(choices, self.project, self.catalog))
        quote = quote_of(provider.id, offer, need, self.catalog)
        return quote.size if quote and quote.servers == 1 else ""

    def _sold(  # noqa: PLR0913 - what one row is made of
        self, provider: Component, offer: Offer, region: str, size: Size, *, recommended: bool, why_not: str
    ) -> Sold:
        choices = self._affordable()
        facts = gather(choices, self.project, self.catalog, size)
        load = load_facts(chosen(choices, self.catalog), facts)
        return Sold(
            provider,
            region,
            size,
            offer.currency,
            offer.priced,
            load["memory.needed_mb"],
            facts["memory_mb"],
            load["capacity.requests_per_minute"],
            facts["needs.requests_per_minute"],
            self._is_chosen(provider, region, size),
            recommended,
            why_not,
        )

    def _supposing(self, region: str, size: Size) -> Choices:
        taken = {"hosting.region": region, "hosting.size": size.id}
        return Choices({**self.choices.values, **taken}, self.choices.origins, self.choices.folder)

    def _affordable(self) -> Choices:
        """Return the choices with a provider and a size that are sold together, whatever was answered."""
        try:
            gather(self.choices, self.project, self.catalog)
        except UsageError:
            default = self.catalog.component(self.catalog.categories["provider"].default)
            sizes = default.offer.sizes if default.offer else ()
            taken = {"hosting.provider": default.id, "hosting.size": sizes[0].id}
            return Choices({**self.choices.values, **taken}, self.choices.origins, self.choices.folder)
        return self.choices
