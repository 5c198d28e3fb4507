"""What is Vultr's alone: a cursor, no address written as one, "active" before it is, a list of tags."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stackwise.errors import CredentialsRefusedError, NothingLeftError, NotSoldError
from tests.cloud.apis.server import Api, Fault
from tests.cloud.apis.vultr import VultrApi
from tests.cloud.contract import PROVIDERS, TAGS, Adapter
from tests.cloud.shapes import fetched, recorded, unlike

VULTR = PROVIDERS["vultr"]


@pytest.fixture
def standing() -> Iterator[tuple[Api, Adapter]]:
    with VULTR.standing() as pair:
        yield pair


def test_active_is_not_yet_running_and_no_address_is_none() -> None:
    with VULTR.standing(looks=4) as (api, cloud):
        node = cloud.create(VULTR.order())
        seen = [node.address]
        said = []
        while (found := cloud.get(node.id)) is not None and found.state == "pending":
            seen.append(found.address)
            said.append(fetched(api, f"/v2/instances/{node.id}")["instance"])
        assert seen[0] == ""
        assert not any(address.startswith("0.") for address in seen)
        assert "active" in {each["status"] for each in said}
        assert found is not None
        assert found.state == "running"


def test_all_tags_go_along_in_the_list(standing: tuple[Api, Adapter]) -> None:
    api, cloud = standing
    cloud.create(VULTR.order())
    (order,) = (call.body for call in api.calls if str(call) == "POST /v2/instances")
    assert order["tags"] == [*(f"{name}:{value}" for name, value in TAGS.items()), "stackwise-server:web-1"]
    assert "tag" not in order
    assert order["hostname"] == "superbook-testing-web-1"


def test_what_a_site_cannot_use_is_not_sold(standing: tuple[Api, Adapter]) -> None:
    _, cloud = standing
    sold = {size.id: size.price for size in cloud.on_sale("ams")}
    assert sold == {"vc2-1c-1gb": 5, "vc2-1c-2gb": 10, "vc2-2c-4gb": 20}
    assert "vhp-2c-4gb-amd" in {size.id for size in cloud.on_sale("ewr")}
    with pytest.raises(NotSoldError, match="region 'xyz'"):
        cloud.create(VULTR.order(location="xyz"))


def test_an_address_that_the_key_may_not_be_used_from_is_said(standing: tuple[Api, Adapter]) -> None:
    api, cloud = standing
    api.faults.append(Fault("code", code=403, words="Unauthorized IP address: 203.0.113.9"))
    with pytest.raises(CredentialsRefusedError, match=r"Unauthorized IP address: 203\.0\.113\.9"):
        cloud.try_out()


def test_a_limit_of_the_account_is_said_to_be_one(standing: tuple[Api, Adapter]) -> None:
    api, cloud = standing
    assert isinstance(api, VultrApi)
    api.limit = 0
    with pytest.raises(NothingLeftError, match="Maximum number"):
        cloud.create(VULTR.order())


@pytest.mark.parametrize(
    ("path", "fixture"),
    [
        ("/v2/regions", "list_locations"),
        ("/v2/plans", "list_sizes"),
        ("/v2/os", "list_images"),
        ("/v2/ssh-keys", "list_key_pairs"),
        ("/v2/instances", "list_nodes"),
        ("/v2/instances/{}", "ex_get_node"),
        ("/v2/instances/{}", "create_node"),
        ("/v2/regions/ams/availability", "ex_list_available_sizes_for_location"),
    ],
)
def test_answers_have_the_shape_of_recorded_ones(standing: tuple[Api, Adapter], path: str, fixture: str) -> None:
    api, cloud = standing
    node = cloud.create(VULTR.order())
    assert unlike(recorded(f"vultr_v2/{fixture}.json"), fetched(api, path.format(node.id))) == []
