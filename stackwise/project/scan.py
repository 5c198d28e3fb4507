"""Read a project's folder: all that `stackwise scan` knows, and nothing of it was run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from stackwise.errors import ProjectError
from stackwise.project import layout
from stackwise.project.environment import redacted, variables_of
from stackwise.project.evaluation import UNKNOWN
from stackwise.project.hints import find_hints
from stackwise.project.model import Candidate, Database, EnvironmentVariable, Finding, Framework, Project, Requirements
from stackwise.project.requirements import (
    django_specifier,
    find_requirements,
    normalised,
    python_specifier,
    specifiers,
)
from stackwise.project.settings import (
    Mention,
    Reader,
    Settings,
    find_candidates,
    mentions_in,
    project_path,
    read_settings,
)
from stackwise.project.source import read_python, read_text, read_toml, relative
from stackwise.project.symbols import Scope, follow

# Distributions that change what a stack must offer.
_NOTABLE = frozenset(
    [
        "celery",
        "channels",
        "channels-redis",
        "daphne",
        "django-allauth",
        "django-celery-beat",
        "django-celery-results",
        "django-cms",
        "django-compressor",
        "django-configurations",
        "django-debug-toolbar",
        "django-environ",
        "django-htmx",
        "django-pipeline",
        "django-q2",
        "django-redis",
        "django-rq",
        "django-silk",
        "django-storages",
        "djangorestframework",
        "dj-database-url",
        "dramatiq",
        "elasticsearch",
        "environs",
        "flask",
        "fastapi",
        "gunicorn",
        "huey",
        "mysqlclient",
        "pillow",
        "psycopg",
        "psycopg-binary",
        "psycopg2",
        "psycopg2-binary",
        "pymemcache",
        "pymysql",
        "python-decouple",
        "redis",
        "rq",
        "sentry-sdk",
        "starlette",
        "uvicorn",
        "uwsgi",
        "wagtail",
        "whitenoise",
        "granian",
    ]
)
_APP_DISTRIBUTIONS = {
    "rest_framework": "djangorestframework",
    "debug_toolbar": "django-debug-toolbar",
    "storages": "django-storages",
}
# Settings that a stack has an opinion on, and that never hold a secret.
_LITERALS = re.compile(
    r"DEBUG|ALLOWED_HOSTS|CSRF_TRUSTED_ORIGINS|STATIC_URL|MEDIA_URL|SECURE_\w+|SESSION_(ENGINE|COOKIE_\w+)|CSRF_COOKIE_\w+|X_FRAME_OPTIONS|"
    r"STATICFILES_STORAGE|DEFAULT_FILE_STORAGE|WHITENOISE_\w+|CONN_MAX_AGE|USE_X_FORWARDED_\w+|ROOT_URLCONF|USE_TZ|TIME_ZONE"
)
_GENERATOR = re.compile(r"using Django (\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class _Found:
    """What the layout of a Django project is."""

    root: Path
    app_dir: Path
    manage: Path | None
    files: Sequence[Path]
    mentions: Sequence[Mention]
    candidates: tuple[Candidate, ...]
    settings: Settings


def scan(directory: Path, *, settings: str | None = None) -> Project:
    """Read the project in `directory`, with `settings` as its settings module where somebody has chosen it.

    Raises ProjectError when there is none, or when what must be read cannot be.
    """
    root = _folder(directory)
    files = layout.python_files(root)
    manage = layout.find_manage(files)
    if manage or layout.django_entries(files, "wsgi") or layout.django_entries(files, "asgi"):
        return _scan_django(root, files, manage, settings)
    other = layout.find_other_application(root, files)
    if other is not None:
        return _scan_other(root, files, *other)
    raise ProjectError(
        f"{directory}: no Django project, and no WSGI or ASGI application found",
        hint="name the folder that holds manage.py (or app.py): stackwise scan DIR",
    )


def _folder(directory: Path) -> Path:
    try:
        if not directory.is_dir():
            problem = "is a file, not a folder" if directory.exists() else "does not exist"
            raise ProjectError(f"{directory}: {problem}", hint="name the project's folder: stackwise scan DIR")
        next(directory.iterdir(), None)
        return directory.resolve()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ProjectError(f"{directory}: cannot be read: {reason}", hint="name a folder that you may read") from error


def _scan_django(root: Path, files: Sequence[Path], manage: Path | None, asked: str | None) -> Project:
    entries = [
        *layout.django_entries(files, "wsgi"),
        *layout.django_entries(files, "asgi"),
        *([manage] if manage else []),
    ]
    mentions = [mention for path in entries for mention in mentions_in(path, root)]
    app_dir = layout.find_app_dir(root, manage, files, mentions)
    reader = Reader(root, tuple(dict.fromkeys((app_dir, *([manage.parent] if manage else []), root))))
    candidates = find_candidates(reader, app_dir, files, mentions)
    if asked:
        candidates = (_asked_for(asked, reader, candidates), *(each for each in candidates if each.module != asked))
        settings = _choose(reader, candidates[:1], root, manage)
    else:
        settings = _choose(reader, candidates, root, manage)
    found = _Found(root, app_dir, manage, files, mentions, candidates, settings)
    requirements, findings = find_requirements(root, manage.parent if manage else app_dir)
    return _django_project(found, requirements, findings)


def _asked_for(asked: str, reader: Reader, known: Sequence[Candidate]) -> Candidate:
    path = reader.file_of(asked)
    if path is None:
        others = ", ".join(candidate.module for candidate in known)
        raise ProjectError(f"the project has no module {asked!r}", hint=f"its settings could be: {others}")
    return Candidate(asked, relative(path, reader.root), "chosen")


def _choose(reader: Reader, candidates: Sequence[Candidate], root: Path, manage: Path | None) -> Settings:
    """Return the first candidate that is a complete settings module."""
    wanted = _mentioned_configuration(manage)
    for candidate in candidates:
        settings = read_settings(reader, candidate, wanted)
        if settings is not None:
            return settings
    tried = ", ".join(candidate.path for candidate in candidates) or "nothing that looks like settings"
    raise ProjectError(
        f"{root}: no complete Django settings (with INSTALLED_APPS or ROOT_URLCONF) found; looked at {tried}",
        hint="name the module: --set project.settings=package.settings",
    )


def _mentioned_configuration(manage: Path | None) -> str | None:
    if manage is None:
        return None
    match = re.search(r"DJANGO_CONFIGURATION[\"']\s*,\s*[\"'](\w+)", manage.read_text("utf-8", "replace"))
    return match[1] if match else None


def _django_project(found: _Found, requirements: Requirements, findings: list[Finding]) -> Project:
    settings, root = found.settings, found.root
    version = django_specifier(root, requirements) or _generated_version(found)
    if not requirements.source:
        requirements = _only_django(version, requirements)
    apps = _texts(settings.likely("INSTALLED_APPS"))
    environment = variables_of(settings.names, settings.loose)
    return Project(
        root=str(root),
        name=_name(root),
        framework="django",
        django_version=version,
        app_dir=relative(found.app_dir, root),
        manage=relative(found.manage, root) if found.manage else None,
        settings=settings.module,
        settings_candidates=found.candidates,
        configuration=settings.configuration,
        wsgi=_entry(found, "wsgi"),
        asgi=_entry(found, "asgi"),
        requires_python=python_specifier(root),
        requirements=requirements,
        versions=specifiers(root, requirements),
        databases=_databases(settings),
        caches=_caches(settings),
        uses=_uses(requirements.names, apps),
        installed_apps=apps,
        middleware=_texts(settings.likely("MIDDLEWARE")),
        static_root=project_path(settings.likely("STATIC_ROOT")),
        static_url=_text(settings.likely("STATIC_URL")),
        media_root=project_path(settings.likely("MEDIA_ROOT")),
        media_url=_text(settings.likely("MEDIA_URL")),
        static_storage=_storage(settings, "staticfiles", "STATICFILES_STORAGE"),
        default_storage=_storage(settings, "default", "DEFAULT_FILE_STORAGE"),
        session_engine=_text(settings.likely("SESSION_ENGINE")),
        settings_forced=any(mention.forced for mention in found.mentions),
        has_tests=layout.has_tests(found.files),
        frontend_build=layout.frontend_build(root, found.app_dir),
        environment=environment,
        expressions=_expressions(settings, environment),
        literals=_literals(settings),
        places=dict(sorted(settings.places.items())),
        hints=find_hints(root, found.files, settings.likely("TEMPLATES"), settings.places.get("TEMPLATES", "")),
        findings=(*findings, *_findings(found, version), *_required(environment)),
    )


def _entry(found: _Found, kind: str) -> str | None:
    named = found.settings.likely(f"{kind.upper()}_APPLICATION")
    return layout.entry_point(found.app_dir, found.files, kind, found.settings.module, named)


def _only_django(version: str | None, requirements: Requirements) -> Requirements:
    """Return what a project without any requirements needs at least: the Django it was generated with."""
    return Requirements(packages=(f"Django{version or ''}",), names=("django",), constraints=requirements.constraints)


def _generated_version(found: _Found) -> str | None:
    """Return the Django series that the settings' own docstring names: "using Django 5.2.4" is ~=5.2.0."""
    for candidate in found.candidates:
        match = _GENERATOR.search(read_text(found.root / candidate.path, found.root)[:2000])
        if match:
            return f"~={match[1]}.{match[2]}.0"
    return None


def _name(root: Path) -> str:
    """Return a name that is fit for servers and users: the project's own, else the folder's."""
    path = root / "pyproject.toml"
    table = read_toml(path, root).get("project") if path.is_file() else None
    own = table.get("name") if isinstance(table, dict) else None
    return re.sub(r"[^a-z0-9]+", "-", str(own or root.name).lower()).strip("-") or "site"


def _databases(settings: Settings) -> tuple[Database, ...]:
    value = settings.likely("DATABASES")
    if not isinstance(value, dict):
        return (Database("default", None, None),) if "DATABASES" in settings.names else ()
    return tuple(_database(str(alias), entry) for alias, entry in value.items())


def _database(alias: str, entry: object) -> Database:
    if not isinstance(entry, dict) or not entry:
        return Database(alias, None, None)
    return Database(alias, _text(entry.get("ENGINE")), project_path(entry.get("NAME")))


def _caches(settings: Settings) -> dict[str, str | None] | None:
    value = settings.likely("CACHES")
    if not isinstance(value, dict):
        return {"default": None} if "CACHES" in settings.names else None
    return {
        str(alias): _text(entry.get("BACKEND")) if isinstance(entry, dict) else None for alias, entry in value.items()
    }


def _storage(settings: Settings, alias: str, old_name: str) -> str | None:
    value = settings.likely("STORAGES")
    if isinstance(value, dict) and isinstance(value.get(alias), dict):
        return _text(value[alias].get("BACKEND"))
    return _text(settings.likely(old_name))


def _uses(names: Iterable[str], apps: Iterable[str]) -> tuple[str, ...]:
    from_apps = {_APP_DISTRIBUTIONS.get(app, normalised(app)) for app in (app.split(".")[0] for app in apps)}
    return tuple(sorted((set(names) | from_apps) & _NOTABLE))


def _expressions(settings: Settings, environment: Iterable[EnvironmentVariable]) -> dict[str, str]:
    """Return the text of each setting that depends on the environment."""
    fed = {feed.split(".")[0] for variable in environment for feed in variable.feeds}
    return {name: redacted(name, settings.names[name]) for name in sorted(fed) if name in settings.names}


def _literals(settings: Settings) -> dict[str, object]:
    """Return the settings that say the same in every environment, as data."""
    found: dict[str, object] = {}
    for name in sorted(settings.names):
        if _LITERALS.fullmatch(name):
            value = settings.known(name)
            if _is_data(value):
                found[name] = list(value) if isinstance(value, tuple) else value
    return found


def _is_data(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return all(_is_data(item) for item in value)
    return value is None or isinstance(value, (str, int, float))


def _findings(found: _Found, version: str | None) -> list[Finding]:
    settings = found.settings
    made: list[Finding] = []
    if version is None:
        made.append(Finding("nothing says which Django it needs: the newest would be installed"))
    if any(mention.forced for mention in found.mentions):
        forced = next(mention for mention in found.mentions if mention.forced)
        made.append(Finding("sets DJANGO_SETTINGS_MODULE whatever the environment says", forced.path))
    chosen = next((each for each in found.candidates if each.module == settings.module), None)
    if chosen is not None and "not for users" in chosen.why:
        made.append(Finding(f"{settings.module} is the only complete settings module, and {chosen.why}", chosen.path))
    return [*made, *_settings_findings(settings)]


def _settings_findings(settings: Settings) -> Iterable[Finding]:
    def found(name: str, message: str) -> Finding:
        return Finding(message, settings.places.get(name, ""))

    if settings.known("DEBUG") is True:
        yield found("DEBUG", "DEBUG is on")
    if isinstance(settings.known("SECRET_KEY"), str):
        yield found("SECRET_KEY", "SECRET_KEY is written into the file: whoever reads the repository can forge a login")
    if settings.known("ALLOWED_HOSTS") == []:
        yield found("ALLOWED_HOSTS", "ALLOWED_HOSTS is empty: no name is served when DEBUG is off")
    if settings.likely("STATIC_ROOT") in (UNKNOWN, None, "") and "django.contrib.staticfiles" in _texts(
        settings.likely("INSTALLED_APPS")
    ):
        yield found("STATIC_URL", "STATIC_ROOT is not set: static files have nowhere to be collected")
    if any((database.engine or "").endswith("sqlite3") for database in _databases(settings)):
        yield found("DATABASES", "the database is SQLite: a site on another database starts empty")


def _required(environment: Iterable[EnvironmentVariable]) -> Iterable[Finding]:
    for variable in environment:
        if variable.required:
            feeds = f" (for {', '.join(variable.feeds)})" if variable.feeds else ""
            yield Finding(f"needs the environment variable {variable.name}{feeds}", variable.place)


def _scan_other(root: Path, files: Sequence[Path], entry: layout.Entry, app_dir: Path) -> Project:
    """Read a project of another framework: its application, what it needs, and the variables that it reads."""
    requirements, findings = find_requirements(root, app_dir)
    environment = _variables_in(
        root, [path for path in files if "tests" not in path.parts and not path.name.startswith("test_")]
    )
    kind: Framework = "asgi" if entry.kind == "asgi" else "wsgi"
    return Project(
        root=str(root),
        name=_name(root),
        framework=kind,
        app_dir=relative(app_dir, root),
        wsgi=entry.application if kind == "wsgi" else None,
        asgi=entry.application if kind == "asgi" else None,
        requires_python=python_specifier(root),
        requirements=requirements,
        versions=specifiers(root, requirements),
        uses=_uses(requirements.names, ()),
        static_root=_static_folder(entry.path, root),
        static_url="/static/" if _static_folder(entry.path, root) else None,
        has_tests=layout.has_tests(files),
        frontend_build=layout.frontend_build(root, app_dir),
        environment=environment,
        findings=(*findings, *_required(environment)),
    )


def _static_folder(path: Path, root: Path) -> str | None:
    """Return the folder that Flask serves under /static: beside the module that makes the application."""
    folder = path.parent / "static"
    return relative(folder, root) if folder.is_dir() else None


def _variables_in(root: Path, files: Iterable[Path]) -> tuple[EnvironmentVariable, ...]:
    """Return every variable that the project's modules read, wherever in them it stands."""
    loose: list[ast.expr] = []
    for path in files:
        scope = Scope("", relative(path, root), lambda _name: None)
        try:
            tree = read_python(path, root)
        except ProjectError:
            continue
        follow(tree.body, scope)
        nodes = [ast.Expr(node) for node in ast.walk(tree) if isinstance(node, (ast.Call, ast.Subscript))]
        follow(nodes, scope)
        loose.extend(scope.loose)
    return variables_of({}, loose)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, (list, tuple)) else ()
