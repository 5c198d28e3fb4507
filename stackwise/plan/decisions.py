"""How the stack's wishes reach a Django project: through the variables that it reads, else through a settings overlay.

A wish goes through the environment only where it is certain: the expression of the project's own settings is worked
out under the variables that we would set (`stackwise.project.evaluate`), and must come to exactly what is wanted. All
else is set by the overlay, a settings module that imports the project's own and goes last.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import cast
from urllib.parse import quote

from stackwise.plan.settings import CONFIGURATION, HOSTS_VARIABLE, LOCAL_POSTGRESQL, Decisions, Override, Setting
from stackwise.project import UNKNOWN, EnvironmentVariable, Project, evaluate

_CONNECTION = ("ENGINE", "NAME", "USER", "PASSWORD", "HOST", "PORT")
_DJANGO_STORAGES = frozenset(
    {
        "django.contrib.staticfiles.storage.StaticFilesStorage",
        "django.contrib.staticfiles.storage.ManifestStaticFilesStorage",
        "django.core.files.storage.FileSystemStorage",
    }
)
_DEFAULT_SESSIONS = frozenset(
    {
        "django.contrib.sessions.backends.db",
        "django.contrib.sessions.backends.cache",
        "django.contrib.sessions.backends.cached_db",
    }
)
# What Django does since 3.2 when a project does not speak of it.
_DJANGO_DEFAULTS: dict[str, object] = {
    "DEBUG": False,
    "CSRF_COOKIE_SECURE": False,
    "SECURE_CONTENT_TYPE_NOSNIFF": True,
    "SECURE_HSTS_SECONDS": 0,
    "SECURE_SSL_REDIRECT": False,
    "SESSION_COOKIE_SECURE": False,
}
_SHARED_CACHES = ("redis", "memcached", "valkey", "stackwise_cache")


def decide(project: Project, wanted: Sequence[Setting]) -> Decisions:
    """Return by which way each of `wanted` reaches `project`: later wishes of the same name replace earlier ones."""
    unique = {setting.name: setting for setting in [*wanted, *_sessions(wanted)]}
    return _Decision(project).decide(list(unique.values()))


def _sessions(wanted: Sequence[Setting]) -> Iterator[Setting]:
    """Wish sessions into a cache that all workers share, kept in the database too."""
    caches = [setting for setting in wanted if setting.name == "CACHES.default"]
    if caches and _is_shared(caches[-1].value) and all(setting.name != "SESSION_ENGINE" for setting in wanted):
        because = "Read from the cache, kept in the database: nobody is logged out when the cache restarts."
        yield Setting("SESSION_ENGINE", "django.contrib.sessions.backends.cached_db", because)


def _is_shared(cache: object) -> bool:
    backend = str(cache.get("BACKEND", "")) if isinstance(cache, Mapping) else ""
    return any(word in backend for word in _SHARED_CACHES)


class _Decision:
    """One project's decisions in the making."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.literals = project.literals or {}
        self.expressions = project.expressions or {}
        self.places = project.places or {}
        self.environment: dict[str, str] = {}
        self.aliases: dict[str, str] = {}
        # What a variable would be set to where it turned out that the overlay must do it: the module must still import.
        self.fallbacks: dict[str, str] = {}

    def decide(self, wanted: Sequence[Setting]) -> Decisions:
        overrides = [override for setting in wanted for override in self._one(setting)]
        overrides = [self._checked(override) for override in overrides]
        if any(isinstance(override.setting.runtime, Mapping) for override in overrides if override.how == "overlay"):
            hosts = next(setting.value for setting in wanted if setting.name == "ALLOWED_HOSTS")
            self.environment.setdefault(HOSTS_VARIABLE, _joined(cast("list[str]", hosts), ","))
        if self.project.configuration:
            self.environment["DJANGO_CONFIGURATION"] = CONFIGURATION
        missing = tuple(self._missing())
        return Decisions(tuple(overrides), dict(sorted(self.environment.items())), self.aliases, missing)

    def _one(self, setting: Setting) -> Iterator[Override]:
        place = self.places.get(setting.name.split(".")[0], "")
        left = _left_alone(self.project, setting)
        if left:
            yield Override(setting, "left", note=left, place=place)
        elif self._is_so_already(setting):
            yield Override(setting, "already", place=place)
        elif setting.name.startswith("DATABASES.") and isinstance(setting.value, Mapping):
            adapted = _adapted_engine(self.project, setting)
            yield from self._database(adapted, place)
            yield from _quick_health_check(adapted, place)
        elif setting.name.startswith("CACHES.") and isinstance(setting.value, Mapping):
            yield from self._cache(setting, place)
        else:
            variables = self._through_environment(setting)
            yield Override(setting, "environment" if variables else "overlay", variables, place=place)

    def _checked(self, override: Override) -> Override:
        """Look again when every variable is decided: one of them may have changed what another setting comes to."""
        setting = override.setting
        if override.how != "environment" or _has_reference(setting.value):
            return override
        found = self._value(setting.name, {})
        if isinstance(setting.value, Mapping):
            holds = isinstance(found, dict) and _address(found) == _address(setting.value)
        else:
            holds = _plain(found) == _plain(setting.value)
        return override if holds else replace(override, how="overlay", variables=())

    def _feeding(self, name: str) -> list[EnvironmentVariable]:
        """Return the variables that feed a setting, or a dictionary that it is in."""
        return [
            variable
            for variable in self.project.environment
            if any(feed == name or name.startswith(f"{feed}.") for feed in variable.feeds)
        ]

    def _is_so_already(self, setting: Setting) -> bool:
        """Say whether the project (or Django, where it is silent) does the same whatever the environment says."""
        name = setting.name
        if name in self.literals:
            own = self.literals[name]
            if name in ("STATIC_URL", "MEDIA_URL") and isinstance(own, str) and "://" not in own:
                own = f"/{own.lstrip('/')}"  # Django puts the slash there itself
            return _plain(own) == _plain(setting.value)
        silent = name not in self.places and not self._feeding(name)
        return silent and name in _DJANGO_DEFAULTS and _DJANGO_DEFAULTS[name] == setting.value

    def _through_environment(self, setting: Setting) -> tuple[str, ...]:
        """Return the one variable that carries `setting` with certainty, set; or nothing."""
        if _has_reference(setting.value):
            return self._through_alias(setting)
        decided = tuple(v.name for v in self._feeding(setting.name) if v.name in self.environment)
        if decided and _plain(self._value(setting.name, {})) == _plain(setting.value):
            return decided
        for variable in self._feeding(setting.name):
            if not _carries(variable, setting.name):
                continue
            for text in _texts(setting.value):
                if _plain(self._value(setting.name, {variable.name: text})) == _plain(setting.value):
                    self.environment[variable.name] = text
                    return (variable.name,)
            self.fallbacks.setdefault(variable.name, next(iter(_texts(setting.value)), ""))
        return ()

    def _through_alias(self, setting: Setting) -> tuple[str, ...]:
        """Return the variable that carries a secret: of the same name, or one that the overlay fills from it."""
        if not (isinstance(setting.value, Mapping) and set(setting.value) == {"$env"}):
            return ()
        secret, probe = str(setting.value["$env"]), "stackwise-probe-0123456789-abcdefghijklmnopqrstuvwxyz-0123456789"
        for variable in self._feeding(setting.name):
            if _carries(variable, setting.name) and self._value(setting.name, {variable.name: probe}) == probe:
                if variable.name != secret:
                    self.aliases[variable.name] = secret
                return (variable.name,)
            if variable.required and _is_named_for(variable, setting.name):
                self.aliases[variable.name] = secret
        return ()

    def _value(self, name: str, variables: Mapping[str, str]) -> object:
        """Return what the project's settings say under what is decided so far and `variables`."""
        root, *path = name.split(".")
        if root not in self.expressions:
            return UNKNOWN
        # A text that is filled in on the server is weighed as it stands.
        environ = {key: str(text) for key, text in {**self.environment, **variables}.items()}
        value = evaluate(self.expressions[root], environ)
        for part in path:
            value = value.get(part, UNKNOWN) if isinstance(value, dict) else UNKNOWN
        return value

    def _database(self, setting: Setting, place: str) -> Iterator[Override]:
        """Give the connection by URL or by its parts where the project reads them; the overlay merges the rest."""
        wish = cast("Mapping[str, object]", setting.value)
        connection = {key: wish[key] for key in _CONNECTION if key in wish}
        for attempt in self._attempts(setting.name, connection):
            found = self._value(setting.name, attempt) if attempt else UNKNOWN
            if isinstance(found, dict) and _address(found) == _address(connection):
                self.environment.update(attempt)
                yield Override(replace(setting, value=connection), "environment", tuple(attempt), place=place)
                rest = {key: wish[key] for key in wish if key not in connection and found.get(key) != wish[key]}
                if rest:
                    yield Override(replace(setting, value=rest), "overlay", place=place)
                return
            self.fallbacks = {**attempt, **self.fallbacks}
        yield Override(setting, "overlay", place=place)

    def _attempts(self, name: str, connection: Mapping[str, object]) -> Iterator[dict[str, str]]:
        """Return what could carry a database: one URL, or its parts with the engine in full or in short."""
        url = database_url(connection)
        inside = [v for v in self.project.environment if any(feed.startswith(f"{name}.") for feed in v.feeds)]
        for variable in [*self._feeding(name), *inside]:
            if url and (variable.cast in ("db-url", "db-url-aliases") or "URL" in variable.name):
                yield {variable.name: url}
        engine = str(connection.get("ENGINE", ""))
        for written in (engine, engine.rpartition(".")[2]):
            yield self._parts(name, {**connection, "ENGINE": written})

    def _parts(self, name: str, connection: Mapping[str, object]) -> dict[str, str]:
        """Return the variables that feed NAME, USER and so on, each with its part."""
        return {
            variable.name: str(connection.get(key) or "")
            for key in _CONNECTION
            for variable in self.project.environment
            if f"{name}.{key}" in variable.feeds and not _has_reference(connection.get(key))
        }

    def _cache(self, setting: Setting, place: str) -> Iterator[Override]:
        """Point the project's variable at the cache too; the backend that survives an outage is ours to set."""
        wish = dict(cast("Mapping[str, object]", setting.value))
        location, note = str(wish.get("LOCATION", "")), ""
        for variable in self._feeding(f"{setting.name}.LOCATION"):
            if self._value(f"{setting.name}.LOCATION", {variable.name: location}) == location:
                self.environment[variable.name] = location
            self.fallbacks.setdefault(variable.name, location)
        backend = (self.project.caches or {}).get(setting.name.partition(".")[2])
        if backend and backend.startswith("django_redis.") and "redis" in str(wish.get("BACKEND", "")):
            wish["BACKEND"] = backend
            wish["OPTIONS"] = {"IGNORE_EXCEPTIONS": True, "SOCKET_CONNECT_TIMEOUT": 0.25, "SOCKET_TIMEOUT": 0.5}
            note = "django-redis stays, for the project may use what only it can; it is told to go on without Redis."
        elif wish.get("BACKEND") == "django.core.cache.backends.redis.RedisCache":
            wish["BACKEND"] = "stackwise_cache.RedisCache"
            note = "Django's own backend, but when Redis is down every question is answered as not found."
        yield Override(replace(setting, value=wish), "overlay", note=note, place=place)

    def _missing(self) -> Iterator[EnvironmentVariable]:
        """Return what is required and unknown, after giving every required variable that we know of a value."""
        for variable in self.project.environment:
            known = {**self.aliases, **self.environment, HOSTS_VARIABLE: "", "SECRET_KEY": ""}
            if not variable.required or variable.name in known:
                continue
            if self.fallbacks.get(variable.name):
                self.environment[variable.name] = self.fallbacks[variable.name]
            else:
                yield variable


def _carries(variable: EnvironmentVariable, name: str) -> bool:
    """Say whether a variable is meant for a setting: `ENVIRONMENT` decides on DEBUG, and is something else."""
    return variable.cast != "present" and (variable.cast != "str" or _is_named_for(variable, name))


def _is_named_for(variable: EnvironmentVariable, name: str) -> bool:
    words = {word.rstrip("S") for word in re.split(r"[_.\W]+", name)} - {"URL", "DEFAULT", ""}
    return any(word in variable.name.upper() for word in words)


def _left_alone(project: Project, setting: Setting) -> str:
    """Return why a wish is not for this project, or nothing."""
    apps = project.installed_apps
    if setting.name in ("STORAGES.staticfiles", "STATIC_URL", "STATIC_ROOT"):
        if apps and "django.contrib.staticfiles" not in apps:
            return "the project does not use django.contrib.staticfiles"
        if setting.name == "STORAGES.staticfiles" and project.static_storage not in {None, *_DJANGO_STORAGES}:
            return f"the project has its own storage: {project.static_storage}"
    if setting.name in ("MEDIA_ROOT", "MEDIA_URL") and project.default_storage not in {None, *_DJANGO_STORAGES}:
        return f"the project keeps uploads elsewhere: {project.default_storage}"
    if setting.name == "SESSION_ENGINE":
        if apps and "django.contrib.sessions" not in apps:
            return "the project has no sessions"
        if project.session_engine not in {None, *_DEFAULT_SESSIONS}:
            return f"the project has chosen its own: {project.session_engine}"
    return ""


def _adapted_engine(project: Project, setting: Setting) -> Setting:
    """Keep an engine of the same family that can more: PostGIS for PostgreSQL, SpatiaLite for SQLite, a metered one."""
    wish = cast("Mapping[str, object]", setting.value)
    alias = setting.name.partition(".")[2]
    engine = next((database.engine for database in project.databases if database.alias == alias), None)
    if engine and "ENGINE" in wish and engine != wish["ENGINE"] and _family(engine) == _family(wish["ENGINE"]):
        return replace(setting, value={**wish, "ENGINE": engine})
    return setting


def _quick_health_check(setting: Setting, place: str) -> Iterator[Override]:
    """Take Django's own backend, and no other, by the one that asks the socket first."""
    wish = cast("Mapping[str, object]", setting.value)
    plain = wish.get("ENGINE") == "django.db.backends.postgresql" and wish.get("CONN_HEALTH_CHECKS")
    if plain and str(wish.get("HOST", "")).startswith("/"):
        because = "Django's own backend; whether a kept connection still stands is asked of its socket, not by a query."
        yield Override(Setting(f"{setting.name}.ENGINE", LOCAL_POSTGRESQL, because), "overlay", place=place)


def _family(engine: object) -> str:
    last = str(engine).rpartition(".")[2]
    return {"postgis": "postgresql", "postgresql_psycopg2": "postgresql", "spatialite": "sqlite3"}.get(last, last)


def _address(database: Mapping[str, object]) -> tuple[str, ...]:
    """Return what makes two databases the same one, however the host is written."""
    options = database.get("OPTIONS")
    host = database.get("HOST") or (options.get("host") if isinstance(options, Mapping) else None)
    parts = [_plain(database.get(key)) or "" for key in ("NAME", "USER", "PASSWORD", "PORT")]
    engine = str(database.get("ENGINE")).replace("postgresql_psycopg2", "postgresql")
    return (engine, str(host or ""), *(str(part) for part in parts))


def database_url(connection: Mapping[str, object]) -> str:
    """Return a database as the URL that dj-database-url and django-environ read alike, or "" where there is none.

    A folder of unix sockets goes into the query: `//%2Frun...@` is understood by the one, `////run/...` by the other.
    """
    if _has_reference(list(connection.values())):
        return ""
    engine = str(connection.get("ENGINE", ""))
    name = str(connection.get("NAME", ""))
    if _family(engine) == "sqlite3":
        return f"{'spatialite' if engine.endswith('spatialite') else 'sqlite'}:///{quote(name)}"
    scheme = {"postgis": "postgis", "postgresql": "postgresql", "mysql": "mysql"}.get(engine.rpartition(".")[2])
    if scheme is None or "+" in name:
        return ""
    user, password = (quote(str(connection.get(key) or ""), safe="") for key in ("USER", "PASSWORD"))
    login = f"{user}{':' if password else ''}{password}@" if user else ""
    host, port = str(connection.get("HOST") or ""), connection.get("PORT")
    socket = f"?{'host' if scheme != 'mysql' else 'unix_socket'}={quote(host)}" if host.startswith("/") else ""
    return f"{scheme}://{login}{'' if socket else host}{f':{port}' if port else ''}/{quote(name, safe='')}{socket}"


def _texts(value: object) -> Iterator[str]:
    """Return the texts by which a variable may say `value`, the plainest first."""
    if isinstance(value, bool):
        yield from ("True", "true", "1", "yes", "on") if value else ("False", "false", "0", "no", "off", "")
    elif isinstance(value, (str, int, float)):
        yield str(value)
    elif isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        for separator in (",", " ", ";"):
            yield _joined(value, separator)
        yield json.dumps(list(value))


def _joined(parts: Sequence[str], separator: str) -> str:
    """Join `parts`; a part that is more than plain text (filled in on the server) makes the whole so."""
    kinds: list[Callable[[str], str]] = [type(part) for part in parts if type(part) is not str]
    text = separator.join(parts)
    return kinds[0](text) if kinds else text


def _plain(value: object) -> object:
    """Return `value` in the form in which it is compared: a list is as good as a tuple, a path as its text."""
    if isinstance(value, (list, tuple, set, frozenset)):
        items = [_plain(item) for item in value]
        return sorted(items, key=str) if isinstance(value, (set, frozenset)) else items
    return str(value) if isinstance(value, (PurePath, str)) else value


def _has_reference(value: object) -> bool:
    if isinstance(value, Mapping):
        return "$env" in value or any(_has_reference(item) for item in value.values())
    return isinstance(value, (list, tuple)) and any(_has_reference(item) for item in value)
