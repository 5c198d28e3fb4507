"""Plain questions on a real terminal, driven as expect drives them, from a project to a site that answers."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import pexpect
import pytest

from tests.e2e.conftest import Program, fetched, make_program

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


@pytest.fixture
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Give what Django's generator makes, without answers; its server is removed at the end."""
    program = make_program(tmp_path_factory.mktemp("plain"), "startproject", "plainwalk")
    yield program
    program.run("destroy", "--yes", code=None)


def test_the_recommendations_lead_to_a_site_that_answers_and_no_escape_comes_out(project: Program) -> None:
    said = io.StringIO()
    program, *arguments = project.argv
    child = pexpect.spawn(
        program,
        [*arguments, "--plain"],
        cwd=str(project.folder),
        env={**project.env, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
        encoding="utf-8",
        timeout=120,
        dimensions=(24, 80),
    )
    child.logfile_read = said
    asked = 0
    while child.expect([r"Shall it be made\? \[y/N\] > ", r"> $"]):
        asked += 1
        assert asked < 60, said.getvalue()
        child.sendline("")
    child.sendline("y")
    child.expect(pexpect.EOF, timeout=800)
    child.close()
    assert child.exitstatus == 0, said.getvalue()[-4000:]
    assert "\x1b" not in said.getvalue()
    assert not re.search(r"\r(?!\r*\n)", said.getvalue())
    assert f"https://{project.address()}/" in said.getvalue()
    assert "Django administration" in fetched(project, "/admin/login/")
    again = project.run("up", "--yes", "--json")
    assert '"changed": 0' in again.stdout.splitlines()[-1]
