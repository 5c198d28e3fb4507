"""Which addresses a machine gets: arithmetic only."""

from __future__ import annotations

import json
from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network

from stackwise.errors import NothingLeftError

# A /30 holds two usable addresses: the host's end of the cable and the machine's.
PREFIX = 30
STEP = 4
# No real network is wider than a /8.
WIDEST = 8


def pick_subnet(network: IPv4Network, taken: Collection[IPv4Network], seed: int) -> IPv4Network:
    """Give a /30 of `network` that overlaps none of `taken`; where the search begins follows from `seed`.

    Beginning at random keeps the address of a machine just destroyed from going to the next one at once, where
    somebody's known_hosts would still have the old key. Raises NothingLeftError when every address is in use.
    """
    count = network.num_addresses // STEP
    blocked = [other for other in taken if other.overlaps(network)]
    for offset in range(count):
        subnet = _nth(network, (seed + offset) % count)
        if not any(subnet.overlaps(other) for other in blocked):
            return subnet
    raise NothingLeftError(
        f"no address is free in {network}: this host has machines or routes for all of it",
        hint="to see them: ip route; to give another range, type: export STACKWISE_SANDBOX_NETWORK=10.213.0.0/16",
    )


def host_address(subnet: IPv4Network) -> IPv4Address:
    """Give the host's end: the machine's gateway."""
    return subnet[1]


def machine_address(subnet: IPv4Network) -> IPv4Address:
    """Give the machine's own address."""
    return subnet[2]


def routed_networks(routes: str) -> list[IPv4Network]:
    """Give the networks that the host has a route to, from `ip -json route show table all`: in use, by us or others.

    A route to a great part of the world (the default one, or the halves that a VPN lays over it) means nothing.
    """
    networks = [_destination(str(route.get("dst", ""))) for route in json.loads(routes or "[]")]
    return [network for network in networks if network is not None and network.prefixlen >= WIDEST]


def _nth(network: IPv4Network, index: int) -> IPv4Network:
    return IPv4Network((int(network.network_address) + index * STEP, PREFIX))


def _destination(text: str) -> IPv4Network | None:
    try:
        return IPv4Network(text)
    except ValueError:  # "default", an IPv6 prefix
        return None
