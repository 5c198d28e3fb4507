"""What exists: the record and the provider's tags beside each other, each able to mend the other."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from stackwise.catalog import Catalog
from stackwise.catalog.model import Component
from stackwise.errors import ProvisionError, StackwiseError, UsageError
from stackwise.journal import Journal, ServerRecord, journals
from stackwise.plan.model import Identity
from stackwise.provision.cloud import OWNERS, TOKEN, Cloud, Node
from stackwise.provision.clouds.account import missing_of
from stackwise.provision.providers import is_cloud, open_cloud

Opens = Callable[[Component, str], Cloud]
State = Literal["pending", "running", "stopped", "error", "gone at the provider", "half made", "cannot be asked"]


@dataclass(frozen=True, slots=True)
class Standing:
    """A server as it is on record, and as its provider knows it. `remark` says what was mended, or why nobody knows."""

    record: ServerRecord
    state: State
    address: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Orphan:
    """A server that carries our tags and that no record owns. `cost` is a month's, None where no source told it."""

    provider: Component
    node: Node
    cost: float | None
    currency: str

    @property
    def identity(self) -> Identity:
        """The site that its tags name."""
        name, environment = (self.node.tags.get(tag, "unknown") for tag in OWNERS)
        return Identity(name, environment)


def opens_quietly(provider: Component, location: str) -> Cloud:
    """Return the adapter of a provider, which tells nobody what it waits for."""
    return open_cloud(provider, lambda _: None, location=location)


def standing(journal: Journal, catalog: Catalog, opens: Opens = opens_quietly) -> tuple[Standing, ...]:
    """Return the servers on record as their provider knows them, and write down what the record had missed.

    Nothing is made, started or removed. Raises JournalError.
    """
    return tuple(_seen(record, journal, catalog, opens) for record in journal.servers().values())


def _seen(record: ServerRecord, journal: Journal, catalog: Catalog, opens: Opens) -> Standing:
    try:
        cloud = opens(catalog.component(record.provider), record.location)
        if record.id:
            node = cloud.get(record.id)
            return _compared(record, node, journal)
        found = cloud.find({TOKEN: journal.token, "stackwise-server": record.name})
    except StackwiseError as exc:
        return Standing(record, "cannot be asked", record.address, exc.message)
    if not found:
        return Standing(record, "half made", "", "ordered, and the provider has none; go on: stackwise up")
    node = found[0]
    journal.write("created", server=record.name, id=node.id, address=node.address)
    mended = journal.servers()[record.name]
    return Standing(mended, node.state, node.address, "found by its tags; its id was not on record, and is now")


def _compared(record: ServerRecord, node: Node | None, journal: Journal) -> Standing:
    if node is None:
        return Standing(record, "gone at the provider", record.address, "make it anew: stackwise destroy, stackwise up")
    if node.address and node.address != record.address and not record.ready:
        journal.write("created", server=record.name, id=node.id, address=node.address)
        return Standing(journal.servers()[record.name], node.state, node.address, "its address was not on record")
    if node.address and node.address != record.address:
        return Standing(record, node.state, node.address, f"its address was {record.address} when it was made")
    return Standing(record, node.state, record.address)


def orphans(catalog: Catalog, opens: Opens = opens_quietly) -> Iterator[Orphan | ProvisionError]:
    """Yield every server tagged as ours that no record owns, and an error for each provider that could not be asked.

    Providers without credentials here are left out: nobody could have made anything there from here.
    """
    owned = {(record.provider, record.id) for journal in journals() for record in journal.servers().values()}
    tokens = {journal.token for journal in journals()}
    for provider in reachable(catalog):
        try:
            nodes = opens(provider, "").find({})
        except ProvisionError as exc:
            yield exc
            continue
        for node in nodes:
            if (provider.id, node.id) not in owned and node.tags.get(TOKEN) not in tokens:
                yield Orphan(provider, node, *_price(provider, node))


def reachable(catalog: Catalog) -> Iterator[Component]:
    """Yield the providers that can be asked from here: those that want no credentials, or were given them."""
    for provider in catalog.options("provider"):
        if provider.installable and (not is_cloud(provider) or not missing_of(provider, os.environ)):
            yield provider


def _price(provider: Component, node: Node) -> tuple[float | None, str]:
    offer = provider.offer
    sizes = {size.id: size.price for size in offer.sizes} if offer else {}
    free = 0.0 if sizes and not any(sizes.values()) else None
    return sizes.get(node.size, free), offer.currency if offer else ""


def adoptable(identity: Identity, provider: Component, cloud: Cloud) -> Node:
    """Return the one server whose tags name a site. Raises UsageError where there is none, or more than one."""
    wanted = dict(zip(OWNERS, (identity.name, identity.environment), strict=True))
    found = cloud.find(wanted)
    if not found:
        message = f"{provider.name} has no server that is tagged as {identity}"
        raise UsageError(message, hint="see what is tagged as ours: stackwise orphans")
    if len(found) > 1:
        ids = ", ".join(node.id for node in found)
        message = f"{provider.name} has {len(found)} servers that are tagged as {identity}: {ids}"
        raise UsageError(message, hint=f"say which: stackwise adopt {found[0].id}")
    return found[0]


def adopt(journal: Journal, provider: Component, location: str, node: Node, host_key: str) -> None:
    """Write a record of a server that is tagged as ours and has none. Raises UsageError where there is one."""
    if journal.servers():
        name = next(iter(journal.servers()))
        message = f"{journal.folder.name} has a server on record already: {name}"
        raise UsageError(message, hint="see it: stackwise status")
    server = node.tags.get("stackwise-server", node.name)
    # A run that was refused meanwhile has left a token of its own, under which nothing was made.
    if journal.token != node.tags[TOKEN]:
        journal.write("started", token=node.tags[TOKEN])
    journal.write("creating", server=server, provider=provider.id, location=location or node.location)
    journal.write("created", server=server, id=node.id, address=node.address)
    known = journal.folder / "known_hosts" / server
    known.parent.mkdir(exist_ok=True, mode=0o700)
    journal.write("host-keys", server=server, keys=[host_key])
    known.write_text(f"{node.address} {host_key}\n")
    journal.write("ready", server=server, address=node.address)
    journal.write("adopted", server=server)
