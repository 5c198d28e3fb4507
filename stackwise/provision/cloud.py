"""The seam to a provider: what we ask of one, whatever its API looks like. One adapter a provider stands behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

NodeState = Literal["pending", "running", "stopped", "error"]
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Order:
    """A server as it is ordered from a provider. `tags` find it again if the answer is lost."""

    name: str
    location: str
    size: str
    image: str
    user_data: str
    tags: Mapping[str, str]


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


class Cloud(Protocol):
    """What an adapter does. Every method raises ProvisionError, or one of its kinds, and nothing of the library's."""

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
