"""Machines of a provider on loopback that really boot: sandbox machines, with the user-data that the API was sent."""

from __future__ import annotations

from dataclasses import dataclass, field

from libcloud.compute.base import Node

from stackwise.provision.sandbox.driver import SandboxNodeDriver
from tests.cloud.apis.server import Machine


@dataclass
class SandboxBoots:
    """Boots each machine as one of the sandbox; `images` says our name of an image.

    `failed` is what a boot raised: a thread of the API has nobody to tell.
    """

    images: dict[str, str] = field(default_factory=dict)
    size: str = "medium"
    nodes: dict[str, Node] = field(default_factory=dict)
    failed: list[Exception] = field(default_factory=list)

    @property
    def driver(self) -> SandboxNodeDriver:
        return SandboxNodeDriver()

    def boot(self, machine: Machine) -> None:
        try:
            node = self._made(machine)
        except Exception as exc:  # noqa: BLE001 - the top of a thread: told by whoever looks at `failed`
            self.failed.append(exc)
            return
        self.nodes[machine.id] = node
        # Whoever sees the address finds it running.
        machine.running = True
        machine.address = node.public_ips[0]

    def _made(self, machine: Machine) -> Node:
        driver = self.driver
        size = next(size for size in driver.list_sizes() if size.id == self.size)
        wanted = self.images.get(machine.image, "debian-13")
        image = next(image for image in driver.list_images() if image.id == wanted)
        return driver.create_node(
            machine.name, size, image, ex_user_data=machine.user_data, ex_tags={"provider-id": machine.id}
        )

    def start(self, machine: Machine) -> None:
        self.driver.start_node(self.nodes[machine.id])
        machine.running = True

    def stop(self, machine: Machine) -> None:
        machine.running = False
        self.driver.stop_node(self.nodes[machine.id])

    def destroy(self, machine: Machine) -> None:
        machine.running = False
        node = self.nodes.pop(machine.id, None)
        if node is not None:
            self.driver.destroy_node(node)
