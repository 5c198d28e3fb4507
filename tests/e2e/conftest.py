"""Real machines: the program as a user has it, on sites that are removed again whatever happens."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import EXAMPLES


@dataclass
class Program:
    """The `stackwise` program, called as a user calls it: from the project's folder, with a home of its own."""

    folder: Path
    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def argv(self) -> list[str]:
        return [os.environ["STACKWISE"]] if "STACKWISE" in os.environ else [sys.executable, "-m", "stackwise"]

    @property
    def env(self) -> dict[str, str]:
        ours = {"HOME": str(self.home), "XDG_STATE_HOME": f"{self.home}/state", "XDG_CACHE_HOME": f"{self.home}/cache"}
        return {**os.environ, **ours, **self.environment}

    @property
    def state(self) -> Path:
        return self.home / "state" / "stackwise"

    @property
    def name(self) -> str:
        found = re.search(r"^name: (\S+)", (self.folder / "stackwise.yml").read_text(), re.MULTILINE)
        assert found
        return found[1]

    def run(self, *arguments: str, code: int | None = 0, seconds: float = 600) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*self.argv, *arguments],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
            stdin=subprocess.DEVNULL,
        )
        # The server's own words may hold one, quoted; ours never do.
        assert not re.search(r"^Traceback", done.stderr, re.MULTILINE), done.stderr
        if code is not None:
            assert done.returncode == code, (
                f"{arguments}: exit {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
            )
        return done

    def events(self, *arguments: str, code: int | None = 0) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.run(*arguments, "--json", code=code).stdout.splitlines()]

    def kill_when(self, sign: str, *arguments: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Start the program, end it by `number` at the first event that `sign` (a pattern) fits; return its code."""
        process = subprocess.Popen(
            [*self.argv, *arguments, "--json"],
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert process.stdout is not None
        for line in process.stdout:
            if re.search(sign, line):
                process.send_signal(number)
                break
        else:
            pytest.fail(f"no event with {sign!r}")
        with process.stdout:
            process.stdout.read()
        return process.wait(timeout=120)

    def address(self) -> str:
        document = json.loads(self.run("status", "--json").stdout)
        return str(document["servers"][0]["address"])

    def on_server(self, command: str) -> str:
        return self.run("ssh", "--", command).stdout


@pytest.fixture(scope="session", autouse=True)
def root() -> None:
    """Refuse to call a run green that could make no machine."""
    if os.geteuid() != 0:
        pytest.fail("the end-to-end tests make machines and need root: sudo make e2e")


def make_program(folder: Path, example: str, name: str = "site") -> Program:
    """Copy an example to a folder called `name`, which is what a site without answers is called after."""
    shutil.copytree(EXAMPLES / example, folder / name, ignore=shutil.ignore_patterns(".stackwise", "__pycache__"))
    (folder / "home").mkdir()
    return Program(folder / name, folder / "home")


def fetched(program: Program, path: str) -> str:
    """Return a page of the site as a visitor sees it who trusts the site's own authority and nothing else."""
    context = ssl.create_default_context(cafile=str(next(program.state.glob("*/authority.pem"))))
    with urllib.request.urlopen(f"https://{program.address()}{path}", context=context, timeout=20) as answer:
        assert answer.status == 200
        return str(answer.read().decode())


@pytest.fixture(scope="module")
def superbook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Give the example with a name of this run's own, and remove its server at the end."""
    program = make_program(tmp_path_factory.mktemp("superbook"), "superbook")
    yield program
    program.run("destroy", "--yes", code=None)
