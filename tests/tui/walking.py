"""What the tests of the walk share: a project in a folder of its own, and how to wait for the workers."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Static

from stackwise.events import Event
from stackwise.job import Job
from stackwise.tui.app import Walk
from tests.conftest import EXAMPLES

NARROW = (80, 24)


def small_project(folder: Path) -> Path:
    """Make what Django's generator makes, without an answers file."""
    return Path(shutil.copytree(EXAMPLES / "startproject", folder / "mysite"))


async def settled(pilot: Pilot[None]) -> None:
    """Wait until every worker is done and what it said is shown."""
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    """Wait until something holds, for as long as a test may take."""
    while not holds():
        await pilot.pause(0.02)


def shown(app: Walk, selector: str) -> str:
    """Return the words of a widget as they are shown, without styles."""
    return str(app.screen.query_one(selector, Static).visual)


def happening(
    *events: Event, error: Exception | None = None
) -> Callable[[Job, Callable[[str], None], threading.Event], Iterator[Event]]:
    """Return a run that plays `events`, then ends, by `error` where one is given."""

    def carry_out(job: Job, progress: Callable[[str], None], stop: threading.Event) -> Iterator[Event]:
        del job, progress, stop
        yield from events
        if error is not None:
            raise error

    return carry_out
