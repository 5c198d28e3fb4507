"""How long a user waits for `--help` and for a plan, beside a program of click that does nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from stackwise.cli import _COMMANDS
from tests.bench.pairs import Pair, WrongAnswerError, in_turns, say, timed
from tests.conftest import EXAMPLES

BARE = """\
import click

@click.group()
def app():
    "A program of as many commands, all of them empty."

def add(name):
    @app.command(name, help="Does nothing at all, but says so.")
    @click.option("--answers", default="stackwise.yml", help="The answers file.")
    @click.option("--json", "as_json", is_flag=True, help="One document.")
    def command(answers, as_json):
        pass

for name in {names!r}:
    add(name)

if __name__ == "__main__":
    app()
"""
TIMES = 15


def program() -> list[str]:
    """Return how stackwise is called: the program that pip made, as a user has it."""
    return [os.environ.get("STACKWISE", str(Path(sys.executable).parent / "stackwise"))]


def measure(times: int) -> Iterator[Pair]:
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.py"
        bare.write_text(BARE.format(names=list(_COMMANDS)))
        # Its interpreter and its installed packages are the same; `-P` as pip's own wrappers do not look in the folder.
        theirs = [sys.executable, "-P", str(bare), "--help"]
        answers = EXAMPLES / "superbook" / "stackwise.yml"
        for name, ours, limit, right in (
            ("stackwise --help", ["--help"], 2.0, lambda out: all(command in out for command in _COMMANDS)),
            ("stackwise plan", ["plan", "-a", str(answers)], 5.0, lambda out: "nginx" in out),
            (
                "stackwise plan --json",
                ["plan", "--json", "-a", str(answers)],
                5.0,
                lambda out: json.loads(out)["servers"],
            ),
        ):
            say(name)
            pair = Pair(name, name, f"a bare click program of {len(_COMMANDS)} commands, --help", "s", limit)
            argv = [*program(), *ours]
            answer = _run(argv, folder)
            if not right(answer):
                raise WrongAnswerError(f"{argv} said {answer[:200]!r}")
            _run(theirs, folder)
            yield in_turns(pair, _timed(argv, folder), _timed(theirs, folder), times or TIMES)


def _timed(argv: list[str], home: str) -> Callable[[], float]:
    return lambda: timed(lambda: _run(argv, home))


def _run(argv: list[str], home: str) -> str:
    environment = {**os.environ, "HOME": home, "XDG_STATE_HOME": home, "XDG_CACHE_HOME": home}
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise WrongAnswerError(f"{argv}: exit {done.returncode}: {done.stderr[-500:]}")
    return done.stdout
