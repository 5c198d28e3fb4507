"""`stackwise catalog`: what can be chosen."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from stackwise.cli.design import print_json
from stackwise.cli.options import json_option

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from stackwise.catalog import Catalog
    from stackwise.catalog.model import Component, Offer

_WIDTH = 96


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001 - click decides the signature
    from click.shell_completion import CompletionItem

    from stackwise.catalog import load_catalog

    found = (component for component in load_catalog().components.values() if component.id.startswith(incomplete))
    return [CompletionItem(component.id, help=component.name) for component in found]


@click.group("catalog", invoke_without_command=True)
@click.pass_context
def catalog_command(ctx: click.Context) -> None:
    """Browse what can be chosen, with its trade-offs and sources."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_command)


@catalog_command.command("list")
@click.option("-c", "--category", metavar="ID", help="One layer only.")
@json_option
def list_command(category: str | None = None, as_json: bool = False) -> None:
    """List the components by layer."""
    from stackwise.catalog import load_catalog, nearest
    from stackwise.errors import UsageError

    catalog = load_catalog()
    if category is not None and category not in catalog.categories:
        raise UsageError(f"there is no layer {category!r}", hint=nearest(category, catalog.categories))
    wanted = [category] if category else list(catalog.categories)
    if as_json:
        members = {c.id: c for name in wanted for c in catalog.options(name)}
        print_json([asdict(component) for component in members.values()])
        return
    for name in wanted:
        click.secho(f"{catalog.categories[name].name} ({name})", bold=True)
        width = max(len(component.id) for component in catalog.options(name))
        for component in catalog.options(name):
            mark = {"current": " ", "ageing": "~", "gone": "x"}[component.state.state]
            how = {"role": "+", "platform": "@", "advice": " "}[component.comes_by]
            click.echo(f" {mark}{how} {component.id:<{width}}  {component.summary}")
    click.echo(f"\n{len(catalog.components)} components   + stackwise installs it  @ a service  ~ ageing  x gone")
    click.echo("more about one: stackwise catalog show ID   side by side: stackwise catalog compare ID ID")


@catalog_command.command("show")
@click.argument("name", metavar="ID", shell_complete=_complete)
@json_option
def show_command(name: str, as_json: bool) -> None:
    """Show one component: what speaks for it, what it costs, and where that is from."""
    from stackwise.catalog import load_catalog

    catalog = load_catalog()
    component = catalog.component(name)
    if as_json:
        print_json(asdict(component))
        return
    for line in page(component, catalog):
        click.echo(line)


@catalog_command.command("compare")
@click.argument("names", metavar="ID ID...", nargs=-1, required=True, shell_complete=_complete)
@json_option
def compare_command(names: tuple[str, ...], as_json: bool) -> None:
    """Put components beside each other: the same words of praise and cost, row by row."""
    from stackwise.catalog import load_catalog
    from stackwise.errors import UsageError
    from stackwise.render.comparison import MOST_COMPARED, comparison_document, comparison_lines

    catalog = load_catalog()
    components = list({(component := catalog.component(name)).id: component for name in names}.values())
    if len(components) not in range(2, MOST_COMPARED + 1):
        raise UsageError(
            f"two to four components can be compared, not {len(components)}",
            hint="for example: stackwise catalog compare nginx caddy apache",
        )
    if as_json:
        print_json(comparison_document(components, catalog))
        return
    names_line, *rest = comparison_lines(components, catalog, _WIDTH)
    click.secho(names_line, bold=True)
    for line in rest:
        click.echo(line)


def page(component: Component, catalog: Catalog, width: int = _WIDTH) -> Iterator[str]:
    """Yield all that is known of a component, as lines of `width` columns."""
    from stackwise.catalog.model import COMES_BY

    yield click.style(f"{component.name} ({component.id})", bold=True)
    yield from _wrapped(component.summary, width)
    yield ""
    state = component.state.state + (f" since {component.state.since}" if component.state.since else "")
    if component.state.replaced_by:
        state += f", replaced by {component.state.replaced_by}"
    yield f"Layer     {', '.join(component.categories)}"
    yield f"State     {state}. {component.state.note}".rstrip()
    if component.state.move:
        yield from _wrapped(f"To move   {component.state.move}", width)
    for system in catalog.components.of("os"):
        if system.system and (version := system.system.versions.get(component.id)):
            yield f"{system.id:<10}{version}"
    for support in component.support:
        yield f"Support   {support.version}: until {support.until or 'unknown'}"
    yield f"Licence   {component.licence}"
    yield f"Comes by  {COMES_BY[component.comes_by]}"
    yield f"Memory    {_known(component.memory_mb, component, 'MiB')}"
    yield f"A page    {_known(component.cpu_ms, component, 'ms of processor time')}"
    yield from _section("Good at", [f"{tag}: {catalog.tradeoffs[tag].says}" for tag in component.good_at], width)
    yield from _section("Costs", [f"{tag}: {catalog.tradeoffs[tag].says}" for tag in component.costs], width)
    yield from _section("Notes", list(component.notes), width)
    yield from _section("Choose it when", [component.choose_when], width)
    yield from _section("Leave it when", [component.leave_when], width)
    yield from _section(
        "It cannot go with", [clause.because for clause in (*component.requires, *component.conflicts)], width
    )
    yield from _section(
        "Options",
        [f"{q.id}: {q.ask} {q.why} ({_default(q.formula, q.default)})" for q in component.questions],
        width,
    )
    if component.offer:
        yield from _section("Sold as", list(_sold(component.offer)), width)
    yield from _section(
        "Measured",
        [f"{m.what}: {m.value:g} {m.unit}, by `{m.command}` on {m.day}" for m in component.measured],
        width,
    )
    yield from _section("Sources", [f"{s.url} (read {s.read}) {s.says}".rstrip() for s in component.sources], width)


def _known(expression: str, component: Component, unit: str) -> str:
    """Return a figure with its unit; what is not installed and has none was not measured, and is no zero."""
    if expression == "0":
        return "next to nothing" if component.comes_by == "role" else "unknown"
    return f"{expression} {unit}"


def _sold(offer: Offer) -> Iterator[str]:
    for size in offer.sizes:
        price = "price unknown" if size.price is None else f"{size.price:g} {offer.currency} a month"
        yield f"{size.id}: {size.cpus:g} CPU, {size.memory_mb} MiB, {size.disk_gb} GB, {price}"
    if offer.sizes:
        yield f"without tax, as of {offer.priced}. {offer.live}".rstrip()
    else:
        yield "no price list was read"


def _default(formula: str | None, default: object) -> str:
    return f"= {formula}" if formula else f"default {default}"


def _section(title: str, lines: list[str], width: int) -> Iterator[str]:
    if lines:
        yield ""
        yield click.style(title, bold=True)
        for line in lines:
            yield from _wrapped(line, width, "  ")


def _wrapped(text: str, width: int, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent + "  " * bool(indent),
        break_long_words=False,
        break_on_hyphens=False,
    )
