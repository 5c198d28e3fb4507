"""Linode (Akamai): instances by libcloud's driver of the API's fourth version, tagged with words, found by them.

https://techdocs.akamai.com/linode-api/reference/api - a label belongs to one instance, so a second order under the same
name is refused. User-data is taken in regions and with images that have the service for it; others are not sold here.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from libcloud.compute.base import NodeImage, NodeLocation, NodeSize
from libcloud.compute.drivers.linode import LinodeNodeDriverV4
from libcloud.compute.types import NodeState as LibcloudState

from stackwise.errors import ProvisionError, ServerLostError
from stackwise.provision.cloud import Node, NodeState, OnSale, Order, Place
from stackwise.provision.clouds.account import Account
from stackwise.provision.clouds.line import Line
from stackwise.provision.clouds.marks import as_words, carrying, from_words, not_sold, short

_INSTANCES = "/v4/linode/instances"
# Every other state is on its way to one of these.
_STATES: dict[str, NodeState] = {"running": "running", "offline": "stopped", "stopped": "stopped"}
_IMAGES = {
    "debian-12": "linode/debian12",
    "debian-13": "linode/debian13",
    "ubuntu-24-04": "linode/ubuntu24.04",
    "ubuntu-26-04": "linode/ubuntu26.04",
}
# A region that has both can make a server that is told what to do.
_WANTED = {"Linodes", "Metadata"}
_CLASSES = ("nanode", "standard", "dedicated", "highmem", "premium")
_LONGEST_TAG, _LONGEST_LABEL = 50, 64


class _States(dict[str, LibcloudState]):
    """libcloud's states; one that it does not know is none, where it would lose the whole list over it."""

    def __missing__(self, _: str) -> LibcloudState:
        return LibcloudState.UNKNOWN


class Driver(LinodeNodeDriverV4):
    """libcloud's driver, which keeps the API's own word for a state.

    A state that is not in its table is a KeyError there, so that one such instance hides all.
    https://github.com/apache/libcloud/blob/v3.9.1/libcloud/compute/drivers/linode.py
    """

    LINODE_STATES = _States(LinodeNodeDriverV4.LINODE_STATES)

    def __init__(self, key: str, where: Mapping[str, object]) -> None:
        """Use `key`; `where` says host, port and secure, where it is not the usual place."""
        super().__init__(key, **where)  # type: ignore[no-untyped-call] # libcloud has no annotations there

    def _to_node(self, data: dict[str, Any]) -> Any:
        node = super()._to_node(data)  # type: ignore[no-untyped-call] # as above
        node.extra["status"] = data["status"]
        return node

    def pages(self, path: str) -> list[dict[str, Any]]:
        """Return everything that a list has, as the API says it."""
        return list(self._paginated_request(path, "data"))  # type: ignore[no-untyped-call] # as above

    def one(self, path: str) -> Any:
        """Return what the API answers at a path."""
        return self.connection.request(path).object  # type: ignore[no-untyped-call] # as above

    def tell(self, path: str, method: str = "POST") -> None:
        """Let something be done."""
        self.connection.request(path, method=method)  # type: ignore[no-untyped-call] # as above


def open_cloud(account: Account, location: str, **line: Any) -> LinodeCloud:  # noqa: ARG001 - all regions are seen at once
    """Return the adapter on an account; `line` goes to the Line."""
    (token,) = account.keys.values()
    return LinodeCloud(Line(account, lambda: Driver(token, account.where()), **line))


class LinodeCloud:
    """Instances, as a `Cloud` and a `Shop`."""

    # The label is refused a second time, but an order that was refused so says nothing of the first one's id.
    shows_up_within = 60.0
    shared = True

    def __init__(self, line: Line[Any]) -> None:
        """Ask through `line`."""
        self._line = line

    def try_out(self) -> None:
        """List the instances, which wants a valid token with that right."""
        self._line.read("the account", lambda driver: driver.list_nodes())

    def places(self) -> tuple[Place, ...]:
        """Return the regions where a new instance can be told what to do."""
        found = self._line.read("the regions", lambda driver: driver.pages("/v4/regions"))
        there = (place for place in found if set(place["capabilities"]) >= _WANTED and place["status"] == "ok")
        return tuple(Place(place["id"], place.get("label") or place["id"]) for place in there)

    def on_sale(self, place: str) -> tuple[OnSale, ...]:
        """Return the sizes that are sold in a region with its own prices, less those that have run out there."""
        out = self._line.read("what is left", lambda driver: driver.one(f"/v4/regions/{place}/availability"))
        gone = {each["plan"] for each in out if not each["available"]}
        found = self._line.read("the sizes", lambda driver: driver.pages("/v4/linode/types"))
        return tuple(_on_sale(size, place) for size in found if size["class"] in _CLASSES and size["id"] not in gone)

    def find(self, tags: Mapping[str, str]) -> tuple[Node, ...]:
        """Return the instances that carry all of `tags`; what is too long for a tag is compared as it was cut."""
        found = self._line.read("the servers", lambda driver: driver.list_nodes())
        return carrying(map(_node, found), from_words(_words(tags)))

    def get(self, node_id: str) -> Node | None:
        """Return an instance by its id."""
        try:
            return _node(self._line.read(f"server {node_id}", lambda driver: driver.ex_get_node(node_id)))
        except ServerLostError:
            return None

    def create(self, order: Order) -> Node:
        """Make an instance. Nobody knows the password of its root, and nobody can use it."""
        place, size, image = self._place(order), self._size(order), self._image(order)
        return _node(
            self._line.once(
                "the new server",
                lambda driver: driver.create_node(
                    NodeLocation(place, place, "", driver),
                    short(order.label, _LONGEST_LABEL),
                    NodeSize(size, size, 0, 0, 0, 0, driver),
                    NodeImage(image, image, driver),
                    root_pass=f"{secrets.token_urlsafe(48)}aA1!",
                    ex_authorized_keys=[order.admin_key] if order.admin_key else None,
                    ex_tags=_words(order.tags),
                    ex_userdata=order.user_data,
                ),
            )
        )

    def start(self, node_id: str) -> Node:
        """Boot an instance. One that runs already, maybe by a try whose answer was lost, is refused, and no error."""
        refused: ProvisionError | None = None
        try:
            self._line.read("the server to start", lambda driver: driver.tell(f"{_INSTANCES}/{node_id}/boot"))
        except ProvisionError as exc:
            refused = exc
        node = _node(self._line.read(f"server {node_id}", lambda driver: driver.ex_get_node(node_id)))
        if refused and node.state == "stopped":
            raise refused
        return node

    def destroy(self, node_id: str) -> None:
        """Remove an instance, its disks and its address."""
        self._line.remove("the server to go", lambda driver: driver.tell(f"{_INSTANCES}/{node_id}", "DELETE"))

    def sweep(self, tags: Mapping[str, str]) -> tuple[str, ...]:  # noqa: ARG002 - as the protocol has it
        """Remove nothing: a key goes into the order itself, and a tag is gone with the last that has it."""
        return ()

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

    def _image(self, order: Order) -> str:
        known = self._line.read("the images", lambda driver: driver.pages("/v4/images"))
        told = {image["id"] for image in known if "cloud-init" in image.get("capabilities", ())}
        if (wanted := _IMAGES.get(order.image, order.image)) not in told:
            sold = [own for own, image in _IMAGES.items() if image in told]
            raise not_sold(self._line.provider, "image", order.image, sold)
        return wanted


def _words(tags: Mapping[str, str]) -> list[str]:
    return [short(word, _LONGEST_TAG) for word in as_words(tags)]


def _on_sale(size: Mapping[str, Any], place: str) -> OnSale:
    local = next((price for price in size.get("region_prices") or () if price["id"] == place), size["price"])
    month = float(local["monthly"])
    return OnSale(size["id"], size["vcpus"], size["memory"], size["disk"] // 1024, month, "USD")


def _node(node: Any) -> Node:
    return Node(
        str(node.id),
        node.name,
        _STATES.get(node.extra["status"], "pending"),
        node.public_ips[0] if node.public_ips else "",
        from_words(node.extra["tags"]),
        size=node.size or "",
        location=node.extra["location"],
    )
