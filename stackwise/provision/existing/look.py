"""What is on a server that is there already. Everything is read, and nothing is changed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from stackwise.errors import ProvisionError
from stackwise.provision.existing.scripts import script
from stackwise.provision.ssh import Shell

_SECONDS = 60.0
_LAST = "end"


@dataclass(frozen=True, slots=True)
class Listener:
    """A TCP port that something listens on, and the program that does."""

    port: int
    address: str
    program: str

    @property
    def is_public(self) -> bool:
        """Whether it can be reached from other machines."""
        return not self.address.startswith(("127.", "[::1]"))


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody who can log in: how many keys, and whether a password opens the account too."""

    name: str
    keys: int
    password: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen on a server. Memory in MiB, disks in MiB; `packages` are those that were there before us."""

    system: str
    system_name: str
    architecture: str
    manager: str
    container: str
    cpus: int
    memory_mb: int
    free_memory_mb: int
    disk_mb: int
    free_disk_mb: int
    listeners: tuple[Listener, ...]
    listeners_known: bool
    packages: frozenset[str]
    installed: frozenset[str]
    services: tuple[str, ...]
    firewalls: tuple[str, ...]
    tables: tuple[str, ...]
    open_ports: frozenset[int]
    containers: tuple[str, ...]
    container_tools: tuple[str, ...]
    clusters: tuple[str, ...]
    sites: tuple[str, ...]
    cron: tuple[str, ...]
    logins: tuple[Login, ...]
    sshd: Mapping[str, str]
    locked: tuple[str, ...]
    tools: tuple[str, ...]
    ours: str
    kept: bool
    taken: tuple[str, ...]

    @property
    def kernel(self) -> str:
        """Whether the kernel is its own, or shared with others."""
        return "own" if self.container in ("", "none") else "shared"

    def is_ours(self, token: str) -> bool:
        """Whether a site of that token stands there."""
        return bool(token) and self.ours.endswith(f" {token}")

    def who_has(self, port: int) -> Listener | None:
        """Return who listens on a port."""
        return next((listener for listener in self.listeners if listener.port == port), None)


def look(shell: Shell, site: str) -> Seen:
    """Look at the server, for a site of that name. Raises ProvisionError, HostKeyMismatchError.

    Who logs in has to be root, or to become root without a password: half of the answers are for root alone.
    """
    root = _needs_sudo(shell)
    said = shell.run(_questions(site), root=root, seconds=_SECONDS)
    parts = re.split(r"^== (\w+)\n", said.out, flags=re.MULTILINE)
    answers = {name: text.strip() for name, text in zip(parts[1::2], parts[2::2], strict=True)}
    if _LAST not in answers:
        last = said.err.strip().splitlines()[-1:] or ["it said nothing"]
        raise ProvisionError(f"{shell.address} could not be looked at: {last[0]}", hint=f"try it: ssh {shell.address}")
    return read(answers)


def _needs_sudo(shell: Shell) -> bool:
    said = shell.run("id -u; sudo -n true 2>/dev/null && echo sudo", seconds=_SECONDS).out.split()
    if said[:1] == ["0"]:
        return False
    if "sudo" not in said:
        hint = "log in as one who can: --set hosting.login=root"
        raise ProvisionError(f"{shell.user} cannot become root on {shell.address} without a password", hint=hint)
    return True


def _questions(site: str) -> str:
    paths = (f"/srv/{site}", f"/etc/{site}", f"/etc/systemd/system/{site}.service")
    words = {"site": shlex.quote(site), "paths": " ".join(map(shlex.quote, paths)), "last": _LAST}
    return re.sub(r"@(\w+)@", lambda match: words[match[1]], script("look.sh"))


def read(answers: Mapping[str, str]) -> Seen:
    """Return what the sections of the answer say."""
    lines = {name: tuple(text.splitlines()) for name, text in answers.items()}
    system, system_name, architecture = (*lines["system"], "", "", "")[:3]
    cpus, memory, disk = (line.split() for line in lines["size"][:3])
    firewalls = tuple(dict.fromkeys(line for line in lines["firewall"] if not line.startswith("table ")))
    running = tuple(line for line in lines["containers"] if not line.startswith("installed "))
    return Seen(
        system=system,
        system_name=system_name,
        architecture=architecture,
        manager=answers["manager"],
        container=answers["container"],
        cpus=int(cpus[0]),
        memory_mb=int(memory[0]),
        free_memory_mb=int(memory[1]),
        disk_mb=int(disk[0]),
        free_disk_mb=int(disk[1]),
        listeners=tuple(_listeners(lines["listeners"])),
        listeners_known=lines["listeners"] != ("unknown",),
        packages=frozenset(lines["before"] or lines["packages"]),
        installed=frozenset(lines["packages"]),
        services=lines["services"],
        firewalls=firewalls,
        tables=tuple(line.removeprefix("table table ") for line in lines["firewall"] if line.startswith("table ")),
        open_ports=frozenset(int(word) for line in lines["open"] for word in re.findall(r"\b\d+\b", line)),
        containers=running,
        container_tools=tuple(line.split()[1] for line in lines["containers"] if line.startswith("installed ")),
        clusters=lines["clusters"],
        sites=lines["sites"],
        cron=lines["cron"],
        logins=tuple(_login(line) for line in lines["logins"]),
        sshd=dict(line.split(" ", 1) for line in lines["sshd"]),
        locked=lines["locked"],
        tools=tuple(line.rpartition("/")[2] for line in lines["tools"]),
        ours=answers["ours"],
        kept=bool(answers["kept"]),
        taken=lines["taken"],
    )


def _listeners(lines: tuple[str, ...]) -> list[Listener]:
    """Return who listens on each port, by the address that reaches furthest."""
    found: dict[int, Listener] = {}
    for line in lines:
        words = line.split()
        address, _, port = words[3].rpartition(":") if len(words) > 3 else ("", "", "")  # noqa: PLR2004 - after state and queues
        program = re.search(r'\(\("([^"]*)"', line)
        if port.isdecimal():
            one = Listener(int(port), address, program[1] if program else "the system")
            if one.port not in found or (one.is_public and not found[one.port].is_public):
                found[one.port] = one
    return [found[port] for port in sorted(found)]


def _login(line: str) -> Login:
    name, keys, opens = line.split()
    return Login(name, int(keys), opens == "yes")
