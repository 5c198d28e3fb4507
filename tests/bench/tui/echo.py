"""How long a key takes to be seen: while a run streams, and under a long log."""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from tests.bench.pairs import Pair, in_turns, say
from tests.bench.tui.first import BARE
from tests.bench.tui.stream import READY
from tests.bench.tui.terminal import Terminal
from tests.conftest import EXAMPLES
from tests.way import REVIEW, RUN, START

WATCHING = [sys.executable, "-P", str(Path(__file__).with_name("watching.py"))]
ROUNDS, KEYS = 3, 500
EVENTS_A_SECOND = 200
FEW, MANY = 100, 10_000
# Signs that are in no word of a run's log, so that what shows them is the field.
SIGNS = "qzxjQZXJ"
WORD = 12
CLEAR = "\x15"
EMPTY_FIND, EMPTY_BARE = "find in the log", "type here"


def measure(times: int) -> Iterator[Pair]:
    rounds = times or ROUNDS
    ours = f"in the run's log while it streams {EVENTS_A_SECOND} events a second"
    pair = Pair("a key echoes, p99", ours, "a field of a bare Textual app", "ms", 1.5)
    pair.notes.append(f"{KEYS} keys a round, each typed into a field and seen in what the terminal gets")
    yield in_turns(pair, lambda: _p99(_streaming(FEW, EVENTS_A_SECOND)), lambda: _p99(_bare()), rounds)
    pair = Pair(f"a key under {MANY:,} lines", f"{MANY:,} lines of log", f"{FEW} lines", "ms", 1.2)
    pair.notes.append(f"the median of {KEYS} keys, typed into the field that searches the log; nothing else happens")
    yield in_turns(pair, lambda: median(_streaming(MANY, 0)), lambda: median(_streaming(FEW, 0)), rounds)


def _p99(seconds: list[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.99)]


def _bare() -> list[float]:
    with tempfile.TemporaryDirectory() as folder, Terminal([*BARE, "field"], Path(folder)) as terminal:
        terminal.wait(EMPTY_BARE)
        terminal.rest(0.5)
        found = _typed(terminal, EMPTY_BARE)
    say(f"bare: median {median(found):.1f} ms, p99 {_p99(found):.1f} ms")
    return found


def _streaming(lines: int, rate: int) -> list[float]:
    with _watched(lines, rate) as terminal:
        found = _typed(terminal, EMPTY_FIND)
    say(f"{lines} lines, {rate} events a second: median {median(found):.1f} ms, p99 {_p99(found):.1f} ms")
    return found


@contextmanager
def _watched(lines: int, rate: int) -> Iterator[Terminal]:
    """Give a walk on the run screen, with a run going on and the field open that searches its log."""
    with tempfile.TemporaryDirectory() as folder:
        home, project, alive = (Path(folder) / name for name in ("home", "bench", "alive"))
        shutil.copytree(EXAMPLES / "startproject", project)
        home.mkdir()
        alive.mkdir()
        more = {"BENCH_LINES": str(lines), "BENCH_RATE": str(rate), "BENCH_FOLDER": str(alive)}
        with Terminal(WATCHING, home, project, **more) as terminal:
            try:
                for stop in (START, REVIEW, RUN):
                    terminal.wait(stop.words)
                    terminal.rest(0.3)
                    terminal.send(stop.sent)
                terminal.wait(READY)
                terminal.rest(1)
                terminal.send(b"/")
                terminal.wait(EMPTY_FIND)
                terminal.rest(0.5)
                yield terminal
            finally:
                # The run has a process of its own, which looks for this.
                alive.rmdir()


def _typed(terminal: Terminal, empty: str) -> list[float]:
    """Type keys and return how long each took to be seen, in ms; an empty field says `empty`."""
    chance = random.Random(1)  # noqa: S311 - no secret, and the same keys every time
    word = ""
    found: list[float] = []
    while len(found) < KEYS:
        if len(word) == WORD:
            word = ""
            terminal.send(CLEAR.encode())
            # An action of a key is carried out after what is typed before it came to it.
            terminal.wait(empty)
        sign = chance.choice(SIGNS)
        word += sign
        found.append(terminal.echo(sign, word) * 1000)
        # At no fixed distance, so that keys fall everywhere between two pictures.
        terminal.rest(chance.uniform(0.005, 0.03))
    return found
