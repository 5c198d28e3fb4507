"""DigitalOcean: Droplets by libcloud's driver, tagged with words, found by them.

https://docs.digitalocean.com/reference/api/ - names are not unique there, and nothing makes a second call the same as
the first, so a Droplet whose answer was lost is looked for by its tags.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from libcloud.compute.base import Node as LibcloudNode
from libcloud.compute.drivers.digitalocean import DigitalOcean_v2_NodeDriver
from libcloud.compute.types import NodeState as LibcloudState

from stackwise.errors import ServerLostError
from stackwise.provision.cloud import Node, NodeState, OnSale, Order, Place
from stackwise.provision.clouds.account import Account
from stackwise.provision.clouds.line import Line
from stackwise.provision.clouds.marks import Named, as_words, carrying, from_words, material, not_sold, own_name

_STATES: dict[str, NodeState] = {
    LibcloudState.PENDING: "pending",
    LibcloudState.RUNNING: "running",
    LibcloudState.STOPPED: "stopped",
    LibcloudState.TERMINATED: "error",
}
_IMAGES = {
    "debian-12": "debian-12-x64",
    "debian-13": "debian-13-x64",
    "ubuntu-24-04": "ubuntu-24-04-x64",
    "ubuntu-26-04": "ubuntu-26-04-x64",
}


class Driver(DigitalOcean_v2_NodeDriver):
    """libcloud's driver, which can be told where its API is.

    The one in libcloud hands every keyword on to `object.__new__`, which takes none.
    https://github.com/apache/libcloud/blob/v3.9.1/libcloud/common/digitalocean.py
    """

    def __new__(cls, key: str, url: str = "") -> Driver:  # noqa: ARG004 - __init__ takes them
        """Make it without the keywords."""
        return object.__new__(cls)

    def __init__(self, key: str, url: str = "") -> None:
        """Use `key`, at `url` where it is not the usual place."""
        self._url = url
        super().__init__(key)  # type: ignore[no-untyped-call] # libcloud has no annotations there

    def _ex_connection_class_kwargs(self) -> dict[str, object]:
        return {"url": self._url} if self._url else {}

    def _to_node(self, data: dict[str, Any]) -> LibcloudNode:
        """Keep the slug of the region, of which libcloud keeps the name alone."""
        node: LibcloudNode = super()._to_node(data)  # type: ignore[no-untyped-call] # as below
        node.extra["region_slug"] = (data.get("region") or {}).get("slug", "")
        return node

    def power_on(self, node_id: str) -> None:
        """Start a Droplet by its id."""
        self.connection.request(f"/v2/droplets/{node_id}/actions", method="POST", data='{"type": "power_on"}')  # type: ignore[no-untyped-call] # as above


def open_cloud(account: Account, location: str, **line: Any) -> DigitalOceanCloud:  # noqa: ARG001 - it has no regions apart
    """Return the adapter on an account; `line` goes to the Line."""
    (token,) = account.keys.values()
    return DigitalOceanCloud(Line(account, lambda: Driver(token, account.url), **line))


class DigitalOceanCloud:
    """Droplets, as a `Cloud` and a `Shop`."""

    shows_up_within = 60.0
    shared = True

    def __init__(self, line: Line[Any]) -> None:
        """Ask through `line`."""
        self._line = line

    def try_out(self) -> None:
        """List the keys, which wants a valid token."""
        self._line.read("the account", lambda driver: driver.list_key_pairs())

    def places(self) -> tuple[Place, ...]:
        """Return the regions that take new Droplets."""
        found = self._line.read("the regions", lambda driver: driver.list_locations())
        return tuple(Place(str(place.id), place.name) for place in found)

    def on_sale(self, place: str) -> tuple[OnSale, ...]:
        """Return the sizes that are sold in a region; the API tells the price of a month."""
        found = self._line.read("the sizes", lambda driver: driver.list_sizes())
        return tuple(
            OnSale(size.id, size.extra["vcpus"], size.ram, size.disk, float(size.extra["price_monthly"]), "USD")
            for size in found
            if place in size.extra["regions"]
        )

    def find(self, tags: Mapping[str, str]) -> tuple[Node, ...]:
        """Return the Droplets that carry all of `tags`."""
        return carrying(map(_node, self._line.read("the servers", lambda driver: driver.list_nodes())), tags)

    def get(self, node_id: str) -> Node | None:
        """Return a Droplet by its id."""
        try:
            return _node(self._line.read(f"server {node_id}", lambda driver: driver.ex_get_node_details(node_id)))
        except ServerLostError:
            return None

    def create(self, order: Order) -> Node:
        """Make a Droplet. It has no address yet."""
        size, image, place = self._size(order), Named(self._image(order)), Named(order.location)
        # Last of all: what is registered for nothing is one more thing to remove.
        attributes = {"tags": as_words(order.tags), "ssh_keys": [self._key(order)]}
        return _node(
            self._line.once(
                "the new server",
                lambda driver: driver.create_node(
                    order.label, size, image, place, ex_create_attr=attributes, ex_user_data=order.user_data
                ),
            )
        )

    def start(self, node_id: str) -> Node:
        """Switch a Droplet on."""
        self._line.read("the server to start", lambda driver: driver.power_on(node_id))
        return _node(self._line.read(f"server {node_id}", lambda driver: driver.ex_get_node_details(node_id)))

    def destroy(self, node_id: str) -> None:
        """Remove a Droplet, its disk and its address."""
        self._line.remove("the server to go", lambda driver: driver.destroy_node(Named(node_id)))

    def sweep(self, tags: Mapping[str, str]) -> tuple[str, ...]:
        """Remove the key that we registered."""
        name = own_name(tags)
        mine = [key for key in self._line.read("the keys", lambda driver: driver.list_key_pairs()) if key.name == name]
        for key in mine:
            self._line.remove("the key to go", partial(Driver.delete_key_pair, key=key))
        return tuple(f"the key {key.name}" for key in mine)

    def _size(self, order: Order) -> Named:
        sold = {size.id for size in self.on_sale(order.location)}
        if order.size not in sold:
            raise not_sold(self._line.provider, "size", order.size, sold)
        return Named(order.size)

    def _image(self, order: Order) -> str:
        known = self._line.read("the images", lambda driver: driver.list_images())
        slugs = {image.extra["slug"] for image in known}
        if (wanted := _IMAGES.get(order.image, order.image)) not in slugs:
            raise not_sold(
                self._line.provider, "image", order.image, [own for own, slug in _IMAGES.items() if slug in slugs]
            )
        return wanted

    def _key(self, order: Order) -> int:
        """Return the id of the administrator's key, registered now if it is not: else root's password goes by mail."""
        known = self._line.read("the keys", lambda driver: driver.list_key_pairs())
        same = [key for key in known if material(key.public_key) == material(order.admin_key)]
        if not same:
            name = own_name(order.tags)
            same = [self._line.once("the key", lambda driver: driver.create_key_pair(name, order.admin_key))]
        return int(same[0].extra["id"])


def _node(node: LibcloudNode) -> Node:
    address = node.public_ips[0] if node.public_ips else ""
    return Node(
        str(node.id),
        node.name,
        _STATES.get(node.state, "pending"),
        address,
        from_words(node.extra.get("tags") or ()),
        size=node.extra.get("size_slug", ""),
        location=node.extra["region_slug"],
    )
