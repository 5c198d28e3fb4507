"""The shape of an answers file. Every key is optional: what is absent is asked, scanned or taken from the defaults.

Only shapes stand here. Defaults, limits and patterns are data (`catalog/questions.yml` and the questions of each
component), so that
the file, the TUI and `--set` are held to the same ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from stackwise.shapes import Shape, Where

SCHEMA = 1

# Nothing is bent into another type: `name: 1` is a fault, and not the text "1".
Text = Annotated[str, Where(strict=True)]
Whole = Annotated[int, Where(strict=True)]
Truth = Annotated[bool, Where(strict=True)]
Scalar = Text | Whole | Truth
OptionValue = Scalar | list[Scalar]
SecretName = Annotated[str, Where(strict=True, pattern=r"^[A-Z][A-Z0-9_]*$", max_length=64)]
SecretReference = Annotated[
    str, Where(strict=True, pattern=r"^(generate|env:[A-Za-z_][A-Za-z0-9_]*|file:[^\n\x00]+|keyring:[^\n\x00]+)$")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectSection(Shape):
    """What is deployed. What is absent is found by the scan."""

    source: Text | None = None
    """A folder (relative to the answers file) or a Git URL."""
    ref: Text | None = None
    """A branch, tag or commit; absent, the folder's files are taken as they are."""
    settings: Text | None = None
    wsgi: Text | None = None
    data: Text | None = None
    """A dump to start from; see `stackwise plan`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamSection(Shape):
    """Who will look after it."""

    operations: Text | None = None
    learning: Text | None = None
    on_call: Truth | None = None
    constraints: list[Text] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedsSection(Shape):
    """What it has to carry and to survive."""

    requests_per_minute: Whole | None = None
    burst: Whole | None = None
    growth: Whole | None = None
    performance: Text | None = None
    budget: Text | None = None
    downtime: Text | None = None
    data_loss: Text | None = None
    data: Text | None = None
    visitors: Text | None = None
    storage_gb: Whole | None = None
    sites: Whole | None = None
    services: Whole | None = None
    environments: list[Text] | None = None
    realtime: Truth | None = None
    jobs: Truth | None = None
    uploads: Text | None = None
    lock_in: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HostingSection(Shape):
    """Where it runs."""

    kind: Text | None = None
    provider: Text | None = None
    region: Text | None = None
    size: Text | None = None
    sites: Whole | None = None
    """How many sites stand on the server, this one among them."""
    share: Text | None = None
    """The site whose server this one moves in to."""
    servers: dict[Text, Whole] | None = None
    address: Text | None = None
    """Where a server that is there already answers ssh; this and what follows are for the provider `existing`."""
    login: Text | None = None
    fingerprint: Text | None = None
    """Of its ed25519 host key, as `ssh-keygen -l` shows it."""
    whole: Truth | None = None
    """Whether the server is there for this site alone."""
    cpus: Whole | None = None
    memory: Whole | None = None
    disk: Whole | None = None
    kernel: Text | None = None
    disks: list[Text] | None = None
    """What a blank machine is installed on: one disk, or two as a mirror."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessSection(Shape):
    """How it is reached, by visitors and by administrators."""

    domain: Text | None = None
    tls: Text | None = None
    admin_user: Text | None = None
    ssh_key: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersFile(Shape):
    """The whole file."""

    schema: Literal[1]
    name: Text
    environment: Text | None = None
    project: ProjectSection = field(default_factory=ProjectSection)
    team: TeamSection = field(default_factory=TeamSection)
    needs: NeedsSection = field(default_factory=NeedsSection)
    hosting: HostingSection = field(default_factory=HostingSection)
    stack: dict[Text, Text | list[Text]] = field(default_factory=dict)
    access: AccessSection = field(default_factory=AccessSection)
    secrets: dict[SecretName, SecretReference] = field(default_factory=dict)
    accepted: dict[Text, Text] = field(default_factory=dict)
    options: dict[Text, dict[Text, OptionValue]] = field(default_factory=dict)
