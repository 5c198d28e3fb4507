"""A program in the place of ours, for runs in processes of their own: it plays events, and behaves as it is told."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path

from stackwise.events import Event, to_json

HEAD = """
import json, os, signal, sys, threading, time
from pathlib import Path
from stackwise.events import StepFinished, from_json, to_json
from stackwise.journal import Journal
from stackwise.journal.record import Recorder
from stackwise.plan.model import Identity

WEB = Identity("mysite", "production")
command, answers = sys.argv[1], Path(sys.argv[-1])
stop = threading.Event()
signal.signal(signal.SIGINT, lambda *_: stop.set())

def say(*lines):
    for line in lines:
        print(line, flush=True)

def until(path):
    # A test says when by making a file; a signal wakes us as it would wake the real program.
    while not Path(path).exists() and not stop.is_set():
        time.sleep(0.01)
"""


def program(folder: Path, body: str, *events: Iterable[Event]) -> list[str]:
    """Write a program whose `body` has the lines of `events` as E0, E1, ...; return how it is called."""
    lines = [f"E{number} = {[to_json(event) for event in batch]!r}" for number, batch in enumerate(events)]
    path = folder / "program.py"
    path.write_text("\n".join([HEAD, *lines, textwrap.dedent(body)]))
    return [sys.executable, str(path)]
