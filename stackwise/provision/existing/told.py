"""What was seen on a server that is there already, as a document and in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stackwise.plan.model import Plan
from stackwise.provision.existing.judge import in_the_way, stays, touched
from stackwise.provision.existing.look import Seen


def look_document(plan: Plan, seen: Seen, token: str) -> dict[str, Any]:
    """Return what was seen and what follows from it, as `stackwise look --json` prints it."""
    return {
        "is_ours": seen.is_ours(token),
        "system": seen.system,
        "system_name": seen.system_name,
        "architecture": seen.architecture,
        "kernel": seen.kernel,
        "cpus": seen.cpus,
        "memory_mb": seen.memory_mb,
        "free_memory_mb": seen.free_memory_mb,
        "disk_mb": seen.disk_mb,
        "free_disk_mb": seen.free_disk_mb,
        "listens": [
            {"port": one.port, "address": one.address, "program": one.program, "public": one.is_public}
            for one in seen.listeners
        ],
        "firewalls": list(seen.firewalls),
        "containers": list(seen.containers),
        "container_tools": list(seen.container_tools),
        "databases": list(seen.clusters),
        "sites": list(seen.sites),
        "cron": list(seen.cron),
        "logins": [{"name": one.name, "keys": one.keys, "password": one.password} for one in seen.logins],
        "ssh": dict(seen.sshd),
        "touched": list(touched(plan, seen)),
        "stays": list(stays(plan, seen, token)),
        "in_the_way": [{"reason": reason, "hint": hint} for reason, hint in in_the_way(plan, seen, token)],
    }


def look_lines(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield what was seen in words."""
    yield (
        f"Seen: {document['system_name']} on {document['architecture']}, {document['cpus']} CPU, "
        f"{document['free_memory_mb']} of {document['memory_mb']} MiB of memory and "
        f"{document['free_disk_mb']} of {document['disk_mb']} MiB of disk free, kernel {document['kernel']}"
    )
    listens = (f"{one['program']} on {one['address']}:{one['port']}" for one in document["listens"])
    yield from _list("  listens", listens)
    logins = (_login(one) for one in document["logins"])
    yield from _list("  can log in", logins)
    yield from _list("  ssh", (f"{key} {value}" for key, value in document["ssh"].items()))
    yield f"  firewall: {', '.join(document['firewalls']) or 'none is up'}"
    yield from _list("  containers", document["containers"] or document["container_tools"])
    yield from _list("  databases", document["databases"])
    yield from _list("  sites", document["sites"])
    yield from _list("  cron", document["cron"])
    yield "Made there by stackwise:" if document["is_ours"] else "Would be made there:"
    yield from (f"  + {line}" for line in document["touched"])
    yield "Stays as it is:"
    yield from (f"  = {line}" for line in document["stays"])


def _list(name: str, items: Iterator[str] | list[str]) -> Iterator[str]:
    if words := ", ".join(items):
        yield f"{name}: {words}"


def _login(one: Mapping[str, Any]) -> str:
    ways = ([f"{one['keys']} keys"] if one["keys"] else []) + (["a password"] if one["password"] else [])
    return f"{one['name']} ({' and '.join(ways) or 'neither key nor password'})"
