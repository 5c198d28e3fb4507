"""The way to a server: OpenSSH's own client, one identity, one known_hosts file, strict from the first login."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stackwise.errors import HostKeyMismatchError, ProvisionError

_CONNECT_SECONDS = 5
# What `ssh` itself returns when it cannot connect; a command's own exit code is anything else.
_SSH_FAILED = 255


@dataclass(frozen=True, slots=True)
class Said:
    """What a remote command answered."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Shell:
    """Logs in to one server as one user. `identity` is the private key, empty where the agent has it."""

    address: str
    user: str
    known_hosts: Path
    identity: str = ""

    def options(self) -> tuple[str, ...]:
        """Return the options for `ssh` and for whatever calls it, such as Ansible."""
        key = ("-o", "IdentitiesOnly=yes", "-i", self.identity) if self.identity else ()
        return (
            "-o",
            "StrictHostKeyChecking=yes",
            "-o",
            f"UserKnownHostsFile={self.known_hosts}",
            "-o",
            "GlobalKnownHostsFile=/dev/null",
            "-o",
            "UpdateHostKeys=no",
            "-o",
            f"ConnectTimeout={_CONNECT_SECONDS}",
            *key,
        )

    def argv(self, command: Sequence[str] = (), *, terminal: bool = False) -> list[str]:
        """Return the command line that runs `command` there, or a login shell."""
        batch = [] if terminal else ["-o", "BatchMode=yes"]
        return ["ssh", *self.options(), *batch, *(["-t"] if terminal else []), f"{self.user}@{self.address}", *command]

    def run(self, script: str, *, seconds: float = 60, root: bool = False) -> Said:
        """Run a POSIX shell script there and return what it said, its exit code included.

        Raises ProvisionError where no session can be had, HostKeyMismatchError where another host answers.
        """
        command = ["sudo", "-n", "sh", "-s"] if root else ["sh", "-s"]
        try:
            done = subprocess.run(  # noqa: S603 - our own arguments
                self.argv(command), input=script, capture_output=True, text=True, timeout=seconds, check=False
            )
        except subprocess.TimeoutExpired as exc:
            raise ProvisionError(
                f"{self.address} did not answer within {seconds:.0f} s", hint="see: stackwise status"
            ) from exc
        except FileNotFoundError as exc:
            raise ProvisionError("there is no ssh client here", hint="install it: apt install openssh-client") from exc
        if done.returncode == _SSH_FAILED:
            _refuse(self.address, done.stderr)
        return Said(done.returncode, done.stdout, done.stderr)


def _refuse(address: str, words: str) -> None:
    last = next((line for line in reversed(words.strip().splitlines()) if line.strip()), "no reason given")
    if "REMOTE HOST IDENTIFICATION HAS CHANGED" in words or "Host key verification failed" in words:
        message = f"the host at {address} shows another key than the server that was made"
        raise HostKeyMismatchError(
            message, hint="somebody may be in between; look at it before anything else: stackwise status"
        )
    raise ProvisionError(f"cannot log in to {address}: {last}", hint="see: stackwise status")
