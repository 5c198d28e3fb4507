"""Hetzner Cloud: servers by our own driver, found by their labels.

https://docs.hetzner.cloud/reference/cloud - a name is unique in a project, so that a server cannot be made twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import partial
from typing import Any

from libcloud.compute.base import KeyPair, NodeImage, NodeSize
from libcloud.compute.base import Node as LibcloudNode
from libcloud.compute.types import NodeState as LibcloudState

from stackwise.errors import NameTakenError, ServerLostError
from stackwise.provision.cloud import TOKEN, Node, NodeState, OnSale, Order, Place
from stackwise.provision.clouds.account import Account
from stackwise.provision.clouds.hetzner_driver import BASE_URL, HetznerNodeDriver
from stackwise.provision.clouds.line import Line
from stackwise.provision.clouds.marks import OURS, Named, carrying, material, not_sold, own_name

_IMAGES = {
    "debian-12": "debian-12",
    "debian-13": "debian-13",
    "ubuntu-24-04": "ubuntu-24.04",
    "ubuntu-26-04": "ubuntu-26.04",
}
# What is on its way up, down or elsewhere is waited for.
_STATES: dict[str, NodeState] = {
    LibcloudState.RUNNING: "running",
    LibcloudState.STOPPED: "stopped",
    LibcloudState.TERMINATED: "error",
}


def open_cloud(account: Account, location: str, **line: Any) -> HetznerCloud:  # noqa: ARG001 - it has no regions apart
    """Return the adapter on an account; `line` goes to the Line."""
    (token,) = account.keys.values()
    return HetznerCloud(Line(account, lambda: HetznerNodeDriver(token, ex_base_url=account.url or BASE_URL), **line))


class HetznerCloud:
    """Servers of a project, as a `Cloud` and a `Shop`."""

    # A second server of the same name is refused.
    shows_up_within = 0.0
    shared = True

    def __init__(self, line: Line[HetznerNodeDriver]) -> None:
        """Ask through `line`."""
        self._line = line

    def try_out(self) -> None:
        """List the keys, which wants a valid token."""
        self._line.read("the account", lambda driver: driver.list_key_pairs())

    def places(self) -> tuple[Place, ...]:
        """Return the locations."""
        found = self._line.read("the locations", lambda driver: driver.list_locations())
        return tuple(Place(str(place.id), place.name) for place in found)

    def on_sale(self, place: str) -> tuple[OnSale, ...]:
        """Return the server types that can be had in a location now, at their net price there."""
        currency = self._line.read("the prices", lambda driver: driver.ex_get_pricing())["currency"]
        return tuple(
            OnSale(size.id, size.extra["cores"], size.ram, size.disk, size.extra["price_monthly"], currency)
            for size in self._sizes(place)
        )

    def find(self, tags: Mapping[str, str]) -> tuple[Node, ...]:
        """Return the servers that carry all of `tags`."""
        selector = ",".join(f"{name}=={value}" for name, value in tags.items()) or TOKEN
        found = self._line.read("the servers", lambda driver: driver.list_nodes(ex_label_selector=selector))
        return carrying(map(_node, found), tags)

    def get(self, node_id: str) -> Node | None:
        """Return a server by its id."""
        try:
            return _node(self._line.read(f"server {node_id}", lambda driver: driver.ex_get_node(node_id)))
        except ServerLostError:
            return None

    def create(self, order: Order) -> Node:
        """Make a server. One of that name that carries all of the order's tags is ours already, and taken up."""
        size = self._size(order)
        image = self._image(order, size.extra["architecture"])
        # Last of all: what is registered for nothing is one more thing to remove.
        wishes: dict[str, Any] = {
            "ex_ssh_keys": [self._key(order)],
            "ex_labels": order.tags,
            "ex_user_data": order.user_data,
        }
        place: Any = Named(order.location)
        try:
            return _node(
                self._line.once(
                    "the new server", lambda driver: driver.create_node(order.label, size, image, place, **wishes)
                )
            )
        except NameTakenError:
            ours = [node for node in self.find(order.tags) if node.name == order.label]
            if not ours:
                raise
            return ours[0]

    def start(self, node_id: str) -> Node:
        """Switch a server on."""
        node: Any = Named(node_id)
        self._line.read("the server to start", lambda driver: driver.start_node(node))
        return _node(self._line.read(f"server {node_id}", lambda driver: driver.ex_get_node(node_id)))

    def destroy(self, node_id: str) -> None:
        """Remove a server, its disk and its addresses."""
        node: Any = Named(node_id)
        self._line.remove("the server to go", lambda driver: driver.destroy_node(node))

    def sweep(self, tags: Mapping[str, str]) -> tuple[str, ...]:
        """Remove the keys that we registered."""
        name = own_name(tags)
        mine = [key for key in self._line.read("the keys", _keys) if key.name.startswith(name)]
        for key in mine:
            self._line.remove("the key to go", partial(HetznerNodeDriver.delete_key_pair, key_pair=key))
        return tuple(f"the key {key.name}" for key in mine)

    def _sizes(self, place: str) -> list[NodeSize]:
        location: Any = Named(place)
        return self._line.read("the sizes", lambda driver: driver.list_sizes(location))

    def _size(self, order: Order) -> NodeSize:
        sold = {size.id: size for size in self._sizes(order.location)}
        if order.size not in sold:
            raise not_sold(self._line.provider, "size", order.size, sold)
        return sold[order.size]

    def _image(self, order: Order, architecture: str) -> NodeImage:
        found = self._line.read("the images", lambda driver: driver.list_images(ex_architecture=architecture))
        known = {image.id: image for image in found}
        wanted = _IMAGES.get(order.image, order.image)
        if wanted not in known:
            ours = [own for own, name in _IMAGES.items() if name in known]
            raise not_sold(self._line.provider, "image", order.image, ours)
        return known[wanted]

    def _key(self, order: Order) -> int:
        """Return the id of the administrator's key, registered now if it is not: else root gets a password.

        Names are unique, and the administrator of a site may take another key.
        """
        same = [
            key for key in self._line.read("the keys", _keys) if material(key.public_key) == material(order.admin_key)
        ]
        if not same:
            name = f"{own_name(order.tags)}-{_short(order.admin_key)}"
            same = [self._line.once("the key", partial(_register, name=name, public=order.admin_key, tags=order.tags))]
        return int(same[0].extra["id"])


def _keys(driver: HetznerNodeDriver) -> list[KeyPair]:
    return driver.list_key_pairs()


def _register(driver: HetznerNodeDriver, name: str, public: str, tags: Mapping[str, str]) -> KeyPair:
    return driver.import_key_pair_from_string(name, public, ex_labels={TOKEN: tags[TOKEN]})


def _short(public: str) -> str:
    return hashlib.sha256(material(public).encode()).hexdigest()[:8]


def _node(node: LibcloudNode) -> Node:
    return Node(
        str(node.id),
        node.name,
        _STATES.get(node.state, "pending"),
        next((address for address in node.public_ips if ":" not in address), ""),
        {name: value for name, value in node.extra["labels"].items() if name.startswith(OURS)},
        size=node.extra["size"],
        location=node.extra["location"],
    )
