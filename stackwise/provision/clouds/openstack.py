"""Public clouds that run OpenStack, of which OVHcloud is one: servers by libcloud's driver, found by their metadata.

https://docs.openstack.org/api-ref/compute/ and the references beside it for identity, image and network. Names are not
unique, and nothing makes a second call the same as the first. A server is put straight into the network whose addresses
everybody reaches; clouds that lend addresses to servers of a private network are not served.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import chain
from typing import Any

from stackwise.errors import NotSoldError, ServerLostError
from stackwise.provision.cloud import Node, NodeState, OnSale, Order, Place
from stackwise.provision.clouds.account import Account
from stackwise.provision.clouds.line import Line
from stackwise.provision.clouds.marks import carrying, from_words, material, not_sold, own_name
from stackwise.provision.clouds.openstack_driver import Driver
from stackwise.provision.clouds.regions import Regions

# Where a provider's identity service is, unless OS_AUTH_URL says another place.
_AUTH = {"ovh": "https://auth.cloud.ovh.net/v3"}
_STATES: dict[str, NodeState] = {"ACTIVE": "running", "SHUTOFF": "stopped", "ERROR": "error"}
_GONE = ("DELETED", "SOFT_DELETED")
# Each cloud names its images itself, with the version after the name; the plain one has the shortest name.
_IMAGES = {
    "debian-12": re.compile(r"debian[ _-]?12\b", re.IGNORECASE),
    "debian-13": re.compile(r"debian[ _-]?13\b", re.IGNORECASE),
    "ubuntu-24-04": re.compile(r"ubuntu[ _-](?:server[ _-])?24\.04\b", re.IGNORECASE),
    "ubuntu-26-04": re.compile(r"ubuntu[ _-](?:server[ _-])?26\.04\b", re.IGNORECASE),
}
_WINDOWS = "win-"
_ENDED = 300.0


def open_cloud(account: Account, location: str, **line: Any) -> OpenStackCloud:
    """Return the adapter on an account; `location` is the region that is looked at, empty: all. `line`: see Line."""
    auth_url = account.url or _AUTH.get(account.provider.id, "")

    def opened(region: str) -> Line[Any]:
        return Line(account, lambda: Driver(region, account.keys, auth_url), **line)

    return OpenStackCloud(Regions(opened, location, ""))


class OpenStackCloud:
    """Servers, as a `Cloud` and a `Shop`."""

    shows_up_within = 60.0
    shared = True

    def __init__(self, regions: Regions) -> None:
        """Ask through a line for each region."""
        self._regions = regions

    def try_out(self) -> None:
        """List the keys of the first region, which wants a token for a project."""
        region = self._regions.there()[0]
        self._regions.line(region).read("the account", lambda driver: driver.list_key_pairs())

    def places(self) -> tuple[Place, ...]:
        """Return the regions that have servers."""
        return tuple(Place(region, region) for region in self._regions.there())

    def on_sale(self, place: str) -> tuple[OnSale, ...]:
        """Return the sizes of a region by their names; the API tells no price."""
        return tuple(
            OnSale(each["name"], each["vcpus"], each["ram"], each["disk"], None, "EUR")
            for each in self._flavours(place)
            if _is_for_sites(each)
        )

    def find(self, tags: Mapping[str, str]) -> tuple[Node, ...]:
        """Return the servers that carry all of `tags`, in the region or in all."""
        return carrying(chain(*self._regions.everywhere(self._listed)), tags)

    def get(self, node_id: str) -> Node | None:
        """Return a server by its id."""
        return next(filter(None, self._regions.everywhere(partial(self._look, node_id=node_id))), None)

    def create(self, order: Order) -> Node:
        """Make a server with a security group of its own. It has no address yet."""
        line = self._regions.line(order.location)
        wishes = {
            "name": order.label,
            "flavorRef": self._size(line, order),
            "imageRef": self._image(line, order),
            "networks": [{"uuid": _network(line)}],
            "key_name": self._key(line, order),
            "security_groups": [{"name": self._group(line, order)}],
            "metadata": dict(order.tags),
            "user_data": base64.b64encode(order.user_data.encode()).decode(),
        }
        # libcloud's own method asks for the new server before it returns, and that may fail when it is made already.
        number = line.once("the new server", partial(_made, wishes=wishes))
        tags = from_words(f"{name}:{value}" for name, value in order.tags.items())
        return Node(number, order.label, "pending", "", tags, size=order.size, location=order.location)

    def start(self, node_id: str) -> Node:
        """Switch a server on; one that runs is left alone, as the API would refuse it."""
        node = self.get(node_id)
        if node is None:
            raise ServerLostError(f"there is no server {node_id}", hint="see: stackwise status")
        if node.state != "stopped":
            return node
        path = f"/servers/{node_id}/action"
        self._regions.line(node.location).read(
            "the server to start", lambda driver: driver.change(path, data={"os-start": None})
        )
        return self._look(node.location, node_id=node_id) or node

    def destroy(self, node_id: str) -> None:
        """Remove a server, and wait until it is gone: until then its group cannot go."""
        if (node := self.get(node_id)) is None:
            return
        line = self._regions.line(node.location)
        try:
            line.read("the server to go", lambda driver: driver.change(f"/servers/{node_id}", "DELETE"))
        except ServerLostError:
            return
        line.until("the server to be gone", lambda: self._look(node.location, node_id=node_id) is None, _ENDED)

    def sweep(self, tags: Mapping[str, str]) -> tuple[str, ...]:
        """Remove the security groups and the key that we made."""
        return tuple(chain(*self._regions.everywhere(partial(self._swept, tags=tags))))

    def _listed(self, region: str) -> list[Node]:
        found = self._regions.line(region).read(
            "the servers", lambda driver: driver.pages("/servers/detail", "servers")
        )
        names = self._names(region) if found else {}
        return [_node(data, region, names) for data in found if data["status"] not in _GONE]

    def _look(self, region: str, *, node_id: str) -> Node | None:
        path = f"/servers/{node_id}"
        try:
            data = self._regions.line(region).read(
                f"server {node_id}", lambda driver: driver.change(path, "GET")["server"]
            )
        except ServerLostError:
            return None
        return None if data["status"] in _GONE else _node(data, region, self._names(region))

    def _flavours(self, region: str) -> list[dict[str, Any]]:
        line = self._regions.line(region)
        return list(line.read("the sizes", lambda driver: driver.pages("/flavors/detail", "flavors")))

    def _names(self, region: str) -> dict[str, str]:
        return {str(each["id"]): each["name"] for each in self._flavours(region)}

    def _size(self, line: Line[Any], order: Order) -> str:
        sold = {each["name"]: str(each["id"]) for each in self._flavours(order.location) if _is_for_sites(each)}
        if order.size not in sold:
            raise not_sold(line.provider, "size", order.size, sold)
        return sold[order.size]

    def _image(self, line: Line[Any], order: Order) -> str:
        known = line.read("the images", lambda driver: driver.images())
        wanted = _IMAGES.get(order.image)
        found = [image for image in known if wanted and wanted.match(image["name"])]
        if not found:
            sold = [own for own, name in _IMAGES.items() if any(name.match(image["name"]) for image in known)]
            raise not_sold(line.provider, "image", order.image, sold)
        newest = sorted(found, key=lambda image: str(image["created_at"]), reverse=True)
        return str(min(newest, key=lambda image: len(image["name"]))["id"])

    def _key(self, line: Line[Any], order: Order) -> str:
        """Return the name of the administrator's key, registered now if it is not."""
        known = line.read("the keys", lambda driver: driver.list_key_pairs())
        same = [key.name for key in known if material(key.public_key) == material(order.admin_key)]
        if same:
            return str(same[0])
        name = own_name(order.tags)
        for old in (key for key in known if key.name == name):
            line.remove("the old key to go", partial(Driver.delete_key_pair, key_pair=old))
        line.once("the key", lambda driver: driver.import_key_pair_from_string(name, order.admin_key))
        return name

    def _group(self, line: Line[Any], order: Order) -> str:
        """Return the id of the server's security group, made now if it is not, open for the ports of the order."""
        name = f"{own_name(order.tags)}-{order.name}"
        found = [group for group in _groups(line) if group["name"] == name]
        group = found[0] if found else line.once("the group", partial(_made_group, name=name))
        rules = {int(rule["port_range_min"]): rule["id"] for rule in group["security_group_rules"] if _opens(rule)}
        for port in sorted(set(order.ports) - rules.keys()):
            line.once("the port", partial(_opened, group=group["id"], port=port))
        for port in sorted(rules.keys() - set(order.ports)):
            path = f"/v2.0/security-group-rules/{rules[port]}"
            line.read("the port", partial(Driver.change_network, path=path, method="DELETE"))
        return str(group["id"])

    def _swept(self, region: str, *, tags: Mapping[str, str]) -> Iterator[str]:
        line, name = self._regions.line(region), own_name(tags)
        for group in _groups(line):
            if group["name"].startswith(f"{name}-"):
                path = f"/v2.0/security-groups/{group['id']}"
                line.remove("the group to go", partial(Driver.change_network, path=path, method="DELETE"))
                yield f"the security group {group['name']}"
        for key in line.read("the keys", lambda driver: driver.list_key_pairs()):
            if key.name == name:
                line.remove("the key to go", partial(Driver.delete_key_pair, key_pair=key))
                yield f"the key {name}"


def _made(driver: Any, *, wishes: Mapping[str, Any]) -> str:
    return str(driver.change("/servers", data={"server": wishes})["server"]["id"])


def _network(line: Line[Any]) -> str:
    """Return the network whose addresses everybody reaches, where a server may be put into it."""
    known = line.read("the networks", lambda driver: driver.networks("/v2.0/networks", "networks"))
    found = [network["id"] for network in known if network.get("router:external") and network.get("shared")]
    if not found:
        message = f"{line.provider.name} has no network there whose addresses a server is given for good"
        raise NotSoldError(message, hint="take another region: stackwise providers show " + line.provider.id)
    return str(found[0])


def _groups(line: Line[Any]) -> list[dict[str, Any]]:
    return list(line.read("the groups", lambda driver: driver.networks("/v2.0/security-groups", "security_groups")))


def _made_group(driver: Any, *, name: str) -> dict[str, Any]:
    wishes = {"name": name, "description": "What strangers reach on a server of stackwise"}
    made = driver.change_network("/v2.0/security-groups", data={"security_group": wishes})
    return dict(made["security_group"])


def _opens(rule: Mapping[str, Any]) -> bool:
    return bool(rule["direction"] == "ingress" and rule.get("port_range_min"))


def _opened(driver: Any, *, group: str, port: int) -> None:
    rule = {
        "security_group_id": group,
        "direction": "ingress",
        "ethertype": "IPv4",
        "protocol": "tcp",
        "port_range_min": port,
        "port_range_max": port,
        "remote_ip_prefix": "0.0.0.0/0",
    }
    driver.change_network("/v2.0/security-group-rules", data={"security_group_rule": rule})


def _is_for_sites(flavour: Mapping[str, Any]) -> bool:
    return not flavour.get("OS-FLV-DISABLED:disabled") and not flavour["name"].startswith(_WINDOWS)


def _node(data: Mapping[str, Any], region: str, names: Mapping[str, str]) -> Node:
    flavour = data.get("flavor") or {}
    size = flavour.get("original_name") or names.get(str(flavour.get("id", "")), "")
    given = [each for network in data["addresses"].values() for each in network if each["version"] == 4]  # noqa: PLR2004 - IP's own number
    # An address that is lent comes before one that is reached from its own network alone.
    given.sort(key=lambda each: each.get("OS-EXT-IPS:type") != "floating")
    return Node(
        data["id"],
        data["name"],
        _STATES.get(data["status"], "pending"),
        given[0]["addr"] if given else "",
        from_words(f"{name}:{value}" for name, value in (data.get("metadata") or {}).items()),
        size=size,
        location=region,
    )
