"""What the host must have, and the package that brings it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from stackwise.errors import ProvisionError
from stackwise.provision.sandbox.commands import search_path

# command: the Debian (and Ubuntu) package that has it
COMMANDS = {
    "systemd-nspawn": "systemd-container",
    "systemctl": "systemd",
    "mmdebstrap": "mmdebstrap",
    "ip": "iproute2",
    "nft": "nftables",
    "mkfs.ext4": "e2fsprogs",
    "mount": "mount",
    "losetup": "mount",
    "setsid": "util-linux",
    "unshare": "util-linux",
    "ssh-keygen": "openssh-client",
}
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def missing_requirements() -> list[str]:
    """Say what this host lacks, one sentence each; an empty list means that machines can be made here."""
    return [*_missing_root(), *_missing_commands(), *_missing_keyring()]


def require() -> None:
    """Raise one ProvisionError that names everything that is missing, with the line that installs it."""
    missing = missing_requirements()
    if missing:
        raise ProvisionError("a sandbox machine can't be made here: " + "; ".join(missing), hint=remedy())


def remedy() -> str:
    """Say what to type so that nothing is missing."""
    packages = sorted(_packages())
    if os.geteuid() != 0:
        install = f" (and first: sudo apt-get install {' '.join(packages)})" if packages else ""
        return f"the sandbox works as root{install}; type: sudo -E stackwise up"
    return f"type: apt-get install {' '.join(packages)}"


def _packages() -> set[str]:
    packages = {package for command, package in COMMANDS.items() if not _has(command)}
    return packages if KEYRING.exists() else packages | {"debian-archive-keyring"}


def _missing_root() -> list[str]:
    return [] if os.geteuid() == 0 else ["it needs root, and this is an ordinary user"]


def _missing_commands() -> list[str]:
    return [
        f"the command {command} is missing (package {package})"
        for command, package in COMMANDS.items()
        if not _has(command)
    ]


def _missing_keyring() -> list[str]:
    return [] if KEYRING.exists() else [f"{KEYRING} is missing (package debian-archive-keyring)"]


def _has(command: str) -> bool:
    return shutil.which(command, path=search_path()) is not None
