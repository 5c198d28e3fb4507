"""What every provider's adapter keeps, whatever its API looks like: real drivers, real HTTP, an API on loopback."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from stackwise.errors import CredentialsRefusedError, NotSoldError
from stackwise.provision.cloud import Node
from tests.cloud.apis.server import Api, Machine
from tests.cloud.contract import ADMIN, ANOTHER, PROVIDERS, TAGS, USER_DATA, Adapter, Provider


@pytest.fixture(params=sorted(PROVIDERS))
def provider(request: pytest.FixtureRequest) -> Provider:
    return PROVIDERS[request.param]


@pytest.fixture
def standing(provider: Provider) -> Iterator[tuple[Api, Adapter]]:
    with provider.standing() as pair:
        yield pair


def _calls(api: Api, pattern: str) -> int:
    return sum(re.search(pattern, str(call)) is not None for call in api.calls)


def _strangers(api: Api, machine: Machine) -> Machine:
    """Make a server of somebody else's, without our tags."""
    return api.bill(
        Machine(str(api.number()), "theirs", machine.size, machine.image, machine.location, "", type(machine.tags)())
    )


def test_a_valid_credential_is_let_in_and_a_wrong_one_refused(standing: tuple[Api, Adapter]) -> None:
    api, cloud = standing
    cloud.try_out()
    api.token = "another-token"  # noqa: S105 - no real one
    with pytest.raises(CredentialsRefusedError) as raised:
        cloud.try_out()
    assert raised.value.hint.startswith("make new ones there")
    assert "canary" not in raised.value.message + raised.value.hint


def test_what_is_sold_is_told_by_place_with_the_price_of_a_month(
    provider: Provider, standing: tuple[Api, Adapter]
) -> None:
    _, cloud = standing
    places = {place.id: place.name for place in cloud.places()}
    assert places[provider.place]
    sold = {size.id: size for size in cloud.on_sale(provider.place)}
    assert provider.elsewhere not in sold
    size = sold[provider.size]
    assert size.cpus >= 1
    assert size.memory_mb >= 512
    assert size.disk_gb >= 5
    if provider.says_price:
        assert size.price is not None
        # Of a month, not of an hour.
        assert size.price >= 1
        assert size.currency == provider.currency


def test_a_server_is_made_with_all_that_was_ordered(provider: Provider, standing: tuple[Api, Adapter]) -> None:
    api, cloud = standing
    order = provider.order()
    node = cloud.create(order)
    (machine,) = api.machines.values()
    assert machine.id == node.id
    assert machine.user_data == USER_DATA
    assert machine.name == node.name == order.label
    assert machine.location == node.location == provider.place
    assert machine.size == node.size == provider.size
    assert node.tags == order.tags
    assert _calls(api, provider.makes) == 1
    if provider.has_keys:
        (number,) = api.keys
        assert machine.keys == (number,)
        assert api.keys[number]["public_key"].split()[:2] == ADMIN.split()[:2]


def test_the_states_on_the_way_are_pending_without_an_address(provider: Provider) -> None:
    with provider.standing(looks=3) as (_, cloud):
        node = cloud.create(provider.order())
        seen: list[Node] = [node]
        while seen[-1].state != "running":
            assert len(seen) < 10
            found = cloud.get(node.id)
            assert found is not None
            seen.append(found)
        assert len(seen) >= 3
        assert {each.state for each in seen[:-1]} == {"pending"}
        assert seen[-1].address.startswith("198.51.")
        assert all(each.address in ("", seen[-1].address) for each in seen)
        if not provider.address_at_once:
            assert node.address == ""


def test_a_state_that_nobody_knows_is_pending(provider: Provider, standing: tuple[Api, Adapter]) -> None:
    api, cloud = standing
    node = cloud.create(provider.order())
    api.machines[node.id].extra["status"] = "under-the-weather"
    found = cloud.get(node.id)
    assert found is not None
    assert found.state == "pending"
    assert [each.state for each in cloud.find(TAGS)] == ["pending"]


def test_a_key_that_is_registered_is_reused_and_left_there(provider: Provider, standing: tuple[Api, Adapter]) -> None:
    if not provider.has_keys:
        pytest.skip("keys are no things of their own there")
    api, cloud = standing
    api.register("theirs", ANOTHER)
    api.register("mine already", ADMIN.replace("me@here", "me@home"))
    before = dict(api.keys)
    node = cloud.create(provider.order())
    assert api.keys == before
    cloud.destroy(node.id)
    assert [said for said in cloud.sweep(TAGS) if said.startswith("the key ")] == []
    assert api.keys == before


def test_a_key_that_was_made_is_swept_and_anothers_stays(provider: Provider, standing: tuple[Api, Adapter]) -> None:
    if not provider.has_keys:
        pytest.skip("keys are no things of their own there")
    api, cloud = standing
    api.register("theirs", ANOTHER)
    for server in ("web-1", "database-1"):
        cloud.create(provider.order(server))
    assert len(api.keys) == 2
    for node in cloud.find(TAGS):
        cloud.destroy(node.id)
    assert len([said for said in cloud.sweep(TAGS) if said.startswith("the key ")]) == 1
    assert [key["name"] for key in api.keys.values()] == ["theirs"]
    assert cloud.sweep(TAGS) == ()


def test_servers_are_found_by_tags_over_several_pages(provider: Provider, standing: tuple[Api, Adapter]) -> None:
    api, cloud = standing
    other = {**TAGS, "stackwise-environment": "production", "stackwise-token": "77777777-0000-4000-8000-000000000000"}
    mine = {cloud.create(provider.order(f"app-{number}")).id for number in range(1, 6)}
    strange = _strangers(api, next(iter(api.machines.values())))
    theirs = cloud.create(provider.order("web-1", tags={**other, "stackwise-server": "web-1"})).id
    api.most = 2
    assert {node.id for node in cloud.find(TAGS)} == mine
    assert [node.name for node in cloud.find({**TAGS, "stackwise-server": "app-3"})] == [provider.order("app-3").label]
    assert {node.id for node in cloud.find(other)} == {theirs}
    # What has our tags at all, for whoever looks for what no record owns.
    everything = {node.id for node in cloud.find({})}
    assert everything == {*mine, theirs}
    assert strange.id not in everything
    assert cloud.find({**TAGS, "stackwise-token": "nobody-has-this"}) == ()


def test_an_unknown_server_is_none(provider: Provider, standing: tuple[Api, Adapter]) -> None:
    api, cloud = standing
    assert cloud.get("999999999") is None
    node = cloud.create(provider.order())
    cloud.destroy(node.id)
    assert cloud.get(node.id) is None
    assert api.machines == {}


def test_a_stopped_server_is_started(provider: Provider, standing: tuple[Api, Adapter]) -> None:
    api, cloud = standing
    node = cloud.create(provider.order())
    api.boots.stop(api.machines[node.id])
    stopped = cloud.get(node.id)
    assert stopped is not None
    assert stopped.state == "stopped"
    started = cloud.start(node.id)
    assert started.id == node.id
    assert started.state in ("pending", "running")
    after = cloud.get(node.id)
    assert after is not None
    assert after.state == "running"


def test_destroying_twice_is_no_error(provider: Provider, standing: tuple[Api, Adapter]) -> None:
    api, cloud = standing
    node = cloud.create(provider.order())
    cloud.destroy(node.id)
    cloud.destroy(node.id)
    assert api.machines == {}
    assert cloud.find(TAGS) == ()


def test_what_is_not_sold_there_is_said_before_anything_is_made(
    provider: Provider, standing: tuple[Api, Adapter]
) -> None:
    api, cloud = standing
    with pytest.raises(NotSoldError, match=re.escape(repr(provider.elsewhere))) as raised:
        cloud.create(provider.order(size=provider.elsewhere))
    assert "hosting.size" in raised.value.hint
    with pytest.raises(NotSoldError) as raised:
        cloud.create(provider.order(image="debian-7"))
    assert "stack.os" in raised.value.hint
    assert api.machines == {}
    assert api.keys == {}
