"""kill -9 in every phase, ctrl-c in the middle of a task, two at once: the next `up` ends in the same, one server."""

from __future__ import annotations

import json
import random
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stackwise.provision.sandbox.driver import SandboxNodeDriver
from tests.e2e.conftest import Program, make_program
from tests.e2e.sandbox_host import leftovers, sh, traces

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

SMALL = ("--set", "stack.database=sqlite", "--set", "stack.cache=local-memory")
SANDBOX = Path("/var/lib/stackwise/sandbox")
SLEEPER = """
import time
from django.db import migrations

def wait(apps, editor):
    time.sleep(600)

class Migration(migrations.Migration):
    dependencies = [("posts", "{last}")]
    operations = [migrations.RunPython(wait)]
"""


def named(folder: Path, name: str) -> Program:
    # The home of the test itself is in its folder already.
    folder.mkdir(exist_ok=True)
    program = make_program(folder, "superbook")
    answers = program.folder / "stackwise.yml"
    answers.write_text(re.sub(r"^name: .*", f"name: {name}", answers.read_text(), flags=re.MULTILINE))
    return program


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Give a site that is killed again and again while it comes up, and stays for the tests after that."""
    program = named(tmp_path_factory.mktemp("killed"), "killed")
    yield program
    program.run("destroy", "--yes", code=None)


def machines(name: str) -> list[str]:
    return [str(node.id) for node in SandboxNodeDriver().list_nodes({"stackwise-name": name})]


def processes(program: Program) -> list[str]:
    """Give the processes of the host that have the program's folders in their arguments."""
    return [line for line in sh("ps", "-eo", "pid=,args=").splitlines() if str(program.home) in line]


def all_gone(program: Program, seconds: float = 20) -> bool:
    until = time.monotonic() + seconds
    while (left := processes(program)) and time.monotonic() < until:
        time.sleep(0.2)
    assert not left, left
    return True


def journal(program: Program) -> list[dict[str, Any]]:
    """Read the journal strictly: every line is whole."""
    (path,) = program.state.glob("*/journal.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


def stands(program: Program, *more: str) -> str:
    """Let `up` go on to the end, and again: one server, nothing left to change, nothing astray. Return its id."""
    happened = program.events("up", "--yes", *more)
    assert happened[-1]["event"] == "RunFinished"
    again = program.events("up", "--yes", *more)
    assert again[-1]["changed"] == 0
    (found,) = [event for event in again if event["event"] == "ServerFound"]
    name = again[0]["name"]
    assert machines(name) == [found["id"]]
    assert f"{name} (" not in program.run("orphans").stdout
    journal(program)
    return str(found["id"])


# In the order of a first run, so that each `up` has to get over the place where the one before was killed.
PLACES = [
    "RunStarted",
    '"phase": "provision"',
    "ServerCreated",
    "logged in; the host showed the key",
    "the host has a new key of its own",
    '"TaskStarted".*"See which system this is',
    '"TaskStarted".*"Fetch the lists of packages"',
    '"TaskStarted".*"Install the packages of all roles"',
    '"TaskStarted".*"Close the doors"',
    '"TaskStarted".*"Raise the firewall',
    '"TaskStarted".*"Make the role and the database',
    '"TaskStarted".*"Make the certificate',
    '"TaskStarted".*"Unpack the release"',
    '"TaskStarted".*"Install the Python packages',
    '"TaskStarted".*"Migrate the database"',
    '"TaskStarted".*"Collect the static files"',
    '"TaskStarted".*"Switch to the release',
    '"TaskStarted".*"Run the site with its release',
    '"PhaseStarted".*"phase": "verify"',
]


def test_killed_in_every_phase_it_ends_in_one_server(killed: Program) -> None:
    ids: set[str] = set()
    for place in PLACES:
        assert killed.kill_when(place, "up", "--yes") == -signal.SIGKILL, place
        assert all_gone(killed), place
        there = machines("killed")
        assert len(there) <= 1, place
        journal(killed)
        # What was made stays what it is, from the moment at which its id was on record.
        if ids or place == "ServerCreated":
            ids.update(there)
            assert len(ids) == 1, place
    happened = killed.events("up", "--yes")
    assert happened[0]["resumed"] is True
    assert {stands(killed)} == ids


def test_killed_at_any_moment_of_making_the_server(tmp_path: Path) -> None:
    program = named(tmp_path / "early", "killed-early")
    try:
        for moment in sorted(random.uniform(0.05, 3.0) for _ in range(10)):  # noqa: S311 - no secret
            process = subprocess.Popen(
                [*program.argv, "up", "--yes", *SMALL],
                cwd=program.folder,
                env=program.env,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            time.sleep(moment)
            process.kill()
            process.wait()
            there = machines("killed-early")
            assert len(there) <= 1, moment
            # The next one finds what is there, or makes it: one server, and it gets as far as a login.
            program.kill_when("logged in|ServerFound", "up", "--yes", *SMALL)
            assert all_gone(program), moment
            after = machines("killed-early")
            assert len(after) == 1, moment
            if moment > 2:
                continue  # go on with the same one
            program.run("destroy", "--yes")
            assert machines("killed-early") == [], moment
        stands(program, *SMALL)
    finally:
        program.run("destroy", "--yes", code=None)


def test_killed_while_destroying_nothing_is_left(tmp_path: Path) -> None:
    before = traces(SANDBOX)
    program = named(tmp_path / "late", "killed-late")
    for moment in (0.0, 0.1, 0.3, 0.6):
        program.kill_when("ServerCreated", "up", "--yes", *SMALL)
        process = subprocess.Popen(
            [*program.argv, "destroy", "--yes", "--json"],
            cwd=program.folder,
            env=program.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert process.stdout
        while b'"phase": "destroy"' not in process.stdout.readline():
            assert process.poll() is None
        time.sleep(moment)
        process.kill()
        process.communicate()
        program.run("destroy", "--yes")
        assert machines("killed-late") == []
        assert "killed-late (" not in program.run("orphans").stdout
        assert not list(program.state.glob("killed-late-*"))
    assert {trace for trace in leftovers(SANDBOX, before) if "killed-late" in trace} == set()


@pytest.fixture
def sleeper(killed: Program) -> Iterator[Path]:
    """Give a migration that takes ten minutes."""
    migrations = killed.folder / "posts" / "migrations"
    last = sorted(path.stem for path in migrations.glob("0*.py"))[-1]
    path = migrations / "0099_sleeps.py"
    path.write_text(SLEEPER.format(last=last))
    yield path
    path.unlink()


def started(program: Program, sign: str) -> subprocess.Popen[str]:
    """Start `up` and return it when its events show `sign`."""
    process = subprocess.Popen(
        [*program.argv, "up", "--yes", "--json"],
        cwd=program.folder,
        env=program.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    for line in process.stdout:
        if re.search(sign, line):
            break
    else:
        pytest.fail(f"no event with {sign!r}")
    return process


def migrating(program: Program) -> str:
    return program.on_server("pgrep -af '[m]anage.py migrate' || true").strip()


def gone_there(program: Program, seconds: float = 20) -> bool:
    until = time.monotonic() + seconds
    while migrating(program):
        assert time.monotonic() < until, migrating(program)
        time.sleep(0.5)
    return True


def test_ctrl_c_ends_the_task_on_the_server(killed: Program, sleeper: Path) -> None:
    process = started(killed, '"TaskStarted".*"Migrate the database"')
    time.sleep(2)
    assert migrating(killed)
    process.send_signal(signal.SIGINT)
    _, words = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "stackwise up" in words
    assert "Traceback" not in words
    assert gone_there(killed)
    assert all_gone(killed)
    assert journal(killed)[-1]["kind"] != "ended"
    sleeper.write_text(sleeper.read_text().replace("600", "0"))
    stands(killed)


def test_kill_9_ends_the_task_on_the_server_too(killed: Program, sleeper: Path) -> None:
    process = started(killed, '"TaskStarted".*"Migrate the database"')
    time.sleep(2)
    process.kill()
    process.communicate()
    assert all_gone(killed)
    assert gone_there(killed)
    sleeper.write_text(sleeper.read_text().replace("600", "0"))
    stands(killed)


def test_the_second_of_two_is_told_who_and_since_when(killed: Program, sleeper: Path) -> None:
    process = started(killed, '"TaskStarted".*"Migrate the database"')
    refused = killed.run("up", "--yes", code=1)
    assert f"process {process.pid}, since " in refused.stderr
    assert killed.run("destroy", "--yes", code=1).stderr.count("is in use") == 1
    # Looking is no work: nobody is kept from it.
    killed.run("status")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 130
    sleeper.write_text(sleeper.read_text().replace("600", "0"))
    stands(killed)
