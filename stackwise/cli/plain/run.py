"""The run, as lines that are each said once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from stackwise import events
from stackwise.cli.plain.talk import Talk
from stackwise.cli.show import event_lines, watch
from stackwise.cli.work import report_lines, runner_of

if TYPE_CHECKING:
    from stackwise.events import Event
    from stackwise.job import Job

# How often to say how far it is, in seconds, while nothing else is worth a line.
_EVERY = 10.0
_MARKS = {"ok": "ok", "fault": "fault", "not-applicable": "not applicable"}


class PlainLines:
    """Says each event that is worth it, and now and then how far it is."""

    def __init__(self, talk: Talk) -> None:
        """Say it by `talk`."""
        self.talk = talk
        self.waits_for = ""
        self.last = time.monotonic()

    def show(self, event: Event) -> None:
        """Say what the event is worth."""
        said = list(self._words(event))
        self.talk.lines(said)
        if said:
            self.last = time.monotonic()

    def say(self, message: str) -> None:
        """Say a remark of a long call."""
        self.talk.say(message, 2)

    def _words(self, event: Event) -> Iterator[str]:
        match event:
            case events.Waited():
                if self._is_time(event.what):
                    yield f"  waiting for {event.what} ({event.seconds:.0f} of at most {event.deadline:.0f} s)"
                self.waits_for = event.what
            case events.TaskStarted():
                if self._is_time(self.waits_for):
                    name = f"{event.role} : {event.name}" if event.role else event.name
                    yield f"  task {event.number} of {event.total}: {name}"
            case _:
                yield from (line.plain for line in event_lines(event, _MARKS))

    def _is_time(self, what: str) -> bool:
        """Whether nothing was said for a while, or something else is waited for."""
        return what != self.waits_for or time.monotonic() - self.last >= _EVERY


def make(job: Job, talk: Talk, answers: Path) -> None:
    """Make the site stand by the same run as `stackwise up`, and say how it ended. Raises StackwiseError."""
    show = PlainLines(talk)
    with runner_of(job, show.say) as runner:
        seen = watch(runner.up(), show)
    talk.lines(report_lines(seen, answers))
