"""What the tests of the walk share: a project in a folder of its own, and how to wait for the workers."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Static
from textual.worker import WorkerCancelled

from stackwise.background import Following
from stackwise.errors import InterruptedRunError
from stackwise.events import Event
from stackwise.plan.model import Identity
from stackwise.tui.app import Walk
from tests.conftest import EXAMPLES

NARROW = (80, 24)


def small_project(folder: Path) -> Path:
    """Make what Django's generator makes, without an answers file."""
    return Path(shutil.copytree(EXAMPLES / "startproject", folder / "mysite"))


async def settled(pilot: Pilot[None]) -> None:
    """Wait until every worker is done and what it said is shown."""
    calm = 0
    # Textual takes a process that gets no processor for one that has nothing to do; so what is under way is counted.
    while calm < 2:
        # One that was cancelled has made room for a newer one, which is waited for in the next round.
        with suppress(WorkerCancelled):
            await pilot.app.workers.wait_for_complete()
        before = _under_way(pilot.app)
        await pilot.pause()
        calm = calm + 1 if before == _under_way(pilot.app) == (0, 0, pilot.app.screen) else 0


def _under_way(app: App[None]) -> tuple[int, int, Screen[object]]:
    """Return how many messages wait, how many workers work, and which screen is shown."""
    nodes = [app, *(node for screen in app.screen_stack for node in screen.walk_children(with_self=True))]
    working = sum(not worker.is_finished for worker in app.workers)
    return sum(node.message_queue_size for node in nodes), working, app.screen


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    """Wait until something holds, for as long as a test may take."""
    while not holds():
        await pilot.pause(0.02)


def shown(app: Walk, selector: str) -> str:
    """Return the words of a widget as they are shown, without styles."""
    return str(app.screen.query_one(selector, Static).visual)


@dataclass
class Played:
    """A run that plays events: those before and after `go_on` is set, then its end, by `error` where one is given."""

    before: tuple[Event, ...] = ()
    after: tuple[Event, ...] = ()
    error: Exception | None = None
    command: str = "up"
    go_on: threading.Event = field(default_factory=threading.Event)
    stopped: int = 0
    left: bool = False

    def batches(self) -> Iterator[tuple[Event, ...]]:
        yield self.before
        self.go_on.wait(20)
        if self.left:
            return
        if self.after:
            yield self.after
        if self.error is not None:
            raise self.error

    def interrupt(self) -> None:
        self.stopped += 1
        self.error = InterruptedRunError("it was stopped", hint="go on with: stackwise up")
        self.go_on.set()

    def leave(self) -> None:
        self.left = True
        self.go_on.set()


@dataclass
class FakeRuns:
    """Begins what it is given, one after the other, and keeps what it was asked for; `going` goes on already."""

    plays: list[Played] = field(default_factory=list)
    going: Played | None = None
    begun: list[tuple[str, Path, str, dict[str, str]]] = field(default_factory=list)

    def begin(self, command: str, answers: Path, identity: Identity, environment: Mapping[str, str]) -> Following:
        self.begun.append((command, answers, str(identity), dict(environment)))
        return self.plays.pop(0)

    def going_on(self, identity: Identity, folder: Path) -> Following | None:
        del identity, folder
        found, self.going = self.going, None
        return found

    def shell(self, answers: Path) -> Sequence[str]:
        return ["true", str(answers)]


def happening(*events: Event, error: Exception | None = None) -> FakeRuns:
    """Return one run that plays `events`, then ends, by `error` where one is given."""
    played = Played(events, error=error)
    played.go_on.set()
    return FakeRuns([played])
