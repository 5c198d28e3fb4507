"""The wheel by itself: installed in an environment of its own, called from a folder that has no sources near."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import Program

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif("STACKWISE" not in os.environ, reason="say which program: STACKWISE=.venvs/wheel/bin/stackwise"),
]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Make a small project and a home."""
    (tmp_path / "site").mkdir()
    (tmp_path / "home").mkdir(exist_ok=True)
    (tmp_path / "site" / "app.py").write_text("from flask import Flask\napp = Flask(__name__)\n")
    (tmp_path / "site" / "requirements.txt").write_text("flask\n")
    return Program(tmp_path / "site", tmp_path / "home")


def test_the_data_comes_from_the_wheel(program: Program) -> None:
    python = Path(os.environ["STACKWISE"]).with_name("python")
    code = "from stackwise import paths; print(paths.data_dir())"
    where = subprocess.run(
        [str(python), "-c", code], cwd=program.folder, capture_output=True, text=True, check=True
    ).stdout
    assert "site-packages/stackwise/_data" in where


def test_catalog_plan_and_render_need_nothing_else(program: Program) -> None:
    assert "nginx" in program.run("catalog").stdout
    program.run("init")
    assert json.loads(program.run("plan", "--json").stdout)["servers"]
    program.run("render", "-o", "out")
    assert (program.folder / "out" / "roles" / "base" / "files" / "apply.sh").is_file()


def test_the_walk_needs_a_terminal(program: Program) -> None:
    assert "Commands:" in program.run(code=2).stdout
