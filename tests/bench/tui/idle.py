"""What it costs to do nothing: a minute on a screen of the walk, beside a minute of a bare app."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from tests.bench.cli import program
from tests.bench.pairs import Pair
from tests.bench.tui.first import BARE
from tests.bench.tui.terminal import Terminal
from tests.conftest import EXAMPLES
from tests.way import REVIEW, START

MINUTE = 60.0
LAYER = "Which database keeps the data?"
STEPS_TO_LAYER = 20
NEXT = b"\x0e"
TICK = 1 / os.sysconf("SC_CLK_TCK")


def measure() -> Iterator[Pair]:
    """Measure all of them in the same minute."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        bare = stack.enter_context(Terminal(BARE, Path(folder)))
        bare.wait("first content")
        review, layer = (_walk(stack, Path(folder) / name) for name in ("review", "layer"))
        review.send(START.sent)
        review.wait(REVIEW.words)
        _to_layer(layer)
        terminals = (bare, review, layer)
        for terminal in terminals:
            terminal.rest(2)
        before = [terminal.processor() for terminal in terminals]
        for terminal in terminals:
            terminal.seen = b""
        for terminal in terminals:
            terminal.rest(MINUTE / len(terminals))
        spent = [terminal.processor() - begun for terminal, begun in zip(terminals, before, strict=True)]
    for name, seconds in (("the review", spent[1]), ("a layer", spent[2])):
        pair = Pair(f"doing nothing on {name}", f"stackwise, on {name}", "a bare Textual app", "s", 1.0, slack=TICK)
        pair.ours, pair.theirs = [round(seconds, 3)], [round(spent[0], 3)]
        pair.notes.append(f"seconds of a processor in one minute, all at the same time; the clock ticks {TICK:g} s")
        yield pair


def _walk(stack: ExitStack, folder: Path) -> Terminal:
    project = Path(shutil.copytree(EXAMPLES / "startproject", folder / "bench"))
    terminal = stack.enter_context(Terminal(program(), folder, project))
    terminal.wait(START.words)
    terminal.rest(0.3)
    return terminal


def _to_layer(terminal: Terminal) -> None:
    """Go from step to step until the layer is there."""
    for _ in range(STEPS_TO_LAYER):
        terminal.send(NEXT)
        terminal.rest(0.7)
        if terminal.shows(LAYER):
            return
    terminal.wait(LAYER, 0)
