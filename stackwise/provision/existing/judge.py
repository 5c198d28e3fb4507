"""What stands in the way on a server that is there already, what would be touched, and what stays. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from stackwise.plan.model import Plan
from stackwise.provision.existing.look import Seen

# What the packages and one release of a site take, and what has to be left for the second.
_LEAST_DISK_MB = 3000
_SSH = 22
# A machine that is sold with 8192 MiB shows somewhat less.
_KEPT_BY_THE_KERNEL = 1.1
# Programs whose packages we bring, and whose settings we write: what is there already is somebody else's.
_SETTLED = ("nginx",)


def in_the_way(plan: Plan, seen: Seen, token: str) -> Iterator[tuple[str, str]]:
    """Yield why the site cannot stand there, each with what to do; `token` is by which we know what is ours."""
    server = plan.servers[0]
    if seen.system != server.image:
        known = "" if "." in seen.system else f": --set stack.os={seen.system}"
        yield (
            f"The server has {seen.system_name or seen.system}, and the plan is made for {server.image}.",
            f"say so where the catalog has it{known}, or install the server anew",
        )
    if seen.manager != "systemd":
        yield "The server was not booted by systemd, which runs the site.", "take a machine that systemd runs"
    if not seen.listeners_known:
        yield "Nobody can see who listens on the server.", "install there: apt install iproute2"
    if seen.locked:
        yield "Another installation is under way on the server.", "wait for it to end, then: stackwise up"
    owner = seen.ours.partition(" ")[0]
    if owner == str(plan.identity) and not seen.is_ours(token):
        yield (
            f"{owner} stands on the server already, and its record is not here.",
            "bring back its folder from where it was put there, below ~/.local/state/stackwise",
        )
    elif seen.ours and not seen.is_ours(token):
        yield (
            f"{owner} stands on the server already.",
            f"move in to it: --set hosting.share={owner.rpartition('-')[0]}",
        )
    if not seen.is_ours(token):
        yield from _taken(plan, seen)
    yield from _too_small(plan, seen, token)
    yield from _firewalls(plan, seen, token)


def _taken(plan: Plan, seen: Seen) -> Iterator[tuple[str, str]]:
    for port in plan.ports:
        listener = seen.who_has(port)
        if listener is not None and port != _SSH:
            yield (
                f"Port {port}, which the site needs, is held by {listener.program}.",
                f"stop {listener.program} there if nobody needs it; it is shown by: ss -ltnp",
            )
    for program in _SETTLED:
        if program in plan.components and program in seen.packages:
            yield (
                f"{program} is on the server already, and the site would change its settings.",
                f"remove it there if nobody needs it: apt purge {program} '{program}-*'",
            )
    for what in seen.taken:
        yield f"{what} is there already, and is not ours.", "give the site another name: --set name=..."


def _too_small(plan: Plan, seen: Seen, token: str) -> Iterator[tuple[str, str]]:
    wanted = sum(share.memory_mb for share in plan.memory)
    # Where the site runs already, what is free is what it leaves.
    there = seen.memory_mb if plan.whole or seen.is_ours(token) else seen.free_memory_mb
    if wanted > there:
        yield f"The design wants {wanted} MiB of memory, and {there} are there.", "see what takes it: stackwise plan"
    if plan.servers[0].size.memory_mb > seen.memory_mb * _KEPT_BY_THE_KERNEL:
        yield (
            f"The answers say {plan.servers[0].size.memory_mb} MiB of memory, and the server has {seen.memory_mb}.",
            f"correct them: --set hosting.memory={seen.memory_mb}",
        )
    if not seen.is_ours(token) and seen.free_disk_mb < _LEAST_DISK_MB:
        yield f"{seen.free_disk_mb} MiB of its disk are free, and {_LEAST_DISK_MB} are needed.", "make room there"


def _firewalls(plan: Plan, seen: Seen, token: str) -> Iterator[tuple[str, str]]:
    if seen.is_ours(token) and (seen.kept or not plan.whole):
        return
    for manager in seen.firewalls:
        if plan.whole:
            yield (
                f"{manager} looks after the firewall already, and the plan would raise another one.",
                "leave it to it: --set hosting.whole=false",
            )
        elif shut := [port for port in plan.ports if port != _SSH and port not in seen.open_ports]:
            opens = _OPENS.get(manager, "let tcp port {port} in by the rules of your firewall")
            yield (
                f"{manager} keeps port {' and '.join(map(str, shut))} shut, and its rules are not ours to change.",
                f"open them there: {'; '.join(opens.format(port=port) for port in shut)}",
            )
    if plan.whole and seen.tables and not seen.firewalls:
        names = ", ".join(seen.tables)
        yield (
            f"Rules of others are in the kernel's firewall ({names}), and the plan's own would replace them.",
            "leave them: --set hosting.whole=false",
        )


_OPENS = {"ufw": "ufw allow {port}/tcp", "firewalld": "firewall-cmd --permanent --add-port={port}/tcp"}


def touched(plan: Plan, seen: Seen) -> Iterator[str]:
    """Yield what is made or changed on the server."""
    if new := sorted(set(plan.packages) - seen.packages):
        yield f"{len(new)} packages, with what they need: {', '.join(new)}"
    admin, site = plan.access.admin_user, plan.identity.name
    yield f"the user {admin}, with your key and sudo"
    yield f"the site in /srv/{site} and /etc/{site}, run by the user {site}"
    yield f"services: {', '.join(dict.fromkeys(plan.services))}"
    yield f"port {' and '.join(str(port) for port in plan.ports if port != _SSH)}, served"
    if plan.whole:
        yield "ssh shut to root and to passwords"
        yield "firewall, host name, time zone, locale, journal and swap settled"


def stays(plan: Plan, seen: Seen, token: str) -> Iterator[str]:
    """Yield what is there and stays as it is."""
    yield f"its {len(seen.packages)} packages, of which none is removed"
    site = plan.identity.name
    ours = {_SSH, *(plan.ports if seen.is_ours(token) else ())}
    found = {
        "what listens": [f"{one.program} on {one.port}" for one in seen.listeners if one.port not in ours],
        "containers": seen.containers,
        "databases": [one for one in seen.clusters if f"/{site.replace('-', '_')} " not in one],
        "folders of sites": [one for one in seen.sites if one.rpartition("/")[2] not in (site, f"{site}.conf")],
        "cron jobs": seen.cron,
    }
    yield from (f"{what}: {', '.join(names)}" for what, names in found.items() if names)
    if not plan.whole:
        yield "ssh, firewall, host name, clock and swap, which are its owner's to decide"
