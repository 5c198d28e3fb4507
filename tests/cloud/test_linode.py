"""What is Linode's alone: labels that belong to one, tags of 50 characters, regions that tell a server nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stackwise.errors import AnswerLostError, NameTakenError, NothingLeftError, NotSoldError
from tests.cloud.apis.linode import LinodeApi
from tests.cloud.apis.server import Api, Fault
from tests.cloud.contract import ADMIN, PROVIDERS, TAGS, Adapter
from tests.cloud.shapes import fetched, recorded, unlike

LINODE = PROVIDERS["linode"]


@pytest.fixture
def standing() -> Iterator[tuple[Api, Adapter]]:
    with LINODE.standing() as pair:
        yield pair


def test_nobody_knows_roots_password_and_the_key_goes_with_the_order(standing: tuple[Api, Adapter]) -> None:
    api, cloud = standing
    for server in ("web-1", "web-2"):
        cloud.create(LINODE.order(server))
    orders = [call.body for call in api.calls if str(call) == "POST /v4/linode/instances"]
    first, second = (order["root_pass"] for order in orders)
    assert first != second
    assert len(first) > 40
    assert {machine.keys for machine in api.machines.values()} == {(ADMIN,)}
    assert cloud.sweep(TAGS) == ()


def test_a_label_belongs_to_one_instance_so_a_lost_answer_makes_no_second(standing: tuple[Api, Adapter]) -> None:
    api, cloud = standing
    api.faults.append(Fault("reset", at="^POST", after=True))
    with pytest.raises(AnswerLostError):
        cloud.create(LINODE.order())
    with pytest.raises(NameTakenError, match="must be unique"):
        cloud.create(LINODE.order())
    assert [node.id for node in cloud.find(TAGS)] == api.made
    assert len(api.made) == 1


def test_long_names_are_cut_to_what_is_taken_and_found_all_the_same(standing: tuple[Api, Adapter]) -> None:
    api, cloud = standing
    long = {**TAGS, "stackwise-name": "a-site-with-a-name-that-is-longer-than-any-tag-may-be"}
    other = {**long, "stackwise-name": "a-site-with-a-name-that-is-longer-than-any-tag-may-bee"}
    node = cloud.create(LINODE.order(tags={**long, "stackwise-server": "web-1"}))
    assert [found.id for found in cloud.find(long)] == [node.id]
    assert cloud.find(other) == ()
    (machine,) = api.machines.values()
    assert len(machine.name) <= 64
    assert max(map(len, machine.tags)) == 50


def test_a_region_that_tells_a_server_nothing_is_not_sold(standing: tuple[Api, Adapter]) -> None:
    api, cloud = standing
    assert "xx-old" not in {place.id for place in cloud.places()}
    with pytest.raises(NotSoldError, match="region 'xx-old'") as raised:
        cloud.create(LINODE.order(location="xx-old"))
    assert raised.value.hint.endswith("(hosting.region)")
    assert api.machines == {}


def test_a_price_is_that_of_the_region(standing: tuple[Api, Adapter]) -> None:
    _, cloud = standing
    here, there = ({size.id: size.price for size in cloud.on_sale(place)} for place in ("us-east", "br-gru"))
    assert here["g6-standard-1"] == 12.0
    assert there["g6-standard-1"] == 16.8
    assert "g1-gpu-rtx6000-1" not in here


def test_a_limit_of_the_account_is_said_to_be_one(standing: tuple[Api, Adapter]) -> None:
    api, cloud = standing
    assert isinstance(api, LinodeApi)
    api.limit = 0
    with pytest.raises(NothingLeftError, match="Account Limit"):
        cloud.create(LINODE.order())


@pytest.mark.parametrize(
    ("path", "fixture"),
    [
        ("/v4/regions", "list_locations"),
        ("/v4/linode/types", "list_types"),
        ("/v4/images", "list_images"),
        ("/v4/linode/instances", "list_nodes"),
        ("/v4/linode/instances/{}", "ex_get_node"),
    ],
)
def test_answers_have_the_shape_of_recorded_ones(standing: tuple[Api, Adapter], path: str, fixture: str) -> None:
    api, cloud = standing
    node = cloud.create(LINODE.order())
    path = path.format(node.id)
    assert unlike(recorded(f"linode_v4/{fixture}.json"), fetched(api, path)) == []
    assert unlike(recorded("linode_v4/create_node.json"), fetched(api, f"/v4/linode/instances/{node.id}")) == []
