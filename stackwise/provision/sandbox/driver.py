"""The sandbox as a libcloud driver: a real Debian with systemd, sshd and cloud-init at its own address, on this host.

register()
Driver = libcloud.compute.providers.get_driver("stackwise-sandbox")
node = Driver(ex_progress=print).create_node(name="web-1", size=..., image=..., ex_user_data="#cloud-config ...")
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from libcloud.compute.base import KeyPair, Node, NodeDriver, NodeImage, NodeLocation, NodeSize
from libcloud.compute.providers import DRIVERS, set_driver
from libcloud.compute.types import KeyPairDoesNotExistError, NodeState

from stackwise.errors import UsageError
from stackwise.provision.sandbox.base import SUITES
from stackwise.provision.sandbox.keys import Keys, PublicKey
from stackwise.provision.sandbox.machines import SIZES, Order, Sandbox, State
from stackwise.provision.sandbox.places import places_from
from stackwise.provision.sandbox.store import Machine

PROVIDER = "stackwise-sandbox"
STATES: dict[State, NodeState] = {
    "running": NodeState.RUNNING,
    "stopped": NodeState.STOPPED,
    "pending": NodeState.PENDING,
    "stopping": NodeState.STOPPING,
    "error": NodeState.ERROR,
}


def register() -> None:
    """Make libcloud know the driver as `stackwise-sandbox`; a second call does nothing."""
    if PROVIDER not in DRIVERS:
        # libcloud imports the module when it is asked for the driver: it wants names, whatever its annotations say.
        set_driver(PROVIDER, __name__, SandboxNodeDriver.__name__)  # type: ignore[arg-type]


class SandboxNodeDriver(NodeDriver):
    """Machines on this host. Errors are those of stackwise.errors, each with what to type."""

    name = "stackwise sandbox"
    type = PROVIDER
    api_name = "stackwise_sandbox"
    website = ""
    features: dict[str, list[str]] = {"create_node": []}  # noqa: RUF012 - libcloud reads it from the class

    def __init__(
        self,
        key: str = "",
        *,
        ex_progress: Callable[[str], None] | None = None,
        ex_environ: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        """Take no credentials. `ex_progress` hears what takes longer than a moment, in words.

        `ex_environ` (default: the process's environment) has the STACKWISE_SANDBOX_ settings of places.py.
        """
        super().__init__(key, **kwargs)  # type: ignore[no-untyped-call] # libcloud has no annotations there
        places = places_from(os.environ if ex_environ is None else ex_environ)
        self._sandbox = Sandbox(places, ex_progress or _hear_nothing)
        self._keys = Keys(places.keys)

    def list_sizes(self, location: NodeLocation | None = None) -> list[NodeSize]:  # noqa: ARG002 - there is one
        """Give what a machine may take: ram in MiB, disk in GiB, extra["cpus"]. It costs nothing."""
        return [self._size(size_id) for size_id in SIZES]

    def list_images(self, location: NodeLocation | None = None) -> list[NodeImage]:  # noqa: ARG002 - there is one
        """Give the systems that a machine can have."""
        return [self._image(image_id) for image_id in SUITES]

    def list_locations(self) -> list[NodeLocation]:
        """Give the one place there is: this host."""
        return [NodeLocation(id="local", name="this host", country="", driver=self)]

    def create_node(  # type: ignore[override] # noqa: PLR0913 - as all drivers: ex_ in place of auth
        self,
        name: str,
        size: NodeSize,
        image: NodeImage,
        location: NodeLocation | None = None,  # noqa: ARG002 - there is one
        *,
        ex_user_data: str = "",
        ex_tags: Mapping[str, str] | None = None,
        ex_keyname: str = "",
    ) -> Node:
        """Make a machine and boot it; `ex_user_data` is cloud-init's. Its sshd answers a few seconds later.

        The key pair `ex_keyname` may log in as the image's user `debian`. The first machine of an image waits about a
        minute for its base. Raises NothingLeftError (disk, addresses), ProvisionError (the host lacks something), and
        UsageError; nothing of the machine is left then.
        """
        _require_known(size.id, SIZES, "size")
        _require_known(image.id, SUITES, "image")
        keys = (self.get_key_pair(ex_keyname).public_key,) if ex_keyname else ()
        order = Order(name, size.id, image.id, ex_user_data, keys, ex_tags or {})
        return self._node(self._sandbox.create(order), "running")

    def list_nodes(self, ex_tags: Mapping[str, str] | None = None) -> list[Node]:
        """Give every machine, or those that have all of `ex_tags`, whoever made them: the oldest first."""
        wanted = dict(ex_tags or {}).items()
        return [self._node(*each) for each in self._sandbox.states() if wanted <= each[0].tags.items()]

    def ex_get_node(self, node_id: str) -> Node:
        """Give one machine; raise ServerLostError when there is none of that id."""
        machine = self._sandbox.store.get(node_id)
        return self._node(machine, self._sandbox.state(machine))

    def reboot_node(self, node: Node) -> bool:
        """Shut the machine down in good order and start it; address and files stay."""
        self._sandbox.reboot(_id(node))
        return True

    def start_node(self, node: Node) -> bool:
        """Start a machine that was stopped, by us, from inside, or by a reboot of the host."""
        self._sandbox.start(_id(node))
        return True

    def stop_node(self, node: Node) -> bool:
        """Shut the machine down in good order; by force after 90 s."""
        self._sandbox.stop(_id(node))
        return True

    def destroy_node(self, node: Node) -> bool:
        """Take away all of the machine, whatever state it is in; True also when it was gone already."""
        self._sandbox.destroy(_id(node))
        return True

    def list_key_pairs(self) -> list[KeyPair]:
        """Give the public keys that are kept."""
        return [self._key_pair(key) for key in self._keys.all()]

    def get_key_pair(self, name: str) -> KeyPair:
        """Give a public key by name; raise libcloud's KeyPairDoesNotExistError when there is none."""
        key = self._keys.find(name)
        if key is None:
            raise KeyPairDoesNotExistError(name, self)  # type: ignore[no-untyped-call] # libcloud has no annotations there
        return self._key_pair(key)

    def create_key_pair(self, name: str) -> KeyPair:
        """Make a pair; the private half is in the answer and nowhere else."""
        key, private = self._keys.create(name)
        return self._key_pair(key, private)

    def import_key_pair_from_string(self, name: str, key_material: str) -> KeyPair:
        """Keep a public key in OpenSSH's notation."""
        return self._key_pair(self._keys.add(name, key_material))

    def import_key_pair_from_file(self, name: str, key_file_path: str) -> KeyPair:
        """Keep the public key in a file."""
        return self.import_key_pair_from_string(name, Path(key_file_path).expanduser().read_text())

    def delete_key_pair(self, key_pair: KeyPair) -> bool:
        """Forget a public key."""
        return self._keys.delete(key_pair.name)

    def _node(self, machine: Machine, state: State) -> Node:
        return Node(
            id=machine.id,
            name=machine.name,
            state=STATES[state],
            public_ips=[str(machine.address)],
            private_ips=[],
            driver=self,
            created_at=machine.created,
            extra={
                "tags": dict(machine.tags),
                "created": machine.created.isoformat(),
                "size": machine.size,
                "image": machine.image,
                "kernel": "shared",
                "limits": {name: limit.model_dump() for name, limit in machine.limits.items()},
            },
        )

    def _size(self, size_id: str) -> NodeSize:
        size = SIZES[size_id]
        return NodeSize(
            id=size.id,
            name=size.id,
            ram=size.memory_mib,
            disk=size.disk_gib,
            bandwidth=None,
            price=0.0,
            driver=self,
            extra={"cpus": size.cpus},
        )

    def _image(self, image_id: str) -> NodeImage:
        return NodeImage(
            id=image_id, name=f"Debian {image_id.removeprefix('debian-')} ({SUITES[image_id]})", driver=self
        )

    def _key_pair(self, key: PublicKey, private: str | None = None) -> KeyPair:
        return KeyPair(
            name=key.name, public_key=key.text, fingerprint=key.fingerprint, driver=self, private_key=private
        )


def _id(node: Node) -> str:
    """Give the node's id; libcloud allows for nodes without one, we make none such."""
    return str(node.id)


def _hear_nothing(_: str) -> None:
    """Take no notice."""


def _require_known(value: str, known: Mapping[str, object], what: str) -> None:
    if value not in known:
        raise UsageError(f"the sandbox has no {what} {value!r}", hint=f"take one of: {', '.join(known)}")
