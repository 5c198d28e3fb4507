"""The two seams, faked for real: a cloud that keeps its servers, and a playbook run that says what Ansible would."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from stackwise import events
from stackwise.configure import Playbook
from stackwise.errors import ProvisionError
from stackwise.events import Event
from stackwise.provision.cloud import Node, Order


@dataclass
class FakeCloud:
    """A provider in memory. `faults` are raised, one for each call of `create`, after the server was made."""

    nodes: dict[str, Node] = field(default_factory=dict)
    orders: list[Order] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)
    before_create: Callable[[], None] = lambda: None
    address: str = "192.0.2.7"
    shows_up_within: float = 0
    shared: bool = True

    def find(self, tags: Mapping[str, str]) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes.values() if tags.items() <= dict(node.tags).items())

    def get(self, node_id: str) -> Node | None:
        return self.nodes.get(node_id)

    def create(self, order: Order) -> Node:
        self.before_create()
        self.orders.append(order)
        node = Node(f"node-{len(self.orders)}", order.name, "running", self.address, order.tags)
        self.nodes[node.id] = node
        if self.faults:
            raise self.faults.pop(0)
        return node

    def start(self, node_id: str) -> Node:
        if node_id not in self.nodes:
            raise ProvisionError("no such server", hint="stackwise up")
        self.nodes[node_id] = replace(self.nodes[node_id], state="running")
        return self.nodes[node_id]

    def destroy(self, node_id: str) -> None:
        self.nodes.pop(node_id, None)

    def sweep(self, tags: Mapping[str, str]) -> tuple[str, ...]:  # noqa: ARG002 - nothing else is made
        return ()


@dataclass
class FakePlaybookRun:
    """Plays events instead of Ansible, and keeps what it was asked to run."""

    happens: tuple[Event, ...] = (
        events.HostSummarised(host="web", ok=3, changed=1, failed=0, skipped=0, unreachable=0),
    )
    asked: list[Playbook] = field(default_factory=list)

    def run(self, playbook: Playbook, stop: threading.Event) -> Iterator[Event]:
        self.asked.append(playbook)
        for event in self.happens:
            if stop.is_set():
                return
            yield event
