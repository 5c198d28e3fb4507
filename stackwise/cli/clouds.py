"""Where servers can be made, what is for sale there, and whose servers are whose: providers, orphans, adopt."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stackwise.cli.design import print_json
from stackwise.cli.options import answers_options, confirmed, json_option, yes_option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stackwise.catalog import Catalog
    from stackwise.catalog.model import Component, Offer, Size
    from stackwise.operate.standing import Orphan
    from stackwise.provision.cloud import OnSale


@click.group("providers", invoke_without_command=True)
@json_option
@click.pass_context
def providers_command(ctx: click.Context, as_json: bool) -> None:
    """Show where stackwise makes servers: credentials, rights, and what it was tested against."""
    from stackwise.catalog import load_catalog

    if ctx.invoked_subcommand is not None:
        return
    rows = [_row(provider, offer) for provider, offer in _offers(load_catalog())]
    if as_json:
        print_json({"providers": rows})
        return
    for row in rows:
        missing = [wanted["variable"] for wanted in row["credentials"] if not wanted["given"]]
        state = f"wants {' and '.join(missing)}" if missing else "ready to be used"
        click.echo(f"{row['id']:<14} {row['name']:<24} {len(row['regions']):>3} regions   {state}")
    click.echo("\nmore of one: stackwise providers show NAME")


@providers_command.command("show")
@click.argument("name")
@click.option("--live", is_flag=True, help="Ask the provider what is for sale today, and at what price.")
@click.option("--region", default="", metavar="ID", help="What is sold in one region.")
@json_option
def providers_show_command(name: str, live: bool, region: str, as_json: bool) -> None:
    """Show provider NAME: how to get in, where it has servers, what they cost, what was tested."""
    from stackwise.catalog import load_catalog, nearest
    from stackwise.errors import UsageError

    catalog = load_catalog()
    known = {provider.id: (provider, offer) for provider, offer in _offers(catalog)}
    wanted = catalog.in_category("provider", name)
    if wanted is None or wanted.id not in known:
        raise UsageError(f"stackwise makes no servers at {name!r}", hint=nearest(name, known))
    provider, offer = known[wanted.id]
    document = _row(provider, offer) | ({"live": _live(provider, region)} if live else {})
    if as_json:
        print_json(document)
    else:
        for line in _lines(provider, document):
            click.echo(line)


@click.command("orphans")
@json_option
def orphans_command(as_json: bool) -> None:
    """List servers that are tagged as ours and that no record owns, with what they cost a month."""
    from stackwise.catalog import load_catalog
    from stackwise.errors import ProvisionError
    from stackwise.operate.standing import Orphan, orphans, reachable

    catalog = load_catalog()
    seen = list(orphans(catalog))
    found = [_orphan(one) for one in seen if isinstance(one, Orphan)]
    faults = [one for one in seen if isinstance(one, ProvisionError)]
    asked = [provider.id for provider in reachable(catalog)]
    if as_json:
        print_json({"orphans": found, "asked": asked, "faults": [fault.message for fault in faults]})
    for row in () if as_json else found:
        price = f"{row['cost']:g} {row['currency']} a month" if row["cost"] is not None else "at a price we do not know"
        where = f"{row['state']}, {row['address'] or 'no address'}, {price}"
        click.echo(f"{row['provider']} {row['id']}: {row['site']}, {where}")
    if not found and not as_json:
        click.echo(f"none: every server that is tagged as ours has a record (asked: {', '.join(asked)})")
    if faults:
        raise faults[0]


@click.command("adopt")
@answers_options
@click.argument("node_id", required=False, metavar="[ID]")
@yes_option
def adopt_command(answers: Path, overrides: dict[str, Any], node_id: str | None, yes: bool) -> None:
    """Take a server that is tagged as this site's and whose record is lost; ID says which, if there are several."""
    from stackwise.errors import ServerLostError
    from stackwise.job import load_job
    from stackwise.journal import Journal
    from stackwise.operate.standing import adopt, adoptable, opens_quietly
    from stackwise.provision.existing.host_key import fingerprint_of, shown_by

    job = load_job(answers, overrides)
    provider, region = job.catalog.component(job.choices["hosting.provider"]), job.choices["hosting.region"]
    journal = Journal.of(job.identity)
    with journal.locked("adopt"):
        cloud = opens_quietly(provider, region)
        node = cloud.get(node_id) if node_id else adoptable(job.identity, provider, cloud)
        if node is None:
            raise ServerLostError(f"{provider.name} has no server {node_id}", hint="see them: stackwise orphans")
        key = shown_by(node.address)
        click.echo(f"{provider.name} {node.id}: {node.name}, {node.state}, {node.address}", err=True)
        click.echo(f"its host key now: {fingerprint_of(key)}", err=True)
        confirmed(f"Is it the server of {job.identity}, and shall it be taken?", yes=yes)
        adopt(journal, provider, region, node, key)
    click.echo(f"{node.id} has a record again; go on: stackwise up", err=True)


def _offers(catalog: Catalog) -> Iterator[tuple[Component, Offer]]:
    """Yield the providers that stackwise makes servers at, with what they sell."""
    for provider in catalog.options("provider"):
        if provider.installable and provider.offer:
            yield provider, provider.offer


def _row(provider: Component, offer: Offer) -> dict[str, Any]:
    from stackwise.provision.clouds.account import missing_of

    missing = {wanted.variable for wanted in missing_of(provider, os.environ)}
    return {
        "id": provider.id,
        "name": provider.name,
        "credentials": [
            {"variable": wanted.variable, "says": wanted.says, "given": wanted.variable not in missing}
            for wanted in offer.credentials
        ],
        "steps": list(offer.steps),
        "rights": offer.rights,
        "limits": list(offer.limits),
        "endpoint": offer.endpoint,
        "regions": list(offer.locations),
        "images": list(offer.images),
        "currency": offer.currency,
        "priced": offer.priced.isoformat(),
        "sizes": [_size(size) for size in offer.sizes],
        "tested": offer.tested,
    }


def _size(size: Size | OnSale) -> dict[str, Any]:
    return {key: getattr(size, key) for key in ("id", "cpus", "memory_mb", "disk_gb", "price")}


def _live(provider: Component, region: str) -> dict[str, Any]:
    from stackwise.provision.providers import open_shop

    shop = open_shop(provider, lambda said: click.echo(said, err=True), location=region)
    places = shop.places()
    wanted = [place for place in places if region in ("", place.id)]
    return {
        "regions": [{"id": place.id, "name": place.name} for place in places],
        "sizes": {place.id: [_size(size) for size in shop.on_sale(place.id)] for place in wanted},
    }


def _lines(provider: Component, document: dict[str, Any]) -> Iterator[str]:
    yield click.style(provider.name, bold=True)
    yield f"  {provider.summary}"
    yield "credentials:" if document["credentials"] else "credentials: none"
    for wanted in document["credentials"]:
        yield f"  {wanted['variable']} ({'given' if wanted['given'] else 'not given'}): {wanted['says']}"
    if document["credentials"]:
        yield "  also from a file that VARIABLE_FILE names, or from the keyring: keyring set stackwise VARIABLE"
    yield from (f"  {number}. {step}" for number, step in enumerate(document["steps"], start=1))
    if document["rights"]:
        yield f"rights: {document['rights']}"
    if document["endpoint"]:
        yield f"another address of its API: export {document['endpoint']}=https://..."
    yield f"regions: {', '.join(document['regions']) or 'none on record'}"
    yield f"systems: {', '.join(document['images'])}"
    if document["limits"]:
        yield "to know before:"
        yield from (f"  - {limit}" for limit in document["limits"])
    yield f"tested: {document['tested'] or 'not yet'}"
    if "live" in document:
        yield from _live_lines(document)
    elif document["sizes"]:
        yield f"sizes, at prices of {document['priced']} (today's: --live):"
        yield from (_size_line(size, document["currency"]) for size in document["sizes"])


def _live_lines(document: dict[str, Any]) -> Iterator[str]:
    for place, sizes in document["live"]["sizes"].items():
        yield f"for sale in {place} now:"
        yield from (_size_line(size, document["currency"]) for size in sizes)


def _size_line(size: dict[str, Any], currency: str) -> str:
    price = "price not told" if size["price"] is None else f"{size['price']:g} {currency} a month"
    return f"  {size['id']:<18} {size['cpus']:>3} CPU {size['memory_mb']:>7} MiB {size['disk_gb']:>5} GB   {price}"


def _orphan(orphan: Orphan) -> dict[str, Any]:
    name, environment = orphan.identity.name, orphan.identity.environment
    return {
        "provider": orphan.provider.id,
        "id": orphan.node.id,
        "site": f"{name} ({environment})",
        "state": orphan.node.state,
        "address": orphan.node.address,
        "cost": orphan.cost,
        "currency": orphan.currency,
    }
