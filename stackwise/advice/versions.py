"""Versions that cannot meet, foreseen from data: Django, Python, the system, the database, and wheels. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from stackwise.catalog import Catalog
from stackwise.catalog.model import Source
from stackwise.catalog.tables import Release, Wheels
from stackwise.project import Project

Said = tuple[str, str, str, str, str, tuple[Source, ...]]
# Which facts of a system's release a database's oldest version is compared with.
_DATABASES = {"postgresql": "PostgreSQL", "mariadb": "MariaDB", "sqlite": "SQLite"}
_DRIVERS = ("psycopg", "psycopg2", "mysqlclient")
_SAME = {"psycopg2-binary": "psycopg2", "psycopg-binary": "psycopg"}


def foresee(facts: Mapping[str, Any], project: Project, catalog: Catalog) -> Iterator[Said]:
    """Yield (id, kind, what, why, way out, sources) for each pair of versions that cannot meet, or should not.

    A conflict cannot be installed at all: there is no compiler on the server. Everything else is a warning, for a
    version that nobody promised may still work.
    """
    python = facts["os.python"]
    django = _series(project, catalog)
    if django is not None:
        yield from _django_and_python(django, python, facts, catalog)
        yield from _django_and_database(django, facts, catalog)
        yield from _django_and_driver(django, project)
        yield from _out_of_support(django, facts)
    yield from _no_wheel(python, project, catalog)


def _series(project: Project, catalog: Catalog) -> Release | None:
    """Return the series of Django that would be installed: the newest that the specifier admits."""
    specifier = project.django_version
    if project.framework != "django" or not specifier:
        return None
    exact = re.fullmatch(r"(?:==|~=)(\d+\.\d+)(?:\.\d+)*", specifier)
    if exact:
        return next((release for release in catalog.versions.django if release.version == exact[1]), None)
    return _newest_admitted(specifier, catalog)


def _newest_admitted(specifier: str, catalog: Catalog) -> Release | None:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - most projects pin one series

    try:
        admitted = SpecifierSet(specifier)
    except InvalidSpecifier:
        return None
    found = [r for r in catalog.versions.django if any(f"{r.version}.{patch}" in admitted for patch in range(60))]
    return max(found, key=lambda release: _numbers(release.version), default=None)


def _django_and_python(django: Release, python: str, facts: Mapping[str, Any], catalog: Catalog) -> Iterator[Said]:
    if not django.python or python in django.python:
        return
    newest = max(django.python, key=_numbers)
    others = [s for s in catalog.versions.systems if s.python in django.python]
    way = f"stack.os: {others[0].version}" if others else f"Django that runs on Python {python}"
    yield (
        "django-and-python",
        "warning",
        f"Django {django.version} was never promised to run on Python {python}, which {facts['stack.os']} has.",
        f"Its own list ends with Python {newest}. Raise Django, or take a system whose Python is on the list.",
        way,
        django.sources,
    )


def _django_and_database(django: Release, facts: Mapping[str, Any], catalog: Catalog) -> Iterator[Said]:
    system = next((s for s in catalog.versions.systems if s.version == facts["stack.os"]), None)
    database = facts["stack.database"]
    if system is None or database not in _DATABASES:
        return
    oldest, brought = getattr(django, database), getattr(system, database)
    if oldest and brought and _numbers(brought) < _numbers(oldest):
        yield (
            "django-and-database",
            "conflict",
            f"Django {django.version} wants {_DATABASES[database]} {oldest}, and {system.version} has {brought}.",
            "Django refuses to talk to an older one. Take a newer system, or an older Django.",
            "stack.os: debian-13",
            (*django.sources, *system.sources),
        )


def _django_and_driver(django: Release, project: Project) -> Iterator[Said]:
    for name, specifier in project.versions.items():
        driver = _SAME.get(name, name)
        oldest = getattr(django, driver) if driver in _DRIVERS else ""
        pinned = specifier.removeprefix("==")
        if oldest and specifier.startswith("==") and _numbers(pinned) < _numbers(oldest):
            yield (
                f"django-and-{driver}",
                "conflict",
                f"Django {django.version} wants {driver} {oldest}, and {name} is pinned to {pinned}.",
                "Django refuses an older driver when it starts.",
                f"requirements: {name}>={oldest}",
                django.sources,
            )


def _out_of_support(django: Release, facts: Mapping[str, Any]) -> Iterator[Said]:
    if django.until and facts["today"] > django.until.isoformat():
        yield (
            "django-out-of-support",
            "warning",
            f"Django {django.version} got its last security update by {django.until}.",
            "A hole that is found now stays open. Raise it by one series at a time, with the tests run between.",
            "requirements: a Django that is looked after",
            django.sources,
        )


def _no_wheel(python: str, project: Project, catalog: Catalog) -> Iterator[Said]:
    for name, specifier in {**dict.fromkeys(project.requirements.names, ""), **project.versions}.items():
        rows = [row for row in catalog.versions.wheels if row.package == name]
        pinned = specifier.removeprefix("==") if specifier.startswith("==") else ""
        row = _row_of(rows, pinned)
        if row is None or python in row.python or not python:
            continue
        yield (
            f"no-wheel-{name}",
            "conflict",
            f"{name} {pinned} has no ready-made wheel for Python {python}." if pinned else f"{name} has no wheel.",
            "It would have to be compiled, and there is no compiler on the server, on purpose.",
            f"requirements: {row.instead}" if row.instead else f"requirements: a newer {name}",
            row.sources,
        )


def _row_of(rows: list[Wheels], pinned: str) -> Wheels | None:
    """Return the row that a pinned release falls under; without a pin the newest is installed."""
    known = sorted(rows, key=lambda row: _numbers(row.since))
    if not pinned:
        return known[-1] if known else None
    return next((row for row in reversed(known) if _numbers(row.since) <= _numbers(pinned)), None)


def _numbers(version: str) -> tuple[int, ...]:
    """Return a version as numbers to compare: 3.10 is newer than 3.9."""
    return tuple(int(part) for part in version.split(".") if part.isdigit())
