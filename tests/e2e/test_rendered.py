"""The rendered project by plain ansible-playbook, on a server that has nothing yet: check mode first, then for real."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Program, make_program

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Give a program whose server is made and not configured: it was stopped there."""
    program = make_program(tmp_path_factory.mktemp("blank"), "superbook")
    answers = program.folder / "stackwise.yml"
    answers.write_text(answers.read_text().replace("name: superbook", "name: plainbook"))
    program.kill_when('"phase": "configure"', "up", "--yes")
    program.run("render", "-o", str(program.home / "out"))
    yield program
    program.run("destroy", "--yes", code=None)


def play(program: Program, *arguments: str) -> str:
    """Run the rendered project as somebody would who has Ansible alone; return the recap."""
    (journal,) = program.state.glob("plainbook-*")
    known_hosts = next((journal / "known_hosts").iterdir())
    ssh = f"-o UserKnownHostsFile={known_hosts} -o StrictHostKeyChecking=yes -i {journal / 'ssh_key'}"
    done = subprocess.run(
        [str(Path(sys.executable).parent / "ansible-playbook"), "site.yml", *arguments],
        cwd=program.home / "out",
        env={"PATH": os.environ["PATH"], "HOME": str(program.home), "ANSIBLE_SSH_ARGS": ssh, "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
    return done.stdout.rpartition("PLAY RECAP")[2]


def number(recap: str, word: str) -> int:
    match = re.search(rf"{word}=(\d+)", recap)
    assert match, recap
    return int(match[1])


def test_check_mode_on_a_blank_server_ends_without_a_failure_and_changes_nothing(blank: Program) -> None:
    recap = play(blank, "--check")
    assert number(recap, "failed") == 0
    assert number(recap, "ignored") == 0
    assert number(recap, "changed") > 5
    assert "absent" in blank.on_server("test -e /etc/nginx && echo there || echo absent")


def test_a_plain_run_makes_the_site_and_a_second_changes_nothing(blank: Program) -> None:
    assert number(play(blank), "changed") > 20
    assert number(play(blank), "changed") == 0


def test_stackwise_takes_over_what_ansible_made(blank: Program) -> None:
    happened = blank.events("up", "--yes")
    faults = [event for event in happened if event["event"] == "CheckFinished" and event["status"] == "fault"]
    assert faults == []
