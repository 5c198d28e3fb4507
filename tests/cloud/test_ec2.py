"""What is Amazon's alone: the token of an order, regions apart, groups, processors of two kinds, signed calls."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest
from moto.ec2.models import ec2_backends

from stackwise.catalog import load_catalog
from stackwise.errors import AnswerLostError, CredentialsRefusedError, NameTakenError, NothingLeftError, ProvisionError
from stackwise.provision.clouds import ec2
from stackwise.provision.clouds.account import Account
from tests.cloud.apis.ec2 import ACCOUNT, Ec2Api
from tests.cloud.apis.server import Fault
from tests.cloud.contract import ADMIN, ANOTHER, PROVIDERS, QUICK, TAGS
from tests.cloud.shapes import recorded_text, unlike

ORDER = PROVIDERS["ec2"].order


def opened(api: Ec2Api, location: str = "eu-central-1", **more: str) -> ec2.Ec2Cloud:
    keys = {"AWS_ACCESS_KEY_ID": api.token, "AWS_SECRET_ACCESS_KEY": api.token, **more}
    return ec2.open_cloud(Account(load_catalog().component("ec2"), keys, api.url), location, patience=QUICK)


@pytest.fixture
def api() -> Iterator[Ec2Api]:
    api = Ec2Api()
    with api.serving():
        yield api


@pytest.fixture
def cloud(api: Ec2Api) -> ec2.Ec2Cloud:
    return opened(api)


def _of(api: Ec2Api, action: str) -> list[dict[str, str]]:
    return [dict(call.query) for call in api.calls if call.path == f"/{action}"]


def _groups(region: str = "eu-central-1") -> dict[str, set[int]]:
    backend: Any = ec2_backends[ACCOUNT][region]
    groups = [group for groups in backend.groups.values() for group in groups.values()]
    return {group.name: {int(rule.from_port) for rule in group.ingress_rules if rule.from_port} for group in groups}


def test_the_same_order_sent_again_is_the_same_instance(api: Ec2Api, cloud: ec2.Ec2Cloud) -> None:
    first = cloud.create(ORDER())
    assert opened(api).create(ORDER()).id == first.id
    assert opened(api).create(ORDER("web-2")).id != first.id
    assert len(api.made) == 2
    assert all(len(call["ClientToken"]) == 64 for call in _of(api, "RunInstances"))


def test_an_order_whose_answer_was_lost_makes_no_second_one(api: Ec2Api, cloud: ec2.Ec2Cloud) -> None:
    api.faults.append(Fault("reset", at="RunInstances", after=True))
    with pytest.raises(AnswerLostError):
        cloud.create(ORDER())
    assert cloud.create(ORDER()).id == api.made[0]
    assert len(api.made) == 1


def test_a_server_that_was_removed_can_be_made_anew_under_the_same_record(api: Ec2Api, cloud: ec2.Ec2Cloud) -> None:
    for _ in range(3):
        cloud.destroy(cloud.create(ORDER()).id)
    assert len(set(api.made)) == 3
    assert api.machines == {}


def test_another_order_under_the_same_name_is_refused(cloud: ec2.Ec2Cloud) -> None:
    cloud.create(ORDER())
    with pytest.raises(NameTakenError, match="IdempotentParameterMismatch"):
        cloud.create(ORDER(user_data="#cloud-config\n{}\n"))


@pytest.mark.parametrize(
    ("size", "image", "name"),
    [
        ("t4g.small", "debian-13", "debian-13-arm64-20251117-2299"),
        ("t3.small", "debian-13", "debian-13-amd64-20251117-2299"),
        ("t3.small", "debian-12", "debian-12-amd64-20251112-2294"),
        ("t4g.small", "ubuntu-24-04", "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-arm64-server-20251022"),
    ],
)
def test_the_newest_image_of_its_makers_for_the_processor_is_taken(
    api: Ec2Api, cloud: ec2.Ec2Cloud, size: str, image: str, name: str
) -> None:
    cloud.create(ORDER(size=size, image=image))
    (machine,) = api.machines.values()
    assert machine.image == name
    (asked,) = _of(api, "RunInstances")
    assert asked["BlockDeviceMapping.1.DeviceName"] == "/dev/xvda"
    assert asked["BlockDeviceMapping.1.Ebs.VolumeSize"] == "20"
    assert asked["BlockDeviceMapping.1.Ebs.DeleteOnTermination"] == "true"


def test_a_group_of_its_own_is_open_for_the_ports_that_strangers_reach(cloud: ec2.Ec2Cloud) -> None:
    web = cloud.create(ORDER())
    database = cloud.create(ORDER("database-1", ports=(22,)))
    names = {name: ports for name, ports in _groups().items() if name.startswith("stackwise-")}
    assert names == {"stackwise-2f1c1c3e7c1b-web-1": {22, 80, 443}, "stackwise-2f1c1c3e7c1b-database-1": {22}}
    for node in (web, database):
        cloud.destroy(node.id)
    # Made anew, the group that is still there takes the ports of the new order.
    again = cloud.create(ORDER(ports=(22, 8443)))
    assert _groups()["stackwise-2f1c1c3e7c1b-web-1"] == {22, 8443}
    cloud.destroy(again.id)
    said = cloud.sweep(TAGS)
    assert [each for each in said if "group" in each] == [f"the security group {name}" for name in names]
    assert set(_groups()) == {"default"}


def test_the_group_goes_although_the_instance_takes_its_time_to_end(api: Ec2Api, cloud: ec2.Ec2Cloud) -> None:
    node = cloud.create(ORDER())
    api.looks = 4
    cloud.destroy(node.id)
    api.faults.append(Fault("code", at="DeleteSecurityGroup", code=409, kind="DependencyViolation", times=2))
    assert any("group" in said for said in cloud.sweep(TAGS))
    assert set(_groups()) == {"default"}


def test_without_a_region_all_that_are_open_are_looked_at(api: Ec2Api, cloud: ec2.Ec2Cloud) -> None:
    here = cloud.create(ORDER())
    there = opened(api, "us-east-1").create(ORDER(location="us-east-1", tags={**TAGS, "stackwise-server": "web-2"}))
    everywhere = opened(api, "")
    assert {node.id: node.location for node in everywhere.find({})} == {
        here.id: "eu-central-1",
        there.id: "us-east-1",
    }
    assert [node.id for node in cloud.find({})] == [here.id]
    found = everywhere.get(there.id)
    assert found is not None
    assert found.location == "us-east-1"
    for node in (here, there):
        everywhere.destroy(node.id)
    assert len(everywhere.sweep(TAGS)) == 4
    assert api.machines == {}


def test_a_key_of_ours_that_is_another_one_now_is_registered_anew(api: Ec2Api, cloud: ec2.Ec2Cloud) -> None:
    api.register("stackwise-2f1c1c3e7c1b", ANOTHER)
    cloud.create(ORDER())
    assert [key["public_key"].split()[1] for key in api.keys.values()] == [ADMIN.split()[1]]


def test_too_many_calls_are_waited_out_and_a_limit_is_said(api: Ec2Api, cloud: ec2.Ec2Cloud) -> None:
    api.faults.append(Fault("code", at="DescribeInstances", code=429, times=2))
    assert cloud.find(TAGS) == ()
    api.faults.append(Fault("code", at="RunInstances", code=400, kind="VcpuLimitExceeded", words="You have requested"))
    with pytest.raises(NothingLeftError, match="VcpuLimitExceeded"):
        cloud.create(ORDER())
    api.faults.append(Fault("code", at="RunInstances", code=500, kind="InsufficientInstanceCapacity", words="none"))
    with pytest.raises(NothingLeftError):
        cloud.create(ORDER())


def test_a_clock_that_is_wrong_is_said_to_be(api: Ec2Api, cloud: ec2.Ec2Cloud) -> None:
    words = "Signature expired: 20260101T000000Z is now earlier than 20260101T001000Z"
    api.faults.append(Fault("code", code=403, kind="SignatureDoesNotMatch", words=words))
    with pytest.raises(ProvisionError, match="clock") as raised:
        cloud.try_out()
    assert raised.value.hint.endswith("timedatectl set-ntp true")


def test_temporary_credentials_come_with_a_token_that_is_signed(api: Ec2Api, cloud: ec2.Ec2Cloud) -> None:
    api.session = "canary-session"
    with pytest.raises(CredentialsRefusedError):
        cloud.try_out()
    opened(api, AWS_SESSION_TOKEN="canary-session").try_out()  # noqa: S106 - no real one


def test_a_right_that_is_missing_is_said_to_be(api: Ec2Api, cloud: ec2.Ec2Cloud) -> None:
    api.faults.append(Fault("code", at="DescribeInstances", code=403, words="You are not authorized"))
    with pytest.raises(CredentialsRefusedError, match="they may lack a right"):
        cloud.find(TAGS)


@pytest.mark.parametrize(
    ("action", "fixture"),
    [
        ("DescribeInstances", "describe_instances.xml"),
        ("RunInstances", "run_instances.xml"),
        ("DescribeImages", "describe_images.xml"),
        ("DescribeKeyPairs", "describe_key_pairs.xml"),
        ("ImportKeyPair", "import_key_pair.xml"),
        ("DescribeSecurityGroups", "describe_security_groups.xml"),
        ("CreateSecurityGroup", "create_security_group.xml"),
        ("TerminateInstances", "terminate_instances.xml"),
        ("StartInstances", "start_instances.xml"),
    ],
)
def test_answers_have_the_shape_of_recorded_ones(api: Ec2Api, cloud: ec2.Ec2Cloud, action: str, fixture: str) -> None:
    node = cloud.create(ORDER())
    material = b64encode(ANOTHER.encode()).decode()
    run, *_ = _of(api, "RunInstances")
    queries = {
        "DescribeImages": {"ImageId.1": run["ImageId"]},
        "ImportKeyPair": {"KeyName": "other", "PublicKeyMaterial": material},
        "CreateSecurityGroup": {"GroupName": "other", "GroupDescription": "another"},
        "TerminateInstances": {"InstanceId.1": node.id},
        "StartInstances": {"InstanceId.1": node.id},
        "RunInstances": {name: value for name, value in run.items() if name not in ("Action", "Version")},
    }
    where = Account(load_catalog().component("ec2"), {}, api.url).where()
    keys = {"AWS_ACCESS_KEY_ID": api.token, "AWS_SECRET_ACCESS_KEY": api.token}
    ours = ec2.Driver("eu-central-1", keys, where).ask(action, **queries.get(action, {}))
    real = ElementTree.fromstring(recorded_text(f"ec2/{fixture}"))  # noqa: S314 - libcloud's own
    assert unlike(_tree(real), _tree(ours)) == []


def _tree(element: ElementTree.Element) -> object:
    """Return XML as what JSON would say: a set of items is a list, what has parts is a mapping, the rest is text."""
    parts = [(part.tag.rpartition("}")[2], _tree(part)) for part in element]
    if parts and all(name == "item" for name, _ in parts):
        return [tree for _, tree in parts]
    return dict(parts) if parts else (element.text or None)
