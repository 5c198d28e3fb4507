"""The readable record of runs, in the project's folder and fit to commit.

`.stackwise/runs/0001-up.jsonl` has every event, `.md` and `.html` the report.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from stackwise import events
from stackwise.errors import JournalError
from stackwise.events import Event
from stackwise.paths import DEFAULT_FILE
from stackwise.render.report import make_report, report_html, report_markdown

_NAME = re.compile(r"(\d{4})-([a-z]+)\.jsonl")


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run on record."""

    number: int
    command: str
    path: Path

    def events(self) -> Iterator[Event]:
        """Yield what happened; a line that a crash cut short is left out."""
        # What was cut inside a letter is still read up to there: only its own line is lost.
        for line in self.path.read_text(encoding="utf-8", errors="replace").split("\n"):
            try:
                yield events.from_json(line)
            except ValueError:
                continue


def records(folder: Path) -> tuple[RunRecord, ...]:
    """Return the runs on record in a project's folder, oldest first."""
    found = ((path, _NAME.fullmatch(path.name)) for path in sorted((folder / ".stackwise" / "runs").glob("*.jsonl")))
    return tuple(RunRecord(int(match[1]), match[2], path) for path, match in found if match)


def run_path(folder: Path, number: int, command: str) -> Path:
    """Return where the events of a run are kept."""
    return folder / ".stackwise" / "runs" / f"{number:04d}-{command}.jsonl"


def next_number(folder: Path) -> int:
    """Return the number after the last run on record."""
    return 1 + max((record.number for record in records(folder)), default=0)


class Recorder:
    """Writes the events of one run as they happen, and a report of it at the end."""

    def __init__(self, folder: Path, number: int, command: str, answers: Path = Path(DEFAULT_FILE)) -> None:
        """Record run `number` of `command` in the project's `folder`; `answers` is the file that it was made from."""
        self._base = run_path(folder, number, command)
        self._answers = answers.name
        directory = self._base.parent
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._stream = self._base.open("w", encoding="utf-8", errors="replace")
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
            short = make_report(self._seen, Path(self._answers))
            written = {".md": f"{report_markdown(short)}\n{_course(self._seen)}", ".html": report_html(short)}
            for suffix, text in written.items():
                self._base.with_suffix(suffix).write_text(text, encoding="utf-8", errors="replace")
        except OSError as exc:
            if value is None:
                raise _unwritable(self._base, exc) from exc

    @property
    def faults(self) -> tuple[str, ...]:
        """What the checks saw where they found a fault."""
        checks = (event for event in self._seen if isinstance(event, events.CheckFinished))
        return tuple(check.saw for check in checks if check.status == "fault")

    def keep(self, event: Event) -> None:
        """Write `event` down, unless it only passes. Raises JournalError."""
        if isinstance(event, events.PASSING):
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
        lines.extend(_lines(events.readable_event(event)))
    return "\n".join(lines) + "\n"


def _course(seen: Iterable[Event]) -> str:
    return "## How it went\n\n" + report(event for event in seen if not isinstance(event, events.RunStarted))


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
                *([f"Likely cause: {event.cause} {event.do}"] if event.cause else []),
                *([f"Next: {event.hint}"] if event.hint else []),
            ]
        case _:
            return []
