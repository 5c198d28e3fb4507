"""What will exist, as data: servers, plays, variables, packages, ports, users.

`stackwise plan` prints it, `render` writes it down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from stackwise.advice import Advice
from stackwise.advice.sizing import Share, part_mb
from stackwise.catalog.model import Size
from stackwise.plan.settings import Decisions
from stackwise.project import Project


class Reference(str):
    """A string that Ansible shall fill in, such as `{{ ansible_host }}`.

    Every other string is data, whatever signs it has.
    """

    __slots__ = ()


ADDRESS = Reference("{{ ansible_host }}")


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose servers these are: the name and the environment, which the provider's tags carry together with a uuid."""

    name: str
    environment: str

    def __str__(self) -> str:
        """Return the one word that names folders and records: `superbook-production`."""
        return f"{self.name}-{self.environment}"


@dataclass(frozen=True, slots=True)
class ServerSpec:
    """A server as it shall be made."""

    name: str
    groups: tuple[str, ...]
    provider: str
    location: str
    size: Size
    image: str
    kernel: str


@dataclass(frozen=True, slots=True)
class Play:
    """A play of `site.yml`: its name, its hosts, the roles in order, and the phase of a run that it belongs to."""

    name: str
    hosts: str
    roles: tuple[str, ...]
    phase: Literal["configure", "deploy"]


@dataclass(frozen=True, slots=True)
class Variable:
    """A role variable with the reason for its value, which stands as a comment beside it."""

    name: str
    value: Any
    because: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
    """What the servers cost a month; `amount` is None where a price is not known."""

    amount: float | None
    currency: str
    priced: str


@dataclass(frozen=True, slots=True)
class Access:
    """How the site and the server are reached."""

    domain: str
    tls: bool
    admin_user: str
    ssh_key: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that will be made, and why."""

    identity: Identity
    # The site that makes the server, which is this one unless it moves in to another's.
    host: Identity
    # How many sites plan with a part of the server each, this one among them.
    sites: int
    # Whether the server was there before us, and stays when the site goes; and whether all of it is the design's.
    found: bool
    whole: bool
    # What a blank machine is installed on: one disk, or several as a mirror.
    disks: tuple[str, ...]
    project: Project
    access: Access
    servers: tuple[ServerSpec, ...]
    plays: tuple[Play, ...]
    variables: tuple[Variable, ...]
    packages: tuple[str, ...]
    python: tuple[str, ...]
    ports: tuple[int, ...]
    services: tuple[str, ...]
    users: Mapping[str, str]
    settings: Decisions | None
    generated_secrets: tuple[str, ...]
    secrets: Mapping[str, str]
    memory: tuple[Share, ...]
    cost: Cost
    advice: tuple[Advice, ...]
    components: tuple[str, ...]
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_shared(self) -> bool:
        """Whether the server is another site's."""
        return self.host != self.identity

    @property
    def is_removable(self) -> bool:
        """Whether the site can go and leave its server as it was."""
        return self.is_shared or self.found

    @property
    def memory_mb(self) -> int:
        """What this site may plan with of the server's memory, in MiB."""
        return part_mb(self.servers[0].size.memory_mb, self.sites)

    @property
    def group(self) -> Mapping[str, tuple[str, ...]]:
        """Return the names of the servers in each inventory group."""
        groups = sorted({group for server in self.servers for group in server.groups})
        return {group: tuple(s.name for s in self.servers if group in s.groups) for group in groups}

    def variable(self, name: str) -> Any:
        """Return the value of a role variable. Raises KeyError."""
        return next(v.value for v in self.variables if v.name == name)
