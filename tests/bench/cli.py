"""How long a user waits for `--help`, a plan and the advice, beside a program of click that does nothing."""

from __future__ import annotations

import json
import os
import re
import shutil
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
LARGE = 1000
ROOT = Path(__file__).parents[2]


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
        yield _advise(answers, folder, times)
        yield _large_catalog(answers, Path(folder), times)


def _advise(answers: Path, folder: str, times: int) -> Pair:
    """Time the whole advice beside a plan."""
    say("stackwise advise")
    advise, plan = ([*program(), command, "-a", str(answers)] for command in ("advise", "plan"))
    if "What gives first" not in (said := _run(advise, folder)).replace("what", "What"):
        raise WrongAnswerError(f"{advise} said {said[:200]!r}")
    pair = Pair("stackwise advise", "the whole advice", "stackwise plan", "s", 2.0)
    return in_turns(pair, _timed(advise, folder), _timed(plan, folder), times or TIMES)


def _large_catalog(answers: Path, folder: Path, times: int) -> Pair:
    """Time the advice of a catalog of LARGE components beside that of the real one, each in a copy of the program."""
    say(f"stackwise advise, {LARGE} components")
    arms = []
    for name, number in (("large", LARGE), ("real", 0)):
        root = folder / name
        for part in ("stackwise", "catalog", "playbooks"):
            shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
        _multiply(root / "catalog" / "components", number)
        argv = [sys.executable, "-P", "-m", "stackwise", "advise", "-a", str(answers)]
        work = _timed(argv, str(root / "home"), PYTHONPATH=str(root))
        work()
        arms.append(work)
    found = json.loads(
        _run(
            [sys.executable, "-P", "-m", "stackwise", "catalog", "list", "--json"],
            str(folder / "large" / "home"),
            PYTHONPATH=str(folder / "large"),
        )
    )
    if len(found) < LARGE:
        raise WrongAnswerError(f"the large catalog has {len(found)} components")
    pair = Pair("stackwise advise, large catalog", f"a catalog of {LARGE} components", "the real one", "s", 3.0)
    return in_turns(pair, arms[0], arms[1], times or TIMES)


def _multiply(components: Path, number: int) -> None:
    """Add copies of what is only advised on, under other ids, until there are `number` components."""
    files = sorted(components.glob("*/*.yml"))
    copied = [
        path for path in files if not re.search(r"^(install|offer|system|hosting):", path.read_text(), re.MULTILINE)
    ]
    for count in range(number - len(files)):
        path = copied[count % len(copied)]
        text = re.sub(r"^aliases: .*\n", "", path.read_text(), flags=re.MULTILINE)
        path.with_name(f"copy-{count}.yml").write_text(
            re.sub(r"^id: .*$", f"id: copy-{count}", text, count=1, flags=re.MULTILINE)
        )


def _timed(argv: list[str], home: str, **more: str) -> Callable[[], float]:
    return lambda: timed(lambda: _run(argv, home, **more))


def _run(argv: list[str], home: str, **more: str) -> str:
    environment = {**os.environ, "HOME": home, "XDG_STATE_HOME": home, "XDG_CACHE_HOME": home, **more}
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise WrongAnswerError(f"{argv}: exit {done.returncode}: {done.stderr[-500:]}")
    return done.stdout
