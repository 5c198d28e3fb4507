"""Worked cases: what a team answers, and what an experienced colleague would say to it.

`source` is where the judgement comes from: the chapter and the primer that the project is built on, or a page.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from stackwise.advice import conflicts_of
from stackwise.advice.report import Report, report
from stackwise.catalog import Catalog
from stackwise.project import Database, Project
from stackwise.render.advice_text import report_document
from tests.unit.test_plan import DJANGO, choices_for

CHAPTER = "https://ebookreading.net/view/book/Django+Design+Patterns+and+Best+Practices-EB9781783986644_84.html"
PRIMER = "the primer's closing advice: do not build more than the need"
SQLITE = "https://blog.wclausen.com/appropriate-uses-for-sqlite"
GDPR = "https://gdprlearninghub.com/article-33-gdpr/"
MEASURED = "python -m tests.bench site"
DJANGO_DOCS = "https://docs.djangoproject.com/en/4.2/_modules/django/template/loaders/cached"


@dataclass(frozen=True)
class Case:
    """What is answered and scanned, and what must come of it."""

    name: str
    source: str
    answers: dict[str, Any] = field(default_factory=dict)
    project: dict[str, Any] = field(default_factory=dict)
    best: dict[str, str] = field(default_factory=dict)
    says: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    refused: bool = False
    verdicts: dict[str, str] = field(default_factory=dict)


CASES = [
    # Hosting first.
    Case("nobody to run servers", CHAPTER, {"team.operations": "none"}, best={"hosting-kind": "paas"}),
    Case(
        "nobody to run servers, and a server chosen",
        CHAPTER,
        {"team.operations": "none", "hosting.kind": "vps"},
        says={"nobody-to-run-it"},
    ),
    Case("a beginner with some time", CHAPTER, {"team.operations": "beginner"}, best={"hosting-kind": "vps"}),
    Case(
        "a beginner with no time",
        CHAPTER,
        {"team.operations": "beginner", "team.learning": "none"},
        best={"hosting-kind": "paas"},
    ),
    Case(
        "no time, and no wish to depend on anybody",
        CHAPTER,
        {"team.operations": "beginner", "team.learning": "none", "needs.lock_in": "avoid"},
        best={"hosting-kind": "vps"},
    ),
    Case(
        "maximum performance at high traffic",
        CHAPTER,
        {"team.operations": "expert", "needs.performance": "maximum", "needs.requests_per_minute": 60_000},
        best={"hosting-kind": "bare-metal"},
        says={"more-than-it-carries"},
    ),
    Case(
        "maximum performance wished at little traffic",
        PRIMER,
        {"team.operations": "expert", "needs.performance": "maximum", "needs.requests_per_minute": 300},
        best={"hosting-kind": "vps"},
    ),
    Case(
        "many services",
        CHAPTER,
        {"needs.services": 12, "team.operations": "comfortable"},
        best={"hosting-kind": "docker"},
    ),
    Case("one service is no reason for containers", PRIMER, {"needs.services": 1}, best={"hosting-kind": "vps"}),
    Case(
        "an agency with fifteen small sites",
        CHAPTER,
        {"needs.sites": 15, "needs.requests_per_minute": 30, "team.operations": "comfortable"},
        best={"hosting-kind": "vps", "monitoring": "prometheus-node-exporter"},
        says={"sites-on-one-server"},
    ),
    Case(
        "an agency on a platform",
        CHAPTER,
        {"needs.sites": 15, "hosting.kind": "paas", "team.operations": "comfortable"},
        says={"many-sites-one-platform", "paas-not-installed"},
        refused=True,
    ),
    Case(
        "a platform for those who want to leave",
        CHAPTER,
        {"needs.lock_in": "avoid", "hosting.kind": "paas"},
        says={"lock-in-unwanted"},
        best={"hosting-kind": "vps"},
        refused=True,
    ),
    # The stack.
    Case("an organisation that runs Debian", CHAPTER, {"team.constraints": ["debian"]}, best={"os": "debian-13"}),
    Case("an organisation that runs Debian 12", CHAPTER, {"team.constraints": ["debian-12"]}, best={"os": "debian-12"}),
    Case(
        "a beginner's blog",
        SQLITE,
        {"needs.requests_per_minute": 20, "needs.downtime": "days", "needs.growth": 1},
        best={"database": "sqlite", "cache": "local-memory", "hosting-kind": "vps"},
        says={"cache-for-nobody"},
    ),
    Case(
        "a blog with the small choices",
        SQLITE,
        {"needs.requests_per_minute": 20, "stack.database": "sqlite", "stack.cache": "local-memory"},
        silent={"cache-for-nobody", "sqlite-for-business"},
        best={"backups": "litestream"},
    ),
    Case(
        "a shop with 3,000 requests a minute",
        CHAPTER,
        {"needs.requests_per_minute": 3000, "team.operations": "comfortable", "needs.data": "business"},
        best={"database": "postgresql", "cache": "redis", "web": "nginx", "app": "gunicorn", "hosting-kind": "vps"},
        verdicts={"capacity": "good", "responsive": "good"},
    ),
    Case(
        "a shop that is judged by its response time",
        MEASURED,
        {"needs.requests_per_minute": 3000, "team.operations": "comfortable", "needs.performance": "maximum"},
        best={"app": "granian"},
    ),
    Case(
        "a site that is judged by its response time, with websockets",
        "the catalog",
        {"needs.performance": "maximum", "needs.realtime": True},
        best={"app": "gunicorn"},
        says={"websockets-not-served"},
    ),
    Case(
        "SQLite for a busy shop",
        SQLITE,
        {"needs.requests_per_minute": 6000, "stack.database": "sqlite"},
        best={"database": "postgresql"},
        says={"sqlite-for-business"},
    ),
    Case(
        "a site that will grow tenfold",
        CHAPTER,
        {"needs.growth": 10, "needs.requests_per_minute": 40},
        best={"database": "postgresql"},
    ),
    Case(
        "a chat with websockets",
        "https://github.com/django/daphne",
        {"needs.realtime": True},
        says={"websockets-not-served"},
        best={"cache": "redis"},
    ),
    Case(
        "Channels in the project",
        "https://github.com/django/daphne",
        project={"uses": ("channels",)},
        says={"websockets-not-served"},
    ),
    Case(
        "Celery in the project",
        CHAPTER,
        {"needs.jobs": True},
        {"uses": ("celery",)},
        best={"tasks": "celery", "broker": "redis-broker"},
        says={"workers-not-installed"},
    ),
    Case("no jobs at all", PRIMER, best={"tasks": "systemd-timers"}),
    Case("many uploads", CHAPTER, {"needs.uploads": "many"}, says={"uploads-grow"}),
    Case("some uploads", PRIMER, {"needs.uploads": "some"}, best={"media": "local-disk"}, silent={"uploads-grow"}),
    Case("no TLS in production", CHAPTER, {"access.tls": "tls-none"}, says={"no-tls"}, verdicts={"secure": "short"}),
    Case("no TLS while testing", PRIMER, {"access.tls": "tls-none", "environment": "testing"}, silent={"no-tls"}),
    # The need.
    Case(
        "bursts of fifty times",
        CHAPTER,
        {"needs.burst": 50},
        best={"http-cache": "nginx-microcache"},
        says={"bursts"},
        verdicts={"capacity": "short"},
    ),
    Case("no bursts", PRIMER, {"needs.burst": 2}, silent={"bursts"}),
    Case(
        "three servers for forty requests a minute",
        PRIMER,
        {"needs.requests_per_minute": 40, "hosting.servers.app": 3},
        says={"too-many-servers", "several-servers", "uploads-and-several-servers"},
        refused=True,
    ),
    Case(
        "more than one core answers",
        MEASURED,
        {"needs.requests_per_minute": 20_000},
        says={"more-than-it-carries"},
        verdicts={"capacity": "short", "responsive": "short"},
    ),
    Case(
        "a large server for a small site",
        PRIMER,
        {"hosting.size": "large", "needs.requests_per_minute": 100},
        says={"larger-than-needed"},
    ),
    Case(
        "away for minutes on one server",
        CHAPTER,
        {"needs.downtime": "minutes"},
        says={"single-server", "nobody-on-call"},
        verdicts={"available": "short"},
    ),
    Case(
        "away for minutes, accepted",
        CHAPTER,
        {"needs.downtime": "minutes", "accepted.single-server": "a pilot"},
        says={"single-server"},
    ),
    Case(
        "away for hours on one server",
        PRIMER,
        {"needs.downtime": "hours"},
        says={"single-point-of-failure"},
        silent={"single-server"},
        verdicts={"available": "enough"},
    ),
    Case(
        "no data may be lost",
        CHAPTER,
        {"needs.data_loss": "none"},
        says={"no-backups"},
        verdicts={"resilient": "short"},
    ),
    Case(
        "minutes of data may be lost",
        CHAPTER,
        {"needs.data_loss": "minutes"},
        best={"backups": "barman"},
        says={"no-backups"},
    ),
    Case(
        "data that can be made again",
        PRIMER,
        {"needs.data": "disposable"},
        silent={"no-backups"},
        verdicts={"resilient": "enough"},
    ),
    Case(
        "a hospital with personal data",
        GDPR,
        {"needs.data": "personal", "team.operations": "expert"},
        says={"personal-data"},
        best={"database": "postgresql"},
        verdicts={"secure": "enough"},
    ),
    Case(
        "staging beside production",
        CHAPTER,
        {"needs.environments": ["staging", "production"]},
        says={"staging-costs-a-server"},
    ),
    Case("somebody on call", CHAPTER, {"needs.downtime": "minutes", "team.on_call": True}, silent={"nobody-on-call"}),
    # What cannot work.
    Case("no such region", "the provider's list", {"hosting.region": "mars"}, says={"region-missing"}, refused=True),
    Case(
        "a Python that the system has not",
        "PEP 345",
        project={"requires_python": ">=3.99"},
        says={"python-too-old"},
        refused=True,
    ),
    Case(
        "SQLite for two application servers",
        SQLITE,
        {"stack.database": "sqlite", "hosting.servers.app": 2},
        says={"sqlite-and-several-writers"},
        refused=True,
    ),
    Case(
        "a name that the system has", "Debian's own users", {"name": "www-data"}, says={"name-is-taken"}, refused=True
    ),
    Case(
        "a web server that is not installed",
        "the catalog",
        {"stack.web": "apache"},
        says={"apache-not-installed"},
        refused=True,
    ),
    Case(
        "gone, and chosen",
        "https://ubuntu.com",
        {"stack.process": "upstart"},
        says={"upstart-not-installed"},
        refused=True,
    ),
    Case(
        "an ASGI project on Gunicorn",
        CHAPTER,
        {"project.wsgi": ""},
        project={"wsgi": None, "asgi": "shop.asgi:application"},
        says={"gunicorn-1"},
        refused=True,
    ),
    # What the project's code tells.
    Case(
        "templates read anew",
        DJANGO_DOCS,
        project={"hints": {"uncached": "shop/settings.py:40"}},
        says={"templates-read-each-time"},
    ),
    Case("templates cached", DJANGO_DOCS, silent={"templates-read-each-time"}),
    Case(
        "a query for each row",
        CHAPTER,
        project={"hints": {"queries": "shop/views.py:9"}},
        says={"queries-in-loops"},
        best={"orm": "select-related"},
    ),
    Case(
        "a field without an index",
        CHAPTER,
        project={"hints": {"unindexed": "shop/views.py:9 (Order.status)"}},
        says={"field-without-index"},
    ),
    Case("DEBUG on", CHAPTER, project={"literals": {"DEBUG": True}}, says={"debug-on"}),
    Case(
        "the toolbar in production",
        CHAPTER,
        project={"installed_apps": ("debug_toolbar",)},
        says={"toolbar-in-production"},
    ),
    Case("sessions in the database", CHAPTER, says={"sessions-in-the-database"}),
    Case(
        "sessions in the cache",
        CHAPTER,
        project={"session_engine": "django.contrib.sessions.backends.cached_db"},
        silent={"sessions-in-the-database"},
    ),
    Case(
        "a site from SQLite",
        "the design",
        project={"databases": (Database("default", "django.db.backends.sqlite3", "db"),)},
        says={"starts-empty"},
    ),
    Case("a front-end build", "the design", project={"frontend_build": "npm run build"}, says={"frontend-not-built"}),
]


def advised(case: Case, catalog: Catalog) -> Report:
    answers = {key.replace(".", "__"): value for key, value in case.answers.items()}
    project: Project = replace(DJANGO, **case.project)
    return report(choices_for(catalog, **answers), project, catalog)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case, catalog: Catalog) -> None:
    found = advised(case, catalog)
    best = {layer.category.id: layer.best for layer in found.layers}
    assert {name: best[name] for name in case.best} == case.best
    said = {piece.id for piece in found.advice}
    assert case.says <= said
    assert not case.silent & said
    verdicts: dict[str, str] = {verdict.property: verdict.verdict for verdict in found.verdicts}
    assert {name: verdicts[name] for name in case.verdicts} == case.verdicts
    assert bool(conflicts_of(found.advice)) is case.refused


def test_there_are_cases_enough_and_each_has_its_source() -> None:
    assert len(CASES) >= 40
    assert len({case.name for case in CASES}) == len(CASES)
    assert all(case.source for case in CASES)


def test_an_accepted_warning_is_kept_with_its_reason_and_said_no_more(catalog: Catalog) -> None:
    found = advised(next(case for case in CASES if case.name == "away for minutes, accepted"), catalog)
    (piece,) = [piece for piece in found.advice if piece.id == "single-server"]
    assert piece.accepted == "a pilot"


def test_each_layer_says_what_was_close_and_what_would_tip_it(catalog: Catalog) -> None:
    found = {layer.category.id: layer for layer in advised(CASES[2], catalog).layers}
    database = found["database"]
    assert (database.best, database.runner_up and database.runner_up.id) == ("postgresql", "sqlite")
    tip = next(tip for tip in database.tips if tip.component == "sqlite")
    assert tip.question == "needs.requests_per_minute"
    turned = advised(Case("turned", "", {tip.question: tip.answer}), catalog)
    assert {layer.category.id: layer.best for layer in turned.layers}["database"] == "sqlite"


def test_every_tip_really_tips(catalog: Catalog) -> None:
    """A tip is a promise: give that answer, and the other component is the best of its layer."""
    case = next(case for case in CASES if case.name == "a shop with 3,000 requests a minute")
    for layer in advised(case, catalog).layers:
        for tip in layer.tips[:2]:
            turned = advised(replace(case, answers={**case.answers, tip.question: tip.answer}), catalog)
            found = next(other for other in turned.layers if other.category.id == layer.category.id)
            names = {found.best, found.better.id if found.better else ""}
            assert tip.component in names, (layer.category.id, str(tip))


def test_a_small_design_does_without_what_it_does_not_need(catalog: Catalog) -> None:
    layers = {layer.category.id: layer for layer in advised(Case("usual", ""), catalog).layers}
    assert {name for name, layer in layers.items() if layer.best == "none"} == {
        "paas",
        "http-cache",
        "load-balancer",
        "cdn",
        "broker",
    }
    assert all(layer.category.without for layer in layers.values() if layer.best == "none")


def test_prices_are_those_of_providers_near_the_visitors(catalog: Catalog) -> None:
    here = {quote.provider for quote in advised(Case("europe", "", {"needs.visitors": "europe"}), catalog).market}
    there = {quote.provider for quote in advised(Case("africa", "", {"needs.visitors": "africa"}), catalog).market}
    assert "hetzner" in here
    assert "hetzner" not in there
    assert there


def test_fifteen_sites_cost_fifteen_times_as_much(catalog: Catalog) -> None:
    one, fifteen = (advised(Case("", "", {"needs.sites": n}), catalog).market for n in (1, 15))
    prices = [{q.provider: q.lines[0].amount for q in quotes} for quotes in (one, fifteen)]
    assert prices[1]["digitalocean"] == 15 * (prices[0]["digitalocean"] or 0)


def test_fifteen_sites_on_three_servers_cost_less(catalog: Catalog) -> None:
    each, shared = (
        advised(Case("", "", {"needs.sites": 15, "hosting.sites": n, "needs.requests_per_minute": 30}), catalog).market
        for n in (1, 5)
    )
    assert {quote.servers for quote in each} == {15}
    assert {quote.servers for quote in shared} == {3}
    totals = [{quote.provider: quote.total for quote in quotes} for quotes in (each, shared)]
    assert all(
        (totals[1][name] or 0) < (total or 0) for name, total in totals[0].items() if total and name in totals[1]
    )


def test_what_sites_keep_is_paid_for_each(catalog: Catalog) -> None:
    def storage_gb(**more: int) -> int:
        needs = {"needs.storage_gb": 200} | {key.replace("__", "."): value for key, value in more.items()}
        quotes = {quote.provider: quote for quote in advised(Case("", "", needs), catalog).market}
        lines = [line.what for line in quotes["digitalocean"].lines if line.what.endswith("GB of storage")]
        return int(lines[0].split()[0])

    assert storage_gb(needs__sites=3) == 3 * storage_gb()
    assert storage_gb(needs__sites=3, hosting__sites=3) > 2 * storage_gb()


def test_what_gives_first_moves_with_the_size(catalog: Catalog) -> None:
    small = advised(Case("small", ""), catalog).limits[0]
    large = advised(Case("large", "", {"hosting.size": "large"}), catalog).limits[0]
    assert small.what == large.what == "the processor"
    assert large.requests_per_minute == 4 * small.requests_per_minute
    assert small.band[0] < small.requests_per_minute < small.band[1]


@pytest.mark.parametrize(
    ("wanted", "size", "servers"),
    [(600, "small", 1), (12_000, "medium", 1), (30_000, "large", 1), (60_000, "large", 2)],
)
def test_the_smallest_size_that_carries_it_is_named(catalog: Catalog, wanted: int, size: str, servers: int) -> None:
    enough = advised(Case("", "", {"needs.requests_per_minute": wanted, "hosting.size": "large"}), catalog).enough
    assert enough
    assert (enough.size, enough.servers) == (size, servers)


def test_the_market_is_sorted_and_dated_and_nothing_unknown_is_called_cheap(catalog: Catalog) -> None:
    quotes = advised(Case("usual", ""), catalog).market
    known = [quote.total for quote in quotes if quote.total is not None and not quote.unknown]
    assert known == sorted(known)
    assert all(quote.priced.year >= 2024 for quote in quotes)
    firsts = [bool(quote.unknown) or quote.total is None for quote in quotes]
    assert firsts == sorted(firsts)


def test_ten_times_the_need_costs_no_less_than_the_need(catalog: Catalog) -> None:
    for kind in advised(Case("shop", "", {"needs.requests_per_minute": 6000}), catalog).hosting:
        if kind.today and kind.tenfold and not kind.today.unknown and not kind.tenfold.unknown:
            assert (kind.tenfold.total or 0) >= (kind.today.total or 0), kind.component.id


def test_the_advice_is_the_same_each_time(catalog: Catalog) -> None:
    first, second = (report_document(advised(CASES[0], catalog)) for _ in range(2))
    assert first == second
