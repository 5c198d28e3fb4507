"""The shape of an answers file. Every key is optional: what is absent is asked, scanned or taken from the defaults.

Only shapes stand here. Defaults, limits and patterns are data (`catalog/questions.yml` and the questions of each
component), so that
the file, the TUI and `--set` are held to the same ones.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA = 1

Scalar = str | int | bool
OptionValue = Scalar | list[Scalar]
SecretName = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$", max_length=64)]
SecretReference = Annotated[
    str, Field(pattern=r"^(generate|env:[A-Za-z_][A-Za-z0-9_]*|file:[^\n\x00]+|keyring:[^\n\x00]+)$")
]


class Section(BaseModel):
    """A part of the file: unknown keys are errors, and no value is bent into another type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True, defer_build=True)


class ProjectSection(Section):
    """What is deployed. What is absent is found by the scan."""

    source: str | None = None
    """A folder (relative to the answers file) or a Git URL."""
    ref: str | None = None
    """A branch, tag or commit; absent, the folder's files are taken as they are."""
    settings: str | None = None
    wsgi: str | None = None
    data: str | None = None
    """A dump to start from; see `stackwise plan`."""


class TeamSection(Section):
    """Who will look after it."""

    operations: str | None = None
    constraints: list[str] | None = None


class NeedsSection(Section):
    """What it has to carry and to survive."""

    requests_per_minute: int | None = None
    budget: str | None = None
    downtime: str | None = None
    data: str | None = None


class HostingSection(Section):
    """Where it runs."""

    kind: str | None = None
    provider: str | None = None
    region: str | None = None
    size: str | None = None
    servers: dict[str, int] | None = None


class AccessSection(Section):
    """How it is reached, by visitors and by administrators."""

    domain: str | None = None
    tls: str | None = None
    admin_user: str | None = None
    ssh_key: str | None = None


class AnswersFile(Section):
    """The whole file."""

    schema_: Literal[1] = Field(alias="schema")
    name: str
    environment: str | None = None
    project: ProjectSection = Field(default_factory=ProjectSection)
    team: TeamSection = Field(default_factory=TeamSection)
    needs: NeedsSection = Field(default_factory=NeedsSection)
    hosting: HostingSection = Field(default_factory=HostingSection)
    stack: dict[str, str | list[str]] = Field(default_factory=dict)
    access: AccessSection = Field(default_factory=AccessSection)
    secrets: dict[SecretName, SecretReference] = Field(default_factory=dict)
    accepted: dict[str, str] = Field(default_factory=dict)
    options: dict[str, dict[str, OptionValue]] = Field(default_factory=dict)
