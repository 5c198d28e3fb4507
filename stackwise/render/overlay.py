"""The settings overlay: a module that imports the project's own settings and sets what the stack decides.

It is text for people: each entry has its reason, and the project's team reads there what production changes. No secret
is in it.
"""

from __future__ import annotations

import keyword
import re
import textwrap
from collections.abc import Iterator, Mapping
from importlib.resources import files

from stackwise.errors import CatalogError, ProjectError
from stackwise.plan.settings import (
    CONFIGURATION,
    LOCAL_POSTGRESQL,
    OVERLAY,
    OVERLAY_WSGI,
    Decisions,
    Override,
    Setting,
    needs_wsgi,
)
from stackwise.project import Project

_WIDTH = 116
_MERGE, _CACHE, _STORAGE = "stackwise_merge", "stackwise_cache", "stackwise_storage"
# Django looks for the module `base` in the package that ENGINE names.
_PACKAGES = {LOCAL_POSTGRESQL: "base"}
# Settings that a project may have filled already: a call merges, where an assignment would lose the project's part.
_MERGED = {"CSRF_TRUSTED_ORIGINS": "origins", "LOGGING": "logging"}
_ADDED = frozenset({"SILENCED_SYSTEM_CHECKS"})
_TABLES = {"DATABASES": "database", "CACHES": "cache", "STORAGES": "storage"}


def render_overlay(project: Project, decisions: Decisions) -> dict[str, str]:
    """Return the overlay and what it needs beside it, as {file name: text}.

    Raises ProjectError for a settings module without an importable name, CatalogError for a wish that is no setting.
    """
    settings = _settings(project, decisions)
    made = {f"{OVERLAY}.py": settings}
    for module in (_MERGE, _CACHE, _STORAGE):
        if module in settings:
            made[f"{module}.py"] = _text_of(module)
    for package, module in _PACKAGES.items():
        if package in settings:
            made |= {f"{package}/__init__.py": "", f"{package}/{module}.py": _text_of(package)}
    if needs_wsgi(project):
        made[f"{OVERLAY_WSGI}.py"] = _wsgi(project)
    return made


def _text_of(module: str) -> str:
    return files("stackwise.render").joinpath("django", f"{module}.txt").read_text("utf-8")


def _settings(project: Project, decisions: Decisions) -> str:
    module = _checked_module(project)
    body = [line for override in decisions.overlay for line in _set(override, in_class=bool(project.configuration))]
    text = "\n".join(body)
    blocks = [
        _docstring(project, decisions),
        "\n".join(_imports(text)),
        "\n".join(_aliases(decisions)),
        _class(module, str(project.configuration), text) if project.configuration else _module(module, text),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _checked_module(project: Project) -> str:
    module = project.settings or ""
    if not module or not all(part.isidentifier() and not keyword.iskeyword(part) for part in module.split(".")):
        hint = "say it with: --set project.settings=package.settings"
        raise ProjectError(f"{module!r} is no module that can be imported", hint=hint)
    return module


def _docstring(project: Project, decisions: Decisions) -> str:
    lines = [
        f"Production settings: those of {project.settings}, and what the stack decides on top.",
        "",
        "Made by stackwise. To change something, change the answers;",
        "to be rid of an entry, make your own settings say the same.",
    ]
    carried = [override for override in decisions.overrides if override.how == "environment"]
    if carried:
        lines += ["", "Set through the environment, as the project reads it:"]
        lines += [_entry(override.setting.name, ", ".join(override.variables)) for override in carried]
    left = [override for override in decisions.overrides if override.how == "left"]
    if left:
        lines += ["", "Left as the project does it:"]
        lines += [_entry(override.setting.name, override.note) for override in left]
    return '"""' + "\n".join(lines) + '\n"""'


def _entry(name: str, text: str) -> str:
    """Return a line of the docstring that cannot end it."""
    line = _one_line(f"{name}: {text}").replace("\\", "\\\\").replace('"', "'")
    return f"    {line}"


def _imports(body: str) -> Iterator[str]:
    """Import under private names: the project's settings may bring anything under a public one."""
    yield "import os as _os"
    if "_django." in body:
        yield "import django as _django"
    if "_merge." in body:
        yield ""
        yield f"import {_MERGE} as _merge"


def _aliases(decisions: Decisions) -> Iterator[str]:
    for name, source in sorted(decisions.aliases.items()):
        yield f"# {_one_line(name)} is the project's own name for {_one_line(source)}."
        yield f"_os.environ.setdefault({name!r}, _os.environ[{source!r}])"


def _module(module: str, body: str) -> str:
    return f"from {module} import *  # noqa: E402, F403 - the project's own settings, before ours\n\n{body}".rstrip()


def _class(module: str, configuration: str, body: str) -> str:
    """Return a configuration derived from the project's: its importer makes the settings first, then ours go on top."""
    return (
        f"from {module} import {configuration} as _Project  # noqa: E402\n\n\n"
        f"class {CONFIGURATION}(_Project):\n    @classmethod\n    def post_setup(cls):\n        super().post_setup()\n"
        "        settings = globals()\n\n" + textwrap.indent(body or "pass", "        ")
    ).rstrip()


def _set(override: Override, *, in_class: bool) -> Iterator[str]:
    """Return the lines that set one thing, with the reason above them."""
    setting = override.setting
    reason = _one_line(" ".join(part for part in (setting.because, override.note) if part))
    yield from (f"# {line}" for line in textwrap.wrap(reason, _WIDTH - 12))
    lines = list(_statement(setting, in_class=in_class))
    if _needs_redis_backend(setting):
        # Django has had a Redis backend since 4.0; before, the project's own cache and sessions stay.
        yield "if _django.VERSION >= (4, 0):"
        lines = [f"    {line}" for line in lines]
    yield from lines
    yield ""


def _needs_redis_backend(setting: Setting) -> bool:
    backend = setting.value.get("BACKEND") if isinstance(setting.value, Mapping) else setting.value
    ours = f"{_CACHE}.RedisCache"
    return backend == ours or (setting.name == "SESSION_ENGINE" and str(backend).endswith("cached_db"))


def _statement(setting: Setting, *, in_class: bool) -> Iterator[str]:
    name, *keys = setting.name.split(".")
    if not re.fullmatch(r"[A-Z][A-Z0-9_]*", name):
        raise CatalogError(f"{setting.name!r} is no Django setting", hint="a setting is written in capitals")
    target = "settings" if in_class else "globals()"
    value = setting.value if setting.runtime is None else setting.runtime
    text = literal(tuple(value) if name == "SECURE_PROXY_SSL_HEADER" and isinstance(value, list) else value)
    if len(keys) == 1 and name in _TABLES:
        statement = f"_merge.{_TABLES[name]}({target}, {keys[0]!r}, {text})"
    elif keys:
        statement = f"_merge.put({target}, {(name, *keys)!r}, {text})"
    elif name in _MERGED:
        statement = f"_merge.{_MERGED[name]}({target}, {text})"
    elif name in _ADDED:
        statement = f"_merge.add({target}, {name!r}, {text})"
    else:
        statement = f"{target}[{name!r}] = {text}" if in_class else f"{name} = {text}"
    yield from statement.split("\n")


def literal(value: object, indent: int = 0) -> str:
    """Return data as a Python expression; `{"$env": NAME}` becomes the variable at run time.

    Strings go through `repr`, so no sign in them can end the string or start a line.
    """
    if isinstance(value, Mapping):
        return _environment(value) if "$env" in value else _container(_items(value, indent), "{}", indent)
    if isinstance(value, (list, tuple)):
        items = [literal(item, indent + 4) for item in value]
        if isinstance(value, tuple):
            return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
        return _container(items, "[]", indent)
    if isinstance(value, str):
        return repr(str(value))
    if value is None or isinstance(value, (bool, int, float)):
        return repr(value)
    raise CatalogError(
        f"{type(value).__name__} cannot stand in a setting", hint="use text, numbers, lists and mappings"
    )


def _items(value: Mapping[object, object], indent: int) -> list[str]:
    return [f"{literal(key)}: {literal(item, indent + 4)}" for key, item in value.items()]


def _container(items: list[str], brackets: str, indent: int) -> str:
    """Write a list or a dictionary on one line where it fits, else one item a line."""
    flat = brackets[0] + ", ".join(items) + brackets[1]
    if len(flat) + indent <= _WIDTH - 40 and "\n" not in flat:
        return flat
    pad = " " * (indent + 4)
    return brackets[0] + "\n" + "".join(f"{pad}{item},\n" for item in items) + " " * indent + brackets[1]


def _environment(value: Mapping[object, object]) -> str:
    variable = f"_os.environ[{str(value['$env'])!r}]"
    if "$split" not in value:
        return variable
    parts = f"{variable}.split({str(value['$split'])!r})"
    return f"[{str(value['$prefix'])!r} + _item for _item in {parts}]" if value.get("$prefix") else parts


def _one_line(text: str) -> str:
    """Return text that is safe in a comment: one line, no control signs."""
    return "".join(sign for sign in " ".join(str(text).split()) if sign.isprintable())


def _wsgi(project: Project) -> str:
    package = "configurations" if project.configuration else "django.core"
    because = (
        "The project's own WSGI module chooses its settings whatever the environment says; this one takes the overlay."
        if project.wsgi
        else "The project has no WSGI module of its own."
    )
    return (
        f'"""{because}"""\n\nimport os\n\nos.environ["DJANGO_SETTINGS_MODULE"] = "{OVERLAY}"\n\n'
        f"from {package}.wsgi import get_wsgi_application  # noqa: E402 - after the settings are chosen\n\n"
        "application = get_wsgi_application()\n"
    )
