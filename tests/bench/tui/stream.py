"""Plays a run, in the place of `stackwise up`: so many lines at once, then so many events a second.

It ends when the folder that it is told of is gone.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from stackwise import events
from stackwise.events import Event, to_json

# No key of the bench is in it.
NAME = "Install the packages of the base system"
READY = "EVERYTHING IS THERE"


def task(number: int) -> Iterator[Event]:
    """Yield the two events of a task that changed something, which are one line of the log."""
    name = f"{NAME} {number}"
    yield events.TaskStarted(name=name, role="base", number=number % 400, total=400)
    yield events.TaskFinished(name=name, role="base", host="web", result="changed", seconds=0.01)


def main(lines: int, rate: float, folder: Path) -> None:
    """Say it all on stdout, an event a line."""
    say(events.RunStarted(number=1, command="up", name="bench", environment="production"))
    say(events.PhaseStarted(phase="configure", detail="bring the server into its known state"))
    for number in range(lines):
        for event in task(number):
            say(event)
    sys.stdout.flush()
    # Apart from the lines before it, as the end of a task is in a real run.
    time.sleep(0.5)
    say(events.StepFinished(message=READY))
    sys.stdout.flush()
    # Long enough to be drawn before the next lines push it out of sight.
    time.sleep(1)
    began = time.monotonic()
    for number in count():
        if rate:
            for event in task(number):
                say(event)
            sys.stdout.flush()
        pause = began + (number + 1) * (2 / rate if rate else 0.2) - time.monotonic()
        time.sleep(max(0.0, pause))
        if not folder.exists():
            return


def say(event: Event) -> None:
    sys.stdout.write(to_json(event) + "\n")


if __name__ == "__main__":
    main(int(os.environ["BENCH_LINES"]), float(os.environ["BENCH_RATE"]), Path(os.environ["BENCH_FOLDER"]))
