"""`make matrix`: every Python we promise, every stack and every provider that boots here, and ten thousand histories.

Sequential, since each part wants the machine for itself. Exits 1 when anything failed; the table says what.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.conftest import make_program
from tests.e2e.test_clouds import BOOTING

ROOT = Path(__file__).resolve().parent.parent
CHOICES = {
    "stack.os": ("debian-12", "debian-13"),
    "stack.database": ("postgresql", "sqlite"),
    "stack.cache": ("redis", "local-memory"),
    "access.tls": ("internal", "none"),
}
# Not multiplied with the others, but in turns: each server meets each other choice, and each two of them.
SERVERS = ("granian", "gunicorn")


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    good: bool
    saw: str


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.matrix", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help="of pythons, stacks, clouds, histories; none: all")
    asked = parser.parse_args().parts
    parts = {"pythons": pythons, "stacks": stacks, "clouds": clouds, "histories": histories}
    if set(asked) - set(parts):
        parser.error(f"the parts are {', '.join(parts)}")
    rows: list[Row] = []
    for part, make in parts.items():
        if not asked or part in asked:
            for row in make():
                rows.append(row)
                print(_line(row), file=sys.stderr, flush=True)  # noqa: T201 - a program's progress
    print("\n".join(_line(row) for row in rows))  # noqa: T201 - the product of this program
    bad = [row for row in rows if not row.good]
    print(f"{len(rows) - len(bad)} of {len(rows)} are good")  # noqa: T201 - as above
    return 1 if bad else 0


def _line(row: Row) -> str:
    return f"{'ok  ' if row.good else 'FAIL'}  {row.what:<58} {row.saw}"


def pythons() -> Iterator[Row]:
    """Run the unit tests on every Python of the classifiers; one that is missing is a failure."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    promised = [word.rpartition(" ")[2] for word in project["classifiers"] if " :: 3." in word]
    for version in promised:
        interpreter = _interpreter(version)
        if interpreter is None:
            yield Row(f"Python {version}", good=False, saw="it is not on PATH and not among pyenv's versions")
        else:
            yield _tested(version, interpreter)


def _interpreter(version: str) -> Path | None:
    """Find `pythonX.Y` among pyenv's versions, or on PATH; a shim of pyenv that leads nowhere is none."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = sorted(pyenv.glob(f"{version}.*/bin/python{version}"))
    named = shutil.which(f"python{version}")
    for candidate in [*reversed(found), *([Path(named)] if named else [])]:
        done = subprocess.run([candidate, "-c", "import ensurepip, venv"], capture_output=True, check=False)
        if done.returncode == 0:
            return candidate
    return None


def _tested(version: str, interpreter: Path) -> Row:
    folder = ROOT / ".venvs" / f"py{version}"
    python = folder / "bin" / "python"
    started = time.monotonic()
    steps = [
        [str(interpreter), "-m", "venv", str(folder)],
        [str(python), "-m", "pip", "install", "--quiet", "--upgrade", "pip>=25.1"],
        [str(python), "-m", "pip", "install", "--quiet", "--editable", ".", "--group", "dev"],
        [str(python), "-m", "pytest", "--quiet", "--no-header"],
    ]
    said = ""
    for step in steps:
        done = subprocess.run(step, cwd=ROOT, capture_output=True, text=True, check=False)
        said = (done.stdout.strip() or done.stderr.strip()).rpartition("\n")[2]
        if done.returncode:
            print(done.stdout[-4000:], done.stderr[-2000:], file=sys.stderr)  # noqa: T201 - why it failed
            return Row(f"Python {version}", good=False, saw=said)
    code = "from importlib.metadata import version as v; print(v('ansible-core'))"
    core = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    return Row(f"Python {version}, ansible-core {core}", good=True, saw=f"{said}, {time.monotonic() - started:.0f} s")


def stacks() -> Iterator[Row]:
    """Bring up superbook on every combination, once more with nothing to change, and remove it."""
    for choices in combinations():
        yield _stack(choices)


def clouds() -> Iterator[Row]:
    """Bring up superbook at every provider whose API boots machines here, and remove it."""
    for provider in BOOTING:
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "--no-header",
            "-p",
            "no:cacheprovider",
            "tests/e2e/test_clouds.py",
        ]
        yield _program(f"site at {provider}", command, {"STACKWISE_TEST_PROVIDERS": provider})


def histories() -> Iterator[Row]:
    """Live through ten thousand histories of provisioning; those that were lived through with this code are kept."""
    yield _program("histories of provisioning", [sys.executable, "-m", "tests.cloud.histories", "10000"], {})


def _program(what: str, command: list[str], environment: dict[str, str]) -> Row:
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True, check=False
    )
    saw = done.stdout.strip().rpartition("\n")[2]
    if done.returncode:
        print(done.stdout[-4000:], file=sys.stderr)  # noqa: T201 - why it failed
    return Row(what, good=done.returncode == 0, saw=saw)


def combinations() -> Iterator[dict[str, str]]:
    """Yield every combination of CHOICES; whether it has an odd number of second choices says with which server."""
    for places in itertools.product(*(range(len(values)) for values in CHOICES.values())):
        choices = {key: CHOICES[key][place] for key, place in zip(CHOICES, places, strict=True)}
        yield {**choices, "stack.app": SERVERS[sum(places) % len(SERVERS)]}


def _stack(choices: dict[str, str]) -> Row:
    what = ", ".join(choices.values())
    more = [word for key, value in choices.items() for word in ("--set", f"{key}={value}")]
    with tempfile.TemporaryDirectory(prefix="stackwise-matrix-") as folder:
        program = make_program(Path(folder), "superbook")
        try:
            times = []
            for number in range(2):
                done = program.run("up", "--yes", "--json", *more, code=None)
                happened: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
                last = happened[-1] if happened else {"event": "nothing", "message": done.stderr[-300:]}
                if last["event"] != "RunFinished":
                    return Row(what, good=False, saw=f"up {number + 1}: {last.get('message')} {last.get('said', '')}")
                times.append(f"{last['seconds']:.1f} s")
            saw = f"up {times[0]}, again {times[1]}, changed={last['changed']}"
            return Row(what, good=last["changed"] == 0, saw=saw)
        finally:
            program.run("destroy", "--yes", code=None)


if __name__ == "__main__":
    sys.exit(main())
