"""Amazon EC2: instances by libcloud's driver, one for each region, found by their tags.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/ - names mean nothing there, and a client token makes the same
order sent again the same instance. Prices stand in a list of their own, which is not the API's: none is told here.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any
from xml.etree.ElementTree import Element  # nosec - only the class

from libcloud.common.exceptions import exception_from_message
from libcloud.common.types import MalformedResponseError
from libcloud.compute.drivers.ec2 import (
    NAMESPACE,
    BaseEC2NodeDriver,
    EC2Connection,
    EC2NodeDriver,
    EC2Response,
    IdempotentParamError,
)

from stackwise.errors import NameTakenError, ProvisionError, ServerLostError
from stackwise.provision.cloud import TOKEN, Node, NodeState, OnSale, Order, Place
from stackwise.provision.clouds.account import Account
from stackwise.provision.clouds.line import Line
from stackwise.provision.clouds.marks import Named, carrying, from_words, material, not_sold, own_name
from stackwise.provision.clouds.regions import Regions

# Where the regions are asked for; every account has it.
_HOME = "us-east-1"
# Both are given up at once and cannot come back, so to us they are gone.
_GONE = ("shutting-down", "terminated")
_STATES: dict[str, NodeState] = {
    "pending": "pending",
    "running": "running",
    "stopping": "stopped",
    "stopped": "stopped",
}
# Whose images these are, and how they are named: https://wiki.debian.org/Cloud/AmazonEC2Image,
# https://documentation.ubuntu.com/aws/aws-how-to/instances/find-ubuntu-images/
_DEBIAN, _CANONICAL = "136693071363", "099720109477"
_IMAGES = {
    "debian-12": (_DEBIAN, "debian-12-{arch}-*"),
    "debian-13": (_DEBIAN, "debian-13-{arch}-*"),
    "ubuntu-24-04": (_CANONICAL, "ubuntu/images/hvm-ssd*/ubuntu-*-24.04-{arch}-server-*"),
    "ubuntu-26-04": (_CANONICAL, "ubuntu/images/hvm-ssd*/ubuntu-*-26.04-{arch}-server-*"),
}
_ARCHITECTURES = {"x86_64": "amd64", "arm64": "arm64"}
# The families that a site runs on: burstable, general, much processor, much memory; the others are a thousand more.
_FAMILIES = ["t*", *(f"{family}*.{size}" for family in "mcr" for size in ("medium", "large", "xlarge", "2xlarge"))]
# An instance has no disk of its own: it is rented by the GB beside it. The images ask for 8, which is soon full.
_DISK_GB = 20
_SEEN, _ENDED, _STOPPED = 60.0, 600.0, 300.0
_PAGE = 100
# What Amazon answers with 400 and 503, as the statuses that say the same elsewhere.
_STATUSES = {
    "NotFound": 404,
    "Malformed": 404,
    "Duplicate": 409,
    "Idempotent": 409,
    "RequestLimitExceeded": 429,
    "Throttling": 429,
}


class Response(EC2Response):
    """libcloud's, with a status that tells refusals apart, and no page of a proxy taken for a list without items."""

    def parse_body(self) -> Element:
        """Return the answer. Raises MalformedResponseError where it is none of EC2's."""
        body: Element = super().parse_body()  # type: ignore[no-untyped-call] # libcloud has no annotations there
        if not body.tag.startswith(f"{{{NAMESPACE}}}"):
            raise MalformedResponseError("no answer of EC2", body=self.body, driver=self.connection.driver)  # type: ignore[union-attr] # a driver is set
        return body

    def parse_error(self) -> str:
        """Return what was said. Raises BaseHTTPError where its code says more than the status."""
        try:
            said = str(super().parse_error())  # type: ignore[no-untyped-call] # as above
        except IdempotentParamError as exc:
            said = str(exc.value)
        code = said.split(":", 1)[0]
        for mark, status in _STATUSES.items():
            if mark in code:
                raise exception_from_message(status, said, dict(self.headers))  # type: ignore[no-untyped-call] # as above
        return said


class Connection(EC2Connection):
    """libcloud's, with that answer."""

    responseCls = Response  # noqa: N815 - libcloud's own name


class Driver(EC2NodeDriver):
    """libcloud's driver of one region, those included that its list of 2025 does not know."""

    connectionCls = Connection  # noqa: N815 - as above

    def __init__(self, region: str, keys: Mapping[str, str], where: Mapping[str, object]) -> None:
        """Use the credentials in `keys`; `where` says host, port and secure, where it is not the usual place."""
        self.region_name = region
        self.signature_version = "4"
        self.token = keys.get("AWS_SESSION_TOKEN") or None
        place = {"host": f"ec2.{region}.amazonaws.com", **where}
        BaseEC2NodeDriver.__init__(  # type: ignore[no-untyped-call] # as above
            self, key=keys["AWS_ACCESS_KEY_ID"], secret=keys["AWS_SECRET_ACCESS_KEY"], **place
        )

    def ask(self, action: str, **params: Any) -> Element:
        """Return the answer to an action that libcloud has no method for."""
        answer = self.connection.request(self.path, params={"Action": action, **params})  # type: ignore[no-untyped-call] # as above
        return answer.object  # type: ignore[no-any-return] # as above

    def regions(self) -> list[str]:
        """Return the regions that are open to the account."""
        return sorted(_texts(self.ask("DescribeRegions"), "regionInfo/item/regionName"))

    def types(self, filters: Mapping[str, object]) -> Iterator[Element]:
        """Yield the types that are sold in the region, page by page."""
        params: dict[str, Any] = {**self._build_filters(filters), "MaxResults": _PAGE}  # type: ignore[no-untyped-call] # as above
        while True:
            answer = self.ask("DescribeInstanceTypes", **params)
            yield from answer.findall(_path("instanceTypeSet/item"))
            if not (more := answer.findtext(_path("nextToken"))):
                return
            params["NextToken"] = more

    def key_pairs(self) -> dict[str, str]:
        """Return the public keys by their names; libcloud asks for the names only."""
        found = self.ask("DescribeKeyPairs", IncludePublicKey="true").findall(_path("keySet/item"))
        return {_text(key, "keyName"): _text(key, "publicKey") for key in found}

    def make_group(self, name: str, tags: Mapping[str, str]) -> str:
        """Make a security group in the default network, tagged from its first moment; return its id."""
        pairs = [(f"TagSpecification.1.Tag.{number}", pair) for number, pair in enumerate(tags.items(), 1)]
        spec = {key: value for root, (k, v) in pairs for key, value in ((f"{root}.Key", k), (f"{root}.Value", v))}
        spec["TagSpecification.1.ResourceType"] = "security-group"
        words = "What strangers reach on a server of stackwise"
        return _text(self.ask("CreateSecurityGroup", GroupName=name, GroupDescription=words, **spec), "groupId")


def open_cloud(account: Account, location: str, **line: Any) -> Ec2Cloud:
    """Return the adapter on an account; `location` is the region that is looked at, empty: all. `line`: see Line."""

    def opened(region: str) -> Line[Any]:
        return Line(account, lambda: Driver(region, account.keys, account.where()), **line)

    return Ec2Cloud(Regions(opened, location, _HOME))


class Ec2Cloud:
    """Instances, as a `Cloud` and a `Shop`."""

    # The token of an order makes the same order the same instance, however soon it is sent again.
    shows_up_within = 0.0
    shared = True

    def __init__(self, regions: Regions) -> None:
        """Ask through a line for each region."""
        self._regions = regions

    def try_out(self) -> None:
        """List the regions, which wants valid credentials."""
        self._regions.there()

    def places(self) -> tuple[Place, ...]:
        """Return the regions that are open to the account."""
        return tuple(Place(region, region) for region in self._regions.there())

    def on_sale(self, place: str) -> tuple[OnSale, ...]:
        """Return the sizes that a site would want and that are sold in a region; the API tells no price."""
        wanted = {"instance-type": _FAMILIES, "current-generation": "true", "bare-metal": "false"}
        return tuple(map(_on_sale, self._types(place, wanted)))

    def find(self, tags: Mapping[str, str]) -> tuple[Node, ...]:
        """Return the instances that carry all of `tags`, in the region or in all."""
        filters: dict[str, object] = {f"tag:{name}": value for name, value in tags.items()} or {"tag-key": TOKEN}
        return carrying(itertools.chain(*self._regions.everywhere(partial(self._listed, filters=filters))), tags)

    def get(self, node_id: str) -> Node | None:
        """Return an instance by its id, None for one that is shut down for good."""
        found = next(filter(None, self._regions.everywhere(partial(self._look, node_id=node_id))), None)
        return None if found is None or found[1] in _GONE else found[0]

    def create(self, order: Order) -> Node:
        """Make an instance with a security group of its own."""
        line = self._regions.line(order.location)
        size = self._size(order)
        image = self._image(order, size)
        wishes = {
            "name": order.label,
            "size": Named(_text(size, "instanceType")),
            "image": image,
            "ex_keyname": self._key(line, order),
            "ex_security_groups": [self._group(line, order)],
            "ex_userdata": order.user_data,
            "ex_metadata": dict(order.tags),
            "ex_blockdevicemappings": [_disk(image)],
        }
        made = self._ordered(line, order, wishes)
        # What was made a moment ago is not known everywhere at once. Whatever comes of looking, it is made and billed.
        with suppress(ProvisionError):
            line.until("the new server to be known", lambda: self._is_known(order.location, made.id), _SEEN)
        remark = f"the disk of {_DISK_GB} GB is a line of its own on Amazon's bill; the address changes with a stop"
        return replace(made, remarks=(remark,))

    def start(self, node_id: str) -> Node:
        """Start an instance, once it has stopped. Its address may be another one then."""
        region = self._region_of(node_id)
        if region is None:
            raise ServerLostError(f"there is no server {node_id} at Amazon EC2", hint="see: stackwise status")
        line = self._regions.line(region)

        def settled() -> bool:
            found = self._look(region, node_id=node_id)
            return found is None or found[1] != "stopping"

        line.until("the server to have stopped", settled, _STOPPED)
        line.read("the server to start", lambda driver: driver.start_node(Named(node_id)))
        found = self._look(region, node_id=node_id)
        return found[0] if found else Node(node_id, "", "pending")

    def destroy(self, node_id: str) -> None:
        """Remove an instance with its disk, and wait until it is gone: until then its group cannot go."""
        if (region := self._region_of(node_id)) is None:
            return
        line = self._regions.line(region)
        line.remove("the server to go", lambda driver: driver.destroy_node(Named(node_id)))

        def ended() -> bool:
            found = self._look(region, node_id=node_id)
            return found is None or found[1] == "terminated"

        line.until("the server to be gone", ended, _ENDED)

    def sweep(self, tags: Mapping[str, str]) -> tuple[str, ...]:
        """Remove the security groups and the key that we made."""
        removed = self._regions.everywhere(partial(self._swept, tags=tags))
        return tuple(itertools.chain(*removed))

    def _listed(self, region: str, filters: Mapping[str, object]) -> list[Node]:
        found = self._regions.line(region).read("the servers", lambda driver: driver.list_nodes(ex_filters=filters))
        return [_node(node, region) for node in found if node.extra["status"] not in _GONE]

    def _look(self, region: str, node_id: str) -> tuple[Node, str] | None:
        """Return an instance and Amazon's word for its state."""
        what = f"server {node_id}"
        try:
            found = self._regions.line(region).read(what, lambda driver: driver.list_nodes(ex_node_ids=[node_id]))
        except ServerLostError:
            return None
        return (_node(found[0], region), found[0].extra["status"]) if found else None

    def _is_known(self, region: str, node_id: str) -> bool:
        return self._look(region, node_id=node_id) is not None

    def _region_of(self, node_id: str) -> str | None:
        found = self._regions.everywhere(partial(self._look, node_id=node_id))
        return next((node[0].location for node in found if node), None)

    def _types(self, place: str, filters: Mapping[str, object]) -> list[Element]:
        return list(self._regions.line(place).read("the sizes", lambda driver: list(driver.types(filters))))

    def _size(self, order: Order) -> Element:
        found = self._types(order.location, {"instance-type": order.size})
        if not found:
            sold = [size.id for size in self.on_sale(order.location)]
            raise not_sold(self._regions.line(order.location).provider, "size", order.size, sold)
        return found[0]

    def _image(self, order: Order, size: Element) -> Any:
        """Return the newest image of a system for the processors of a size."""
        line = self._regions.line(order.location)
        owner, name = _IMAGES.get(order.image, ("", ""))
        machine = _texts(size, "processorInfo/supportedArchitectures/item")
        kind = next((kind for kind in _ARCHITECTURES if kind in machine), "x86_64")
        filters = {
            "name": name.format(arch=_ARCHITECTURES[kind]),
            "architecture": kind,
            "state": "available",
            "root-device-type": "ebs",
        }
        found = owner and line.read("the images", lambda driver: driver.list_images(ex_owner=owner, ex_filters=filters))
        if not found:
            raise not_sold(line.provider, "image", order.image, set(_IMAGES) - {order.image})
        return max(found, key=lambda image: image.extra["creation_date"])

    def _key(self, line: Line[Any], order: Order) -> str:
        """Return the name of the administrator's key, registered now if it is not."""
        known = line.read("the keys", lambda driver: driver.key_pairs())
        same = [name for name, public in known.items() if material(public) == material(order.admin_key)]
        if same:
            return str(same[0])
        name = own_name(order.tags)
        if name in known:
            line.remove("the old key to go", lambda driver: driver.delete_key_pair(Named(name)))
        line.once("the key", lambda driver: driver.import_key_pair_from_string(name, order.admin_key))
        return name

    def _group(self, line: Line[Any], order: Order) -> str:
        """Return the name of the server's security group, made now if it is not, open for the ports of the order."""
        name = f"{own_name(order.tags)}-{order.name}"
        found = self._groups(line, {"group-name": name})
        group = found[0].id if found else line.once("the group", lambda driver: driver.make_group(name, order.tags))
        open_now = {int(rule["from_port"]) for rule in found[0].ingress_rules if rule["from_port"]} if found else set()
        for change, ports in (
            ("ex_authorize_security_group_ingress", set(order.ports) - open_now),
            ("ex_revoke_security_group_ingress", open_now - set(order.ports)),
        ):
            for port in sorted(ports):
                line.read("the port", partial(_changed, change=change, group=group, port=port))
        return name

    def _groups(self, line: Line[Any], filters: Mapping[str, str]) -> list[Any]:
        return list(line.read("the groups", lambda driver: driver.ex_get_security_groups(filters=filters)))

    def _ordered(self, line: Line[Any], order: Order, wishes: Mapping[str, Any]) -> Node:
        """Send the order under a token; a token whose instance was removed since is spent, and the next one counts."""
        for number in itertools.count():
            words = f"{order.tags[TOKEN]}/{order.name}/{number}"
            token = hashlib.sha256(words.encode()).hexdigest()
            call = partial(_created, wishes={**wishes, "ex_clienttoken": token})
            try:
                return _node(line.once("the new server", call), order.location)
            except NameTakenError as exc:
                if "IdempotentInstanceTerminated" not in exc.message:
                    raise
        raise AssertionError("the numbers have no end")

    def _swept(self, region: str, tags: Mapping[str, str]) -> list[str]:
        line = self._regions.line(region)
        groups = self._groups(line, {f"tag:{TOKEN}": tags[TOKEN]})
        for group in groups:
            # For a moment an instance that is gone still holds it, which is asked again as any trouble is.
            line.remove("the group to go", partial(Driver.ex_delete_security_group_by_id, group_id=group.id))
        name = own_name(tags)
        mine = name in line.read("the keys", lambda driver: driver.key_pairs())
        if mine:
            line.remove("the key to go", lambda driver: driver.delete_key_pair(Named(name)))
        return [f"the security group {group.name}" for group in groups] + [f"the key {name}"] * mine


def _created(driver: Any, *, wishes: Mapping[str, Any]) -> Any:
    return driver.create_node(**wishes)


def _changed(driver: Any, *, change: str, group: str, port: int) -> None:
    getattr(driver, change)(group, port, port, cidr_ips=["0.0.0.0/0"])


def _disk(image: Any) -> dict[str, Any]:
    """Return the order for the disk: a name as the image has it, since that is what it starts from."""
    device = next(one["device_name"] for one in image.extra["block_device_mapping"] if one.get("ebs"))
    return {
        "DeviceName": device,
        "Ebs": {"VolumeSize": _DISK_GB, "VolumeType": "gp3", "DeleteOnTermination": "true"},
    }


def _on_sale(size: Element) -> OnSale:
    memory, cpus = _text(size, "memoryInfo/sizeInMiB"), _text(size, "vCpuInfo/defaultVCpus")
    return OnSale(_text(size, "instanceType"), int(cpus), int(memory), _DISK_GB, None, "USD")


def _node(node: Any, region: str) -> Node:
    tags = node.extra["tags"]
    return Node(
        node.id,
        node.name,
        _STATES.get(node.extra["status"], "pending"),
        node.public_ips[0] if node.public_ips else "",
        from_words(f"{name}:{value}" for name, value in tags.items()),
        size=node.extra["instance_type"] or "",
        location=region,
    )


def _path(path: str) -> str:
    return "/".join(f"{{{NAMESPACE}}}{part}" for part in path.split("/"))


def _text(element: Element, path: str) -> str:
    return element.findtext(_path(path)) or ""


def _texts(element: Element, path: str) -> list[str]:
    return [found.text or "" for found in element.findall(_path(path))]
