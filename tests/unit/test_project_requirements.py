"""What a project asks for, in each of the ways of saying it."""

from __future__ import annotations

from pathlib import Path

import pytest

from stackwise.errors import ProjectError
from stackwise.project.requirements import django_specifier, find_requirements, python_specifier, requirement_name

UV_LOCK = """\
version = 1
[[package]]
name = "shop"
version = "0.1.0"
source = { virtual = "." }
[[package]]
name = "Django"
version = "5.2.4"
source = { registry = "https://index.example/simple" }
[[package]]
name = "two"
version = "1.0"
source = { registry = "https://index.example/simple" }
[[package]]
name = "two"
version = "2.0"
source = { registry = "https://index.example/simple" }
"""
POETRY = """\
[tool.poetry]
name = "shop"
[tool.poetry.dependencies]
python = "^3.11"
Django = "^5.1.2"
tilde = "~1.4"
zero = "^0.3.1"
exact = "2.0"
anything = "*"
wide = ">=2,<4"
optional = {version = "1", optional = true}
extra = {version = "^3.0", extras = ["a", "b"], markers = "python_version < '3.13'"}
fork = {git = "https://git.example/fork.git", tag = "v1"}
[tool.poetry.group.dev.dependencies]
pytest = "*"
"""
POETRY_LOCK = """\
[[package]]
name = "django"
version = "5.1.4"
[[package]]
name = "fork"
version = "1.0"
[package.source]
type = "git"
url = "https://git.example/fork.git"
"""


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_uv(tmp_path: Path) -> None:
    write(tmp_path, "pyproject.toml", '[project]\nname="shop"\nrequires-python=">=3.12"\ndependencies=["Django>=5"]\n')
    write(tmp_path, "uv.lock", UV_LOCK)
    found, findings = find_requirements(tmp_path, tmp_path)
    assert found.packages == ("Django>=5",)
    assert (found.constraints, found.lock) == (("django==5.2.4",), "uv.lock")
    assert "several versions of two" in findings[0].message
    assert django_specifier(tmp_path, found) == "==5.2.4"
    assert python_specifier(tmp_path) == ">=3.12"


def test_poetry(tmp_path: Path) -> None:
    write(tmp_path, "pyproject.toml", POETRY)
    write(tmp_path, "poetry.lock", POETRY_LOCK)
    found, _ = find_requirements(tmp_path, tmp_path)
    assert found.packages == (
        "Django>=5.1.2,<6",
        "tilde>=1.4,<1.5",
        "zero>=0.3.1,<0.4",
        "exact==2.0",
        "anything",
        "wide>=2,<4",
        "extra[a,b]>=3.0,<4 ; python_version < '3.13'",
        "fork @ git+https://git.example/fork.git@v1",
    )
    assert found.constraints == ("django==5.1.4",)
    assert python_specifier(tmp_path) == ">=3.11,<4"


def test_pipfile(tmp_path: Path) -> None:
    write(
        tmp_path,
        "Pipfile",
        '[packages]\ndjango = "~=4.2"\n[dev-packages]\nx = "*"\n[requires]\npython_version = "3.11"\n',
    )
    write(
        tmp_path, "Pipfile.lock", '{"default": {"django": {"version": "==4.2.9"}, "git": {"ref": "x"}}, "develop": {}}'
    )
    found, _ = find_requirements(tmp_path, tmp_path)
    assert (found.packages, found.constraints) == (("django~=4.2",), ("django==4.2.9",))
    assert python_specifier(tmp_path) == "==3.11.*"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("setup.cfg", "[options]\ninstall_requires =\n    Django>=4  # why\n    requests\n"),
        ("setup.py", "from setuptools import setup\nsetup(install_requires=['Django>=4', 'requests'])\n"),
        (
            "pyproject.toml",
            '[project]\ndependencies=["Django>=4"]\n[project.optional-dependencies]\nprod=["requests"]\n',
        ),
    ],
)
def test_other_ways(tmp_path: Path, name: str, text: str) -> None:
    write(tmp_path, name, text)
    found, _ = find_requirements(tmp_path, tmp_path)
    assert found.names == ("django", "requests")


def test_pylock(tmp_path: Path) -> None:
    write(tmp_path, "pyproject.toml", '[project]\ndependencies=["a"]\n')
    lock = '[[packages]]\nname = "A_b"\nversion = "1"\n[[packages]]\nname = "v"\nversion = "2"\nvcs = {url = "x"}\n'
    write(tmp_path, "pylock.toml", lock)
    assert find_requirements(tmp_path, tmp_path)[0].constraints == ("a-b==1",)


def test_files_for_production_go_first(tmp_path: Path) -> None:
    write(tmp_path, "requirements.txt", "Django\n")
    write(tmp_path, "requirements/production.txt", "-r ../requirements.txt\n-c pins.txt\ngunicorn\n")
    write(tmp_path, "requirements/pins.txt", "Django==5.2\n")
    found, _ = find_requirements(tmp_path, tmp_path)
    assert found.files == ("requirements/production.txt",)
    assert found.names == ("django", "gunicorn")


def test_requirements_that_include_themselves_or_nothing(tmp_path: Path) -> None:
    write(tmp_path, "requirements.txt", "-r b.txt\n")
    write(tmp_path, "b.txt", "-r requirements.txt\nx\n")
    assert find_requirements(tmp_path, tmp_path)[0].names == ("x",)
    write(tmp_path, "b.txt", "\n-r gone.txt\n")
    with pytest.raises(ProjectError, match=r"b\.txt:2: includes gone\.txt, which does not exist"):
        find_requirements(tmp_path, tmp_path)


def test_nothing_at_all(tmp_path: Path) -> None:
    found, findings = find_requirements(tmp_path, tmp_path)
    assert found.names == ()
    assert "no requirements found" in findings[0].message


@pytest.mark.parametrize(("name", "text"), [("pyproject.toml", "[project\n"), ("setup.cfg", "x\n"), ("setup.py", "(")])
def test_what_cannot_be_read_has_its_place(tmp_path: Path, name: str, text: str) -> None:
    write(tmp_path, name, text)
    with pytest.raises(ProjectError, match=name):
        find_requirements(tmp_path, tmp_path)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Django_Thing[a]>=1; x", "django-thing"),
        ("a.b==1", "a-b"),
        ("git+https://x/y.git#egg=Zed", "zed"),
        ("zed @ https://x/zed.whl", "zed"),
        ("--no-binary :all:", None),
        ("./local", None),
        ("https://x/y.whl", None),
        ("", None),
    ],
)
def test_names(line: str, name: str | None) -> None:
    assert requirement_name(line) == name
