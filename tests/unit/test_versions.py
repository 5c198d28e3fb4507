"""Versions that cannot meet are foreseen, each with the way out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from stackwise.advice import Advice, advise
from stackwise.answers.check import FORESEEN
from stackwise.catalog import Catalog
from stackwise.project import Project, scan
from tests.unit.strangers import make
from tests.unit.test_plan import DJANGO, choices_for


def said(catalog: Catalog, project: Project, system: str = "debian-13") -> dict[str, Advice]:
    return {piece.id: piece for piece in advise(choices_for(catalog, stack__os=system), project, catalog)}


def pinned(**versions: str) -> Project:
    named = {name.replace("_", "-"): version for name, version in versions.items()}
    return replace(DJANGO, versions=named, django_version=named.get("django", DJANGO.django_version))


@pytest.mark.parametrize(
    ("project", "system", "told", "way"),
    [
        (pinned(django="==2.2.28"), "debian-13", "warning django-and-python", "stack.os"),
        (pinned(django="==3.2.25"), "debian-12", "warning django-and-python", ""),
        (pinned(django="~=4.2.0"), "debian-13", "warning django-out-of-support", "requirements"),
        (pinned(psycopg2_binary="==2.9.9"), "debian-13", "conflict no-wheel-psycopg2-binary", "psycopg2-binary"),
        (pinned(psycopg2="==2.9.10"), "debian-12", "conflict no-wheel-psycopg2", "psycopg2-binary"),
        (pinned(mysqlclient=">=2"), "debian-12", "conflict no-wheel-mysqlclient", "PyMySQL"),
        (pinned(django="==5.2.1", psycopg2_binary="==2.8.3"), "debian-12", "conflict django-and-psycopg2", "psycopg2"),
    ],
)
def test_what_cannot_meet_is_foreseen(catalog: Catalog, project: Project, system: str, told: str, way: str) -> None:
    kind, name = told.split()
    piece = said(catalog, project, system)[name]
    assert piece.kind == kind
    assert way in piece.settle
    assert piece.because


@pytest.mark.parametrize(
    ("project", "system"),
    [
        (pinned(django="~=5.2.4"), "debian-12"),
        (pinned(django="~=5.2.4", psycopg2_binary="==2.9.10"), "debian-13"),
        (pinned(django=">=5.2,<5.3", psycopg="~=3.2"), "debian-13"),
        (replace(DJANGO, django_version=None), "debian-13"),
    ],
)
def test_what_can_meet_is_let_be(catalog: Catalog, project: Project, system: str) -> None:
    found = said(catalog, project, system)
    assert not [name for name in found if name.startswith(("no-wheel", "django-and"))]


def test_an_old_project_is_read_and_warned_of(catalog: Catalog, tmp_path: Path) -> None:
    make(tmp_path / "old", "")
    (tmp_path / "old" / "requirements.txt").write_text("Django==2.2.28\npsycopg2-binary==2.8.6\n")
    (tmp_path / "old" / "runtime.txt").write_text("python-3.6.15\n")
    project = scan(tmp_path / "old")
    assert project.versions == {"django": "==2.2.28", "psycopg2-binary": "==2.8.6"}
    found = said(catalog, replace(project, wsgi=DJANGO.wsgi))
    assert {"django-and-python", "no-wheel-psycopg2-binary", "python-too-old"} <= found.keys()


def test_a_package_that_is_never_ready_made_needs_no_pin_to_be_foreseen(catalog: Catalog) -> None:
    names = replace(DJANGO.requirements, names=("django", "psycopg2", "uwsgi", "pillow"))
    found = said(catalog, replace(DJANGO, requirements=names))
    assert {"no-wheel-psycopg2", "no-wheel-uwsgi"} <= found.keys()
    assert "no-wheel-pillow" not in found


def test_every_warning_that_is_foreseen_can_be_accepted(catalog: Catalog) -> None:
    projects = [pinned(django=f"~={release.version}.0") for release in catalog.versions.django]
    warned = {
        a.id for p in projects for a in said(catalog, p).values() if a.kind == "warning" and a.id.startswith("django")
    }
    assert warned == set(FORESEEN)


def test_tables_of_versions_have_their_sources(catalog: Catalog) -> None:
    versions = catalog.versions
    assert all(release.sources for release in (*versions.django, *versions.python, *versions.systems))
    assert all(row.sources or row.command for row in versions.wheels)
    assert all(row.instead for row in versions.wheels if not row.python), "without a wheel there is a way out"
