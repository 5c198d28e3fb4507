"""A run as it stands, put together from its events, live or from the record. No widget here."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from stackwise import events
from stackwise.errors import InterruptedRunError, StackwiseError
from stackwise.events import Event
from stackwise.journal.record import records

PHASES = ("plan", "provision", "configure", "deploy", "verify")
Tone = Literal["plain", "phase", "good", "changed", "bad", "dim"]
_TONES: dict[str, Tone] = {"ok": "good", "fault": "bad", "not-applicable": "dim"}
_MARKS = {"ok": "✓", "fault": "✗", "not-applicable": "-"}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the log."""

    text: str
    tone: Tone = "plain"


@dataclass(slots=True)
class PhaseRow:
    """A phase on the timeline."""

    name: str
    state: Literal["waiting", "running", "done", "failed"] = "waiting"
    detail: str = ""
    started: datetime | None = None
    seconds: float | None = None

    def elapsed(self, now: datetime) -> float | None:
        """Return how long it took, or has taken until `now`."""
        if self.seconds is not None or self.started is None:
            return self.seconds
        return (now - self.started).total_seconds()


@dataclass(slots=True)
class Failure:
    """Why a run ended early, in our words and in the server's."""

    message: str
    hint: str = ""
    said: str = ""
    stopped: bool = False


@dataclass(slots=True)
class RunProgress:
    """Everything that a screen can show of one run."""

    phases: list[PhaseRow] = field(default_factory=lambda: [PhaseRow(name) for name in PHASES])
    number: int = 0
    command: str = "up"
    now: str = ""
    task: int = 0
    tasks: int = 0
    results: Counter[str] = field(default_factory=Counter)
    log: list[Line] = field(default_factory=list)
    checks: list[events.CheckFinished] = field(default_factory=list)
    servers: list[events.ServerCreated | events.ServerFound] = field(default_factory=list)
    finished: events.RunFinished | None = None
    failure: Failure | None = None
    stopping: bool = False
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    seconds: float | None = None

    @property
    def running(self) -> bool:
        """Whether it has not come to an end."""
        return self.finished is None and self.failure is None

    def take(self, event: Event) -> None:
        """Take in what happened."""
        self._count(event)
        self.log += _lines(event)

    def remark(self, words: str) -> None:
        """Take in what a long call of the provider is doing."""
        self.now = words
        self.log.append(Line(f"  {words}", "dim"))

    def fail(self, error: Exception) -> None:
        """Take in the error that ended it; what the event of the end has said already is not said again."""
        if self.failure is None:
            self._end(_failure_of(error), None)
        self.failure = self.failure or _failure_of(error)
        self.failure.stopped = self.failure.stopped or isinstance(error, InterruptedRunError)
        self.failure.said = self.failure.said or str(getattr(error, "said", ""))

    def _count(self, event: Event) -> None:  # noqa: C901 - one branch a kind of event
        match event:
            case events.RunStarted():
                self.number, self.command, self.started = event.number, event.command, event.at
            case events.PhaseStarted():
                row = self._row(event.phase)
                row.state, row.detail, row.started = "running", event.detail, event.at
                self.now, self.task, self.tasks = event.detail, 0, 0
            case events.PhaseFinished():
                row = self._row(event.phase)
                row.state, row.seconds = "done", event.seconds
            case events.Waited():
                self.now = f"waiting for {event.what} ({event.seconds:.0f} of at most {event.deadline:.0f} s)"
            case events.TaskStarted():
                self.now = f"{event.role} : {event.name}" if event.role else event.name
                self.task, self.tasks = event.number, event.total
            case events.TaskFinished():
                self.results[event.result] += 1
            case events.CheckFinished():
                self.checks.append(event)
            case events.ServerCreated() | events.ServerFound():
                self.servers.append(event)
            case events.RunFinished():
                self.finished, self.seconds, self.now = event, event.seconds, ""
            case events.RunFailed():
                self._end(Failure(event.message, event.hint, event.said), event.seconds)

    def _end(self, failure: Failure, seconds: float | None) -> None:
        self.failure, self.now = failure, ""
        self.seconds = seconds if seconds is not None else (datetime.now(UTC) - self.started).total_seconds()
        for row in self.phases:
            if row.state == "running":
                row.state, row.seconds = "failed", row.elapsed(datetime.now(UTC))

    def _row(self, phase: str) -> PhaseRow:
        found = next((row for row in self.phases if row.name == phase), None)
        if found is None:
            found = PhaseRow(phase)
            self.phases.append(found)
        return found


def _failure_of(error: Exception) -> Failure:
    if isinstance(error, StackwiseError):
        return Failure(error.message, error.hint, str(getattr(error, "said", "")))
    return Failure(
        f"something went wrong that should not: {type(error).__name__}", "see more with: stackwise --debug up"
    )


def _lines(event: Event) -> list[Line]:  # noqa: C901, PLR0911 - one return a kind of event
    match event:
        case events.RunStarted():
            goes_on = ", going on where the last one stopped" if event.resumed else ""
            return [Line(f"Run {event.number}: {event.command} {event.name} ({event.environment}){goes_on}", "phase")]
        case events.PhaseStarted():
            return [Line(f"{event.phase}  {event.detail}", "phase")]
        case events.PhaseFinished():
            return [Line(f"  {event.phase} took {event.seconds:.1f} s", "dim")]
        case events.StepFinished():
            return [Line(f"  {event.message}")]
        case events.ServerCreated():
            return [Line(f"  server {event.server} at {event.address}, made in {event.seconds:.1f} s", "changed")]
        case events.ServerFound():
            return [Line(f"  server {event.server} at {event.address}, there already")]
        case events.PlayStarted():
            return [Line(f"  {event.name}")]
        case events.TaskFinished():
            return _task_lines(event)
        case events.CheckFinished():
            tone, mark = _TONES[event.status], _MARKS[event.status]
            hint = [Line(f"      {event.hint}")] if event.hint else []
            return [Line(f"  {mark} {event.name}: {event.saw}", tone), *hint]
        case events.RunFailed():
            return [Line(event.message, "bad")]
        case events.RunFinished():
            return [Line(f"done in {event.seconds:.1f} s, {event.changed} changed", "good")]
        case _:
            return []


def _task_lines(event: events.TaskFinished) -> list[Line]:
    name = f"{event.role} : {event.name}" if event.role else event.name
    match event.result:
        case "changed":
            return [Line(f"    changed  {name}", "changed")]
        case "failed" | "unreachable" if event.said:
            said = [Line(f"      | {line}", "bad") for line in event.said.splitlines()[-20:]]
            return [Line(f"    {event.result} on {event.host}  {name}", "bad"), *said]
        case _:
            return []


def last_run(folder: Path, name: str, environment: str) -> RunProgress | None:
    """Return the last run on record of this name and environment, None where there is none. Raises OSError."""
    for record in reversed(records(folder)):
        progress, ours = RunProgress(), False
        for event in record.events():
            if isinstance(event, events.RunStarted):
                ours = (event.name, event.environment) == (name, environment)
            progress.take(event)
        if ours:
            if progress.running:
                progress.fail(InterruptedRunError("it did not come to an end", hint="go on with: stackwise up"))
            return progress
    return None
