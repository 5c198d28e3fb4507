"""A run on record: it has a number, every event of it is written down, and it says how it ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from stackwise import events
from stackwise.errors import InterruptedRunError, JournalError, StackwiseError
from stackwise.events import Event
from stackwise.job import Job
from stackwise.journal import Journal
from stackwise.journal.record import Recorder, next_number
from stackwise.operate.causes import likely_cause


def recorded(
    job: Job,
    journal: Journal,
    command: str,
    steps: Callable[[Journal], Iterator[Event]],
    url: Callable[[Journal], str],
) -> Iterator[Event]:
    """Yield what the `steps` of a command do, between its first and its last event, and keep it all.

    `url` says where the site answers once they are done. The journal must be locked; after `destroy` it is gone.
    Raises what the steps raise, once it is on record.
    """
    started, changed, stands = time.monotonic(), 0, command != "destroy"
    number = max(journal.next_run(), next_number(job.folder))
    resumed = any(entry["kind"] == "run" for entry in journal.entries()) and not _ended_well(journal)
    journal.begin()
    journal.write("run", number=number, command=command)
    with Recorder(job.folder, number, command, job.answers.path) as recorder:
        name, environment = job.identity.name, job.identity.environment
        first = events.RunStarted(number=number, command=command, name=name, environment=environment, resumed=resumed)
        recorder.keep(first)
        yield first
        try:
            for event in steps(journal):
                changed += event.changed if isinstance(event, events.HostSummarised) else 0
                recorder.keep(event)
                yield event
        except (StackwiseError, OSError) as exc:
            told = exc if isinstance(exc, StackwiseError) else _unwritable(exc)
            failed = _failed(job, number, started, told, recorder.faults)
            with suppress(JournalError):
                # Where the record is what failed, the reader hears of it all the same.
                recorder.keep(failed)
            yield failed
            raise told from exc
        where = url(journal) if stands else ""
        if stands:
            journal.write("ended", number=number)
        last = events.RunFinished(
            number=number, seconds=round(time.monotonic() - started, 1), changed=changed, url=where
        )
        recorder.keep(last)
        yield last
    if not stands:
        journal.forget()


def _failed(job: Job, number: int, started: float, exc: StackwiseError, faults: tuple[str, ...]) -> events.RunFailed:
    said, stopped = str(getattr(exc, "said", "")), isinstance(exc, InterruptedRunError)
    cause = None if stopped else likely_cause(job.catalog, exc.message, said, *faults)
    return events.RunFailed(
        number=number,
        seconds=round(time.monotonic() - started, 1),
        message=f"stopped: {exc.message}" if stopped else exc.message,
        hint=exc.hint,
        said=said,
        cause=cause.says if cause else "",
        do=cause.do if cause else "",
        stopped=stopped,
    )


def _ended_well(journal: Journal) -> bool:
    runs = journal.entries("run")
    ended = {entry["number"] for entry in journal.entries("ended")}
    return not runs or runs[-1]["number"] in ended


def _unwritable(exc: OSError) -> JournalError:
    """Say which file of ours could not be read or written, and why: a full disk shows itself anywhere."""
    where = f" {exc.filename}" if exc.filename else ""
    return JournalError(
        f"cannot read or write{where}: {exc.strerror or exc}",
        hint="free some room, or make it yours to write, then go on: stackwise up",
    )
