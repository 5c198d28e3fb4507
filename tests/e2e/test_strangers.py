"""Projects of strangers, unedited: what Django's generator makes, and a site that is not Django's."""

from __future__ import annotations

import hashlib
import json
import re
import urllib.error
from pathlib import Path

import pytest

from tests.e2e.conftest import Program, make_program
from tests.e2e.test_spine import Visitor

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def content(program: Program) -> dict[str, str]:
    """Give the hash of every file of the project, less what is ours."""
    files = (path for path in program.folder.rglob("*") if path.is_file() and ".stackwise" not in path.parts)
    return {
        str(path.relative_to(program.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.name != "stackwise.yml"
    }


def stranger(folder: Path, example: str, *answers: str) -> Program:
    folder.mkdir()
    program = make_program(folder, example)
    more = [word for answer in answers for word in ("--set", answer)]
    program.run("init", "--set", f"name=stranger-{example}", *more)
    return program


def statuses(happened: list[dict[str, str]]) -> dict[str, str]:
    return {event["name"]: event["status"] for event in happened if event["event"] == "CheckFinished"}


def test_what_the_generator_makes_goes_live_untouched(tmp_path: Path) -> None:
    """On Debian 12 with SQLite: DEBUG on, a key in the file, no STATIC_ROOT, no requirements."""
    small = ("stack.os=debian-12", "stack.database=sqlite", "stack.cache=local-memory")
    program = stranger(tmp_path / "stranger", "startproject", *small)
    before = content(program)
    try:
        checks = statuses(program.events("up", "--yes"))
        assert "fault" not in checks.values()
        assert checks["secure: Django's own deployment check"] == "ok"
        assert content(program) == before

        visitor = Visitor(program)
        login = visitor.text("/admin/login/")
        style = re.search(r'href="(/static/admin/css/base\.[0-9a-f]{12}\.css)"', login)
        assert style, login
        assert visitor.get(style[1]).headers["Cache-Control"] == "public, max-age=31536000, immutable"
        # The welcome page needs DEBUG; without it there is nothing at /, and the 404 tells nothing of the project.
        code = "from django.conf import settings as s; print(s.DEBUG, s.SECRET_KEY.startswith('django-insecure-'))"
        assert program.run("manage", "--", "shell", "-c", code).stdout.split()[-2:] == ["False", "False"]
        with pytest.raises(urllib.error.HTTPError) as caught:
            visitor.get("/")
        with caught.value as answer:
            assert answer.status == 404
            assert b"DEBUG" not in answer.read()

        assert program.events("up", "--yes")[-1]["changed"] == 0
        assert content(program) == before
    finally:
        program.run("destroy", "--yes", code=None)


def test_flask_on_the_default_stack(tmp_path: Path) -> None:
    program = stranger(tmp_path / "stranger", "flask-hello", "stack.os=debian-13")
    before = content(program)
    try:
        checks = statuses(program.events("up", "--yes"))
        assert "fault" not in checks.values()
        assert checks["secure: Django's own deployment check"] == "not-applicable"
        assert Visitor(program).get("/").status == 200
        assert program.events("up", "--yes")[-1]["changed"] == 0
        assert content(program) == before
    finally:
        program.run("destroy", "--yes", code=None)


def test_without_tls(tmp_path: Path) -> None:
    small = ("stack.database=sqlite", "stack.cache=local-memory", "access.tls=none")
    program = stranger(tmp_path / "stranger", "startproject", *small)
    try:
        checks = statuses(program.events("up", "--yes"))
        assert "fault" not in checks.values()
        assert checks["secure: plain http leads to https"] == "not-applicable"
        url = json.loads(program.run("status", "--json").stdout)["url"]
        assert url.startswith("http://")
        assert program.events("up", "--yes")[-1]["changed"] == 0
    finally:
        program.run("destroy", "--yes", code=None)
