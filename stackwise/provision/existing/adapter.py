"""A server that is there already, behind the seam of the providers: nobody makes it, and nobody takes it away."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping

from stackwise.errors import ProviderUnreachableError, UsageError
from stackwise.provision.cloud import Node, Order

_SSH = 22
_PATIENCE = 5.0


def answers_ssh(address: str) -> bool:
    """Whether something listens on the port of ssh."""
    try:
        with socket.create_connection((address, _SSH), timeout=_PATIENCE):
            return True
    except OSError:
        return False


class ExistingCloud:
    """Servers that are there already, as a `Cloud`. The id of one is its address."""

    def __init__(self, is_up: Callable[[str], bool] = answers_ssh) -> None:
        """Find out by `is_up` whether a server at an address answers."""
        self._is_up = is_up

    # Nothing is ordered, so nothing is waited for.
    shows_up_within = 0.0
    shared = False

    def find(self, tags: Mapping[str, str]) -> tuple[Node, ...]:  # noqa: ARG002 - the seam decides the signature
        """Return nothing: nobody keeps tags of such servers."""
        return ()

    def get(self, node_id: str) -> Node:
        """Return the server at an address: it is there, whether it answers now or not."""
        return Node(node_id, node_id, "running" if self._is_up(node_id) else "stopped", node_id)

    def create(self, order: Order) -> Node:
        """Refuse. Raises UsageError."""
        raise UsageError(
            f"{order.name} is a server that is there already, and is not made",
            hint="say where it is: --set hosting.address=203.0.113.10",
        )

    def start(self, node_id: str) -> Node:
        """Refuse: nobody but its owner can start it. Raises ProviderUnreachableError."""
        raise ProviderUnreachableError(
            f"{node_id} does not answer on port {_SSH}",
            hint="start it, or look at its network, then go on: stackwise up",
        )

    def destroy(self, node_id: str) -> None:
        """Refuse: the server is not ours to remove. Raises UsageError."""
        raise UsageError(f"{node_id} is not ours to remove", hint="remove the site alone: stackwise destroy")

    def sweep(self, tags: Mapping[str, str]) -> tuple[str, ...]:  # noqa: ARG002 - the seam decides the signature
        """Return nothing: nothing was made beside the server."""
        return ()
