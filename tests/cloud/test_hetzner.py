"""What is peculiar to Hetzner: a driver of our own, names that are unique in a project, processors of two kinds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from libcloud.common.exceptions import BaseHTTPError
from libcloud.common.types import InvalidCredsError
from libcloud.compute.providers import get_driver
from libcloud.compute.types import KeyPairDoesNotExistError, NodeState

from stackwise.errors import NameTakenError, NothingLeftError
from stackwise.provision.clouds.hetzner_driver import PROVIDER, HetznerNodeDriver, register
from tests.cloud.apis.hetzner import HetznerApi
from tests.cloud.apis.server import Api, Fault
from tests.cloud.contract import ADMIN, ANOTHER, PROVIDERS, TAGS, Adapter

HETZNER = PROVIDERS["hetzner"]


@pytest.fixture
def standing() -> Iterator[tuple[Api, Adapter]]:
    with HETZNER.standing() as pair:
        yield pair


@pytest.fixture
def driver() -> Iterator[HetznerNodeDriver]:
    api = HetznerApi()
    with api.serving():
        yield HetznerNodeDriver(api.token, ex_base_url=f"{api.url}/v1")


# The adapter


def test_a_server_of_that_name_that_is_ours_is_taken_up(standing: tuple[Api, Adapter]) -> None:
    api, cloud = standing
    first = cloud.create(HETZNER.order())
    assert cloud.create(HETZNER.order()).id == first.id
    assert len(api.made) == 1


def test_one_of_another_record_is_not(standing: tuple[Api, Adapter]) -> None:
    api, cloud = standing
    theirs = {**TAGS, "stackwise-token": "77777777-0000-4000-8000-000000000000", "stackwise-server": "web-1"}
    cloud.create(HETZNER.order(tags=theirs))
    with pytest.raises(NameTakenError, match="already used") as raised:
        cloud.create(HETZNER.order())
    assert "stackwise orphans" in raised.value.hint
    assert len(api.made) == 1


def test_another_key_of_the_same_site_has_a_name_of_its_own_and_goes_with_it(standing: tuple[Api, Adapter]) -> None:
    api, cloud = standing
    cloud.create(HETZNER.order("web-1"))
    cloud.create(HETZNER.order("web-2", admin_key=ANOTHER))
    assert len({key["name"] for key in api.keys.values()}) == 2
    for node in cloud.find(TAGS):
        cloud.destroy(node.id)
    assert len(cloud.sweep(TAGS)) == 2
    assert api.keys == {}


def test_an_image_is_had_for_the_processor_of_the_size(standing: tuple[Api, Adapter]) -> None:
    api, cloud = standing
    cloud.create(HETZNER.order(size="cax11", image="ubuntu-24-04"))
    (machine,) = api.machines.values()
    assert machine.image == "ubuntu-24.04"
    assert [call.query["architecture"] for call in api.calls if call.path == "/v1/images"] == ["arm"]


def test_what_is_sold_out_since_it_was_looked_at_is_told_as_that(standing: tuple[Api, Adapter]) -> None:
    api, cloud = standing
    api.faults.append(Fault("code", HETZNER.makes, 412, words="error during placement"))
    with pytest.raises(NothingLeftError, match="error during placement") as raised:
        cloud.create(HETZNER.order())
    assert "another region or size" in raised.value.hint


def test_what_is_locked_is_asked_for_again(standing: tuple[Api, Adapter]) -> None:
    api, cloud = standing
    node = cloud.create(HETZNER.order())
    api.faults.append(Fault("code", "^DELETE ", 423, words="server is locked"))
    cloud.destroy(node.id)
    assert api.machines == {}


def test_a_size_has_its_price_in_the_place_and_none_where_it_has_none(standing: tuple[Api, Adapter]) -> None:
    _, cloud = standing
    here = {size.id: size for size in cloud.on_sale("fsn1")}
    there = {size.id: size for size in cloud.on_sale("ash")}
    assert here["cx33"].price == pytest.approx(8.99)
    assert here["cx33"].memory_mb == 8192
    assert "cpx11" not in here
    assert set(there) == {"cpx11", "ccx13"}


# The driver, as libcloud's users call it


def test_libcloud_knows_the_driver_once_it_is_registered() -> None:
    register()
    register()
    assert get_driver(PROVIDER) is HetznerNodeDriver


def test_the_driver_takes_libclouds_own_way_to_say_where() -> None:
    api = HetznerApi()
    with api.serving():
        host, port = api.url.removeprefix("http://").split(":")
        driver = HetznerNodeDriver(api.token, host=host, port=int(port), secure=False)
        assert {place.id for place in driver.list_locations()} == {"fsn1", "nbg1", "hel1", "ash"}
        assert {call.path for call in api.calls} == {"/v1/locations"}
        with pytest.raises(InvalidCredsError, match="unauthorized"):
            HetznerNodeDriver("wrong", host=host, port=int(port), secure=False).list_nodes()


def test_a_node_is_made_stopped_started_and_removed(driver: HetznerNodeDriver) -> None:
    place = next(place for place in driver.list_locations() if place.id == "nbg1")
    size = next(size for size in driver.list_sizes(place) if size.id == "cx23")
    image = next(image for image in driver.list_images() if image.id == "debian-13")
    node = driver.create_node("web-1", size, image, place, ex_labels={"of": "mine"})
    assert node.extra["root_password"]
    assert (node.extra["location"], node.extra["size"], node.extra["labels"]) == ("nbg1", "cx23", {"of": "mine"})
    assert size.price == pytest.approx(5.99 / 730)
    assert size.extra["price_monthly"] == pytest.approx(5.99)

    def state() -> str:
        return driver.ex_get_node(str(node.id)).state

    assert state() == NodeState.RUNNING
    for change, wanted in (
        (driver.stop_node, NodeState.STOPPED),
        (driver.start_node, NodeState.RUNNING),
        (driver.ex_power_off, NodeState.STOPPED),
        (driver.reboot_node, NodeState.RUNNING),
    ):
        assert change(node)
        assert state() == wanted
    assert [each.id for each in driver.list_nodes(ex_label_selector="of==mine")] == [node.id]
    assert driver.list_nodes(ex_label_selector="of!=mine") == driver.list_nodes(ex_name="web-2") == []
    with pytest.raises(BaseHTTPError, match=r"already used \(uniqueness_error\)"):
        driver.create_node("web-1", size, image, place)
    assert driver.destroy_node(node)
    with pytest.raises(BaseHTTPError, match="not_found"):
        driver.ex_get_node(str(node.id))


def test_keys_are_registered_found_by_name_and_forgotten(driver: HetznerNodeDriver) -> None:
    made = driver.import_key_pair_from_string("mine", ADMIN, ex_labels={"of": "mine"})
    assert driver.get_key_pair("mine").fingerprint == made.fingerprint
    assert made.extra["labels"] == {"of": "mine"}
    with pytest.raises(BaseHTTPError, match="not unique"):
        driver.import_key_pair_from_string("again", ADMIN)
    assert driver.delete_key_pair(made)
    with pytest.raises(KeyPairDoesNotExistError):
        driver.get_key_pair("mine")


def test_nothing_of_the_datacenters_that_were_removed_is_sent_or_read(standing: tuple[Api, Adapter]) -> None:
    api, cloud = standing
    node = cloud.create(HETZNER.order())
    assert node.location == HETZNER.place
    sent = " ".join(f"{call.path} {call.query} {call.body}" for call in api.calls)
    assert "datacenter" not in sent
