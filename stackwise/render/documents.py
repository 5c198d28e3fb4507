"""A plan for readers: as one JSON document, and as text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from stackwise.advice import Advice
from stackwise.plan.model import Plan

_WIDTH = 100
_HOW = {"overlay": "overridden", "already": "as the project has it", "left": "left to the project"}


def plan_document(plan: Plan, files: Iterable[str]) -> dict[str, Any]:
    """Return the plan as JSON-like data: servers, cost, roles, packages, ports, users, settings, files, advice."""
    settings = plan.settings
    return {
        "name": plan.identity.name,
        "environment": plan.identity.environment,
        "servers": [_server(plan, index) for index in range(len(plan.servers))],
        "whole": plan.whole,
        "shares": {"server_of": plan.host.name, "sites": plan.sites} if plan.sites > 1 else None,
        "cost": asdict(plan.cost) | {"per": "month"},
        "memory_mb": plan.memory_mb,
        "memory": [asdict(share) for share in plan.memory],
        "components": list(plan.components),
        "roles": [{"play": play.name, "hosts": play.hosts, "roles": list(play.roles)} for play in plan.plays],
        "packages": list(plan.packages),
        "python": list(plan.python),
        "ports": list(plan.ports),
        "users": dict(plan.users),
        "services": list(plan.services),
        "settings": [
            {"name": o.setting.name, "how": o.how, "because": o.setting.because, "variables": list(o.variables)}
            for o in (settings.overrides if settings else ())
        ],
        "secrets": dict(plan.secrets),
        "files": sorted(files),
        "destroys": [],
        "advice": [advice_document(advice) for advice in plan.advice],
    }


def _firewall(document: Mapping[str, Any]) -> str:
    return " open, everything else closed" if document["whole"] else " served; the firewall stays its owner's"


def advice_document(advice: Advice) -> dict[str, Any]:
    """Return a piece of advice as JSON-like data."""
    return {
        "id": advice.id,
        "kind": advice.kind,
        "says": advice.says,
        "because": advice.because,
        "settle": advice.settle,
        "accepted": advice.accepted,
        "topic": advice.topic,
        "where": advice.where,
        "sources": [{"url": source.url, "read": source.read.isoformat()} for source in advice.sources],
    }


def plan_text(document: Mapping[str, Any], width: int = _WIDTH) -> str:
    """Return a plan document as text for a terminal that is `width` columns wide."""
    cost = document["cost"]
    price = "unknown" if cost["amount"] is None else f"{cost['amount']:g} {cost['currency']} a month"
    block = partial(_block, width=width)
    lines = [f"Plan for {document['name']} ({document['environment']})", ""]
    lines += block("Servers", [_server_line(server) for server in document["servers"]])
    lines += block("Shared", list(_shared_lines(document)))
    lines += block("Cost", [f"{price} (price of {cost['priced']})"])
    lines += block("Memory", [_memory_line(document)])
    lines += block("Roles", [f"{play['play']}: {', '.join(play['roles'])}" for play in document["roles"]])
    lines += block("Packages", [", ".join(document["packages"])])
    lines += block("Python", [", ".join(document["python"]) or "nothing beyond the project's own"])
    lines += block("Ports", [", ".join(str(port) for port in document["ports"]) + _firewall(document)])
    lines += block("Users", [f"{user}: {part}" for user, part in document["users"].items()])
    lines += block("Settings", list(_settings_lines(document["settings"])))
    lines += block("Secrets", [f"{name}: {where}" for name, where in document["secrets"].items()])
    lines += block(
        "Files",
        [f"{len(document['files'])} files in the Ansible project; write them down with: stackwise render -o DIR"],
    )
    lines += block("Removed", ["nothing"] if not document["destroys"] else document["destroys"])
    lines += block("Advice", list(advice_lines(document["advice"])))
    return "\n".join(lines).rstrip() + "\n"


def advice_lines(advice: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield each piece of advice with its reason and what would settle it; of what was accepted, the team's reason."""
    for piece in advice:
        if piece["accepted"]:
            yield f"accepted [{piece['id']}] {piece['accepted']}"
            continue
        yield f"{piece['kind']} [{piece['id']}] {piece['says']}"
        yield f"  {piece['because']}"
        if piece["where"]:
            yield f"  change: {piece['where']}"
        if piece["settle"]:
            yield f"  settle it with: {piece['settle']}"


def _server(plan: Plan, index: int) -> dict[str, Any]:
    server = plan.servers[index]
    return {
        "name": server.name,
        "groups": list(server.groups),
        "provider": server.provider,
        "location": server.location,
        "size": asdict(server.size),
        "image": server.image,
        "kernel": server.kernel,
    }


def _server_line(server: Mapping[str, Any]) -> str:
    size = server["size"]
    what = f"{size['id']} ({size['cpus']} CPU, {size['memory_mb']} MiB, {size['disk_gb']} GB), {server['image']}"
    where = f"at {server['provider']} in {server['location']}"
    return f"{server['name']}: {what}, {where}; carries {', '.join(server['groups'])}"


def _shared_lines(document: Mapping[str, Any]) -> Iterator[str]:
    shares = document["shares"]
    if shares is None:
        return
    if shares["server_of"] == document["name"]:
        yield f"{shares['sites']} sites stand on it; the others say: hosting.share: {document['name']}"
    else:
        yield f"the server is that of {shares['server_of']}, which pays for it; {shares['sites']} sites stand on it"


def _memory_line(document: Mapping[str, Any]) -> str:
    shares = document["memory"]
    total = document["memory_mb"]
    parts = ", ".join(f"{share['component']} {share['memory_mb']}" for share in shares)
    return f"{sum(share['memory_mb'] for share in shares)} of {total} MiB: {parts}"


def _settings_lines(settings: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for setting in settings:
        how = f"by {', '.join(setting['variables'])}" if setting["how"] == "environment" else _HOW[setting["how"]]
        yield f"{setting['name']} ({how}): {setting['because']}"
    if not settings:
        yield "not a Django project: it reads its environment"


def _block(title: str, lines: list[str], width: int) -> list[str]:
    if not lines:
        return []
    wrapped = [part for line in lines for part in _wrapped(line, width)]
    return [title, *(f"  {line}" for line in wrapped), ""]


def _wrapped(line: str, width: int) -> list[str]:
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.wrap(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False) or [""]
