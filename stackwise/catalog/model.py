"""What a catalog file can say: frozen shapes with no unknown keys.

`catalog/README.md` says what is let in and why; the field reference in the docs is made from these models.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Literal

from stackwise.catalog.expression import check
from stackwise.shapes import Shape, Where, said

Slug = Annotated[str, Where(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
Sentence = Annotated[str, Where(min_length=10, max_length=400)]
Words = Annotated[str, Where(max_length=400)]


Expression = Annotated[str, Where(check=check)]
WEIGHTS = {"recommend": 4.0, "prefer": 2.0, "avoid": -3.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source(Shape):
    """Where a statement comes from, and the date of the copy that was really read."""

    url: Annotated[str, Where(pattern=r"^https?://")]
    read: date
    says: str = said("What was taken from it, in our words", default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tradeoff(Shape):
    """One word of the closed vocabulary in which components are praised and charged."""

    id: Slug
    says: Sentence
    side: Literal["good_at", "costs"]
    weighs: Expression = said("How much it counts for a team, by the facts; 0 is not at all", default="1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Category(Shape):
    """A kind of component. With an `answer` it is a layer that is asked for; without one stackwise only advises."""

    id: Slug
    name: str
    ask: Sentence = said("The question, in plain words")
    beginner: Sentence = said("What this layer is, for somebody who has never met it")
    answer: str = said("The key of the answers file that holds the choice, such as `stack.web`", default="")
    default: str = said("The component that is taken where nothing else speaks", default="")
    wanted: Expression = said("When a design needs one of these at all", default="True")
    without: Words = said("Why a design does without, where it is not wanted", default="")
    beyond: bool = said("True where the best is recommended even if stackwise does not install it", default=False)
    multiple: bool = said("True where several components make sense side by side", default=False)
    group: str = said("The inventory group whose servers carry it; empty where nothing is installed", default="")
    order: int = said("Where it stands in the walk")

    def __post_init__(self) -> None:
        """Hold a default to its answer."""
        if bool(self.answer) != bool(self.default):
            msg = "a category has a `default` exactly where it has an `answer`"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Shape):
    """Something that can be asked: of the team, or about one component.

    Turning it into a flag or a widget happens at the edge.
    """

    id: Annotated[str, Where(pattern=r"^[a-z][a-z0-9_.]*$")]
    ask: Sentence
    why: Sentence
    type: Literal["string", "integer", "boolean", "choice", "list"]
    default: Any = said("The value where nobody answers and no formula stands", default=None)
    formula: Expression | None = said("How the value follows from the server and the needs", default=None)
    unit: str = ""
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[str, ...] = ()
    pattern: str | None = said("A regular expression that the whole string must match", default=None)
    example: str = said("A right answer, for a form that no default shows", default="")
    more: bool = said("Whether most teams can leave it as it is: shown folded", default=False)
    sources: tuple[Source, ...] = ()

    def __post_init__(self) -> None:
        """Hold choices to their type."""
        if bool(self.choices) != (self.type == "choice"):
            msg = "a question has `choices` exactly where its type is `choice`"
            raise ValueError(msg)
        if self.pattern and not (self.default or self.example):
            msg = "a question with a `pattern` has a default or an example, so that a fault can show one"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Support(Shape):
    """How long a version is looked after, and by whom."""

    version: str
    until: date | None = said("End of life; absent where none was published", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class State(Shape):
    """Whether a component has a future."""

    state: Literal["current", "ageing", "gone"]
    since: date | None = said("Since when it has been so, as far as a source tells", default=None)
    replaced_by: str = said("What took its place: ids of components, with a comma between", default="")
    move: Words = said("How to move from it to what took its place", default="")
    note: str = ""

    def __post_init__(self) -> None:
        """Hold what is gone to its way out."""
        if self.state == "gone" and not (self.since and self.replaced_by and self.move):
            msg = "what is gone says `since` when, what it is `replaced_by`, and how to `move`"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause(Shape):
    """A condition with its reason. In `requires` it must hold, in `conflicts` it must not."""

    when: Expression
    because: Sentence
    settle: str = said("The answer that would settle it, as `key: value`", default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(Shape):
    """A Django setting that follows from the choice of this component."""

    name: Annotated[str, Where(pattern=r"^[A-Z][A-Z0-9_]*(\.[A-Za-z_]+)*$")]
    value: Any
    because: Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Install(Shape):
    """How a component comes onto a server."""

    role: str = said("The Ansible role; empty where packages or settings are enough", default="")
    packages: tuple[str, ...] = said("Distribution packages on every system", default=())
    packages_on: dict[str, tuple[str, ...]] = said("More packages, by operating system", default_factory=dict)
    python: tuple[str, ...] = said("Requirements installed beside the project's own", default=())
    ports: tuple[int, ...] = said("TCP ports that the firewall opens", default=())
    joins: tuple[str, ...] = said("Groups that the application's user joins", default=())
    before_app: bool = said("Whether the application wants its services to run before it starts", default=False)
    services: tuple[str, ...] = said("systemd units that run afterwards, for status, logs and verify", default=())
    variables: dict[str, Any] = said("Role variables; `$name` takes a fact of the site", default_factory=dict)
    variables_on: dict[str, dict[str, Any]] = said("More of them, by operating system", default_factory=dict)
    provides: dict[str, Any] = said("Facts of the site that other components read", default_factory=dict)
    provides_shared: dict[str, Any] = said(
        "Other values of them, where the server is another site's and has the plain ones in use", default_factory=dict
    )
    environment: dict[str, str] = said("Environment variables that the application gets", default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size(Shape):
    """A size of server, or of a platform's process, that a provider sells."""

    id: Annotated[str, Where(pattern=r"^[A-Za-z0-9]+([._-][A-Za-z0-9]+)*$", max_length=40)]
    cpus: Annotated[float, Where(gt=0)] = said("Cores; a share of one where the provider sells shares")
    memory_mb: Annotated[int, Where(ge=256)]
    disk_gb: Annotated[int, Where(ge=0)] = said("Disk that comes with it; 0 where nothing that is written stays")
    price: float | None = said("A month of it in the offer's currency, without tax; null is unknown")
    traffic_gb: int | None = said("Outgoing traffic included in a month; null is unknown", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extras(Shape):
    """What a provider charges beside its sizes, in the offer's currency; null is unknown, 0 is included."""

    backup_percent: float | None = said("Its own backups, in percent of the server's price", default=None)
    volume_gb: float | None = said("A gigabyte of block storage for a month", default=None)
    object_gb: float | None = said("A gigabyte of object storage for a month", default=None)
    traffic_gb: float | None = said("A gigabyte of traffic beyond what is included", default=None)
    ipv4: float | None = said("An IPv4 address for a month", default=None)
    database: float | None = said("Its smallest managed PostgreSQL for production, a month", default=None)
    cache: float | None = said("Its smallest managed Redis or Valkey, a month", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential(Shape):
    """What a provider wants to see before it does anything: where it comes from, and what it is."""

    variable: Annotated[str, Where(pattern=r"^[A-Z][A-Z0-9_]*$")] = said(
        "The environment variable that the provider's own tools read"
    )
    says: Sentence
    optional: bool = said("Whether it may be left out", default=False)
    unless: str = said("Another of the variables; where that one is given, this one may be left out", default="")


Continent = Literal["europe", "north-america", "south-america", "asia", "oceania", "africa"]


Location = Annotated[str, Where(pattern=r"^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$", max_length=40)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer(Shape):
    """What a provider sells, as data with its date."""

    kind: Literal["vps", "bare-metal", "paas"] = "vps"
    driver: str = said("The adapter that makes servers there; empty where there is none yet", default="")
    endpoint: str = said(
        "The environment variable that moves its API to another address, as its own tools read it", default=""
    )
    kernel: Literal["own", "shared"] = "own"
    currency: Annotated[str, Where(pattern=r"^[A-Z]{3}$")] = "USD"
    priced: date = said("The date of the copy of the price list that was read")
    live: Words = said("How today's prices are read; empty where no API tells", default="")
    continents: tuple[Continent, ...] = said("Where it has data centres", default=())
    locations: tuple[Location, ...] = said("Where servers can be made, as the provider writes it", default=())
    images: tuple[Slug, ...] = ()
    sizes: tuple[Size, ...] = ()
    extras: Extras = field(default_factory=Extras)
    credentials: tuple[Credential, ...] = said("In the order that its driver takes them", default=())
    steps: tuple[Sentence, ...] = said("How one comes by the credentials, one thing to do after another", default=())
    rights: Words = said("What the credentials must be allowed to do", default="")
    limits: tuple[Sentence, ...] = said("What one should know before a server is made there", default=())
    tested: Words = said("Against what our adapter was tried, and when; empty where it was not", default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Degree(Shape):
    """How much of something, from 1 (hardly any) to 5 (as much as there can be), and what that means."""

    degree: Annotated[int, Where(ge=1, le=5)]
    says: Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosting(Shape):
    """A kind of hosting, as the table that compares them shows it."""

    effort: Degree = said("Work of the team's own, month after month")
    lock_in: Degree
    control: Degree
    ceiling: Degree = said("How far it grows before another kind has to take over")
    hours: Expression = said("Hours a month that the team spends on the machines, as an estimate of ours")
    memory_mb: Expression = said("Memory it takes beside the stack, in MiB", default="0")
    sold_as: Literal["vps", "bare-metal", "paas"] = said("The kind of offer that it is bought as")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement(Shape):
    """A figure of our own, and the command that reproduces it."""

    what: Sentence
    value: float
    unit: str
    command: str
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class System(Shape):
    """What an operating system brings along, as far as a choice depends on it."""

    codename: str
    python: str
    versions: dict[str, str] = said("Version of a component in this system, by component id", default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Component(Shape):
    """One thing that can be chosen, with what speaks for and against it."""

    id: Slug
    name: str
    categories: Annotated[tuple[Slug, ...], Where(min_length=1)]
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
    memory_mb: Expression = said("Resident memory on its server, in MiB", default="0")
    cpu_ms: Expression = said("Processor time that a page from the database takes in it, in ms", default="0")
    measured: tuple[Measurement, ...] = ()
    platform: bool = said("True where it comes as a service that somebody else runs", default=False)
    install: Install | None = said("Absent where stackwise advises and does not install", default=None)
    settings: tuple[Setting, ...] = ()
    questions: tuple[Question, ...] = ()
    support: tuple[Support, ...] = ()
    offer: Offer | None = None
    hosting: Hosting | None = None
    system: System | None = None
    sources: Annotated[tuple[Source, ...], Where(min_length=1)]

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


# What `Component.comes_by` means, in words.
COMES_BY = {
    "role": "stackwise, which installs it",
    "platform": "a service that somebody else runs",
    "advice": "your own hands; stackwise advises on it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Shape):
    """A judgement: when it speaks, what it says, why. The one rule refuses, ranks, explains, and is its own test.

    A conflict cannot work, a warning can be overruled with a reason, a note informs; `recommend`, `prefer` and `avoid`
    weigh on the options of a layer.
    """

    id: Slug
    kind: Literal["note", "warning", "conflict", "recommend", "prefer", "avoid"]
    when: Expression
    says: Words = said("One sentence; `{fact}` is filled in. Left out where the rule only weighs", default="")
    because: Sentence
    settle: str = said("The answer that would settle it, as `key: value`", default="")
    of: tuple[Slug, ...] = said("The components that it weighs on", default=())
    weight: float | None = said("How much; recommend is 4, prefer 2, avoid -3 where it is not said", default=None)
    topic: Literal["fit", "performance"] = said("Where the advice shows it", default="fit")
    where: str = said("For a change to the project: the place, `{fact}` filled in", default="")
    speaks: dict[str, Any] = said("Facts beside the defaults under which it speaks: its test", default_factory=dict)
    silent: dict[str, Any] = said("Facts beside the defaults under which it is silent", default_factory=dict)
    sources: tuple[Source, ...] = ()

    def __post_init__(self) -> None:
        """Hold the kinds apart."""
        if (self.kind in WEIGHTS) != bool(self.of):
            msg = "a rule that weighs names what it weighs on in `of`, and no other does"
            raise ValueError(msg)
        if self.kind not in WEIGHTS and not self.says:
            msg = "a note, a warning and a conflict say something"
            raise ValueError(msg)

    @property
    def weighs(self) -> float:
        """How much it adds to the fit of each component that it names."""
        return WEIGHTS.get(self.kind, 0.0) if self.weight is None else self.weight
