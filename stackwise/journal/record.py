"""The readable record of runs, in the project's folder and fit to commit: `.stackwise/runs/0001-up.jsonl` and `.md`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from stackwise import events
from stackwise.errors import JournalError
from stackwise.events import Event

_NAME = re.compile(r"(\d{4})-([a-z]+)\.jsonl")


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run on record."""

    number: int
    command: str
    path: Path

    def events(self) -> Iterator[Event]:
        """Yield what happened; a line that a crash cut short is left out."""
        for line in self.path.read_text(encoding="utf-8").splitlines():
            try:
                yield events.from_json(line)
            except ValueError:
                continue


def records(folder: Path) -> tuple[RunRecord, ...]:
    """Return the runs on record in a project's folder, oldest first."""
    found = ((path, _NAME.fullmatch(path.name)) for path in sorted((folder / ".stackwise" / "runs").glob("*.jsonl")))
    return tuple(RunRecord(int(match[1]), match[2], path) for path, match in found if match)


def next_number(folder: Path) -> int:
    """Return the number after the last run on record."""
    return 1 + max((record.number for record in records(folder)), default=0)


class Recorder:
    """Writes the events of one run as they happen, and a report of it at the end."""

    def __init__(self, folder: Path, number: int, command: str) -> None:
        """Record run `number` of `command` in the project's `folder`."""
        directory = folder / ".stackwise" / "runs"
        self._base = directory / f"{number:04d}-{command}"
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._stream = self._base.with_suffix(".jsonl").open("w", encoding="utf-8")
        except OSError as exc:
            raise _unwritable(directory, exc) from exc
        self._seen: list[Event] = []

    def __enter__(self) -> Recorder:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Write the report. Raises JournalError, unless the run has failed already."""
        try:
            self._stream.close()
            self._base.with_suffix(".md").write_text(report(self._seen), encoding="utf-8")
        except OSError as exc:
            if value is None:
                raise _unwritable(self._base, exc) from exc

    def keep(self, event: Event) -> None:
        """Write `event` down. Waiting is not worth a line. Raises JournalError."""
        if isinstance(event, events.Waited):
            return
        self._seen.append(event)
        try:
            self._stream.write(events.to_json(event) + "\n")
            self._stream.flush()
        except OSError as exc:
            raise _unwritable(self._base, exc) from exc


def _unwritable(path: Path, exc: OSError) -> JournalError:
    hint = f"free some room, or make {path.parent} yours to write, then go on: stackwise up"
    return JournalError(f"the record {path} cannot be written: {exc.strerror}", hint=hint)


def report(seen: Iterable[Event]) -> str:
    """Return a run as Markdown: what it was, what it made, how long each phase took, what each check saw."""
    lines: list[str] = []
    for event in seen:
        lines.extend(_lines(event))
    return "\n".join(lines) + "\n"


def _lines(event: Event) -> list[str]:  # noqa: C901, PLR0911 - one return a kind of event
    match event:
        case events.RunStarted():
            when = event.at.strftime("%Y-%m-%d %H:%M:%S UTC")
            goes_on = ", going on where another run stopped" if event.resumed else ""
            return [
                f"# Run {event.number}: {event.command} {event.name} ({event.environment})",
                "",
                f"Began {when}{goes_on}.",
                "",
            ]
        case events.PhaseStarted():
            return [f"- **{event.phase}**: {event.detail}" if event.detail else f"- **{event.phase}**"]
        case events.PhaseFinished():
            return [f"  - done in {event.seconds:.1f} s"]
        case events.ServerCreated():
            return [f"  - made the server {event.server} ({event.id}) at {event.address}"]
        case events.ServerFound():
            return [f"  - the server {event.server} ({event.id}) was there, at {event.address}"]
        case events.ServerDestroyed():
            return [f"  - removed the server {event.server} ({event.id})"]
        case events.TaskFinished(result="failed" | "unreachable"):
            return [
                f"  - **failed**: {event.role} : {event.name} on {event.host}",
                *(f"    > {line}" for line in event.said.splitlines()),
            ]
        case events.HostSummarised():
            return [f"  - {event.host}: {event.ok} ok, {event.changed} changed, {event.failed} failed"]
        case events.CheckFinished():
            return [f"  - {event.status}: {event.name} - {event.saw}"]
        case events.RunFinished():
            return ["", f"Done in {event.seconds:.1f} s, {event.changed} changed. {event.url}".rstrip()]
        case events.RunFailed():
            return [
                "",
                f"**Failed** after {event.seconds:.1f} s: {event.message}",
                *([f"Next: {event.hint}"] if event.hint else []),
            ]
        case _:
            return []
