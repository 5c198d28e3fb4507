"""How a server that is there already is met: where, as whom, and by which fingerprint it is known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stackwise.errors import UsageError
from stackwise.provision.existing.host_key import held_to
from stackwise.provision.ssh import Shell


@dataclass(frozen=True, slots=True)
class Meeting:
    """How a server that is there already is met: where, as whom, and by which fingerprint it is known."""

    address: str
    login: str
    fingerprint: str

    def shell(self, known_hosts: Path, identity: str) -> Shell:
        """Return the way in, held to the fingerprint: `known_hosts` is written with the key that has it.

        Raises HostKeyMismatchError, ProvisionError.
        """
        if not self.fingerprint:
            raise UsageError(
                f"nobody has said by which key {self.address} is known",
                hint="compare it on its console, then: --set hosting.fingerprint=SHA256:...",
            )
        key = held_to(self.address, self.fingerprint)
        known_hosts.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        known_hosts.write_text(f"{self.address} {key}\n")
        return FirstLogin(self.address, self.login, known_hosts, identity)


class FirstLogin(Shell):
    """Logs in as whoever could before us: with any key that the user or his agent has, ours among them."""

    __slots__ = ()

    def options(self) -> tuple[str, ...]:
        """Return the options for ssh and for whatever calls it."""
        key = ("-i", self.identity) if self.identity else ()
        return (*Shell(self.address, self.user, self.known_hosts).options(), *key)
