"""The catalog as a whole: who is in it, that names lead somewhere, that dates are sane and prose is short."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date

import pytest

from stackwise import paths
from stackwise.catalog import Catalog, load_catalog
from stackwise.catalog.model import Component
from stackwise.errors import UsageError
from stackwise.provision.providers import open_cloud

COMPONENTS = list(load_catalog().components.values())
# What somebody who read the chapter looks for, by what they would type.
NAMED = [
    "heroku",
    "pythonanywhere",
    "google-app-engine",
    "django-nonrel",
    "digitalocean",
    "webfaction",
    "rackspace",
    "docker",
    "debian-12",
    "debian-13",
    "rhel",
    "openbsd",
    "ubuntu-24-04",
    "ubuntu-26-04",
    "gunicorn",
    "uwsgi",
    "uvicorn",
    "granian",
    "mod-wsgi",
    "apache",
    "nginx",
    "caddy",
    "postgresql",
    "mariadb",
    "mysql",
    "redis",
    "sqlite",
    "memcached",
    "valkey",
    "varnish",
    "upstart",
    "systemd",
    "supervisor",
    "local-disk",
    "s3",
    "s3-compatible",
    "cloudfront",
    "fabric",
    "invoke",
    "git-hooks",
    "chef",
    "puppet",
    "salt",
    "ansible",
    "statsd",
    "monit",
    "graphite",
    "new-relic",
    "status-io",
    "prometheus-node-exporter",
    "netdata",
    "sentry",
    "uptime-kuma",
    "pagespeed-insights",
    "yslow",
    "cached-static-files",
    "manifest-static-files",
    "django-pipeline",
    "webassets",
    "whitenoise",
    "django-debug-toolbar",
    "hotshot",
    "cprofile",
    "django-silk",
    "cached-loader",
    "jinja2",
    "django-jinja",
    "select-related",
    "prefetch-related",
    "values-list",
    "denormalisation",
    "db-index",
    "bulk-create",
    "raw-sql",
    "django-cache-machine",
    "django-cachalot",
    "johnny-cache",
    "cached-sessions",
    "celery",
    "hetzner",
    "linode",
    "vultr",
    "ec2",
    "ovh",
    "existing",
]

each_component = pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.id)


def test_it_is_as_wide_as_it_says(catalog: Catalog) -> None:
    assert len(catalog.components) >= 120
    assert len(catalog.categories) >= 20
    empty = [name for name in catalog.categories if not catalog.options(name)]
    assert not empty


@pytest.mark.parametrize("word", NAMED)
def test_what_the_chapter_names_has_its_entry(word: str, catalog: Catalog) -> None:
    assert catalog.component(word).sources


@pytest.mark.parametrize(
    "word", ["webfaction", "upstart", "yslow", "hotshot", "cached-static-files", "django-nonrel", "johnny-cache"]
)
def test_what_is_gone_says_since_when_and_where_to_go(word: str, catalog: Catalog) -> None:
    state = catalog.component(word).state
    assert state.state == "gone"
    assert state.since
    assert state.move
    for name in re.split(r",\s*", state.replaced_by):
        assert name in catalog.components


@each_component
def test_names_lead_to_components(component: Component, catalog: Catalog) -> None:
    replaced = re.split(r",\s*", component.state.replaced_by) if component.state.replaced_by else []
    assert all(name in catalog.components for name in replaced), component.state.replaced_by
    versions = component.system.versions if component.system else {}
    assert set(versions) <= set(catalog.components)


def test_no_alias_is_taken_twice(catalog: Catalog) -> None:
    by_category = {
        name: Counter(word for c in catalog.options(name) for word in (c.id, *c.aliases)) for name in catalog.categories
    }
    assert not {
        name: [w for w, n in words.items() if n > 1] for name, words in by_category.items() if max(words.values()) > 1
    }
    ids = set(catalog.components)
    assert not [(c.id, word) for c in COMPONENTS for word in c.aliases if word in ids]


@each_component
def test_dates_are_sane(component: Component) -> None:
    today = date.today()
    assert component.state.since is None or date(1990, 1, 1) < component.state.since <= today
    assert all(support.until is None or support.until.year < 2045 for support in component.support)
    assert all(date(2024, 1, 1) <= source.read <= today for source in component.sources)
    if component.offer:
        assert date(2023, 1, 1) <= component.offer.priced <= today
    assert all(measurement.day <= today for measurement in component.measured)


@each_component
def test_prose_is_what_a_colleague_would_say(component: Component) -> None:
    assert len(component.summary) <= 200
    assert len(component.notes) <= 3
    # What is on its way out may need no more than where to go.
    assert component.notes or component.state.state != "current"
    for text in (component.summary, *component.notes, component.choose_when, component.leave_when):
        assert text.endswith((".", "?", "!")), text
        assert "  " not in text


@each_component
def test_sizes_are_told_apart_and_cost_something(component: Component) -> None:
    sizes = component.offer.sizes if component.offer else ()
    assert len({size.id for size in sizes}) == len(sizes)
    rented = "free-of-charge" not in component.good_at
    assert all(size.price is None or size.price > 0 for size in sizes if rented)


def test_a_provider_with_a_driver_has_an_adapter_and_no_other_claims_one(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    for provider in catalog.options("provider"):
        if provider.installable:
            for credential in provider.offer.credentials if provider.offer else ():
                monkeypatch.setenv(credential.variable, "canary")
            assert open_cloud(provider, lambda _: None)
        else:
            with pytest.raises(UsageError):
                open_cloud(provider, lambda _: None)


def test_no_file_names_a_place_that_packages_come_from() -> None:
    hosts = re.compile(r"pypi\.org|pythonhosted|deb\.debian\.org|registry\.npmjs|snapshot\.debian")
    wrong = [path.name for path in paths.catalog_dir().rglob("*.yml") if hosts.search(path.read_text("utf-8"))]
    assert not wrong


def test_every_rate_has_its_day_and_dollars_are_one(catalog: Catalog) -> None:
    assert catalog.currencies["USD"].usd == 1
    assert {"EUR", "GBP", "CHF"} <= set(catalog.currencies)
    assert all(rate.sources and rate.day <= date.today() for rate in catalog.currencies.values())
    assert all(c.offer.currency in catalog.currencies for c in COMPONENTS if c.offer)
