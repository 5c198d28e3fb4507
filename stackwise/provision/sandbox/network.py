"""The cable of a machine: a network namespace, a veth pair, a /30, and one nftables table for all of them.

Nothing else of the host is changed but net.ipv4.ip_forward, which is set and left set: other programs (Docker, libvirt)
look at it when they start and rely on it afterwards, and nobody can tell whether one has.
"""

from __future__ import annotations

import json
from ipaddress import IPv4Network
from pathlib import Path

from stackwise.provision.sandbox.addresses import (
    host_address,
    machine_address,
    pick_subnet,
    routed_networks,
)
from stackwise.provision.sandbox.commands import attempt, run
from stackwise.provision.sandbox.locks import host_locked

TABLE = "stackwise"
LINK = "sw-"
INSIDE = "eth0"
NAMESPACES = Path("/run/netns")
FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
DEFAULT_MTU = 1500


def namespace(machine_id: str) -> str:
    """Give the name of the machine's network namespace, as `ip netns` shows it."""
    return f"stackwise-{machine_id}"


def namespace_path(machine_id: str) -> Path:
    """Give the file that stands for the machine's network namespace."""
    return NAMESPACES / namespace(machine_id)


def free_subnet(network: IPv4Network, recorded: list[IPv4Network], seed: int) -> IPv4Network:
    """Choose a /30 that neither a record nor a route of this host has. Call it with the host's lock held.

    Raises NothingLeftError when the range is full, or somebody else's on this host.
    """
    routes = run(["ip", "-json", "route", "show", "table", "all"])
    return pick_subnet(network, [*recorded, *routed_networks(routes)], seed)


def connect(machine_id: str, subnet: IPv4Network) -> None:
    """Make the namespace and the cable of a machine, and let its packets out."""
    _add_namespace(machine_id, subnet)
    with host_locked():
        run(["nft", "-f", "-"], text=ruleset(subnet))
        if FORWARD.read_text().strip() != "1":
            FORWARD.write_text("1\n")


def disconnect(machine_id: str, subnet: IPv4Network) -> None:
    """Remove what connect() made, or as much of it as there is; with the last machine goes the table."""
    attempt(["ip", "link", "delete", LINK + machine_id])
    if namespace_path(machine_id).exists():
        run(["ip", "netns", "delete", namespace(machine_id)])
    with host_locked():
        attempt(["nft", "delete", "element", "ip", TABLE, "machines", f"{{ {subnet} }}"])
        _drop_empty_table()


def ruleset(subnet: IPv4Network) -> str:
    """Write what nft is told: who comes from a machine and goes elsewhere wears the host's address.

    Each line can be said twice without harm. Packets from machine to machine keep their addresses.
    """
    return f"""
add table ip {TABLE}
add set ip {TABLE} machines {{ type ipv4_addr; flags interval; }}
add chain ip {TABLE} postrouting {{ type nat hook postrouting priority srcnat; policy accept; }}
flush chain ip {TABLE} postrouting
add rule ip {TABLE} postrouting ip saddr @machines ip daddr != @machines masquerade
add element ip {TABLE} machines {{ {subnet} }}
"""


def forwarding_refused() -> str:
    """Say which firewall of the host drops forwarded packets by default (Docker sets that), or nothing."""
    code, listing, _ = attempt(["nft", "-j", "list", "chains"])
    for item in json.loads(listing)["nftables"] if code == 0 and listing else ():
        chain = item.get("chain", {})
        if chain.get("hook") == "forward" and chain.get("policy") == "drop":
            return f"{chain['family']} {chain['table']} {chain['name']}"
    return ""


def _add_namespace(machine_id: str, subnet: IPv4Network) -> None:
    name, link, mtu = namespace(machine_id), LINK + machine_id, str(_mtu())
    run(["ip", "netns", "add", name])
    run(["ip", "link", "add", link, "mtu", mtu, "type", "veth", "peer", "name", INSIDE, "mtu", mtu, "netns", name])
    run(["ip", "address", "add", f"{host_address(subnet)}/{subnet.prefixlen}", "dev", link])
    run(["ip", "link", "set", link, "up"])
    inside = ["ip", "-netns", name]
    run([*inside, "address", "add", f"{machine_address(subnet)}/{subnet.prefixlen}", "dev", INSIDE])
    run([*inside, "link", "set", "lo", "up"])
    run([*inside, "link", "set", INSIDE, "up"])
    run([*inside, "route", "add", "default", "via", str(host_address(subnet))])


def _mtu() -> int:
    """Packets that are too big for the way out (a tunnel, say) would have to be refused; so use its size, in bytes."""
    _, routes, _ = attempt(["ip", "-json", "-4", "route", "show", "default"])
    sizes = [Path("/sys/class/net", route["dev"], "mtu") for route in json.loads(routes or "[]") if "dev" in route]
    return min((int(path.read_text()) for path in sizes if path.exists()), default=DEFAULT_MTU)


def _drop_empty_table() -> None:
    code, listing, _ = attempt(["nft", "-j", "list", "set", "ip", TABLE, "machines"])
    if code != 0:
        return
    sets = [item["set"] for item in json.loads(listing)["nftables"] if "set" in item]
    if not any(each.get("elem") for each in sets):
        run(["nft", "delete", "table", "ip", TABLE])
