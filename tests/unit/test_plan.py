from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stackwise.advice import advise, options_for
from stackwise.advice.facts import python_fits
from stackwise.answers import Answers, Choices, choose
from stackwise.catalog import Catalog
from stackwise.errors import ImpossibleError, UsageError
from stackwise.plan import make_plan
from stackwise.plan.model import Plan
from stackwise.project import Project

DJANGO = Project(
    root=".",
    name="superbook",
    framework="django",
    django_version="~=5.2.0",
    manage="manage.py",
    settings="superbook.settings",
    wsgi="superbook.wsgi:application",
    installed_apps=("django.contrib.staticfiles",),
)


def choices_for(catalog: Catalog, **answers: Any) -> Choices:
    written = {"name": "superbook", "access.domain": "superbook.test", "project.wsgi": DJANGO.wsgi}
    written |= {key.replace("__", "."): value for key, value in answers.items()}
    return choose(Answers(Path("stackwise.yml"), written), {}, catalog)


def plan_for(catalog: Catalog, project: Project = DJANGO, **answers: Any) -> Plan:
    return make_plan(choices_for(catalog, **answers), project, catalog, "abc123")


def test_default_plan_is_one_server_with_every_layer(catalog: Catalog) -> None:
    plan = plan_for(catalog)
    (server,) = plan.servers
    assert set(server.groups) == {"web", "app", "database", "cache"}
    assert [play.hosts for play in plan.plays] == ["all", "database", "cache", "web", "app", "web"]
    assert plan.ports == (22, 80, 443)
    assert "postgresql-17" in plan.packages
    assert plan.cost.amount == 0


def test_packages_follow_the_operating_system(catalog: Catalog) -> None:
    plan = plan_for(catalog, stack__os="debian-12")
    assert "postgresql-15" in plan.packages
    assert plan.variable("postgresql_version") == 15
    assert plan.variable("nginx_http2") == "listen"


def test_sizes_follow_from_the_server_by_the_catalogs_formulas(catalog: Catalog) -> None:
    small, large = plan_for(catalog), plan_for(catalog, hosting__size="large")
    assert small.variable("gunicorn_workers") == 2
    assert large.variable("gunicorn_workers") == 8
    assert small.variable("postgresql_shared_buffers_mb") == 1024 // 5
    assert large.variable("postgresql_max_connections") == 2 * 8 * 4 + 10


def test_an_expert_overrules_a_formula(catalog: Catalog) -> None:
    plan = plan_for(catalog, options__gunicorn__workers=3)
    assert plan.variable("gunicorn_workers") == 3
    # What depends on it follows.
    assert plan.variable("postgresql_max_connections") == 2 * 3 * 4 + 10


def test_granian_takes_a_process_a_core_and_counts_for_the_database(catalog: Catalog) -> None:
    small, large = (plan_for(catalog, stack__app="granian", hosting__size=size) for size in ("small", "large"))
    assert (small.variable("granian_workers"), large.variable("granian_workers")) == (1, 4)
    # A worker and the one that follows it stand side by side for a moment, within what systemd allows the service.
    assert 2 * small.variable("granian_max_memory_mb") < small.variable("systemd_memory_max_mb")
    assert 5 * large.variable("granian_max_memory_mb") < large.variable("systemd_memory_max_mb")
    assert small.variable("systemd_command").endswith("/python /etc/superbook/granian_server.py")
    assert "/etc/superbook/granian_server.py" in small.variable("systemd_restart_on")
    assert large.variable("postgresql_max_connections") == 2 * 4 * 4 + 10
    assert "granian>=2.8.7,<2.9" in small.python
    assert not any(requirement.startswith("gunicorn") for requirement in small.python)


def test_sqlite_needs_no_database_server(catalog: Catalog) -> None:
    plan = plan_for(catalog, stack__database="sqlite")
    assert not any(package.startswith("postgresql") for package in plan.packages)
    assert not any("psycopg" in requirement for requirement in plan.python)
    assert "sqlite" in {role for play in plan.plays for role in play.roles}


def test_without_tls_there_is_no_certificate(catalog: Catalog) -> None:
    plan = plan_for(catalog, access__tls="none")
    assert plan.variable("nginx_tls") is False
    assert plan.variable("health_url") == "http://127.0.0.1/"
    assert "tls_internal" not in {role for play in plan.plays for role in play.roles}


def test_what_the_project_asks_for_itself_stays_as_it_asks(catalog: Catalog) -> None:
    requirements = replace(DJANGO.requirements, source="requirements.txt", names=("django", "gunicorn", "psycopg"))
    plan = plan_for(catalog, replace(DJANGO, requirements=requirements))
    assert [requirement.split(">")[0] for requirement in plan.python] == ["redis"]


def test_a_project_without_requirements_gets_its_framework(catalog: Catalog) -> None:
    assert plan_for(catalog).python[0] == "Django~=5.2.0"


def test_the_release_changes_with_files_settings_and_packages_alone(catalog: Catalog) -> None:
    release = plan_for(catalog).variable("site_release")
    assert plan_for(catalog, needs__requests_per_minute=10).variable("site_release") == release
    assert plan_for(catalog, stack__cache="local-memory").variable("site_release") != release
    other = make_plan(choices_for(catalog), DJANGO, catalog, "def456")
    assert other.variable("site_release") != release


def test_another_framework_reads_its_environment(catalog: Catalog) -> None:
    flask = Project(root=".", name="hello", framework="wsgi", wsgi="hello:app")
    plan = plan_for(catalog, flask)
    assert plan.settings is None
    assert plan.variable("site_environment")["DATABASE_URL"] == "postgresql:///superbook?host=/run/postgresql"
    assert plan.variable("site_migrate") is False
    assert plan.secrets == {}


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"hosting__kind": "paas"}, "Platform as a service cannot be installed"),
        ({"stack__web": "apache"}, "Apache HTTP Server cannot be installed"),
        ({"hosting__region": "mars"}, "sandbox has no region mars"),
        ({"hosting__size": "small", "options__gunicorn__workers": 2, "stack__os": "debian-13"}, ""),
    ],
)
def test_impossible_combinations_are_refused_with_the_reason(
    catalog: Catalog, answers: dict[str, Any], words: str
) -> None:
    if not words:
        assert plan_for(catalog, **answers).servers
        return
    with pytest.raises(ImpossibleError, match=words) as caught:
        plan_for(catalog, **answers)
    assert caught.value.hint


@pytest.mark.parametrize("server", ["Gunicorn", "Granian"])
def test_an_asgi_project_is_refused_by_a_wsgi_server(catalog: Catalog, server: str) -> None:
    starlette = Project(root=".", name="hello", framework="asgi", asgi="hello:app")
    with pytest.raises(ImpossibleError, match=f"{server} cannot be used"):
        plan_for(catalog, starlette, project__wsgi=None, stack__app=server.lower())


def test_a_python_that_the_system_does_not_have_is_refused(catalog: Catalog) -> None:
    with pytest.raises(ImpossibleError, match=r"asks for Python >=3\.13"):
        plan_for(catalog, replace(DJANGO, requires_python=">=3.13"), stack__os="debian-12")


@pytest.mark.parametrize(
    ("wanted", "version", "fits"),
    [
        (">=3.11", "3.11", True),
        (">=3.11.4", "3.11", True),
        ("<3.12", "3.13", False),
        (None, "3.11", True),
        ("~=3.11.0", "3.13", False),
        ("nonsense", "3.11", True),
    ],
)
def test_python_fits(wanted: str | None, version: str, *, fits: bool) -> None:
    assert python_fits(wanted, version) is fits


def test_a_size_that_nobody_sells_lists_what_is_sold(catalog: Catalog) -> None:
    with pytest.raises(UsageError, match=r"it sells small \(1 CPU"):
        plan_for(catalog, hosting__size="huge")


def test_a_warning_can_be_accepted_with_its_reason(catalog: Catalog) -> None:
    choices = choices_for(catalog, needs__downtime="minutes", accepted__single_server="ignored, another id")
    warning = next(a for a in advise(choices, DJANGO, catalog) if a.id == "single-server")
    assert warning.accepted == ""
    written = {**choices.values, "accepted.single-server": "a pilot"}
    accepted = advise(Choices(written, choices.origins, choices.folder), DJANGO, catalog)
    assert next(a for a in accepted if a.id == "single-server").accepted == "a pilot"


def test_a_choice_that_cannot_be_made_stays_visible_with_its_reason(catalog: Catalog) -> None:
    options = {o.component.id: o for o in options_for(catalog.categories["web"], choices_for(catalog), DJANGO, catalog)}
    assert options["nginx"].chosen
    assert options["nginx"].recommended
    assert options["nginx"].why_not == ""
    assert "does not install it" in options["apache"].why_not


def test_a_provider_counts_with_a_size_of_its_own_where_it_does_not_sell_the_chosen_one(catalog: Catalog) -> None:
    choices = choices_for(catalog, hosting__size="medium")
    options = {o.component.id: o for o in options_for(catalog.categories["provider"], choices, DJANGO, catalog)}
    assert options["digitalocean"].why_not == options["sandbox"].why_not == ""
    assert options["scaleway"].why_not == "stackwise does not install it."
