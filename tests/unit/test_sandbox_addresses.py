from __future__ import annotations

import json
from ipaddress import IPv4Network

import pytest

from stackwise.errors import NothingLeftError
from stackwise.provision.sandbox.addresses import host_address, machine_address, pick_subnet, routed_networks
from stackwise.provision.sandbox.network import ruleset

RANGE = IPv4Network("198.18.0.0/28")


def test_a_machine_and_its_gateway_share_a_subnet_of_four() -> None:
    subnet = pick_subnet(RANGE, [], seed=0)
    assert (str(subnet), str(host_address(subnet)), str(machine_address(subnet))) == (
        "198.18.0.0/30",
        "198.18.0.1",
        "198.18.0.2",
    )


def test_the_search_begins_where_the_seed_says_and_goes_round() -> None:
    taken: list[IPv4Network] = []
    for _ in range(4):
        taken.append(pick_subnet(RANGE, taken, seed=6))
    assert [str(subnet.network_address) for subnet in taken] == [
        "198.18.0.8",
        "198.18.0.12",
        "198.18.0.0",
        "198.18.0.4",
    ]


def test_a_full_range_says_what_to_type() -> None:
    with pytest.raises(NothingLeftError) as caught:
        pick_subnet(RANGE, [IPv4Network("198.18.0.0/16")], seed=3)
    assert "export STACKWISE_SANDBOX_NETWORK=" in caught.value.hint


def test_networks_elsewhere_take_nothing() -> None:
    assert pick_subnet(RANGE, [IPv4Network("10.0.0.0/8")], seed=0).subnet_of(RANGE)


def test_routes_count_unless_they_lead_everywhere() -> None:
    routes = [
        {"dst": "default", "dev": "eth0"},
        {"dst": "128.0.0.0/1", "dev": "tun0"},
        {"dst": "198.18.0.0/24", "dev": "tun0"},
        {"dst": "198.18.4.1", "dev": "sw-00000000", "type": "local"},
        {"dst": "fe80::/64", "dev": "eth0"},
    ]
    assert routed_networks(json.dumps(routes)) == [IPv4Network("198.18.0.0/24"), IPv4Network("198.18.4.1/32")]
    assert routed_networks("") == []


def test_only_what_leaves_the_machines_wears_the_hosts_address() -> None:
    text = ruleset(IPv4Network("198.18.0.4/30"))
    assert "ip saddr @machines ip daddr != @machines masquerade" in text
    assert "{ 198.18.0.4/30 }" in text
    assert "flush ruleset" not in text
