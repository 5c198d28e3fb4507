"""The seam to a provider: what we ask of one, whatever its API looks like. One adapter a provider stands behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

# The tags that say whose a server is, and the uuid that no other record has.
OWNERS = ("stackwise-name", "stackwise-environment")
TOKEN = "stackwise-token"  # noqa: S105 - the name of a tag
NodeState = Literal["pending", "running", "stopped", "error"]
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Order:
    """A server as it is ordered from a provider. `tags` find it again if the answer is lost.

    `admin_key` is the administrator's public key, for providers that want one beside the user-data; `ports` are those
    that strangers reach, for providers that shut all others unless told.
    """

    name: str
    location: str
    size: str
    image: str
    user_data: str
    tags: Mapping[str, str]
    admin_key: str = ""
    ports: tuple[int, ...] = (22, 80, 443)

    @property
    def label(self) -> str:
        """A name that no other server of ours has: superbook-production-web. Some providers refuse a second one."""
        whose = "-".join(self.tags[name] for name in OWNERS if name in self.tags)
        return self.name if self.name.startswith(whose) else f"{whose}-{self.name}"


@dataclass(frozen=True, slots=True)
class Node:
    """A server as the provider knows it.

    `remarks` say what the reader should know, such as a limit that could not be set.
    """

    id: str
    name: str
    state: NodeState
    address: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    size: str = ""
    location: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a provider has servers."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class OnSale:
    """A size as the provider sells it in one place today. `price` is a month, None where the API does not tell."""

    id: str
    cpus: int
    memory_mb: int
    disk_gb: int
    price: float | None
    currency: str


class Cloud(Protocol):
    """What an adapter does. Every method raises ProvisionError, or one of its kinds, and nothing of the library's."""

    shows_up_within: float
    """Seconds until a server that was ordered is sure to be found; 0 where a second order cannot make a second."""
    shared: bool
    """Whether others may make servers in the same account, of which no record here tells."""

    def find(self, tags: Mapping[str, str]) -> tuple[Node, ...]:
        """Return the servers that carry all of `tags`, half-made ones included."""

    def get(self, node_id: str) -> Node | None:
        """Return a server by its id, None where the provider has none."""

    def create(self, order: Order) -> Node:
        """Make a server. Never called twice for one intent without `find` in between."""

    def start(self, node_id: str) -> Node:
        """Start a stopped server."""

    def destroy(self, node_id: str) -> None:
        """Remove a server and everything that hangs on it; one that is gone already is no error."""

    def sweep(self, tags: Mapping[str, str]) -> tuple[str, ...]:
        """Remove what else was made for `tags`, such as keys, and say what; called once the servers are gone."""


class Shop(Protocol):
    """What an adapter of a real provider tells before anything is made. Raises as `Cloud` does."""

    def try_out(self) -> None:
        """Make one harmless call, which wants valid credentials."""

    def places(self) -> tuple[Place, ...]:
        """Return where servers can be had today."""

    def on_sale(self, place: str) -> tuple[OnSale, ...]:
        """Return the sizes that are really sold in a place today."""
