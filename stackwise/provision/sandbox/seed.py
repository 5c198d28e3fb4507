"""What is put into a machine before it boots: who it is, what it shall do first, whom it asks for names."""

from __future__ import annotations

import json
import os
from pathlib import Path

from stackwise.provision.sandbox import surroundings
from stackwise.provision.sandbox.base import put
from stackwise.provision.sandbox.store import Machine

SEED = "var/lib/cloud/seed/nocloud"
NOTHING = "#cloud-config\n{}\n"


def plant(folder: Path, machine: Machine, user_data: str, public_keys: list[str]) -> None:
    """Write cloud-init's seed and the machine's name into the fresh root in `folder`.

    `user_data` may hold a private host key: it is readable by the machine's root alone, and stands nowhere else.
    """
    root = folder / "root"
    put(root, f"{SEED}/meta-data", meta_data(machine, public_keys), mode=0o600)
    put(root, f"{SEED}/user-data", user_data or NOTHING, mode=0o600)
    put(root, "etc/hostname", f"{machine.name}\n")
    put(root, "etc/hosts", hosts(machine.name))
    _write_resolver(folder)


def meta_data(machine: Machine, public_keys: list[str]) -> str:
    """Give the NoCloud meta-data; JSON is YAML."""
    facts: dict[str, object] = {"instance-id": machine.id, "local-hostname": machine.name}
    return json.dumps(facts | ({"public-keys": public_keys} if public_keys else {}), indent=1) + "\n"


def hosts(name: str) -> str:
    """Give Debian's /etc/hosts for a machine called `name`, so that sudo finds its own host."""
    return f"127.0.0.1 localhost\n127.0.1.1 {name}\n::1 localhost ip6-localhost ip6-loopback\n"


def refresh_resolver(folder: Path) -> None:
    """Give a stopped machine today's name servers, unless it has chosen its own meanwhile.

    Its files are its own and not to be trusted: no symbolic link in there is followed out of it.
    """
    written = folder / "resolv.conf"
    try:
        etc = os.open(folder / "root/etc", os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return
    try:
        if written.exists() and _read_plain(etc, "resolv.conf") == written.read_text():
            _replace_plain(etc, "resolv.conf", surroundings.resolver())
            written.write_text(surroundings.resolver())
    finally:
        os.close(etc)


def _write_resolver(folder: Path) -> None:
    text = surroundings.resolver()
    put(folder / "root", "etc/resolv.conf", text)
    (folder / "resolv.conf").write_text(text)


def _read_plain(folder: int, name: str) -> str | None:
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except OSError:
        return None
    with os.fdopen(descriptor, errors="replace") as stream:
        return stream.read(1024 * 1024)


def _replace_plain(folder: int, name: str, text: str) -> None:
    os.unlink(name, dir_fd=folder)
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644, dir_fd=folder)
    with os.fdopen(descriptor, "w") as stream:
        os.fchmod(stream.fileno(), 0o644)
        stream.write(text)
