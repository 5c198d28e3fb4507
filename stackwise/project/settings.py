"""Which settings module is meant for production, and what it says: followed through its imports, never imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from stackwise.project.evaluation import ABOVE, ROOT, UNKNOWN, evaluate
from stackwise.project.model import Candidate
from stackwise.project.source import read_python, relative
from stackwise.project.symbols import Class, Scope, close, follow, unknown

_PRODUCTION = frozenset({"production", "prod", "live", "deploy", "deployment", "release"})
_STAGING = frozenset({"staging", "stage", "preprod", "qa"})
_SHARED = frozenset({"base", "common", "default", "defaults", "shared", "core", "global"})
_NOT_FOR_USERS = frozenset(
    [
        "test",
        "tests",
        "testing",
        "local",
        "dev",
        "devel",
        "develop",
        "development",
        "debug",
        "ci",
        "example",
        "sample",
        "template",
        "dist",
        "playground",
        "e2e",
    ]
)
_SETTINGS_FOLDERS = frozenset({"settings", "setting", "conf", "config", "configs", "configuration"})
_MARKS = (b"INSTALLED_APPS", b"ROOT_URLCONF", b"DATABASES", b"import *")
_MOST_MODULES = 200
_VALUES = "configurations.values."


@dataclass(frozen=True, slots=True)
class Mention:
    """A settings module named by manage.py, wsgi.py or asgi.py; `forced` when the environment cannot change it."""

    module: str
    path: str
    forced: bool = False


@dataclass(slots=True)
class Reader:
    """Follows the modules of one project by name; each is read once, so circular imports end as they do in Python."""

    root: Path
    folders: tuple[Path, ...]
    scopes: dict[str, Scope | None] = field(default_factory=dict)

    def scope_of(self, module: str) -> Scope | None:
        """Return the followed module, or None when it is not of this project. Raises ProjectError as `read_python`."""
        if module in self.scopes:
            return self.scopes[module]
        path = self.file_of(module)
        if path is None or len(self.scopes) >= _MOST_MODULES:
            self.scopes[module] = None
            return None
        place = f"{ROOT}/{relative(path, self.root)}"
        scope = Scope(module, place, self.scope_of, package=path.name == "__init__.py")
        self.scopes[module] = scope
        follow(read_python(path, self.root).body, scope)
        return scope

    def file_of(self, module: str) -> Path | None:
        """Return the file of a dotted module of this project, or None."""
        if not re.fullmatch(r"\w+(\.\w+)*", module):
            return None
        for folder in self.folders:
            base = folder.joinpath(*module.split("."))
            for path in (base / "__init__.py", base.with_name(f"{base.name}.py")):
                if path.is_file() and path.resolve().is_relative_to(self.root.resolve()):
                    return path
        return None


@dataclass(frozen=True, slots=True)
class Settings:
    """What the chosen module says: each setting as a closed expression, and where it was last set."""

    module: str
    names: dict[str, ast.expr]
    places: dict[str, str]
    loose: tuple[ast.expr, ...] = ()
    configuration: str | None = None

    def known(self, name: str) -> object:
        """Return the value of a setting that does not depend on the environment, else UNKNOWN."""
        return evaluate(self.names[name], None) if name in self.names else UNKNOWN

    def likely(self, name: str) -> object:
        """Return the value of a setting with no variable set: what its defaults say."""
        value = self.known(name)
        return evaluate(self.names[name], {}) if value is UNKNOWN and name in self.names else value


def mentions_in(path: Path, root: Path) -> list[Mention]:
    """Return the settings modules that an entry point names, in the order of its text."""
    place = relative(path, root)
    found: list[Mention] = []
    for node in ast.walk(read_python(path, root)):
        match node:
            case ast.Call(args=[ast.Constant(value="DJANGO_SETTINGS_MODULE"), ast.Constant(value=str() as module), *_]):
                found.append(Mention(module, place))
            case ast.Assign(
                targets=[ast.Subscript(slice=ast.Constant(value="DJANGO_SETTINGS_MODULE"))],
                value=ast.Constant(value=str() as module),
            ):
                found.append(Mention(module, place, forced=True))
    return found


def find_candidates(
    reader: Reader, app_dir: Path, files: Iterable[Path], mentions: Sequence[Mention]
) -> tuple[Candidate, ...]:
    """Return the modules that could be the settings, the best for production first."""
    modules: dict[str, Path] = {}
    for mention in mentions:
        path = reader.file_of(mention.module)
        if path is not None:
            modules[mention.module] = path
    for path in files:
        module = module_name(path, app_dir)
        if module and _looks_like_settings(path):
            modules.setdefault(module, path)
    ranked = [(*_rank(module, mentions), module, path) for module, path in modules.items()]
    ranked.sort(key=lambda item: (item[0], item[2].count("."), item[2]))
    return tuple(Candidate(module, relative(path, reader.root), why) for _, why, module, path in ranked)


def module_name(path: Path, app_dir: Path) -> str | None:
    """Return the dotted name under which `path` is imported from `app_dir`, or None when it cannot be."""
    if not path.is_relative_to(app_dir):
        return None
    parts = list(path.relative_to(app_dir).with_suffix("").parts)
    if parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts) if parts and all(part.isidentifier() for part in parts) else None


def _looks_like_settings(path: Path) -> bool:
    words = _words(path.stem)
    in_folder = path.parent.name.lower() in _SETTINGS_FOLDERS
    if not (in_folder or words & {"settings", "setting"}) or path.stem in {"urls", "wsgi", "asgi", "celery", "apps"}:
        return False
    try:
        text = path.read_bytes()
    except OSError:
        return False
    return any(mark in text for mark in _MARKS)


def _words(name: str) -> set[str]:
    return set(re.split(r"[_\W]+", name.lower()))


def _rank(module: str, mentions: Sequence[Mention]) -> tuple[int, str]:
    """Return where `module` stands (0 is best) and why, in words for the user."""
    words = _words(module.rpartition(".")[2]) | ({"settings"} if module.endswith("settings") else set())
    mentioned = [mention.path for mention in mentions if mention.module == module]
    packages = {mention.module.rpartition(".")[0] for mention in mentions} | {mention.module for mention in mentions}
    beside = not mentions or module.rpartition(".")[0] in packages
    if words & _NOT_FOR_USERS:
        return 8, "by its name it is not for users"
    if words & _PRODUCTION:
        return (0, "named for production") if beside else (4, "named for production, but in another package")
    if mentioned:
        from_server = [path for path in mentioned if not path.endswith("manage.py")]
        return (1, f"named by {from_server[0]}") if from_server else (2, f"named by {mentioned[0]}")
    if words & _STAGING:
        return 5, "named for staging"
    if words & _SHARED:
        return 7, "by its name it is shared by others"
    return (3, "plain settings") if beside else (6, "settings of another package")


def read_settings(reader: Reader, candidate: Candidate, wanted_class: str | None) -> Settings | None:
    """Return what `candidate` says, or None when it is no complete settings module. Raises as `Reader.scope_of`."""
    scope = reader.scope_of(candidate.module)
    if scope is None:
        return None
    chosen = _configuration_class(scope, wanted_class)
    if chosen is not None:
        return _configured(candidate.module, chosen, scope)
    names = {name: bound for name, bound in scope.names.items() if name.isupper() and isinstance(bound, ast.expr)}
    places = {name: scope.places[name].removeprefix(f"{ROOT}/") for name in names if name in scope.places}
    if not {"INSTALLED_APPS", "ROOT_URLCONF"} & names.keys():
        return None
    loose = [expression for each in reader.scopes.values() if each for expression in each.loose]
    return Settings(candidate.module, names, places, tuple(loose))


def _configuration_class(scope: Scope, wanted: str | None) -> Class | None:
    """Return the class of django-configurations that is meant for production, if the module has any."""
    classes = {
        name: bound for name, bound in scope.names.items() if isinstance(bound, Class) and _is_configuration(bound)
    }
    if not classes:
        return None
    for name, bound in classes.items():
        if name.lower() in _PRODUCTION:
            return bound
    if wanted in classes:
        return classes[wanted]
    usable = [name for name in classes if not _words(name) & (_NOT_FOR_USERS | _SHARED)]
    return classes[(usable or list(classes))[-1]]


def _is_configuration(found: Class, depth: int = 0) -> bool:
    for base in _bases(found):
        if base in ("configurations.Configuration", "configurations.base.Configuration"):
            return True
        if isinstance(base, Class) and depth < 20 and _is_configuration(base, depth + 1):  # noqa: PLR2004 - a circle of bases
            return True
    return False


def _bases(found: Class) -> list[Class | str]:
    bases: list[Class | str] = []
    for node in found.node.bases:
        bound = found.scope.names.get(node.id) if isinstance(node, ast.Name) else None
        bases.append(bound if isinstance(bound, Class) else ast.unparse(close(node, found.scope)))
    return bases


def _configured(module: str, chosen: Class, scope: Scope) -> Settings:
    inner = scope.fork()
    inner.names = {}
    _follow_class(chosen, inner)
    names = {name: bound for name, bound in inner.names.items() if name.isupper() and isinstance(bound, ast.expr)}
    places = {name: inner.places[name].removeprefix(f"{ROOT}/") for name in names if name in inner.places}
    return Settings(module, names, places, tuple(scope.loose), chosen.node.name)


def _follow_class(found: Class, made: Scope, depth: int = 0) -> None:
    """Follow the bodies of a class and its bases, the farthest base first, into the names of `made`."""
    for base in reversed(_bases(found)):
        if isinstance(base, Class) and depth < 20:  # noqa: PLR2004 - a circle of bases
            _follow_class(base, made, depth + 1)
    body = found.scope.fork()
    body.names = {**found.scope.names, **made.names}
    follow(found.node.body, body)
    for statement in found.node.body:
        for name in _bound_by(statement):
            bound = body.names.get(name)
            made.names[name] = _named_value(bound, name) if isinstance(bound, ast.expr) else unknown()
            made.places[name] = f"{found.scope.path}:{statement.lineno}"


def _bound_by(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.FunctionDef):
        return [statement.name]
    return [node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]


def _named_value(bound: ast.expr, name: str) -> ast.expr:
    """Tell a `values.*Value(...)` which setting it is for: its variable is named after it."""
    if isinstance(bound, ast.Call) and ast.unparse(bound.func).startswith(_VALUES):
        keyword = ast.keyword("setting_name", ast.Constant(name))
        named = ast.Call(bound.func, bound.args, [*bound.keywords, keyword])
        vars(named)["place"] = vars(bound).get("place", "")
        return named
    return bound


def project_path(value: object) -> str | None:
    """Return a path of the settings relative to the project, absolute where it lies elsewhere, None when unknown."""
    if not isinstance(value, (str, PurePosixPath)) or not str(value):
        return None
    text = str(value)
    if text == ROOT or text.startswith(f"{ROOT}/"):
        return text.removeprefix(ROOT).lstrip("/") or "."
    # Where the project's folder will lie is not known, so nothing beside it is.
    return None if text.startswith(ABOVE) else text
