"""The sandbox behind our own seam: everything through the libcloud driver, as with any provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libcloud.compute.base import Node as LibcloudNode
from libcloud.compute.providers import get_driver
from libcloud.compute.types import NodeState as LibcloudState

from stackwise.errors import ServerLostError
from stackwise.provision.cloud import Node, NodeState, Order, Progress
from stackwise.provision.sandbox.driver import PROVIDER, SandboxNodeDriver, register

_STATES: dict[str, NodeState] = {
    LibcloudState.RUNNING: "running",
    LibcloudState.STOPPED: "stopped",
    LibcloudState.ERROR: "error",
}


class SandboxCloud:
    """Machines on this host, as a `Cloud`."""

    shows_up_within = 0.0
    shared = False

    def __init__(self, progress: Progress) -> None:
        """Open the driver; `progress` is told what a long call is doing."""
        register()
        kind: type[SandboxNodeDriver] = get_driver(PROVIDER)  # type: ignore[assignment] # libcloud types it as the base class
        self._driver = kind(ex_progress=progress)

    def find(self, tags: Mapping[str, str]) -> tuple[Node, ...]:
        """Return the machines that carry all of `tags`."""
        return tuple(_node(node) for node in self._driver.list_nodes(ex_tags=tags))

    def get(self, node_id: str) -> Node | None:
        """Return a machine by its id, None where there is none."""
        try:
            return _node(self._driver.ex_get_node(node_id))
        except ServerLostError:
            return None

    def create(self, order: Order) -> Node:
        """Make a machine and boot it."""
        size = next(size for size in self._driver.list_sizes() if size.id == order.size)
        image = next(image for image in self._driver.list_images() if image.id == order.image)
        return _node(
            self._driver.create_node(order.name, size, image, ex_user_data=order.user_data, ex_tags=order.tags)
        )

    def start(self, node_id: str) -> Node:
        """Start a stopped machine."""
        self._driver.start_node(self._driver.ex_get_node(node_id))
        return _node(self._driver.ex_get_node(node_id))

    def destroy(self, node_id: str) -> None:
        """Remove a machine with everything that hangs on it."""
        try:
            self._driver.destroy_node(self._driver.ex_get_node(node_id))
        except ServerLostError:
            return

    def sweep(self, tags: Mapping[str, str]) -> tuple[str, ...]:  # noqa: ARG002 - nothing is made beside a machine
        """Find nothing to remove."""
        return ()


def _node(node: LibcloudNode) -> Node:
    limits: Mapping[str, Mapping[str, Any]] = node.extra["limits"]
    remarks = tuple(
        f"{name} is not limited: {limit['reason']}" for name, limit in limits.items() if not limit["enforced"]
    )
    address = node.public_ips[0] if node.public_ips else ""
    return Node(str(node.id), node.name, _STATES.get(node.state, "pending"), address, node.extra["tags"], remarks)
