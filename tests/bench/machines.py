"""Real machines for the arms: sites of ours with a home of their own, and fresh machines for shell scripts."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from stackwise.provision.sandbox.driver import SandboxNodeDriver
from tests.bench.pairs import WrongAnswerError
from tests.e2e.conftest import Program, make_program
from tests.e2e.sandbox_host import Login

QUIET = (
    "until [ \"$(cloud-init status | sed -n 's/^status: //p')\" = done ]; do sleep 0.2; done;"
    " systemctl is-system-running --wait || true"
)


@contextmanager
def site(example: str = "superbook") -> Iterator[Program]:
    """Give an example with a home of its own; its server is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="stackwise-bench-") as folder:
        program = make_program(Path(folder), example)
        try:
            yield program
        finally:
            program.run("destroy", "--yes", code=None)


def up(program: Program, *arguments: str) -> list[dict[str, Any]]:
    """Run `stackwise up` and return its events; anything but a site that verify finds in order is a wrong answer."""
    happened = program.events("up", "--yes", *arguments, code=None)
    faults = [event for event in happened if event["event"] == "CheckFinished" and event["status"] == "fault"]
    if happened[-1]["event"] != "RunFinished" or faults:
        raise WrongAnswerError(str(faults or happened[-1]))
    return happened


def between(happened: list[dict[str, Any]], start: tuple[str, str], end: tuple[str, str]) -> float:
    """Return the seconds from one phase event, such as ("PhaseStarted", "configure"), to another."""
    moments = {(event["event"], event.get("phase", "")): datetime.fromisoformat(event["at"]) for event in happened}
    return (moments[end] - moments[start]).total_seconds()


@dataclass
class Machine:
    """A fresh machine that has finished its first boot."""

    login: Login
    address: str

    def run(self, command: str) -> str:
        return self.login.run(self.address, command)

    def feed(self, command: str, content: bytes) -> str:
        """Run a command as root with `content` on its stdin."""
        argv = ["ssh", "-i", str(self.login.folder / "user"), "-oBatchMode=yes", "-oStrictHostKeyChecking=yes"]
        argv += [f"-oUserKnownHostsFile={self.login.folder / 'known_hosts'}", f"root@{self.address}", command]
        done = subprocess.run(argv, input=content, capture_output=True, check=False)
        if done.returncode:
            raise WrongAnswerError(f"{command}: {done.stdout[-2000:]!r} {done.stderr[-2000:]!r}")
        return done.stdout.decode()


@contextmanager
def fresh_machine(size: str = "small", image: str = "debian-13") -> Iterator[Machine]:
    """Give a machine of the same size and image as the plan's, booted and at rest; it is removed at the end."""
    driver = SandboxNodeDriver()
    with tempfile.TemporaryDirectory(prefix="stackwise-bench-") as folder:
        login = Login(Path(folder))
        login.prepare()
        node = driver.create_node(
            "floor",
            next(each for each in driver.list_sizes() if each.id == size),
            next(each for each in driver.list_images() if each.id == image),
            ex_user_data=login.user_data(),
            ex_tags={"bench": "floor"},
        )
        try:
            machine = Machine(login, str(node.public_ips[0]))
            machine.run(QUIET)
            time.sleep(0.5)
            yield machine
        finally:
            driver.destroy_node(node)
