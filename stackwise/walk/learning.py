"""How long each phase takes, learnt from the runs on record: of those that made the server, and those that found it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from stackwise import events
from stackwise.events import Event
from stackwise.journal import Journal
from stackwise.journal.record import RunRecord, records
from stackwise.plan.model import Identity

# What ran long ago says little about today's project and server.
_LATEST = 20


@dataclass(frozen=True, slots=True)
class Learnt:
    """The usual seconds of each phase: `made` of runs that made the server, `found` of those that found it.

    `stands` is whether there is a server, so which of the two the next run will most likely be.
    """

    made: Mapping[str, float] = field(default_factory=dict)
    found: Mapping[str, float] = field(default_factory=dict)
    stands: bool = False

    def seconds(self, phase: str, *, makes_server: bool) -> float | None:
        """Return what a phase usually takes, None where no run of this kind is on record."""
        return (self.made if makes_server else self.found).get(phase)


def learn(folder: Path, identity: Identity, command: str = "up") -> Learnt:
    """Return what the runs of a command say that ended well. Raises OSError, JournalError."""
    of_command = [record for record in records(folder) if record.command == command][-_LATEST:]
    ended = [seen for seen in (_ended_well(record, identity) for record in of_command) if seen]
    stands = any(record.ready for record in Journal.of(identity).servers().values())
    return Learnt(_medians(filter(_made, ended)), _medians(run for run in ended if not _made(run)), stands)


def _ended_well(record: RunRecord, identity: Identity) -> tuple[Event, ...]:
    """Return the events of a run of this site that came to its end, else nothing."""
    seen = tuple(record.events())
    first = next((event for event in seen if isinstance(event, events.RunStarted)), None)
    ours = first is not None and Identity(first.name, first.environment) == identity
    return seen if ours and isinstance(seen[-1], events.RunFinished) else ()


def _made(seen: Iterable[Event]) -> bool:
    return any(isinstance(event, events.ServerCreated) for event in seen)


def _medians(runs: Iterable[Iterable[Event]]) -> dict[str, float]:
    seconds: dict[str, list[float]] = defaultdict(list)
    for run in runs:
        for event in run:
            if isinstance(event, events.PhaseFinished):
                seconds[event.phase].append(event.seconds)
    return {phase: median(values) for phase, values in seconds.items()}
