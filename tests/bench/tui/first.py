"""The first content of the walk, beside a bare app and beside a well-known one of Textual."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.bench.cli import ROOT, program
from tests.bench.pairs import Pair, in_turns, say
from tests.bench.tui.terminal import Terminal

BARE = [sys.executable, "-P", str(Path(__file__).with_name("bare.py"))]
HARLEQUIN = ROOT / ".venvs" / "harlequin"
NOTE = "a pseudo-terminal of 120x40; from exec to the first word on the app's own screen"
TIMES = 9


def measure(times: int) -> Iterator[Pair]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        pair = Pair("first content of the walk", "stackwise", "a bare Textual app", "s", 1.5)
        yield in_turns(_noted(pair), _shown(program(), home), _shown(BARE, home), times or TIMES)
        pair = _noted(Pair("first content, beside harlequin", "stackwise", "harlequin", "s", 0.25))
        try:
            theirs = _harlequin()
        except subprocess.CalledProcessError as exc:
            pair.missing = f"harlequin could not be installed: {exc.stderr.strip().splitlines()[-1]}"
            yield pair
            return
        _shown(theirs, home)()  # what it makes at its first start does not count
        yield in_turns(pair, _shown(program(), home), _shown(theirs, home), times or TIMES)


def _noted(pair: Pair) -> Pair:
    pair.notes.append(NOTE)
    return pair


def _shown(argv: Sequence[str], home: Path) -> Callable[[], float]:
    def sample() -> float:
        with Terminal(argv, home) as terminal:
            return terminal.first_content()

    return sample


def _harlequin() -> list[str]:
    """Return how harlequin is called, in an environment of its own with the same Python. Raises CalledProcessError."""
    called = HARLEQUIN / "bin" / "harlequin"
    if not called.exists():
        say("harlequin goes into .venvs/harlequin")
        pip = [str(HARLEQUIN / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        for argv in ([sys.executable, "-m", "venv", str(HARLEQUIN)], [*pip, "harlequin"]):
            subprocess.run(argv, check=True, capture_output=True, text=True)
    # Time zones would be fetched from the network.
    return [str(called), "--no-download-tzdata"]
