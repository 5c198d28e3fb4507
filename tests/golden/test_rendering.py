"""The rendered projects of the examples: what an Ansible user's own tools say of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import EXAMPLES

TOOLS = Path(sys.executable).parent
VARIANTS = {
    "superbook": ["-a", str(EXAMPLES / "superbook" / "stackwise.yml")],
    "superbook on debian-12, gunicorn, sqlite, no cache, no tls": [
        *("-a", str(EXAMPLES / "superbook" / "stackwise.yml")),
        *(
            "--set",
            "stack.os=debian-12",
            "--set",
            "stack.app=gunicorn",
            "--set",
            "stack.database=sqlite",
            "--set",
            "stack.cache=local-memory",
            "--set",
            "access.tls=none",
        ),
    ],
}


@pytest.fixture(params=list(VARIANTS.values()), ids=list(VARIANTS))
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Render an example."""
    argv = [sys.executable, "-m", "stackwise", "render", "-o", str(tmp_path / "out"), *request.param]
    subprocess.run(argv, check=True, capture_output=True)
    return tmp_path / "out"


def tool(name: str, *arguments: str, cwd: Path) -> str:
    environment = {**os.environ, "PATH": f"{TOOLS}:{os.environ['PATH']}", "NO_COLOR": "1"}
    done = subprocess.run(
        [str(TOOLS / name), *arguments], cwd=cwd, capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_ansible_lint_finds_nothing_in_the_production_profile(project: Path) -> None:
    tool("ansible-lint", "--offline", "--profile", "production", "-c", os.devnull, cwd=project)


def test_the_syntax_is_right_and_every_host_has_its_plays(project: Path) -> None:
    tool("ansible-playbook", "site.yml", "--syntax-check", cwd=project)
    listed = tool("ansible-playbook", "site.yml", "--list-hosts", cwd=project)
    assert listed.count("superbook-production-1") == listed.count("play #")
