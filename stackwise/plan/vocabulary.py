"""The facts of a site that catalog files may name as `$fact`, and how they are put in their places."""

from __future__ import annotations

from collections.abc import Mapping
from string import Template
from typing import Any

from stackwise.advice.facts import FOUND
from stackwise.answers import Choices
from stackwise.catalog.model import Component, System
from stackwise.errors import CatalogError
from stackwise.plan.model import ADDRESS
from stackwise.plan.settings import application_of
from stackwise.project import Project

Vocabulary = Mapping[str, Any]


def site_vocabulary(
    choices: Choices, project: Project, components: tuple[Component, ...], system: System | None
) -> dict[str, Any]:
    """Return what every catalog file may name, what the chosen components provide included."""
    site = choices["name"]
    home = f"/srv/{site}"
    shared = choices.get("hosting.share") is not None
    # On a server with other things on it, a site has a database cluster and a cache of its own.
    apart = shared or choices["hosting.provider"] == FOUND
    words: dict[str, Any] = {
        "site": site,
        "site_word": site.replace("-", "_"),
        "shared": shared,
        "site_user": site,
        "home": home,
        "current": f"{home}/current",
        "data": f"{home}/data",
        "static_root": f"{home}/static",
        "static_url": _url(project.static_url, "/static/"),
        "media_root": f"{home}/media",
        "media_url": _url(project.media_url, "/media/"),
        "socket": f"/run/{site}/app.sock",
        "domain": choices["access.domain"],
        # Who asks a shared server for its address gets the site that made it.
        "names": [choices["access.domain"]] if shared else [choices["access.domain"], ADDRESS],
        "wsgi": application_of(project),
        "app_dir": project.app_dir,
        # Later ones win; a secret that was given wins over one that was made.
        "environment_files": [f"/etc/{site}/environment", f"-/etc/{site}/secrets.d/*.env", f"-/etc/{site}/secrets"],
        "writable": [f"{home}/media", f"{home}/data"],
        "app_config": f"/etc/{site}",
        "tls": False,
        "certificate": "",
        "certificate_key": "",
    }
    for component in components:
        if component.install:
            words.update(fill(component.install.provides, words))
            if apart:
                words.update(fill(component.install.provides_shared, words))
    words["groups"] = sorted({group for c in components if c.install for group in fill(c.install.joins, words)})
    words["restart_on"] = [f"/etc/{site}/{name}" for name in ("environment", "secrets", "secrets.d")]
    words["restart_on"] += [words["app_config"], words["current"]]
    first = (component for component in components if component.install and component.install.before_app)
    return {**words, "after": [unit for component in first for unit in services(component, words, system)]}


def services(component: Component, words: Vocabulary, system: System | None) -> list[str]:
    """Return the units that a component runs as."""
    wanted = component.install.services if component.install else ()
    filled: list[str] = fill(wanted, with_version(words, component, system))
    return filled


def with_version(words: Vocabulary, component: Component, system: System | None) -> Vocabulary:
    """Return the vocabulary with `$version`, the version of this component in the chosen system, if there is one."""
    version = system.versions.get(component.id) if system else None
    return words if version is None else {**words, "version": version}


def fill(value: Any, words: Vocabulary) -> Any:
    """Replace `$word` in strings, at any depth. A string that is one word and nothing else takes the word's own type.

    Raises CatalogError for a word that does not exist.
    """
    if isinstance(value, Mapping):
        return {key: fill(item, words) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [fill(item, words) for item in value]
    if not isinstance(value, str):
        return value
    try:
        if value.startswith("$") and value[1:].isidentifier():
            return words[value[1:]]
        return Template(value).substitute(words)
    except (KeyError, ValueError) as exc:
        raise CatalogError(f"the catalog names {value!r}, and a site has no such fact: {exc}") from exc


def _url(found: str | None, usual: str) -> str:
    """Return a path that starts and ends with a slash; a URL on another host is not served by us and stays out."""
    if not found or "://" in found:
        return usual
    return f"/{found.strip('/')}/" if found.strip("/") else usual
