"""Servers as the plan wants them: made once, found again, ready to be configured, and removed as a whole."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from stackwise import events
from stackwise.errors import (
    AnswerLostError,
    DeadlineError,
    HostKeyMismatchError,
    InterruptedRunError,
    NameTakenError,
    ProvisionError,
    ServerLostError,
    UsageError,
)
from stackwise.events import Event
from stackwise.journal import Journal, ServerRecord
from stackwise.plan.model import Identity, ServerSpec
from stackwise.provision.cloud import TOKEN, Cloud, Node, Order
from stackwise.provision.keys import KeyPair, make_key
from stackwise.provision.ssh import Shell
from stackwise.provision.user_data import user_data

_ADDRESS_DEADLINE = 300.0
_LOGIN_DEADLINE = 300.0
_FIRST_BOOT_DEADLINE = 600.0
_LOOK_AGAIN = 5.0

# Held by apt and dpkg while they work; a first boot may still be installing. The numbers are those of fcntl(2).
_FIRST_BOOT = """\
cloud-init status 2>/dev/null | sed -n 's/^status: //p'
sudo -n python3 - <<'END'
import fcntl
for path in ("/var/lib/dpkg/lock-frontend", "/var/lib/apt/lists/lock"):
    try:
        with open(path, "a") as stream:
            fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        pass
    except OSError:
        print("locked")
        break
else:
    print("free")
END
"""
_NEW_KEY = """\
set -e
rm -f /etc/ssh/stackwise_new_key /etc/ssh/stackwise_new_key.pub
ssh-keygen -q -t ed25519 -N '' -C host -f /etc/ssh/stackwise_new_key
cut -d' ' -f1,2 /etc/ssh/stackwise_new_key.pub
"""
_USE_NEW_KEY = """\
set -e
mv -f /etc/ssh/stackwise_new_key.pub /etc/ssh/ssh_host_ed25519_key.pub
mv -f /etc/ssh/stackwise_new_key /etc/ssh/ssh_host_ed25519_key
systemctl reload ssh || systemctl restart ssh
"""


def known_hosts_of(journal: Journal, server: str) -> Path:
    """Return the file that holds the pinned keys of one server."""
    return journal.folder / "known_hosts" / server


def shell_to(record: ServerRecord, journal: Journal, admin_user: str, admin: KeyPair) -> Shell:
    """Return the way to a server on record; no provider is asked."""
    return Shell(record.address, admin_user, known_hosts_of(journal, record.name), admin.private)


def refuse_to_move_away(known: ServerRecord | None, spec: ServerSpec) -> None:
    """Raise UsageError where a server is on record at another provider than the answers now name."""
    if known and known.provider != spec.provider:
        message = f"{known.name} stands at {known.provider}, and the answers say {spec.provider}"
        hint = f"let it stay: --set hosting.provider={known.provider}; or remove it first: stackwise destroy"
        raise UsageError(message, hint=hint)


@dataclass(frozen=True, slots=True)
class Provisioner:
    """What making and removing servers of one site needs at hand."""

    cloud: Cloud
    journal: Journal
    identity: Identity
    admin_user: str
    admin: KeyPair
    stop: threading.Event
    ports: tuple[int, ...] = (22, 80, 443)
    # Seconds between two looks at what is waited for.
    pause: float = 0.5

    def tags(self, server: str = "") -> dict[str, str]:
        """Return the tags by which the provider finds what is ours."""
        ours = {
            "stackwise-name": self.identity.name,
            "stackwise-environment": self.identity.environment,
            "stackwise-token": self.journal.begin(),
        }
        return {**ours, "stackwise-server": server} if server else ours

    def shell(self, record: ServerRecord) -> Shell:
        """Return the way to a server on record."""
        return shell_to(record, self.journal, self.admin_user, self.admin)

    def known_hosts(self, server: str) -> Path:
        """Return the file that holds the pinned keys of one server."""
        return known_hosts_of(self.journal, server)

    def ensure(self, spec: ServerSpec) -> Iterator[Event]:
        """Make the server, or find it, and wait until it can be configured.

        Raises ProvisionError or one of its kinds.
        """
        known = self.journal.servers().get(spec.name)
        refuse_to_move_away(known, spec)
        if known and known.ready:
            yield from self._found(known)
        else:
            yield from self.made(spec)
            yield from self._ready(spec)

    def _found(self, known: ServerRecord) -> Iterator[Event]:
        node = self.cloud.get(known.id)
        if node is None:
            hint = "let it be made anew: stackwise destroy, then stackwise up"
            raise ServerLostError(f"the server {known.name} ({known.id}) is gone at {known.provider}", hint=hint)
        if node.state == "stopped":
            yield events.StepFinished(message=f"{known.name} was stopped; starting it")
            self.cloud.start(node.id)
        yield events.ServerFound(server=known.name, id=known.id, address=known.address)
        yield from self._wait("ssh", _LOGIN_DEADLINE, lambda: self._answers(self.shell(known)))

    def made(self, spec: ServerSpec) -> Iterator[Event]:
        """Order the server, or take up one that an earlier run ordered and could not finish, until it has an address.

        Raises ProvisionError or one of its kinds.
        """
        started = time.monotonic()
        node = self._ordered_before(spec, self.journal.servers().get(spec.name))
        if node is None or node.state == "error":
            if node is not None:
                yield events.StepFinished(message=f"{spec.name} ({node.id}) was half made; removing it first")
                self.cloud.destroy(node.id)
            self._refuse_anothers(spec)
            node = self._order(spec)
        self.journal.write("created", server=spec.name, id=node.id, address=node.address)
        if node.state == "stopped":
            node = self.cloud.start(node.id)
        for remark in node.remarks:
            yield events.StepFinished(message=remark)
        identity = node.id
        yield from self._wait("an address", _ADDRESS_DEADLINE, lambda: bool(self._current(identity).address))
        node = self._current(identity)
        self.journal.write("created", server=spec.name, id=node.id, address=node.address)
        yield events.ServerCreated(
            server=spec.name, id=node.id, address=node.address, seconds=time.monotonic() - started
        )

    def _refuse_anothers(self, spec: ServerSpec) -> None:
        """Raise NameTakenError where somebody else's record, or one that was lost, has a server of this site."""
        if not self.cloud.shared:
            return
        named = {name: value for name, value in self.tags(spec.name).items() if name != TOKEN}
        others = [node for node in self.cloud.find(named) if node.tags.get(TOKEN) != self.journal.token]
        if others:
            ids = ", ".join(node.id for node in others)
            message = f"{spec.provider} has a server of {self.identity} already ({ids}), which no record here knows"
            raise NameTakenError(message, hint="take it, if it is yours: stackwise adopt; else choose another name")

    def _ordered_before(self, spec: ServerSpec, known: ServerRecord | None) -> Node | None:
        if known is None:
            return None
        if known.id and (node := self.cloud.get(known.id)) is not None:
            return node
        # One that is not there by its id may be there by its tags: a provider that errs once would cost a second one.
        found = self.cloud.find(self.tags(spec.name))
        while not found and (left := self.cloud.shows_up_within - self._unanswered(spec.name)) > 0:
            # Its answer was lost a moment ago, and a provider may take its time to show what it has begun.
            if self.stop.wait(min(left, _LOOK_AGAIN)):
                raise InterruptedRunError("stopped while looking for the server", hint="go on with: stackwise up")
            found = self.cloud.find(self.tags(spec.name))
        return found[0] if found else None

    def _unanswered(self, server: str) -> float:
        """Return for how many seconds an order has been without an answer; endless where the answer was no."""
        last = [entry for entry in self.journal.entries() if entry.get("server") == server][-1]
        if last["kind"] != "creating":
            return math.inf
        return (datetime.now(UTC) - datetime.fromisoformat(last["at"])).total_seconds()

    def _order(self, spec: ServerSpec) -> Node:
        """Send the order once. What a provider refused is not there, or only half; what got no answer may come yet."""
        tags = self.tags(spec.name)
        host = make_key(self.journal.folder / "host_keys" / spec.name, "host")
        told = user_data(self.admin_user, self.admin, host)
        order = Order(
            spec.name, spec.location, spec.size.id, spec.image, told, tags, self.admin.public, tuple(self.ports)
        )
        self.journal.write("creating", server=spec.name, provider=spec.provider, location=spec.location)
        try:
            return self.cloud.create(order)
        except AnswerLostError:
            raise
        except ProvisionError:
            self.journal.write("refused", server=spec.name)
            raise

    def _current(self, node_id: str) -> Node:
        node = self.cloud.get(node_id)
        if node is None:
            raise ServerLostError(f"the server {node_id} went away while it was made", hint="try again: stackwise up")
        return node

    def _ready(self, spec: ServerSpec) -> Iterator[Event]:
        record = self.journal.servers()[spec.name]
        host = make_key(self.journal.folder / "host_keys" / spec.name, "host")
        if not record.host_keys:
            self._pin(record, (_key(host.public),))
        else:
            self._pin(record, record.host_keys)
        shell = self.shell(record)
        yield from self._wait("the first login", _LOGIN_DEADLINE, lambda: self._answers(shell))
        yield events.StepFinished(message="logged in; the host showed the key that we gave it")
        yield from self._wait("the first boot to end", _FIRST_BOOT_DEADLINE, lambda: _first_boot_over(shell))
        yield from self._rotate(record, shell)
        self.journal.write("ready", server=record.name, address=record.address)

    def _rotate(self, record: ServerRecord, shell: Shell) -> Iterator[Event]:
        """Give the host a key that never left it: the first one stands in the user-data, which can be read later."""
        old = self.journal.servers()[record.name].host_keys
        new = shell.run(_NEW_KEY, root=True).out.strip()
        if not new.startswith("ssh-ed25519 "):
            raise ProvisionError(f"{record.address} could not make a new host key", hint="try again: stackwise up")
        # Both keys are known until the new one has been seen, so that a crash in between locks nobody out.
        self._pin(record, (*old, new))
        shell.run(_USE_NEW_KEY, root=True)
        self._pin(record, (new,))
        yield from self._wait("the new host key", _LOGIN_DEADLINE, lambda: self._answers(shell))
        yield events.StepFinished(message="the host has a new key of its own, and it is pinned")

    def _pin(self, record: ServerRecord, keys: tuple[str, ...]) -> None:
        path = self.known_hosts(record.name)
        path.parent.mkdir(exist_ok=True, mode=0o700)
        self.journal.write("host-keys", server=record.name, keys=list(keys))
        path.write_text("".join(f"{record.address} {key}\n" for key in keys))

    def _answers(self, shell: Shell) -> bool:
        try:
            return shell.run("true", seconds=20).code == 0
        except HostKeyMismatchError:
            raise
        except ProvisionError:
            return False

    def _wait(self, what: str, deadline: float, holds: Callable[[], bool]) -> Iterator[Event]:
        """Ask again until it holds; tell the reader every few seconds. Raises DeadlineError, InterruptedRunError."""
        started = told = time.monotonic()
        while not holds():
            now = time.monotonic()
            if now - started > deadline:
                message = f"waited {deadline:.0f} s for {what}"
                raise DeadlineError(message, hint="look at the server, then go on: stackwise up")
            if now - told > 2:  # noqa: PLR2004 - seconds between two lines
                told = now
                yield events.Waited(what=what, seconds=now - started, deadline=deadline)
            if self.stop.wait(self.pause):
                raise InterruptedRunError(f"stopped while waiting for {what}", hint="go on with: stackwise up")

    def destroy(self) -> Iterator[Event]:
        """Remove every server that is ours: those on record, and those that only the provider's tags remember."""
        known = self.journal.servers()
        ids = {record.id: record.name for record in known.values() if record.id}
        if self.journal.token:
            ids.update({node.id: node.tags.get("stackwise-server", node.name) for node in self.cloud.find(self.tags())})
        for node_id, name in ids.items():
            self.journal.write("destroying", server=name, id=node_id)
            self.cloud.destroy(node_id)
            self.journal.write("destroyed", server=name, id=node_id)
            yield events.ServerDestroyed(server=name, id=node_id)
        for name in known.keys() - set(ids.values()):
            self.journal.write("destroyed", server=name, id="")
        for what in self.cloud.sweep(self.tags()) if self.journal.token else ():
            yield events.StepFinished(message=f"removed {what}")


def _first_boot_over(shell: Shell) -> bool:
    said = shell.run(_FIRST_BOOT, seconds=60).out.split()
    if said[:1] == ["error"]:
        detail = shell.run("cloud-init status --long", seconds=30).out.strip().splitlines()
        words = " ".join(detail[-3:]) or "no detail given"
        raise ProvisionError(
            f"cloud-init failed on {shell.address}: {words}", hint="make it anew: stackwise destroy, then stackwise up"
        )
    return said[-1:] == ["free"] and said[0] in ("done", "disabled", "degraded", "free")


def _key(public: str) -> str:
    return " ".join(public.split()[:2])
