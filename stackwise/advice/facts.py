"""What rules and formulas can speak about: one flat mapping of dotted names.

It is made from the choices, the project and the catalog.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from stackwise.advice.sizing import BASE_MB, carries, memory_shares, option_key, option_values, page_ms, part_mb
from stackwise.answers import Choices
from stackwise.catalog import Catalog
from stackwise.catalog.model import Component, Offer, Size
from stackwise.errors import UsageError
from stackwise.project import Project

# The provider of servers that are there already.
FOUND = "existing"
# Settings whose place an advice may name.
_PLACES = ("DEBUG", "DATABASES", "CACHES", "TEMPLATES", "STORAGES", "MIDDLEWARE", "SESSION_ENGINE", "INSTALLED_APPS")


def chosen(choices: Choices, catalog: Catalog) -> tuple[Component, ...]:
    """Return the components in use, in the order of the walk, each once."""
    found: dict[str, Component] = {}
    for category in catalog.layers:
        for name in choices.components(category.answer):
            found.setdefault(name, catalog.component(name))
    return tuple(found.values())


def offer_of(choices: Choices, catalog: Catalog) -> Offer:
    """Return what the chosen provider sells. Raises UsageError where it is no provider."""
    provider = catalog.component(choices["hosting.provider"])
    if provider.offer is None:
        raise UsageError(
            f"{provider.name} sells no servers", hint="choose another: stackwise catalog list --category provider"
        )
    return provider.offer


def is_found(choices: Choices) -> bool:
    """Whether the server is there already, and nobody makes it."""
    return bool(choices["hosting.provider"] == FOUND)


def is_unseen(choices: Choices) -> bool:
    """Whether the server is there already and nobody has looked yet how large it is."""
    return is_found(choices) and not _was_seen(choices)


def _was_seen(choices: Choices) -> bool:
    return choices.origins.get("hosting.memory", "default") != "default"


def kernel_of(choices: Choices, catalog: Catalog) -> str:
    """Return whether the server's kernel is its own, or shared with others."""
    return str(choices["hosting.kernel"]) if is_found(choices) else offer_of(choices, catalog).kernel


def found_size(choices: Choices) -> Size:
    """Return the size of a server that is there already, as it was seen; what it costs, only its owner knows."""
    return Size(
        id="as-found" if _was_seen(choices) else "unseen",
        cpus=choices["hosting.cpus"],
        memory_mb=choices["hosting.memory"],
        disk_gb=choices["hosting.disk"],
        price=None,
    )


def size_of(choices: Choices, catalog: Catalog) -> Size:
    """Return the chosen size. Raises UsageError that lists what is sold."""
    if is_found(choices):
        return found_size(choices)
    offer = offer_of(choices, catalog)
    for size in offer.sizes:
        if size.id == choices["hosting.size"]:
            return size
    sold = ", ".join(f"{size.id} ({size.cpus} CPU, {size.memory_mb} MiB)" for size in offer.sizes)
    if not offer.sizes:
        raise UsageError(
            f"no size of {choices['hosting.provider']} is known", hint="see what is: stackwise catalog list -c provider"
        )
    raise UsageError(
        f"{choices['hosting.provider']} sells no size {choices['hosting.size']!r}; it sells {sold}",
        hint=f"say it with: --set hosting.size={offer.sizes[0].id}",
    )


def gather(choices: Choices, project: Project, catalog: Catalog, size: Size | None = None) -> dict[str, Any]:
    """Return every fact, of another `size` than the chosen one where that is asked.

    Raises UsageError for a provider or a size that does not exist.
    """
    size = size or size_of(choices, catalog)
    components = chosen(choices, catalog)
    facts: dict[str, Any] = {
        key: value for key, value in choices.values.items() if not key.startswith(("options.", "secrets."))
    }
    facts.update(_project_facts(choices, project, catalog))
    facts.update(_server_facts(choices, size, catalog))
    facts["tls"] = any(c.install.provides.get("tls", False) for c in components if c.install)
    for value in option_values(components, choices.under("options"), facts):
        facts[option_key(value.component, value.question.id)] = value.value
    facts["memory.base_mb"] = BASE_MB
    facts.update(load_facts(components, facts))
    return facts


def load_facts(components: tuple[Component, ...], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a server of these `facts` needs in memory, and what it carries."""
    page = page_ms(components, facts)
    carried = carries(facts["cpus"] / facts["hosting.sites"], page)
    return {
        "memory.needed_mb": sum(share.memory_mb for share in memory_shares(components, facts)),
        "page.cpu_ms": round(page, 2),
        "capacity.requests_per_minute": carried * facts["servers.app"],
        "capacity.share": round(facts["needs.requests_per_minute"] / max(1, carried * facts["servers.app"]), 2),
    }


def _server_facts(choices: Choices, size: Size, catalog: Catalog) -> dict[str, Any]:
    offer = offer_of(choices, catalog)
    sites = choices["hosting.sites"]
    amount, currency = str(choices["needs.budget"]).split(" ")
    # The server is on the bill of the site that made it.
    price = 0.0 if choices.get("hosting.share") else size.price
    inside = None if price is None else catalog.convert(price, offer.currency, currency)
    groups = {category.group for category in catalog.layers if category.group}
    counts = choices.under("hosting.servers")
    return {
        "cpus": size.cpus,
        "memory_mb": part_mb(size.memory_mb, sites),
        "disk_gb": size.disk_gb // sites,
        "hosting.share": choices.get("hosting.share", ""),
        "kernel": kernel_of(choices, catalog),
        "images": list(offer.images),
        "locations": list(offer.locations),
        "region.first": next(iter(offer.locations), choices["hosting.region"]),
        **_beside(size, offer),
        "budget.amount": float(amount),
        "budget.currency": currency,
        "budget.has_rate": currency in catalog.currencies,
        "cost.amount": price,
        "cost.in_budget": None if inside is None else round(inside, 2),
        "cost.currency": offer.currency,
        **{f"servers.{group}": counts.get(group, 1) for group in groups},
        # What is not said to have servers of its own stands on the first one.
        "servers.count": sum(counts.values()) if counts else 1,
        "provider.continents": list(offer.continents),
        "provider.can": bool(offer.driver),
        "provider.unseen": is_unseen(choices),
    }


def _beside(size: Size, offer: Offer) -> dict[str, str]:
    """Return the next larger and the next smaller size of an offer by memory, which at its end is the size itself."""
    larger = [other for other in offer.sizes if other.memory_mb > size.memory_mb]
    smaller = [other for other in offer.sizes if other.memory_mb < size.memory_mb]
    return {
        "size.larger": min(larger, key=_weight, default=size).id,
        "size.smaller": max(smaller, key=_weight, default=size).id,
    }


def _weight(size: Size) -> tuple[int, float]:
    return size.memory_mb, size.price or 0.0


def _project_facts(choices: Choices, project: Project, catalog: Catalog) -> dict[str, Any]:
    system = catalog.component(choices["stack.os"]).system
    python = system.python if system else ""
    engine = next((d.engine for d in project.databases if d.alias == "default" and d.engine), "")
    return {
        "os.python": python,
        "today": date.today().isoformat(),
        "project.framework": project.framework,
        "project.interface": "wsgi" if choices.get("project.wsgi") else "asgi",
        "project.requires_python": project.requires_python or "",
        "project.python_fits": python_fits(project.requires_python, python),
        "project.uses": list(project.uses),
        "project.database": engine.rpartition(".")[2],
        "project.django": _series(project.django_version),
        "project.apps": list(project.installed_apps),
        "project.middleware": [name.rpartition(".")[2] for name in project.middleware],
        "project.session_engine": (project.session_engine or "django.contrib.sessions.backends.db").rpartition(".")[2],
        "project.static_storage": (project.static_storage or "").rpartition(".")[2],
        "project.conn_max_age": _conn_max_age(project),
        "project.debug": (project.literals or {}).get("DEBUG") is True,
        "project.templates_cached": "uncached" not in project.hints,
        "project.queries_in_loops": project.hints.get("queries", ""),
        "project.unindexed": project.hints.get("unindexed", ""),
        "project.caches_pages": "caches" in project.hints,
        "project.has_uploads": "uploads" in project.hints,
        **{f"at.{name}": (project.places or {}).get(name) or project.settings or "the settings" for name in _PLACES},
        "project.has_tests": project.has_tests,
        "project.has_requirements": bool(project.requirements.source),
        "project.frontend_build": bool(project.frontend_build),
    }


def _series(specifier: str | None) -> float:
    """Return the Django series that a specifier begins with, 5.2 for "~=5.2.4"; 0 where none is named."""
    found = re.search(r"(\d+)\.(\d+)", specifier or "")
    return float(f"{found[1]}.{found[2]}") if found else 0.0


def _conn_max_age(project: Project) -> bool:
    """Whether the project's settings speak of keeping database connections."""
    text = " ".join([*(project.expressions or {}).values(), *map(str, (project.literals or {}).items())])
    return "conn_max_age" in text.lower()


def python_fits(wanted: str | None, version: str) -> bool:
    """Whether a `requires-python` admits the Python of a system; what can't be read forbids nothing."""
    if not wanted or not version:
        return True
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - many projects say nothing of it

    try:
        # A system's Python is some patch release of `version`; "3.11" alone would fail ">=3.11.2" and pass "<3.11.5".
        return any(f"{version}.{patch}" in SpecifierSet(wanted) for patch in range(30))
    except InvalidSpecifier:
        return True


def fact_names(catalog: Catalog) -> Iterator[str]:
    """Yield the name of every fact that an expression may read, so that a test can hold the catalog to them."""
    yield from [
        "cpus",
        "memory_mb",
        "disk_gb",
        "kernel",
        "images",
        "locations",
        "tls",
        "name",
        "environment",
        "budget.amount",
        "budget.currency",
        "budget.has_rate",
        "cost.amount",
        "cost.currency",
        "cost.in_budget",
        "servers.count",
        "memory.needed_mb",
        "memory.base_mb",
        "os.python",
        "today",
        "project.framework",
        "project.interface",
        "project.requires_python",
        "project.python_fits",
        "project.uses",
        "project.database",
        "project.has_tests",
        "project.django",
        "project.apps",
        "project.middleware",
        "project.session_engine",
        "project.static_storage",
        "project.conn_max_age",
        "project.debug",
        "project.templates_cached",
        "project.queries_in_loops",
        "project.unindexed",
        "project.caches_pages",
        "project.has_uploads",
        "provider.continents",
        "provider.can",
        "provider.unseen",
        "region.first",
        "size.larger",
        "size.smaller",
        "page.cpu_ms",
        "capacity.requests_per_minute",
        "capacity.share",
        *(f"at.{name}" for name in _PLACES),
        "project.has_requirements",
        "project.frontend_build",
    ]
    for category in catalog.layers:
        yield category.answer
        if category.group:
            yield f"servers.{category.group}"
    yield from catalog.questions
    for component in catalog.components.values():
        yield from (option_key(component.id, question.id) for question in component.questions)
