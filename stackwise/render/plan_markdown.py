"""The plan as a page for the team, in Markdown: what will exist, what it costs, why, what speaks against it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

# What Markdown would take for a tag, a link or the end of a cell.
_SIGNS = re.compile(r"([\\<\[\]|*])")
_HOW = {"overlay": "overridden", "already": "the project itself", "left": "left to the project"}
_KINDS = {"conflict": "Conflict", "warning": "Warning", "note": "Note"}
_QUOTES = 3


def plan_markdown(plan: Mapping[str, Any], advice: Mapping[str, Any], currency: str) -> str:
    """Return a plan document and the whole advice on it as one page; other offers are in `currency`.

    Same answers, same text.
    """
    lines = [f"# Plan for {_plain(plan['name'])} ({_plain(plan['environment'])})", "", *_in_short(plan, advice)]
    lines += _section("What will exist", _exists(plan))
    lines += _section("What it costs", _costs(plan, advice["market"][:_QUOTES], currency))
    lines += _section("Why each layer", _layers(advice["layers"]))
    lines += _section("What it carries", _carries(advice["sizing"]))
    lines += _section("Risks", _risks(advice))
    lines += _section("Advice", _advice(plan["advice"]))
    lines += _section("What is set for the project", _settings(plan))
    lines += _section("How it is run", _run(plan))
    return "\n".join(lines).rstrip() + "\n"


def _plain(text: object) -> str:
    """Return text of anybody's as one line that Markdown leaves alone."""
    return _SIGNS.sub(r"\\\1", " ".join(str(text).split()))


def _section(title: str, lines: Iterable[str]) -> list[str]:
    return ["", f"## {title}", "", *lines]


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(_plain(cell) for cell in row)} |"


def _money(amount: float | None, currency: str) -> str:
    return "unknown" if amount is None else f"{amount:g} {currency}"


def _in_short(plan: Mapping[str, Any], advice: Mapping[str, Any]) -> Iterator[str]:
    cost, sizing = plan["cost"], advice["sizing"]
    servers = "one server" if len(plan["servers"]) == 1 else f"{len(plan['servers'])} servers"
    where = ", ".join(sorted({f"{server['provider']} in {server['location']}" for server in plan["servers"]}))
    yield f"{servers.capitalize()} at {_plain(where)}, for {_money(cost['amount'], cost['currency'])} a month."
    if limits := sizing["limits"]:
        first = limits[0]
        yield (
            f"It should carry {first['requests_per_minute']:,} requests a minute, where {sizing['wanted']:,} are "
            f"wanted; what gives first: {_plain(first['what'])}."
        )
    kinds = [piece["kind"] for piece in plan["advice"] if not piece["accepted"]]
    against = [f"{kinds.count(kind)} {kind}s" for kind in ("conflict", "warning") if kind in kinds]
    yield f"Against it: {', '.join(against) or 'no conflict and no warning'}."


def _exists(plan: Mapping[str, Any]) -> Iterator[str]:
    rows = (
        (
            server["name"],
            f"{server['size']['id']}: {server['size']['cpus']} CPU, {server['size']['memory_mb']} MiB, "
            f"{server['size']['disk_gb']} GB",
            server["image"],
            ", ".join(server["groups"]),
        )
        for server in plan["servers"]
    )
    yield from _table(("Server", "Size", "System", "Carries"), rows)
    yield ""
    if shares := plan["shares"]:
        yield f"- **Shared**: the server is that of {_plain(shares['server_of'])}; {shares['sites']} sites stand on it"
    yield f"- **Ports**: {', '.join(map(str, plan['ports']))}; everything else is closed"
    yield f"- **Users**: {'; '.join(f'{_plain(user)} ({_plain(part)})' for user, part in plan['users'].items())}"
    yield f"- **Services**: {_plain(', '.join(plan['services']))}"
    yield f"- **Packages** of the distribution: {_plain(', '.join(plan['packages']))}"
    if plan["python"]:
        yield f"- **Python packages** beside those of the project: {_plain(', '.join(plan['python']))}"
    if plan["destroys"]:
        yield f"- **Removed**: {_plain(', '.join(plan['destroys']))}"


def _costs(plan: Mapping[str, Any], market: Sequence[Mapping[str, Any]], currency: str) -> Iterator[str]:
    cost = plan["cost"]
    rows = [(s["name"], s["size"]["id"], _money(s["size"]["price"], cost["currency"])) for s in plan["servers"]]
    if plan["shares"] and plan["shares"]["server_of"] != plan["name"]:
        rows = [(name, size, "paid by the site whose server it is") for name, size, _ in rows]
    yield from _table(("Server", "Size", "A month"), rows)
    yield ""
    yield f"In all {_money(cost['amount'], cost['currency'])} a month, without tax, by prices of {cost['priced']}."
    if market:
        others = (
            f"{_plain(quote['provider'])}, {_plain(quote['size'])}, {_money(quote['total'], currency)}"
            for quote in market
        )
        yield f"Elsewhere the cheapest that carries it: {'; '.join(others)}."


def _layers(layers: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    taken = [layer for layer in layers if layer["chosen"]]
    rows = ((layer["category"], ", ".join(layer["chosen"]), layer["recommended"], _why(layer)) for layer in taken)
    yield from _table(("Layer", "Taken", "Recommended", "Why that one is recommended"), rows)


def _why(layer: Mapping[str, Any]) -> str:
    """Return the rules that speak for it, the next best, and what would tip the scales."""
    said = [reason["says"] for reason in layer["because"] if reason["weight"] > 0 and reason["rule"]][:2]
    words = " ".join(said) or layer["choose_when"]
    if not layer["runner_up"]:
        return words
    tip = next((tip for tip in layer["tips"] if tip["component"] == layer["runner_up"]), None)
    tipped = f"; {tip['question']}: {str(tip['answer']).lower()} would tip it" if tip else ""
    # One that stackwise does not install may stand ahead; how far is then no distance to it.
    behind = f", {layer['behind']:g} behind" if layer["behind"] > 0 else ""
    return f"{words} Next: {layer['runner_up']}{behind}{tipped}."


def _carries(sizing: Mapping[str, Any]) -> Iterator[str]:
    parts = ", ".join(f"{share['component']} {share['memory_mb']}" for share in sizing["memory"])
    yield f"Memory planned: {sizing['needed_mb']} of {sizing['memory_mb']} MiB ({_plain(parts)})."
    yield ""
    rows = (
        (limit["what"], f"{limit['requests_per_minute']:,}", f"{limit['from']:,} to {limit['to']:,}", limit["remedy"])
        for limit in sizing["limits"]
    )
    yield from _table(("What gives", "Requests a minute", "By cost of a page", "Then"), rows)


def _risks(advice: Mapping[str, Any]) -> Iterator[str]:
    yield from _table(
        ("Property", "Verdict", "Because"),
        ((verdict["property"], verdict["verdict"], verdict["because"]) for verdict in advice["properties"]),
    )
    yield ""
    for point in advice["failures"]:
        yield f"- **{_plain(point['name'])}**: {_plain(point['says'])} To remove it: {_plain(point['remove'])}"
    if not advice["failures"]:
        yield "No single point of failure is known."


def _advice(advice: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for piece in advice:
        settled = f" Settle it with: `{piece['settle']}`." if piece["settle"] and not piece["accepted"] else ""
        accepted = f" **Accepted**: {_plain(piece['accepted'])}" if piece["accepted"] else ""
        said = f"{_plain(piece['says'])} {_plain(piece['because'])}"
        yield f"- **{_KINDS[piece['kind']]}** ({piece['id']}): {said}{settled}{accepted}"
    if not advice:
        yield "Nothing speaks against it."


def _settings(plan: Mapping[str, Any]) -> Iterator[str]:
    if not plan["settings"]:
        yield "The project is not Django's; it is configured by its environment alone."
    else:
        rows = ((s["name"], ", ".join(s["variables"]) or _HOW[s["how"]], s["because"]) for s in plan["settings"])
        yield from _table(("Setting", "By", "Because"), rows)
    if plan["secrets"]:
        yield ""
        yield f"Secrets: {'; '.join(f'{_plain(name)} ({_plain(where)})' for name, where in plan['secrets'].items())}."


def _run(plan: Mapping[str, Any]) -> Iterator[str]:
    yield "Ansible does it, play by play:"
    yield ""
    rows = ((play["play"], play["hosts"], ", ".join(play["roles"])) for play in plan["roles"])
    yield from _table(("Play", "On", "Roles"), rows)
    yield ""
    yield "```"
    yield "stackwise up         # make it; again: go on where it stopped, or change nothing"
    yield "stackwise verify     # prove that it works, from outside and inside"
    yield "stackwise status     # what exists"
    yield "stackwise destroy    # remove all that was made"
    yield "```"
    yield ""
    yield (
        f"Without stackwise: `stackwise render -o DIR` writes the {len(plan['files'])} files of the Ansible project, "
        "and `ansible-playbook -i inventory site.yml` runs it."
    )
