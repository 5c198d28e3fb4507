"""Shows a run as it happens: a live line on a terminal, plain lines elsewhere, JSON lines where asked."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from stackwise import events
from stackwise.events import Event, to_json

_MARKS = {"ok": "✓", "fault": "✗", "not-applicable": "-"}
_STYLES = {"ok": "green", "fault": "red", "not-applicable": "dim"}


class Show(Protocol):
    """Somebody who shows events."""

    def show(self, event: Event) -> None:
        """Show one event."""

    def say(self, message: str) -> None:
        """Show a remark of a long call."""


class JsonLines:
    """One event a line on stdout."""

    def show(self, event: Event) -> None:
        """Print the event."""
        click.echo(to_json(event))

    def say(self, message: str) -> None:
        """Print a remark of a long call, as an event like the others."""
        self.show(events.Remarked(words=message))


class Lines:
    """Lines on stderr, and on a terminal a live one that says what is going on right now."""

    def __init__(self) -> None:
        """Begin with nothing to show."""
        self.console = Console(stderr=True, highlight=False, soft_wrap=True)
        self.progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
        )
        self.row = self.progress.add_task("starting", total=None)

    def show(self, event: Event) -> None:
        """Print what the event is worth."""
        for line in event_lines(event, _MARKS):
            self.console.print(line)
        if isinstance(event, events.Waited) and not self.console.is_terminal:
            self.console.print(Text(f"  waiting for {event.what} ({event.seconds:.0f} s)", style="dim"))
        now = self._now(event)
        if now is not None:
            words, done, total = now
            self.progress.update(self.row, description=words, completed=done, total=total)

    def say(self, message: str) -> None:
        """Print a remark of a long call."""
        self.progress.update(self.row, description=message, total=None)
        if not self.console.is_terminal:
            self.console.print(Text(f"  {message}"))

    def _now(self, event: Event) -> tuple[str, int, int | None] | None:
        match event:
            case events.PhaseStarted():
                return f"{event.phase}: {event.detail}", 0, None
            case events.Waited():
                return f"{event.what} ({event.seconds:.0f} of at most {event.deadline:.0f} s)", 0, None
            case events.TaskStarted():
                return f"{event.role} : {event.name}" if event.role else event.name, event.number, event.total
            case _:
                return None


def event_lines(event: Event, marks: Mapping[str, str]) -> Iterator[Text]:  # noqa: C901, PLR0912 - one branch a kind of event
    """Yield what an event is worth, as lines; `marks` has the sign of each outcome of a check."""
    match event:
        case events.RunStarted():
            goes_on = ", going on where the last one stopped" if event.resumed else ""
            yield Text(f"Run {event.number}: {event.command} {event.name} ({event.environment}){goes_on}", style="bold")
        case events.PhaseStarted():
            yield Text.assemble((f"{event.phase}", "bold cyan"), f"  {event.detail}")
        case events.PhaseFinished():
            yield Text(f"  {event.seconds:.1f} s", style="dim")
        case events.StepFinished():
            yield Text(f"  {event.message}")
        case events.ServerCreated():
            yield Text(f"  server {event.server} ({event.id}) at {event.address}, made in {event.seconds:.1f} s")
        case events.ServerFound():
            yield Text(f"  server {event.server} ({event.id}) at {event.address}")
        case events.ServerDestroyed():
            yield Text(f"  removed {event.server} ({event.id})")
        case events.PlayStarted():
            yield Text(f"  {event.name}")
        case events.TaskFinished(result="changed"):
            yield Text(f"    {event.role} : {event.name}", style="yellow")
        case events.TaskFinished(result="failed" | "unreachable") if event.said:
            yield Text(f"    {event.role} : {event.name} failed on {event.host}", style="bold red")
        case events.HostSummarised():
            yield Text(f"  {event.host}: {event.ok} ok, {event.changed} changed, {event.failed} failed")
        case events.CheckFinished():
            yield Text.assemble(
                (f"  {marks[event.status]} ", _STYLES[event.status]), event.name, (f"  {event.saw}", "dim")
            )
            if event.hint:
                yield Text(f"      {event.hint}")
        case events.RunFailed() if event.cause:
            # What was said, and what to type, stands below it: it is the program's last word.
            yield Text.assemble(("likely cause: ", "bold"), event.cause)
            yield Text(f"  {event.do}")
        case _:
            return


@contextmanager
def showing(*, as_json: bool) -> Iterator[Show]:
    """Give somebody who shows events, in the way that the call asks for."""
    if as_json:
        yield JsonLines()
        return
    lines = Lines()
    if lines.console.is_terminal:
        with lines.progress:
            yield lines
    else:
        yield lines


@contextmanager
def stoppable() -> Iterator[threading.Event]:
    """Give an event that ctrl-c and SIGTERM set. A second ctrl-c ends the program at once."""
    stop = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            signal.default_int_handler(number, frame)
        stop.set()
        click.echo("\nstopping at the next safe point; once more stops at once", err=True)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def watch(run: Iterable[Event], show: Show) -> list[Event]:
    """Show a run to its end and return what happened."""
    seen = []
    for event in run:
        show.show(event)
        if not isinstance(event, events.PASSING):
            seen.append(event)
    return seen
