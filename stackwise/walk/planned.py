"""The plan as a tree that can be opened: what `plan --json` says, in the order in which somebody asks for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from stackwise.readable import readable
from stackwise.walk.questions import price

_HOW = {"overlay": "overridden", "already": "as the project has it", "left": "left to the project"}


@dataclass(frozen=True, slots=True)
class Node:
    """A line of the tree, what is to be said beside it, and what is below it.

    `id` tells it from every other one; `file` names the rendered file that it stands for.
    """

    id: str
    label: str
    detail: str = ""
    children: tuple[Node, ...] = ()
    file: str = ""


def plan_nodes(document: Mapping[str, Any]) -> tuple[Node, ...]:
    """Return the tree of a plan document, in words that a terminal may have."""
    return tuple(map(_readable, _nodes(document)))


def _readable(node: Node) -> Node:
    children = tuple(map(_readable, node.children))
    return replace(node, label=readable(node.label), detail=readable(node.detail), children=children)


def _nodes(document: Mapping[str, Any]) -> tuple[Node, ...]:
    return (
        _group("servers", "Servers", "What is made at the provider.", map(_server, document["servers"])),
        *_shared(document),
        _cost(document),
        _memory(document),
        _list("components", "Components", "What was chosen, layer by layer.", document["components"]),
        _roles(document),
        _list("packages", "Packages", "Installed from the distribution, with what they need.", document["packages"]),
        _list("python", "Python packages", "Installed beside those of the project.", document["python"]),
        _list("ports", "Ports", "Open to the world; everything else is closed.", document["ports"]),
        _pairs("users", "Users", "The users that are made on the server.", document["users"]),
        _list("services", "Services", "What systemd keeps running.", document["services"]),
        _group("settings", "Settings", "What is set for the project, and why.", _settings(document["settings"])),
        _pairs("secrets", "Secrets", "Where each secret comes from; none is kept here.", document["secrets"]),
        _files(document["files"]),
        _list("destroys", "Removed", "What would be removed.", document["destroys"]),
        _group("advice", "Advice", "What speaks for and against it.", map(_advice, document["advice"])),
    )


def _group(name: str, title: str, says: str, children: Iterable[Node]) -> Node:
    nodes = tuple(children)
    listed = "\n".join(f"- {node.label}" for node in nodes) or "none"
    return Node(name, f"{title} ({len(nodes)})", f"{says}\n\n{listed}", nodes)


def _list(name: str, title: str, says: str, words: Sequence[object]) -> Node:
    return _group(name, title, says, (Node(f"{name}/{word}", str(word), f"{title}: {word}") for word in words))


def _pairs(name: str, title: str, says: str, pairs: Mapping[str, str]) -> Node:
    return _group(name, title, says, (Node(f"{name}/{key}", f"{key}: {value}", says) for key, value in pairs.items()))


def _facts(name: str, label: str, facts: Mapping[str, object], says: str = "") -> Node:
    """Return a line with its facts below it, one each."""
    lines = [f"{what}: {value}" for what, value in facts.items()]
    beside = "\n".join([*([says, ""] if says else []), *lines])
    return Node(name, label, beside, tuple(Node(f"{name}/{line}", line, beside) for line in lines))


def _server(server: Mapping[str, Any]) -> Node:
    size = server["size"]
    traffic = "not counted" if size["traffic_gb"] is None else f"{size['traffic_gb']} GB a month"
    facts = {
        "size": f"{size['id']} ({size['cpus']} CPU, {size['memory_mb']} MiB, {size['disk_gb']} GB)",
        "price": "unknown" if size["price"] is None else f"{size['price']:g} a month",
        "traffic": traffic,
        "image": server["image"],
        "provider": server["provider"],
        "location": server["location"],
        "kernel": server["kernel"],
        "carries": ", ".join(server["groups"]),
    }
    return _facts(f"servers/{server['name']}", server["name"], facts)


def _shared(document: Mapping[str, Any]) -> Iterator[Node]:
    if shares := document["shares"]:
        facts = {"server of": shares["server_of"], "sites on it": shares["sites"]}
        yield _facts("shares", "Shared server", facts, "Several sites stand on this server.")


def _cost(document: Mapping[str, Any]) -> Node:
    cost = document["cost"]
    lines = {
        server["name"]: price(server["size"]["price"], cost["currency"])
        for server in ([] if _pays_another(document) else document["servers"])
    }
    facts = {**lines, "prices of": cost["priced"], "currency": cost["currency"]}
    return _facts("cost", f"Cost: {price(cost['amount'], cost['currency'])}", facts, f"By the {cost['per']}.")


def _pays_another(document: Mapping[str, Any]) -> bool:
    shares = document["shares"]
    return bool(shares) and shares["server_of"] != document["name"]


def _memory(document: Mapping[str, Any]) -> Node:
    shares = document["memory"]
    planned = sum(share["memory_mb"] for share in shares)
    facts = {share["component"]: f"{share['memory_mb']} MiB" for share in shares}
    return _facts("memory", f"Memory: {planned} of {document['memory_mb']} MiB", facts, "What each part may use.")


def _roles(document: Mapping[str, Any]) -> Node:
    plays = [_play(play, document["files"]) for play in document["roles"]]
    return _group("roles", "Roles", "What Ansible does, play by play.", plays)


def _play(play: Mapping[str, Any], files: Sequence[str]) -> Node:
    name = f"roles/{play['play']}"
    roles = tuple(
        Node(f"{name}/{role}", role, _role_files(role, files), file=_first_task(role, files)) for role in play["roles"]
    )
    return Node(name, f"{play['play']} ({play['hosts']})", f"On {play['hosts']}: {', '.join(play['roles'])}", roles)


def _first_task(role: str, files: Sequence[str]) -> str:
    wanted = f"roles/{role}/tasks/main.yml"
    return wanted if wanted in files else ""


def _role_files(role: str, files: Sequence[str]) -> str:
    return "\n".join(file for file in files if file.startswith(f"roles/{role}/"))


def _settings(settings: Sequence[Mapping[str, Any]]) -> Iterator[Node]:
    for number, setting in enumerate(settings):
        how = f"by {', '.join(setting['variables'])}" if setting["how"] == "environment" else _HOW[setting["how"]]
        label = f"{setting['name']} ({how})"
        # A setting may be met twice, by the environment and overridden where that does not reach.
        yield Node(f"settings/{number}", label, f"{label}\n\n{setting['because']}")


def _advice(piece: Mapping[str, Any]) -> Node:
    lines = {
        "why": piece["because"],
        "settle it with": piece["settle"],
        "change": piece["where"],
        "accepted": piece["accepted"],
        "about": piece["topic"],
    }
    said = [f"{what}: {words}" for what, words in lines.items() if words]
    sources = [f"source: {source['url']}, read {source['read']}" for source in piece["sources"]]
    detail = "\n".join([f"{piece['kind']} [{piece['id']}] {piece['says']}", "", *said, *sources])
    kind = "accepted" if piece["accepted"] else piece["kind"]
    return Node(f"advice/{piece['id']}", f"{kind}: {piece['says']}", detail)


def _files(files: Sequence[str]) -> Node:
    says = f"{len(files)} files make the Ansible project, which runs without stackwise."
    how = "`e` writes it down; so does: stackwise render -o DIR"
    return Node("files", f"Files ({len(files)})", f"{says}\n{how}", _folder("files", "", files))


def _folder(name: str, start: str, files: Sequence[str]) -> tuple[Node, ...]:
    """Return folders first, then files, each folder with what is below it."""
    below = [file.removeprefix(start) for file in files]
    folders = dict.fromkeys(rest.partition("/")[0] for rest in below if "/" in rest)
    nodes = []
    for folder in folders:
        place = f"{start}{folder}/"
        inside = [file for file in files if file.startswith(place)]
        listed = "\n".join(file.removeprefix(place) for file in inside)
        nodes.append(Node(f"{name}/{place}", f"{folder}/ ({len(inside)})", listed, _folder(name, place, inside)))
    leaves = (
        Node(f"{name}/{start}{rest}", rest, f"{start}{rest}", file=f"{start}{rest}")
        for rest in below
        if "/" not in rest
    )
    return (*nodes, *leaves)
