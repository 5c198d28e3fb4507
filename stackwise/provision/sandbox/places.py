"""Where the sandbox keeps things, and which addresses it may use: read from the environment, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

from stackwise.errors import UsageError

STATE = "/var/lib/stackwise/sandbox"
CACHE = "/var/cache/stackwise/sandbox"
# Set aside by RFC 2544 for tests of network devices: nobody's own network has it by default.
NETWORK = "198.18.0.0/15"


@dataclass(frozen=True, slots=True)
class Places:
    """The settings of one sandbox: two folders, an address range, and package mirrors (none: the default ones)."""

    state: Path
    cache: Path
    network: IPv4Network
    mirrors: tuple[str, ...] = ()

    @property
    def machines(self) -> Path:
        """The folder with one folder a machine."""
        return self.state / "machines"

    @property
    def keys(self) -> Path:
        """The folder with one public key a file."""
        return self.state / "keys"


def places_from(environ: Mapping[str, str]) -> Places:
    """Read STACKWISE_SANDBOX_DIR, _CACHE, _NETWORK and _MIRROR; raise UsageError for a value that can't be used."""
    return Places(
        state=_folder(environ, "STACKWISE_SANDBOX_DIR", STATE),
        cache=_folder(environ, "STACKWISE_SANDBOX_CACHE", CACHE),
        network=_network(environ.get("STACKWISE_SANDBOX_NETWORK") or NETWORK),
        mirrors=tuple(environ.get("STACKWISE_SANDBOX_MIRROR", "").split()),
    )


def _folder(environ: Mapping[str, str], variable: str, default: str) -> Path:
    value = environ.get(variable) or default
    # mount(8) reads these two as separators in the options of an overlay.
    if set(":,") & set(value) or not value.startswith("/"):
        raise UsageError(
            f"{variable} must be an absolute path without ':' and ',', and is {value!r}",
            hint=f"type: export {variable}={default}",
        )
    return Path(value)


def _network(value: str) -> IPv4Network:
    try:
        network = IPv4Network(value)
    except ValueError as fault:
        raise UsageError(
            f"STACKWISE_SANDBOX_NETWORK is no IPv4 network: {fault}",
            hint=f"type: export STACKWISE_SANDBOX_NETWORK={NETWORK}",
        ) from fault
    if network.prefixlen > 30:  # noqa: PLR2004 - a machine takes a /30
        raise UsageError(
            f"STACKWISE_SANDBOX_NETWORK {network} has no room for one machine (a /30)",
            hint=f"type: export STACKWISE_SANDBOX_NETWORK={NETWORK}",
        )
    return network
