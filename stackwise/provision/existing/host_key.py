"""The key by which a server is known: asked for, shown as a fingerprint, and held to from then on."""

from __future__ import annotations

import base64
import binascii
import hashlib
import subprocess

from stackwise.errors import HostKeyMismatchError, ProviderUnreachableError, ProvisionError

_SECONDS = 10
_KIND = "ssh-ed25519"


def fingerprint_of(key: str) -> str:
    """Return the fingerprint of a public key, as `ssh-keygen -l` shows it. Raises ValueError for no key."""
    words = key.split()
    try:
        raw = base64.b64decode(words[1], validate=True)
    except (IndexError, binascii.Error) as exc:
        msg = f"no public key: {key[:40]}"
        raise ValueError(msg) from exc
    return "SHA256:" + base64.b64encode(hashlib.sha256(raw).digest()).decode().rstrip("=")


def shown_by(address: str) -> str:
    """Return the ed25519 key that the host at an address shows, which proves nothing yet.

    Raises ProviderUnreachableError where nobody answers, ProvisionError where it has no such key.
    """
    argv = ["ssh-keyscan", "-T", str(_SECONDS), "-t", "ed25519", "--", address]
    try:
        done = subprocess.run(  # noqa: S603 - our own arguments; an address cannot begin with a dash
            argv, capture_output=True, text=True, check=False, timeout=3 * _SECONDS
        )
    except FileNotFoundError as exc:
        raise ProvisionError("there is no ssh-keyscan here", hint="install it: apt install openssh-client") from exc
    except subprocess.TimeoutExpired as exc:
        raise _unreachable(address) from exc
    for line in done.stdout.splitlines():
        _, _, key = line.partition(" ")
        if key.startswith(f"{_KIND} "):
            return " ".join(key.split()[:2])
    if "getaddrinfo" in done.stderr or not done.stdout.strip():
        raise _unreachable(address)
    raise ProvisionError(
        f"{address} has no ed25519 host key", hint="make one there: ssh-keygen -A, and then: systemctl reload ssh"
    )


def held_to(address: str, fingerprint: str) -> str:
    """Return the key of the host at an address. Raises HostKeyMismatchError where its fingerprint is another one."""
    key = shown_by(address)
    found = fingerprint_of(key)
    if found != fingerprint:
        raise HostKeyMismatchError(
            f"the host at {address} shows the key {found}, and {fingerprint} is expected",
            hint="somebody may be in between; compare on its console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
        )
    return key


def _unreachable(address: str) -> ProviderUnreachableError:
    return ProviderUnreachableError(
        f"nobody answers ssh at {address}", hint=f"look at its address and its network; try: ssh {address}"
    )
