"""A run as it stands, put together from its events, live or from the record. No widget here."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from stackwise import events
from stackwise.errors import InterruptedRunError, StackwiseError
from stackwise.events import Event
from stackwise.journal.record import records
from stackwise.readable import readable
from stackwise.render.report import MARKS, Report, make_report

if TYPE_CHECKING:
    from stackwise.catalog.tables import Cause
    from stackwise.walk.learning import Learnt

PHASES = ("plan", "provision", "configure", "deploy", "verify")
_ONE_PHASE = {"verify": ("verify",), "destroy": ("destroy",)}
Tone = Literal["plain", "phase", "good", "changed", "bad", "dim"]
_TONES: dict[str, Tone] = {"ok": "good", "fault": "bad", "not-applicable": "dim"}


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
    """Why a run ended early: in our words and in the server's, where, and what most likely lies behind it."""

    message: str
    hint: str = ""
    said: str = ""
    stopped: bool = False
    cause: str = ""
    do: str = ""
    phase: str = ""
    task: str = ""
    host: str = ""


@dataclass(slots=True)
class RunProgress:
    """Everything that a screen can show of one run."""

    command: str = "up"
    number: int = 0
    phases: list[PhaseRow] = field(default_factory=list)
    learnt: Learnt | None = None
    now: str = ""
    task: int = 0
    tasks: int = 0
    hosts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    seen: list[Event] = field(default_factory=list)
    log: list[Line] = field(default_factory=list)
    checks: list[events.CheckFinished] = field(default_factory=list)
    servers: list[events.ServerCreated | events.ServerFound] = field(default_factory=list)
    finished: events.RunFinished | None = None
    failure: Failure | None = None
    stopping: bool = False
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    seconds: float | None = None

    def __post_init__(self) -> None:
        """Expect the phases of the command."""
        self.phases = self.phases or [PhaseRow(name) for name in _ONE_PHASE.get(self.command, PHASES)]

    @property
    def results(self) -> Counter[str]:
        """How many tasks ended in which way, on all hosts together."""
        return sum(self.hosts.values(), Counter())

    @property
    def running(self) -> bool:
        """Whether it has not come to an end."""
        return self.finished is None and self.failure is None

    @property
    def makes_server(self) -> bool:
        """Whether it makes the server: what it did says so, and before that whether there is one."""
        if self.servers:
            return isinstance(self.servers[0], events.ServerCreated)
        return self.learnt is None or not self.learnt.stands

    def expected(self, phase: str) -> float | None:
        """Return how long a phase took in earlier runs like this one; None where there was none."""
        return self.learnt.seconds(phase, makes_server=self.makes_server) if self.learnt else None

    def report(self, answers: Path) -> Report:
        """Return what it left; `answers` is the file that the reader names in commands."""
        return make_report(self.seen, answers)

    def take(self, event: Event) -> None:
        """Take in what happened, in words that a terminal may have."""
        event = events.readable_event(event)
        if not isinstance(event, events.PASSING):
            self.seen.append(event)
        self._count(event)
        self.log += _lines(event)

    def fail(self, error: Exception) -> None:
        """Take in the error that ended it; what the event of the end has said already is not said again."""
        if self.failure is None:
            self.take(_failed(error, self))
        if self.failure is not None:
            self.failure.stopped = self.failure.stopped or isinstance(error, InterruptedRunError)
            self.failure.said = self.failure.said or readable(str(getattr(error, "said", "")))

    def _count(self, event: Event) -> None:  # noqa: C901 - one branch a kind of event
        match event:
            case events.RunStarted():
                self._begin(event)
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
                self.now = _full_name(event)
                self.task, self.tasks = event.number, event.total
            case events.TaskFinished():
                self.hosts[event.host][event.result] += 1
            case events.Remarked():
                self.now = event.words
            case events.CheckFinished():
                self.checks.append(event)
            case events.ServerCreated() | events.ServerFound():
                self.servers.append(event)
            case events.RunFinished():
                self.finished, self.seconds, self.now = event, event.seconds, ""
            case events.RunFailed():
                self._end(event)

    def _begin(self, event: events.RunStarted) -> None:
        if event.command != self.command:
            self.phases = [PhaseRow(name) for name in _ONE_PHASE.get(event.command, PHASES)]
        self.number, self.command, self.started = event.number, event.command, event.at

    def _end(self, event: events.RunFailed) -> None:
        self.failure = Failure(event.message, event.hint, event.said, event.stopped, event.cause, event.do)
        self.seconds, self.now = event.seconds, ""
        for row in self.phases:
            if row.state == "running":
                row.state, row.seconds = "failed", row.elapsed(event.at)
                self.failure.phase = row.name
        ended = (task for task in reversed(self.seen) if isinstance(task, events.TaskFinished))
        task = next((task for task in ended if task.result in ("failed", "unreachable") and task.said), None)
        if task is not None and not event.stopped:
            self.failure.task, self.failure.host = _full_name(task), task.host

    def _row(self, phase: str) -> PhaseRow:
        found = next((row for row in self.phases if row.name == phase), None)
        if found is None:
            found = PhaseRow(phase)
            self.phases.append(found)
        return found


def _failed(error: Exception, run: RunProgress) -> events.RunFailed:
    """Return the event that the run itself could not write any more, dated like the last one that it could."""
    at = run.seen[-1].at if run.seen else datetime.now(UTC)
    seconds = round((at - run.started).total_seconds(), 1)
    if not isinstance(error, StackwiseError):
        message = f"something went wrong that should not: {type(error).__name__}"
        hint = "see more with: stackwise --debug up"
        return events.RunFailed(at=at, number=run.number, seconds=seconds, message=message, hint=hint)
    said, stopped = str(getattr(error, "said", "")), isinstance(error, InterruptedRunError)
    cause = None if stopped else _cause(error.message, said)
    return events.RunFailed(
        at=at,
        number=run.number,
        seconds=max(0.0, seconds),
        message=error.message,
        hint=error.hint,
        said=said,
        cause=cause.says if cause else "",
        do=cause.do if cause else "",
        stopped=stopped,
    )


def _cause(message: str, said: str) -> Cause | None:
    from stackwise.catalog import load_catalog  # noqa: PLC0415 - only a failure needs it
    from stackwise.operate.causes import likely_cause  # noqa: PLC0415 - as above

    return likely_cause(load_catalog(), message, said)


def _full_name(task: events.TaskFinished | events.TaskStarted) -> str:
    return f"{task.role} : {task.name}" if task.role else task.name


def _lines(event: Event) -> list[Line]:  # noqa: C901, PLR0911, PLR0912 - one return a kind of event
    match event:
        case events.RunStarted():
            goes_on = ", going on where the last one stopped" if event.resumed else ""
            return [Line(f"Run {event.number}: {event.command} {event.name} ({event.environment}){goes_on}", "phase")]
        case events.PhaseStarted():
            return [Line(f"{event.phase}  {event.detail}", "phase")]
        case events.PhaseFinished():
            return [Line(f"  {event.phase} took {event.seconds:.1f} s", "dim")]
        case events.Remarked():
            return [Line(f"  {event.words}", "dim")]
        case events.StepFinished():
            return [Line(f"  {event.message}")]
        case events.ServerCreated():
            return [Line(f"  server {event.server} at {event.address}, made in {event.seconds:.1f} s", "changed")]
        case events.ServerFound():
            return [Line(f"  server {event.server} at {event.address}, there already")]
        case events.ServerDestroyed():
            return [Line(f"  removed {event.server} ({event.id})", "changed")]
        case events.PlayStarted():
            return [Line(f"  {event.name}")]
        case events.TaskFinished():
            return _task_lines(event)
        case events.CheckFinished():
            tone, mark = _TONES[event.status], MARKS[event.status]
            hint = [Line(f"      {event.hint}")] if event.hint else []
            return [Line(f"  {mark} {event.name}: {event.saw}", tone), *hint]
        case events.RunFailed():
            cause = [Line(f"  likely cause: {event.cause} {event.do}")] if event.cause else []
            return [Line(event.message, "bad"), *cause]
        case events.RunFinished():
            return [Line(f"done in {event.seconds:.1f} s, {event.changed} changed", "good")]
        case _:
            return []


def _task_lines(event: events.TaskFinished) -> list[Line]:
    name = _full_name(event)
    match event.result:
        case "changed":
            return [Line(f"    changed  {name}", "changed")]
        case "failed" | "unreachable" if event.said:
            said = [Line(f"      | {line}", "bad") for line in event.said.splitlines()]
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
