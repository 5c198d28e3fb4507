"""Make a server that is there already ready to be configured, and take our hands off it again.

Where a cloud's server gets its administrator at the first boot, this one gets it over ssh. Nothing is closed before a
new session of the administrator was seen, and the host keeps the key that it has.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from stackwise import events
from stackwise.errors import (
    DeadlineError,
    HostKeyMismatchError,
    ImpossibleError,
    ProviderUnreachableError,
    ProvisionError,
    UsageError,
)
from stackwise.events import Event
from stackwise.journal import ServerRecord
from stackwise.journal.secrets import write_private
from stackwise.plan.model import Plan, ServerSpec
from stackwise.provision.existing.host_key import fingerprint_of
from stackwise.provision.existing.judge import in_the_way
from stackwise.provision.existing.look import Seen, look
from stackwise.provision.existing.meeting import FirstLogin, Meeting
from stackwise.provision.existing.scripts import script
from stackwise.provision.servers import Provisioner, refuse_to_move_away
from stackwise.provision.ssh import Shell

_PREPARE_SECONDS = 600.0
_LOGIN_DEADLINE = 60.0
# What the roles write of a server as a whole, seen from its root folder.
_WHOLE_FILES = (
    "etc/apt/apt.conf.d/52stackwise",
    "etc/default/locale",
    "etc/hostname",
    "etc/locale.conf",
    "etc/localtime",
    "etc/nftables.conf",
    "etc/ssh/sshd_config.d/00-stackwise.conf",
    "etc/sysctl.d/60-stackwise.conf",
    "etc/systemd/journald.conf.d/stackwise.conf",
    "etc/systemd/system/swapfile.swap",
)


@dataclass(frozen=True, slots=True)
class Preparer(Provisioner):
    """Makes a server that is there already ready, in place of ordering one."""

    meeting: Meeting = field(kw_only=True)
    outline: Callable[[], Plan] = field(kw_only=True)

    def ensure(self, spec: ServerSpec) -> Iterator[Event]:
        """Look at the server, prepare it, and prove that the administrator gets in.

        Raises ImpossibleError where something is in the way, with nothing changed; ProvisionError or one of its kinds.
        """
        known = self.journal.servers().get(spec.name)
        refuse_to_move_away(known, spec)
        if known and known.ready:
            self._same_server(known)
            yield from self._found(known)
            yield from self._kept(known)
            return
        self.journal.begin()
        shell = self._first_login()
        seen = look(shell, self.identity.name)
        refuse(self.outline(), seen, self.journal.token)
        yield events.StepFinished(message=f"looked at {self.meeting.address}: {seen.system_name}, nothing in the way")
        self._write_down(spec, seen)
        yield from self._prepare(spec, shell)
        yield from self._kept(self.journal.servers()[spec.name])

    def reach_to_leave(self, known: ServerRecord) -> Iterator[Event]:
        """Wait until a server that was prepared answers, so that the site can be removed from it.

        Raises ProviderUnreachableError that says how to do without, ProvisionError or one of its kinds.
        """
        try:
            yield from self._found(known)
        except ProviderUnreachableError as exc:
            gone = f"where it is gone for good, forget it here: rm -r {self.journal.folder}"
            raise ProviderUnreachableError(exc.message, hint=f"start it, then: stackwise destroy; {gone}") from exc

    def way_in(self, known_hosts: Path) -> Shell:
        """Return who can log in now: the administrator where he is ready, else whoever could before us."""
        ready = next((record for record in self.journal.servers().values() if record.ready), None)
        return self.shell(ready) if ready else self.meeting.shell(known_hosts, self.admin.private)

    def _first_login(self) -> Shell:
        return self.meeting.shell(self.journal.folder / "first_login", self.admin.private)

    def _same_server(self, known: ServerRecord) -> None:
        """Hold what is on record against what the answers now say. Raises UsageError, HostKeyMismatchError."""
        if self.meeting.address not in ("", known.address):
            message = f"{self.identity} stands at {known.address}, and the answers say {self.meeting.address}"
            raise UsageError(message, hint=f"let it stay there: --set hosting.address={known.address}")
        pinned = {fingerprint_of(key) for key in known.host_keys}
        if self.meeting.fingerprint and self.meeting.fingerprint not in pinned:
            message = f"{known.address} was made known as {', '.join(pinned)}, and the answers name another key"
            raise HostKeyMismatchError(message, hint=f"correct them: --set hosting.fingerprint={min(pinned)}")

    def _write_down(self, spec: ServerSpec, seen: Seen) -> None:
        """Put on record what was there and what is begun, before anything is changed."""
        before = sorted(seen.packages)
        self.journal.write("looked", server=spec.name, packages=before, services=list(seen.services))
        self.journal.write("creating", server=spec.name, provider=spec.provider)
        self.journal.write("created", server=spec.name, id=self.meeting.address, address=self.meeting.address)
        key = (self.journal.folder / "first_login").read_text().partition(" ")[2].strip()
        self._pin(self.journal.servers()[spec.name], (key,))

    def _prepare(self, spec: ServerSpec, shell: Shell) -> Iterator[Event]:
        self._carried_out(shell, "prepare.sh")
        record = self.journal.servers()[spec.name]
        ours = self.shell(record)
        try:
            yield from self._wait(f"a session of {self.admin_user}", _LOGIN_DEADLINE, lambda: self._becomes_root(ours))
        except DeadlineError as exc:
            who = f"{self.admin_user}@{self.meeting.address}"
            hint = f"nothing was closed; see why it is refused: ssh {who} sudo -n true, then go on: stackwise up"
            raise DeadlineError(f"no new session of {who} could be had", hint=hint) from exc
        yield events.StepFinished(
            message=f"{self.admin_user} logs in with the key, and becomes root; nothing was closed"
        )
        self.journal.write("ready", server=record.name, address=record.address)
        yield events.ServerFound(server=record.name, id=record.id, address=record.address)

    def _becomes_root(self, shell: Shell) -> bool:
        try:
            return shell.run("true", root=True, seconds=20).code == 0
        except HostKeyMismatchError:
            raise
        except ProvisionError:
            return False

    def _kept(self, record: ServerRecord) -> Iterator[Event]:
        """Before the whole server is settled, look whether that is in anybody's way, and keep what it was like."""
        plan = self.outline()
        if not plan.whole or self.journal.entries("kept"):
            return
        shell = self.shell(record)
        refuse(plan, look(shell, self.identity.name), self.journal.token)
        self._carried_out(shell, "keep.sh")
        self.journal.write("kept", server=record.name)
        yield events.StepFinished(message="what the server is like as a whole is kept on it, so that it can come back")

    def _carried_out(self, shell: Shell, name: str) -> str:
        """Run a script of ours as root, and return what it said. Raises ProvisionError where it did not end well."""
        said = shell.run(self._script(name), root=shell.user != "root", seconds=_PREPARE_SECONDS)
        if said.code:
            last = said.err.strip().splitlines()[-1:] or ["no reason given"]
            raise ProvisionError(f"{shell.address}: {name}: {last[0]}", hint="mend it there, then try again")
        return said.out

    def _script(self, name: str) -> str:
        words = {
            "@admin@": shlex.quote(self.admin_user),
            "@ours@": shlex.quote(f"{self.identity} {self.journal.token}"),
            "@key@": shlex.quote(self.admin.public),
            "@files@": " ".join(_WHOLE_FILES),
            "@sudo@": shlex.quote(f"{self.admin_user} ALL=(ALL:ALL) NOPASSWD: ALL"),
        }
        text = script(name)
        for sign, word in words.items():
            text = text.replace(sign, word)
        return text

    def leave(self, record: ServerRecord) -> Iterator[Event]:
        """Take away what we brought beside the site, and say what stays and how it goes too. Raises ProvisionError."""
        way = self.shell(record) if record.ready else self._first_login()
        restored = self._carried_out(way, "restore.sh")
        said = self._carried_out(way, "clear.sh")
        yield events.StepFinished(message=f"{record.address} stays, and all that was on it before")
        if packages := self._brought(said):
            yield events.StepFinished(
                message=f"{len(packages)} packages that came with the site stay; to remove them there: "
                f"sudo apt purge {' '.join(packages)}; sudo rm -r /var/lib/stackwise"
            )
        if restored:
            words = "ssh, firewall, name, clock and swap are as they were; the kernel's settings from the next boot on"
            yield events.StepFinished(message=words)
        yield self._dismissed(record)

    def _brought(self, said: str) -> list[str]:
        """Return the packages that came with the site; what the owner asked for since then is the owner's."""
        ours = set(self.outline().packages)
        found = (line.split() for line in said.splitlines())
        return [package for package, how in found if how == "automatic" or package in ours]

    def _dismissed(self, record: ServerRecord) -> Event:
        """Remove the administrator that we made, by whoever could log in before us, where he still can."""
        admin, said = self.admin_user, ""
        if self.meeting.login != admin:
            way = FirstLogin(record.address, self.meeting.login, self.known_hosts(record.name), self.admin.private)
            # Whoever could log in before may have been shut out since, by us or by the owner: then the user stays.
            with suppress(ProvisionError):
                said = way.run(self._script("dismiss.sh"), root=self.meeting.login != "root").out.strip()
        remove = f"sudo rm /etc/sudoers.d/stackwise; sudo userdel --remove {admin}"
        words = {
            "gone": f"the user {admin}, made for this, is gone again",
            "kept": f"{admin}, who was there before, has lost our key and sudo",
        }
        stays = f"{admin}, through whom this was done, stays; to remove the user there: {remove}"
        if said not in words:
            stays += self._key_left()
        return events.StepFinished(message=words.get(said, stays))

    def _key_left(self) -> str:
        """Keep the key that was made for the site where it is still the way in: the site's record goes in a moment."""
        ours = Path(self.admin.private)
        if not self.admin.private or self.journal.folder not in ours.parents:
            return ""
        left = self.journal.folder.with_name(f"{self.journal.folder.name}.ssh_key")
        write_private(left, ours.read_text())
        return f"; the key that opens the server is kept as {left}"


def refuse(plan: Plan, seen: Seen, token: str) -> None:
    """Raise ImpossibleError with all that is in the way of the site."""
    found = tuple(in_the_way(plan, seen, token))
    if found:
        hints = dict.fromkeys(hint for _, hint in found)
        raise ImpossibleError(
            tuple(reason for reason, _ in found), hint=f"nothing was changed there; {'; or '.join(hints)}"
        )
