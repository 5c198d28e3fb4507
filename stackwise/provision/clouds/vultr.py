"""Vultr: instances by libcloud's driver of the API's second version, tagged with words, found by them.

https://www.vultr.com/api/ - labels are not unique there, and nothing makes a second call the same as the first, so an
instance whose answer was lost is looked for by its tags. One that is "active" may still be installed.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from libcloud.compute.drivers.vultr import VultrNodeDriverV2

from stackwise.errors import ServerLostError
from stackwise.provision.cloud import Node, NodeState, OnSale, Order, Place
from stackwise.provision.clouds.account import Account
from stackwise.provision.clouds.line import Line
from stackwise.provision.clouds.marks import as_words, carrying, from_words, material, not_sold, own_name, short

_INSTANCES = "/v2/instances"
# Not yet an address.
_NOWHERE = "0.0.0.0"  # noqa: S104 - nothing is bound
# The API has numbers for systems, which grow; the names begin so.
_IMAGES = {
    "debian-12": "Debian 12 x64",
    "debian-13": "Debian 13 x64",
    "ubuntu-24-04": "Ubuntu 24.04 LTS x64",
    "ubuntu-26-04": "Ubuntu 26.04 LTS x64",
}
# Lines of servers with an address that everybody reaches; others are GPUs, bare metal, or speak IPv6 alone.
_LINES = ("vc2", "vhf", "vhp", "voc", "vx1")
_WITHOUT = ("-v6", "-free")
_LONGEST_NAME = 63


class Driver(VultrNodeDriverV2):
    """libcloud's driver, with what its methods leave out: the tags, of which it knows the single one of old.

    Its own reading of a server wants that old one, which the API has deprecated.
    https://github.com/apache/libcloud/blob/v3.9.1/libcloud/compute/drivers/vultr.py
    """

    def __init__(self, key: str, where: Mapping[str, object]) -> None:
        """Use `key`; `where` says host, port and secure, where it is not the usual place."""
        super().__init__(key, **where)  # type: ignore[no-untyped-call] # libcloud has no annotations there

    def pages(self, path: str, name: str) -> list[dict[str, Any]]:
        """Return everything that a list has, as the API says it."""
        return list(self._paginated_request(path, name))

    def one(self, path: str, name: str) -> Any:
        """Return what the API answers at a path."""
        return self.connection.request(path).object[name]  # type: ignore[no-untyped-call] # as above

    def tell(self, path: str, method: str = "POST") -> None:
        """Let something be done."""
        self.connection.request(path, method=method)  # type: ignore[no-untyped-call] # as above

    def make(self, wishes: Mapping[str, object]) -> dict[str, Any]:
        """Make an instance."""
        said = self.connection.request(_INSTANCES, method="POST", data=json.dumps(wishes))  # type: ignore[no-untyped-call] # as above
        return dict(said.object["instance"])


def open_cloud(account: Account, location: str, **line: Any) -> VultrCloud:  # noqa: ARG001 - all regions are seen at once
    """Return the adapter on an account; `line` goes to the Line."""
    (token,) = account.keys.values()
    return VultrCloud(Line(account, lambda: Driver(token, account.where()), **line))


class VultrCloud:
    """Instances, as a `Cloud` and a `Shop`."""

    shows_up_within = 60.0
    shared = True

    def __init__(self, line: Line[Any]) -> None:
        """Ask through `line`."""
        self._line = line

    def try_out(self) -> None:
        """List the keys, which wants a valid token and an address that it may be used from."""
        self._line.read("the account", lambda driver: driver.list_key_pairs())

    def places(self) -> tuple[Place, ...]:
        """Return the regions."""
        found = self._line.read("the regions", lambda driver: driver.list_locations())
        return tuple(Place(place.id, place.name) for place in found)

    def on_sale(self, place: str) -> tuple[OnSale, ...]:
        """Return the sizes that a region has left; the API tells the price of a month."""
        path = f"/v2/regions/{place}/availability"
        left = set(self._line.read("what is left", lambda driver: driver.one(path, "available_plans")))
        found = self._line.read("the sizes", lambda driver: driver.pages("/v2/plans", "plans"))
        return tuple(_on_sale(size) for size in found if size["id"] in left and _is_for_sites(size["id"]))

    def find(self, tags: Mapping[str, str]) -> tuple[Node, ...]:
        """Return the instances that carry all of `tags`."""
        found = self._line.read("the servers", lambda driver: driver.pages(_INSTANCES, "instances"))
        return carrying(map(_node, found), tags)

    def get(self, node_id: str) -> Node | None:
        """Return an instance by its id."""
        try:
            return _node(self._line.read(f"server {node_id}", partial(_shown, node_id=node_id)))
        except ServerLostError:
            return None

    def create(self, order: Order) -> Node:
        """Make an instance. It has no address yet."""
        region, size, image = self._place(order), self._size(order), self._image(order)
        wishes = {
            "region": region,
            "plan": size,
            "os_id": image,
            "label": order.label,
            "hostname": short(order.label, _LONGEST_NAME),
            "tags": as_words(order.tags),
            "user_data": base64.b64encode(order.user_data.encode()).decode(),
            "sshkey_id": [self._key(order)],
            "enable_ipv6": False,
            "activation_email": False,
            "backups": "disabled",
        }
        return _node(self._line.once("the new server", lambda driver: driver.make(wishes)))

    def start(self, node_id: str) -> Node:
        """Switch an instance on."""
        self._line.read("the server to start", lambda driver: driver.tell(f"{_INSTANCES}/{node_id}/start"))
        return _node(self._line.read(f"server {node_id}", partial(_shown, node_id=node_id)))

    def destroy(self, node_id: str) -> None:
        """Remove an instance, its disk and its address."""
        self._line.remove("the server to go", lambda driver: driver.tell(f"{_INSTANCES}/{node_id}", "DELETE"))

    def sweep(self, tags: Mapping[str, str]) -> tuple[str, ...]:
        """Remove the key that we registered."""
        name = own_name(tags)
        mine = [key for key in self._line.read("the keys", lambda driver: driver.list_key_pairs()) if key.name == name]
        for key in mine:
            self._line.remove("the key to go", partial(Driver.delete_key_pair, key_pair=key))
        return tuple(f"the key {key.name}" for key in mine)

    def _place(self, order: Order) -> str:
        known = [place.id for place in self.places()]
        if order.location not in known:
            raise not_sold(self._line.provider, "region", order.location, known)
        return order.location

    def _size(self, order: Order) -> str:
        sold = [size.id for size in self.on_sale(order.location)]
        if order.size not in sold:
            raise not_sold(self._line.provider, "size", order.size, sold)
        return order.size

    def _image(self, order: Order) -> int:
        known = {image.name: image.id for image in self._line.read("the images", lambda driver: driver.list_images())}
        wanted = _IMAGES.get(order.image, order.image)
        found = next((name for name in sorted(known) if name.startswith(wanted)), None)
        if found is None:
            sold = [own for own, begins in _IMAGES.items() if any(name.startswith(begins) for name in known)]
            raise not_sold(self._line.provider, "image", order.image, sold)
        return int(known[found])

    def _key(self, order: Order) -> str:
        """Return the id of the administrator's key, registered now if it is not."""
        known = self._line.read("the keys", lambda driver: driver.list_key_pairs())
        same = [key for key in known if material(key.public_key) == material(order.admin_key)]
        if not same:
            name = own_name(order.tags)
            made = self._line.once("the key", lambda driver: driver.import_key_pair_from_string(name, order.admin_key))
            same = [made]
        return str(same[0].extra["id"])


def _shown(driver: Any, *, node_id: str) -> Any:
    return driver.one(f"{_INSTANCES}/{node_id}", "instance")


def _is_for_sites(size: str) -> bool:
    return size.startswith(_LINES) and not size.endswith(_WITHOUT)


def _on_sale(size: Mapping[str, Any]) -> OnSale:
    return OnSale(size["id"], size["vcpu_count"], size["ram"], size["disk"], float(size["monthly_cost"]), "USD")


def _node(data: Mapping[str, Any]) -> Node:
    address = data["main_ip"]
    return Node(
        data["id"],
        data["label"],
        _state(data),
        "" if address == _NOWHERE else address,
        from_words(data.get("tags") or ()),
        size=data["plan"],
        location=data["region"],
    )


def _state(data: Mapping[str, Any]) -> NodeState:
    """Return the state: three of the API's together, and only when all is done it runs or is stopped."""
    if data["status"] != "active" or data["server_status"] != "ok":
        return "pending"
    return "running" if data["power_status"] == "running" else "stopped"
