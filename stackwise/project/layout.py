"""Where things lie in a project's folder: manage.py, the import root, entry points, tests, a front-end build."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stackwise.errors import ProjectError
from stackwise.project.settings import Mention, Reader, module_name
from stackwise.project.source import read_json, read_python, relative

# Not the project's own files.
IGNORED_FOLDERS = frozenset(
    {"node_modules", "__pycache__", "site-packages", "bower_components", "venv", "env", "virtualenv", "build", "dist"}
)
_DEEPEST = 6
_MOST_FILES = 20_000
_ENTRY_NAMES = ("wsgi", "asgi", "app", "main", "application", "server", "__init__")
_FRAMEWORKS = {
    "flask.Flask": "wsgi",
    "bottle.Bottle": "wsgi",
    "falcon.App": "wsgi",
    "fastapi.FastAPI": "asgi",
    "starlette.applications.Starlette": "asgi",
    "quart.Quart": "asgi",
    "litestar.Litestar": "asgi",
    "falcon.asgi.App": "asgi",
}
_HINTS = (
    b"flask",
    b"bottle",
    b"falcon",
    b"fastapi",
    b"starlette",
    b"quart",
    b"litestar",
    b"create_app",
    b"make_app",
    b"_application",
)
_FACTORIES = frozenset({"create_app", "make_app", "build_app", "get_app", "create_application"})


@dataclass(frozen=True, slots=True)
class Entry:
    """A WSGI or ASGI application of another framework than Django."""

    kind: str
    application: str
    path: Path


def python_files(root: Path) -> list[Path]:
    """Return the project's own Python files, the shallowest first; links are not followed."""
    return _own_files(root, ".py")


def template_files(root: Path) -> list[Path]:
    """Return the project's own templates: HTML below a folder of that name."""
    return [path for path in _own_files(root, ".html") if "templates" in path.parts]


def _own_files(root: Path, ending: str) -> list[Path]:
    found: list[Path] = []
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        folders[:] = sorted(name for name in folders if is_own_folder(here / name))
        if len(here.relative_to(root).parts) >= _DEEPEST:
            folders.clear()
        found.extend(here / name for name in files if name.endswith(ending) and _is_own_file(here / name, root))
        if len(found) > _MOST_FILES:
            break
    return sorted(found, key=lambda path: (len(path.parts), path.as_posix()))


def _is_own_file(path: Path, root: Path) -> bool:
    """Say whether `path` is a plain file of the project: a pipe would be waited for, and a link may lead anywhere."""
    return path.is_file() and (not path.is_symlink() or path.resolve().is_relative_to(root))


def is_own_folder(path: Path) -> bool:
    """Say whether a folder holds files of the project, rather than of tools, packages or a virtual environment."""
    name = path.name
    return not (name.startswith(".") or name in IGNORED_FOLDERS or path.is_symlink() or (path / "pyvenv.cfg").exists())


def find_manage(files: Sequence[Path]) -> Path | None:
    """Return the shallowest manage.py that is Django's."""
    return next((path for path in files if path.name == "manage.py" and _mentions(path, b"django")), None)


def _mentions(path: Path, word: bytes) -> bool:
    try:
        return word in path.read_bytes().lower()
    except OSError:
        return False


def find_app_dir(root: Path, manage: Path | None, files: Sequence[Path], mentions: Sequence[Mention]) -> Path:
    """Return the folder that must be on Python's path for the settings module to be imported."""
    start = [manage.parent] if manage else [_above_packages(path.parent) for path in django_entries(files, "wsgi")]
    folders = dict.fromkeys([*start, root, *(folder / "src" for folder in (*start, root))])
    for folder in folders:
        reader = Reader(root, (folder,))
        if any(reader.file_of(mention.module) for mention in mentions):
            return folder
    for folder in folders:
        if any(path.stem == "settings" and path.is_relative_to(folder) for path in files):
            return folder
    return next(iter(folders))


def _above_packages(folder: Path) -> Path:
    while (folder / "__init__.py").exists():
        folder = folder.parent
    return folder


def django_entries(files: Sequence[Path], kind: str) -> list[Path]:
    """Return the modules that make Django's own WSGI or ASGI application, the shallowest first."""
    word = b"get_%s_application" % kind.encode()
    named = [path for path in files if kind in (path.stem, path.parent.name if path.name == "__init__.py" else "")]
    return [path for path in named if _mentions(path, word)]


def entry_point(app_dir: Path, files: Sequence[Path], kind: str, settings: str, named: object) -> str | None:
    """Return "package.wsgi:application": what the settings name, else the module that lies nearest to them."""
    if isinstance(named, str) and "." in named:
        module, _, attribute = named.rpartition(".")
        if Reader(app_dir, (app_dir,)).file_of(module):
            return f"{module}:{attribute}"
    package = settings.split(".", maxsplit=1)[0]
    modules = [name for path in django_entries(files, kind) if (name := module_name(path, app_dir))]
    modules.sort(key=lambda name: (name.split(".")[0] != package, name.count("."), name))
    return f"{modules[0]}:application" if modules else None


def find_other_application(root: Path, files: Sequence[Path]) -> tuple[Entry, Path] | None:
    """Return the application of Flask, Starlette and their kin, with the import root, or None."""
    found: list[tuple[int, Entry, Path]] = []
    for path in files:
        if "tests" in path.parts or path.name.startswith("test_") or path.name == "conftest.py":
            continue
        app_dir = _above_packages(path.parent)
        module = module_name(path, app_dir)
        entry = _application_in(path, root, module) if module else None
        if entry is not None:
            rank = _ENTRY_NAMES.index(path.stem) if path.stem in _ENTRY_NAMES else len(_ENTRY_NAMES)
            factory = 100 if entry.application.endswith("()") else 0
            found.append((factory + 10 * len(path.relative_to(root).parts) + rank, entry, app_dir))
    found.sort(key=lambda item: (item[0], item[1].application))
    return found[0][1:] if found else None


def _application_in(path: Path, root: Path, module: str) -> Entry | None:
    if not any(_mentions(path, word) for word in _HINTS):
        return None
    try:
        tree = read_python(path, root)
    except ProjectError:
        return None
    imported = _imported_names(tree)
    for statement in tree.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=function))
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.Call(func=function))
            ):
                kind = _kind(function, imported, tree)
                if kind:
                    return Entry(kind, f"{module}:{name}", path)
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef) and statement.name in _FACTORIES and not _needs_arguments(statement):
            kind = _made_in(statement, imported)
            if kind:
                return Entry(kind, f"{module}:{statement.name}()", path)
    return None


def _imported_names(tree: ast.Module) -> dict[str, str]:
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update({alias.asname or alias.name: alias.name for alias in node.names})
        elif isinstance(node, ast.ImportFrom):
            names.update({alias.asname or alias.name: f"{node.module or ''}.{alias.name}" for alias in node.names})
    return names


def _kind(function: ast.expr, imported: dict[str, str], tree: ast.Module) -> str | None:
    """Return which kind of application calling `function` makes."""
    text = ast.unparse(function)
    first, dot, rest = text.partition(".")
    full = f"{imported.get(first, first)}{dot}{rest}"
    if full in _FRAMEWORKS:
        return _FRAMEWORKS[full]
    if text.rpartition(".")[2] not in _FACTORIES:
        return None
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == text:
            return _made_in(node, imported)
    return (
        "asgi"
        if any("asgi" in name or "fastapi" in name or "starlette" in name for name in imported.values())
        else "wsgi"
    )


def _made_in(function: ast.FunctionDef, imported: dict[str, str]) -> str | None:
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            first, dot, rest = ast.unparse(node.func).partition(".")
            kind = _FRAMEWORKS.get(f"{imported.get(first, first)}{dot}{rest}")
            if kind:
                return kind
    return None


def _needs_arguments(function: ast.FunctionDef) -> bool:
    arguments = function.args
    return len(arguments.args) > len(arguments.defaults) or any(default is None for default in arguments.kw_defaults)


def has_tests(files: Sequence[Path]) -> bool:
    """Say whether there is a test to run: Django's empty tests.py is none."""
    named = [
        path for path in files if re.match(r"tests?(_\w+)?\.py$|\w+_tests?\.py$", path.name) or "tests" in path.parts
    ]
    return any(_mentions(path, b"def test") for path in named)


def frontend_build(root: Path, app_dir: Path) -> str | None:
    """Return the package.json that has a build script, or None."""
    folders = (root, app_dir, root / "frontend", root / "assets", root / "theme" / "static_src")
    for folder in dict.fromkeys(folders):
        path = folder / "package.json"
        if path.is_file():
            scripts = read_json(path, root).get("scripts")
            if isinstance(scripts, dict) and "build" in scripts:
                return relative(path, root)
    return None
