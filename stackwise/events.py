"""What can happen in a run, in the past tense: one frozen dataclass each, and its JSON.

The command line, the TUI and the record of a run all read this one stream; nothing else tells them anything. A run is a
generator of events. On the wire an event is one line:

    {"event": "TaskFinished", "at": "2026-11-20T11:02:41.120+00:00", ...}
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from stackwise.readable import readable

Phase = Literal["plan", "provision", "configure", "deploy", "verify", "destroy"]
TaskResult = Literal["ok", "changed", "failed", "skipped", "unreachable"]
CheckStatus = Literal["ok", "fault", "not-applicable"]


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, and when."""

    at: datetime = field(default_factory=_now)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Event):
    """A run began. `number` is the one `stackwise runs show` takes; `resumed` when it goes on where another stopped."""

    number: int
    command: str
    name: str
    environment: str
    resumed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseStarted(Event):
    """A phase of the run began; `detail` says in one line what it will do."""

    phase: Phase
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseFinished(Event):
    """A phase ended well."""

    phase: Phase
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished(Event):
    """Something small was done inside a phase: one line for the reader."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waited(Event):
    """Still waiting: for `what`, since `seconds`, at most until `deadline` seconds."""

    what: str
    seconds: float
    deadline: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Remarked(Event):
    """A long call of the provider said what it is doing. Like waiting, it is worth no line of the record."""

    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanMade(Event):
    """It was decided what will exist; `cost` is a month's, and None where a price is not known."""

    provider: str
    location: str
    size: str
    image: str
    cost: float | None
    currency: str
    domain: str
    framework: str = ""
    host: str = ""
    """The site whose server it is, where it is another one's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerCreated(Event):
    """The provider made a server; its id stands in the journal already."""

    server: str
    id: str
    address: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFound(Event):
    """A server of ours was there already and is used as it is."""

    server: str
    id: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerDestroyed(Event):
    """A server of ours is gone."""

    server: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayStarted(Event):
    """Ansible began a play."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStarted(Event):
    """Ansible began a task; it is the `number`-th of `total` that are expected (handlers come on top)."""

    name: str
    role: str
    number: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFinished(Event):
    """A task ended on a host. `said` has the server's own words where it failed."""

    name: str
    role: str
    host: str
    result: TaskResult
    seconds: float
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSummarised(Event):
    """What a whole Ansible run did on one host, from its closing statistics."""

    host: str
    ok: int
    changed: int
    failed: int
    skipped: int
    unreachable: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFinished(Event):
    """Verify looked at one thing: what it saw, and what to do where it found a fault."""

    name: str
    status: CheckStatus
    saw: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(Event):
    """The run ended well: where the site is, and what changed on all hosts together."""

    number: int
    seconds: float
    changed: int
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFailed(Event):
    """The run ended early: why, and what to type.

    `said` has the server's own words, `cause` what most likely lies behind them and `do` what mends it; `stopped` is
    true where somebody wished it so.
    """

    number: int
    seconds: float
    message: str
    hint: str = ""
    said: str = ""
    cause: str = ""
    do: str = ""
    stopped: bool = False


KINDS: dict[str, type[Event]] = {kind.__name__: kind for kind in Event.__subclasses__()}
# What passes, and is gone for whoever reads the record later.
PASSING = (Waited, Remarked)


def readable_event(event: Event) -> Event:
    """Return the event with words that a terminal may have, for whoever shows it; the record keeps what was said."""
    words = {name.name: getattr(event, name.name) for name in dataclasses.fields(event)}
    mended: dict[str, Any] = {
        name: readable(said) for name, said in words.items() if isinstance(said, str) and said != readable(said)
    }
    return dataclasses.replace(event, **mended) if mended else event


def to_json(event: Event) -> str:
    """Return the event as one line of JSON, its kind first."""
    values = {name.name: getattr(event, name.name) for name in dataclasses.fields(event)}
    values["at"] = event.at.isoformat(timespec="milliseconds")
    return json.dumps({"event": type(event).__name__, **values}, ensure_ascii=False)


def from_json(line: str) -> Event:
    """Return the event that `to_json` wrote. Raises ValueError for anything else."""
    try:
        values: dict[str, Any] = json.loads(line)
        kind = KINDS[values.pop("event")]
        values["at"] = datetime.fromisoformat(values["at"])
        return kind(**values)
    except (KeyError, TypeError, AttributeError) as exc:
        msg = f"no event of ours: {line[:80]}"
        raise ValueError(msg) from exc
