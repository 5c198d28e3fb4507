"""What a catalog file can say: pydantic models, frozen, no unknown keys.

`catalog/README.md` says what is let in and why; the field reference in the docs is made from these models.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from stackwise.catalog.expression import parse

Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
Sentence = Annotated[str, Field(min_length=10, max_length=400)]


def _readable(source: str) -> str:
    parse(source)
    return source


Expression = Annotated[str, AfterValidator(_readable)]


class Model(BaseModel):
    """A frozen model that refuses what it does not know."""

    # Schemas are built when a model is first used: most runs need a handful of them.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Source(Model):
    """Where a statement comes from, and the date of the copy that was really read."""

    url: str = Field(pattern=r"^https?://")
    read: date
    says: str = Field(default="", description="What was taken from it, in our words")


class Tradeoff(Model):
    """One word of the closed vocabulary in which components are praised and charged."""

    id: Slug
    says: Sentence
    side: Literal["good_at", "costs"]
    weighs: Expression = Field(default="1", description="How much it counts for a team, by the facts; 0 is not at all")


class Category(Model):
    """A kind of component. With an `answer` it is a layer that is asked for; without one stackwise only advises."""

    id: Slug
    name: str
    ask: Sentence = Field(description="The question, in plain words")
    beginner: Sentence = Field(description="What this layer is, for somebody who has never met it")
    answer: str = Field(
        default="", description="The key of the answers file that holds the choice, such as `stack.web`"
    )
    default: str = Field(default="", description="The component that is taken where nothing else speaks")
    multiple: bool = Field(default=False, description="True where several components make sense side by side")
    group: str = Field(
        default="", description="The inventory group whose servers carry it; empty where nothing is installed"
    )
    order: int = Field(description="Where it stands in the walk")

    @model_validator(mode="after")
    def _a_layer_has_a_default(self) -> Category:
        if bool(self.answer) != bool(self.default):
            msg = "a category has a `default` exactly where it has an `answer`"
            raise ValueError(msg)
        return self


class Question(Model):
    """Something that can be asked: of the team, or about one component.

    Turning it into a flag or a widget happens at the edge.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_.]*$")
    ask: Sentence
    why: Sentence
    type: Literal["string", "integer", "boolean", "choice", "list"]
    default: Any = Field(default=None, description="The value where nobody answers and no formula stands")
    formula: Expression | None = Field(default=None, description="How the value follows from the server and the needs")
    unit: str = ""
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[str, ...] = ()
    pattern: str | None = Field(default=None, description="A regular expression that the whole string must match")
    sources: tuple[Source, ...] = ()

    @model_validator(mode="after")
    def _choices_belong_to_a_choice(self) -> Question:
        if bool(self.choices) != (self.type == "choice"):
            msg = "a question has `choices` exactly where its type is `choice`"
            raise ValueError(msg)
        return self


class Support(Model):
    """How long a version is looked after, and by whom."""

    version: str
    until: date | None = Field(default=None, description="End of life; absent where none was published")


class State(Model):
    """Whether a component has a future."""

    state: Literal["current", "ageing", "gone"]
    since: date | None = Field(default=None, description="Since when it has been so, as far as a source tells")
    replaced_by: str = Field(default="", description="What took its place: ids of components, with a comma between")
    move: str = Field(default="", max_length=400, description="How to move from it to what took its place")
    note: str = ""

    @model_validator(mode="after")
    def _what_is_gone_says_where_to_go(self) -> State:
        if self.state == "gone" and not (self.since and self.replaced_by and self.move):
            msg = "what is gone says `since` when, what it is `replaced_by`, and how to `move`"
            raise ValueError(msg)
        return self


class Clause(Model):
    """A condition with its reason. In `requires` it must hold, in `conflicts` it must not."""

    when: Expression
    because: Sentence
    settle: str = Field(default="", description="The answer that would settle it, as `key: value`")


class Setting(Model):
    """A Django setting that follows from the choice of this component."""

    name: str = Field(pattern=r"^[A-Z][A-Z0-9_]*(\.[A-Za-z_]+)*$")
    value: Any
    because: Sentence


class Install(Model):
    """How a component comes onto a server."""

    role: str = Field(default="", description="The Ansible role; empty where packages or settings are enough")
    packages: tuple[str, ...] = Field(default=(), description="Distribution packages on every system")
    packages_on: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="More packages, by operating system"
    )
    python: tuple[str, ...] = Field(default=(), description="Requirements installed beside the project's own")
    ports: tuple[int, ...] = Field(default=(), description="TCP ports that the firewall opens")
    joins: tuple[str, ...] = Field(default=(), description="Groups that the application's user joins")
    before_app: bool = Field(
        default=False, description="Whether the application wants its services to run before it starts"
    )
    services: tuple[str, ...] = Field(
        default=(), description="systemd units that run afterwards, for status, logs and verify"
    )
    variables: dict[str, Any] = Field(
        default_factory=dict, description="Role variables; `$name` takes a fact of the site"
    )
    variables_on: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="More of them, by operating system"
    )
    provides: dict[str, Any] = Field(default_factory=dict, description="Facts of the site that other components read")
    environment: dict[str, str] = Field(
        default_factory=dict, description="Environment variables that the application gets"
    )


class Size(Model):
    """A size of server, or of a platform's process, that a provider sells."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9]+([._-][A-Za-z0-9]+)*$", max_length=40)]
    cpus: float = Field(gt=0, description="Cores; a share of one where the provider sells shares")
    memory_mb: int = Field(ge=256)
    disk_gb: int = Field(ge=0, description="Disk that comes with it; 0 where nothing that is written stays")
    price: float | None = Field(description="A month of it in the offer's currency, without tax; null is unknown")
    traffic_gb: int | None = Field(default=None, description="Outgoing traffic included in a month; null is unknown")


class Extras(Model):
    """What a provider charges beside its sizes, in the offer's currency; null is unknown, 0 is included."""

    backup_percent: float | None = Field(default=None, description="Its own backups, in percent of the server's price")
    volume_gb: float | None = Field(default=None, description="A gigabyte of block storage for a month")
    object_gb: float | None = Field(default=None, description="A gigabyte of object storage for a month")
    traffic_gb: float | None = Field(default=None, description="A gigabyte of traffic beyond what is included")
    ipv4: float | None = Field(default=None, description="An IPv4 address for a month")
    database: float | None = Field(default=None, description="Its smallest managed PostgreSQL for production, a month")
    cache: float | None = Field(default=None, description="Its smallest managed Redis or Valkey, a month")


Continent = Literal["europe", "north-america", "south-america", "asia", "oceania", "africa"]


class Offer(Model):
    """What a provider sells, as data with its date."""

    kind: Literal["vps", "bare-metal", "paas"] = "vps"
    driver: str = Field(default="", description="The adapter that makes servers there; empty where there is none yet")
    kernel: Literal["own", "shared"] = "own"
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    priced: date = Field(description="The date of the copy of the price list that was read")
    live: str = Field(default="", max_length=400, description="How today's prices are read; empty where no API tells")
    continents: tuple[Continent, ...] = Field(default=(), description="Where it has data centres")
    locations: tuple[Slug, ...] = ()
    images: tuple[Slug, ...] = ()
    sizes: tuple[Size, ...] = ()
    extras: Extras = Extras()


class Degree(Model):
    """How much of something, from 1 (hardly any) to 5 (as much as there can be), and what that means."""

    degree: int = Field(ge=1, le=5)
    says: Sentence


class Hosting(Model):
    """A kind of hosting, as the table that compares them shows it."""

    effort: Degree = Field(description="Work of the team's own, month after month")
    lock_in: Degree
    control: Degree
    ceiling: Degree = Field(description="How far it grows before another kind has to take over")
    hours: Expression = Field(description="Hours a month that the team spends on the machines, as an estimate of ours")
    memory_mb: Expression = Field(default="0", description="Memory it takes beside the stack, in MiB")
    sold_as: Literal["vps", "bare-metal", "paas"] = Field(description="The kind of offer that it is bought as")


class Measurement(Model):
    """A figure of our own, and the command that reproduces it."""

    what: Sentence
    value: float
    unit: str
    command: str
    on: date


class System(Model):
    """What an operating system brings along, as far as a choice depends on it."""

    codename: str
    python: str
    versions: dict[str, str] = Field(
        default_factory=dict, description="Version of a component in this system, by component id"
    )


class Component(Model):
    """One thing that can be chosen, with what speaks for and against it."""

    id: Slug
    name: str
    categories: tuple[Slug, ...] = Field(min_length=1)
    aliases: tuple[str, ...] = ()
    summary: Sentence
    state: State
    licence: str
    good_at: tuple[Slug, ...] = ()
    costs: tuple[Slug, ...] = ()
    notes: tuple[Sentence, ...] = ()
    choose_when: Sentence
    leave_when: Sentence
    requires: tuple[Clause, ...] = ()
    conflicts: tuple[Clause, ...] = ()
    memory_mb: Expression = Field(default="0", description="Resident memory on its server, in MiB")
    cpu_ms: Expression = Field(default="0", description="Processor time that a page from the database takes in it, in ms")
    measured: tuple[Measurement, ...] = ()
    platform: bool = Field(default=False, description="True where it comes as a service that somebody else runs")
    install: Install | None = Field(default=None, description="Absent where stackwise advises and does not install")
    settings: tuple[Setting, ...] = ()
    questions: tuple[Question, ...] = ()
    support: tuple[Support, ...] = ()
    offer: Offer | None = None
    hosting: Hosting | None = None
    system: System | None = None
    sources: tuple[Source, ...] = Field(min_length=1)

    @property
    def installable(self) -> bool:
        """Whether stackwise itself stands it up."""
        offered = self.offer is not None and bool(self.offer.driver)
        return self.install is not None or offered or self.system is not None

    @property
    def comes_by(self) -> Literal["role", "platform", "advice"]:
        """What brings it: a role of ours, a service that somebody else runs, or the team, with our advice."""
        if self.installable:
            return "role"
        return "platform" if self.platform else "advice"


class Rule(Model):
    """A piece of advice: when it speaks, what it says, why, and what would settle it."""

    id: Slug
    kind: Literal["note", "warning", "conflict"]
    when: Expression
    says: Sentence
    because: Sentence
    settle: str = ""
    sources: tuple[Source, ...] = ()
