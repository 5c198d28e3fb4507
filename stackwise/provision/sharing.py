"""Several sites on one server: who made it, who else stands on it, and whether one more may move in.

The site that makes the server writes down what it is (`stands`); one that moves in writes down where it stands
(`shares`), before it puts anything there. Both records stay until their site is destroyed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stackwise.catalog import nearest
from stackwise.errors import ImpossibleError, ProvisionError, UsageError
from stackwise.journal import Journal, ServerRecord, journals
from stackwise.plan.model import Identity, Plan

# What the answers of all sites on a server say alike, and the name under which the record has it.
_ALIKE = {
    "hosting.provider": "provider",
    "hosting.region": "location",
    "hosting.size": "size",
    "stack.os": "image",
    "hosting.sites": "sites",
    "access.admin_user": "admin_user",
}
# The same of a server that was there before, which no provider's size describes.
_ALIKE_FOUND = {
    **{key: name for key, name in _ALIKE.items() if name not in ("location", "size")},
    "hosting.whole": "whole",
    "hosting.cpus": "cpus",
    "hosting.memory": "memory_mb",
    "hosting.disk": "disk_gb",
}


def described(plan: Plan) -> dict[str, Any]:
    """Return what those who move in to the server of `plan` have to know of it."""
    server = plan.servers[0]
    return {
        "provider": server.provider,
        "location": server.location,
        "size": server.size.id,
        "whole": plan.whole,
        "cpus": server.size.cpus,
        "memory_mb": server.size.memory_mb,
        "disk_gb": server.size.disk_gb,
        "image": server.image,
        "sites": plan.sites,
        "admin_user": plan.access.admin_user,
        "tls": plan.access.tls,
        "ports": list(plan.ports),
        "domain": plan.access.domain,
    }


def shared_with(journal: Journal) -> str:
    """Return the site whose server this one has moved in to, as `name-environment`; nothing where it has not."""
    entries = journal.entries("shares")
    return str(entries[-1]["host"]) if entries else ""


def guests(host: Identity) -> tuple[str, ...]:
    """Return the sites that stand on the server of `host` beside its own, as `name-environment`."""
    return tuple(journal.folder.name for journal in journals() if shared_with(journal) == str(host))


def server_of(host: Journal, name: str) -> ServerRecord:
    """Return the server of another site. Raises ProvisionError where it is not there yet."""
    record = host.servers().get(name)
    if record is None or not record.ready or not host.entries("stands"):
        raise ProvisionError(
            f"{host.folder.name} has no server yet that another site could move in to",
            hint=_nearest_host(host.folder.name),
        )
    return record


def _nearest_host(wanted: str) -> str:
    """Say which sites of this environment have a server, the nearest name first; where none has, how one is made."""
    name, _, environment = wanted.rpartition("-")
    there = [journal.folder.name for journal in journals() if journal.entries("stands")]
    hosts = [host.removesuffix(f"-{environment}") for host in there if host.endswith(f"-{environment}")]
    make = "make it first, with its own answers file: stackwise up -a FILE"
    return f"{nearest(name, hosts)} or {make}" if hosts else make


def refuse_to_leave_others(identity: Identity) -> None:
    """Raise UsageError where other sites stand on the server of this one, and would be gone with it."""
    if standing := guests(identity):
        message = f"{', '.join(standing)} stand on the server of {identity} too, and would be gone with it"
        raise UsageError(message, hint="remove each of them first, with its own answers: stackwise destroy -a FILE")


def refuse_to_move(plan: Plan, journal: Journal) -> None:
    """Raise UsageError where the site stands already, elsewhere than the answers now say."""
    where = shared_with(journal)
    if plan.is_shared and not where and journal.servers():
        message = f"{plan.identity} has a server of its own, and shall move in to that of {plan.host}"
        raise UsageError(message, hint="remove the one it has, with all data on it: stackwise destroy")
    if where and where != str(plan.host):
        name = where.removesuffix(f"-{plan.identity.environment}")
        message = f"{plan.identity} stands on the server of {where}, and the answers say another one"
        raise UsageError(message, hint=f"let it stay there: --set hosting.share={name}")
    standing = guests(plan.identity)
    if len(standing) + 1 > plan.sites:
        message = f"{', '.join(standing)} stand on this server too, and hosting.sites says {plan.sites}"
        raise UsageError(message, hint=f"say how many there are: --set hosting.sites={len(standing) + 1}")


def admit(plan: Plan, host: Journal) -> None:
    """Find out whether the site of `plan` may stand on the server of `host`.

    Raises UsageError where the answers do not agree, ImpossibleError where there is no place or what is there is in the
    way.
    """
    ground: Mapping[str, Any] = host.entries("stands")[-1]
    mine = described(plan)
    for key, name in (_ALIKE_FOUND if plan.found else _ALIKE).items():
        if mine[name] != ground[name]:
            message = f"{key} is {mine[name]} here, and {ground[name]} for {plan.host}, whose server it is"
            raise UsageError(message, hint=f"the sites of a server say the same: --set {key}={ground[name]}")
    if faults := tuple(_in_the_way(plan, ground)):
        raise ImpossibleError(faults, hint="change these answers, or give the site a server of its own")


def _in_the_way(plan: Plan, ground: Mapping[str, Any]) -> Iterator[str]:
    others = [name for name in guests(plan.host) if name != str(plan.identity)]
    if len(others) + 2 > plan.sites:
        names = ", ".join([str(plan.host), *others])
        yield f"The server is planned for {plan.sites} sites, and that many stand on it: {names}."
    if plan.access.tls and not ground["tls"]:
        yield f"{plan.host} has no TLS, so nobody on its server answers strangers on the port of https."
    if missing := sorted(set(plan.ports) - set(ground["ports"])):
        yield f"The firewall of {plan.host} is shut on port {', '.join(map(str, missing))}."
    domains = {str(plan.host): ground["domain"]}
    domains |= {j.folder.name: j.entries("shares")[-1]["domain"] for j in journals() if j.folder.name in others}
    for site, domain in domains.items():
        if domain == plan.access.domain:
            yield f"{site} answers to the name {domain} on this server already."
