"""What to install, as the project says it: requirement files, pyproject.toml, Pipfile, setup.cfg, and lock files."""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from stackwise.errors import ProjectError
from stackwise.project.model import Finding, Requirements
from stackwise.project.source import read_json, read_python, read_text, read_toml, relative

# The first that exists is believed; what is for production goes before what is for all.
_FILES = (
    "requirements/production.txt",
    "requirements/prod.txt",
    "requirements/live.txt",
    "requirements/deploy.txt",
    "requirements-production.txt",
    "requirements-prod.txt",
    "requirements_production.txt",
    "requirements_prod.txt",
    "requirements.production.txt",
    "requirements.prod.txt",
    "requirements.txt",
    "requirements/requirements.txt",
    "requirements/base.txt",
    "requirements/common.txt",
    "requirements/main.txt",
)
_NAME = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[^\]]*\])?")
_EGG = re.compile(r"#egg=([A-Za-z0-9._-]+)")
_LOCKS = ("uv.lock", "poetry.lock", "Pipfile.lock", "pylock.toml")


def normalised(name: str) -> str:
    """Return a distribution's name as the index knows it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def find_requirements(root: Path, folder: Path) -> tuple[Requirements, list[Finding]]:
    """Return what the project asks for, looking in `folder` (where manage.py lies) and then in `root`.

    Raises ProjectError when a file that must be believed cannot be read.
    """
    findings: list[Finding] = []
    for place in dict.fromkeys((folder, root)):
        found = _from_files(root, place, findings) or _from_declaration(root, place, findings)
        if found is not None:
            return _with_lock(found, root, place, findings), findings
    findings.append(Finding("no requirements found: nothing says which packages the project needs"))
    return Requirements(), findings


def _from_files(root: Path, folder: Path, findings: list[Finding]) -> Requirements | None:
    for name in _FILES:
        path = folder / name
        if path.is_file():
            names: dict[str, None] = {}
            seen: dict[Path, None] = {}
            _follow_file(path, root, names, seen, findings)
            files = [relative(each, root) for each in seen]
            return Requirements(files[0], (files[0],), tuple(files[1:]), names=tuple(names))
    return None


def _follow_file(
    path: Path, root: Path, names: dict[str, None], seen: dict[Path, None], findings: list[Finding]
) -> None:
    """Collect the names that a requirement file asks for, following `-r` inside the project."""
    seen[path] = None
    for number, line in _logical_lines(read_text(path, root)):
        option = re.match(r"(-r|--requirement|-c|--constraint)[=\s]*(\S+)", line)
        if option:
            inner = (path.parent / option[2]).resolve()
            place = f"{relative(path, root)}:{number}"
            if not inner.is_relative_to(root.resolve()):
                findings.append(Finding(f"includes {option[2]}, which lies outside the project", place))
            elif not inner.is_file():
                raise ProjectError(
                    f"{place}: includes {option[2]}, which does not exist", hint="add the file, or drop the line"
                )
            elif option[1] in ("-r", "--requirement") and root / inner.relative_to(root.resolve()) not in seen:
                _follow_file(root / inner.relative_to(root.resolve()), root, names, seen, findings)
            continue
        name = requirement_name(line)
        if name:
            names[name] = None


def _logical_lines(text: str) -> Iterable[tuple[int, str]]:
    """Return the lines of a requirement file, comments gone and continuations joined, with their numbers."""
    joined, start = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        start = start or number
        line = re.sub(r"(^|\s)#.*$", "", raw)
        if line.endswith("\\"):
            joined += line[:-1] + " "
            continue
        whole = (joined + line).strip()
        if whole:
            yield start, whole
        joined, start = "", 0


def requirement_name(line: str) -> str | None:
    """Return the normalised name that one requirement asks for, or None (an option, a bare path)."""
    egg = _EGG.search(line)
    if egg:
        return normalised(egg[1])
    if line.startswith(("-", ".", "/")) or "://" in line.split("@", maxsplit=1)[0].split(" ", maxsplit=1)[0]:
        return None
    match = _NAME.match(line)
    return normalised(match[1]) if match else None


def _from_declaration(root: Path, folder: Path, findings: list[Finding]) -> Requirements | None:
    for name, read in _DECLARATIONS.items():
        path = folder / name
        if path.is_file():
            packages = read(path, root, findings)
            if packages is not None:
                names = [requirement_name(package) for package in packages]
                known = tuple(dict.fromkeys(name for name in names if name))
                return Requirements(relative(path, root), packages=tuple(packages), names=known)
    return None


def _pyproject(path: Path, root: Path, findings: list[Finding]) -> list[str] | None:
    content = read_toml(path, root)
    project = _table(content, "project")
    if "dependencies" in project:
        return [*_strings(project["dependencies"]), *_production_extra(project, relative(path, root), findings)]
    poetry = _table(_table(content, "tool"), "poetry")
    if "dependencies" not in poetry:
        return None
    wanted = _table(poetry, "dependencies")
    return [
        _poetry_requirement(name, spec)
        for name, spec in wanted.items()
        if name.lower() != "python" and not _is_optional(spec)
    ]


def _production_extra(project: dict[str, object], place: str, findings: list[Finding]) -> list[str]:
    """Return the packages of an extra or group that is named for production."""
    for name, packages in _table(project, "optional-dependencies").items():
        if normalised(name) in {"production", "prod", "deploy", "live"}:
            findings.append(Finding(f"the extra {name!r} is installed too: it is named for production", place))
            return _strings(packages)
    return []


def _is_optional(spec: object) -> bool:
    return isinstance(spec, dict) and spec.get("optional") is True


def _poetry_requirement(name: str, spec: object) -> str:
    """Return a requirement of Poetry's or Pipenv's own form as pip writes it."""
    if isinstance(spec, list):
        spec = spec[0] if spec else "*"
    if not isinstance(spec, dict):
        return f"{name}{_poetry_version(str(spec))}"
    extras = f"[{','.join(_strings(spec['extras']))}]" if spec.get("extras") else ""
    if "git" in spec:
        revision = spec.get("rev") or spec.get("tag") or spec.get("branch") or spec.get("ref")
        return f"{name}{extras} @ git+{spec['git']}" + (f"@{revision}" if revision else "")
    if "url" in spec or "path" in spec:
        return f"{name}{extras} @ {spec.get('url') or spec.get('path')}"
    marker = f" ; {spec['markers']}" if spec.get("markers") else ""
    return f"{name}{extras}{_poetry_version(str(spec.get('version', '*')))}{marker}"


def _poetry_version(spec: str) -> str:
    """Return `^1.2` and `~1.2` of Poetry as version specifiers of pip."""
    parts = [_one_version(part.strip()) for part in spec.split("||", maxsplit=1)[0].split(",")]
    return ",".join(part for part in parts if part)


def _one_version(spec: str) -> str:
    if spec in {"", "*"}:
        return ""
    match = re.match(r"(\^|~)(?!=)\s*(\d+(?:\.\d+)*)", spec)
    if not match:
        return spec.replace(" ", "") if spec[0] in "<>=!~" else f"=={spec}"
    numbers = [int(number) for number in match[2].split(".")]
    keep = next((index for index, number in enumerate(numbers) if number), len(numbers) - 1)
    if match[1] == "~":
        keep = min(1, len(numbers) - 1)
    upper = [*numbers[:keep], numbers[keep] + 1]
    return f">={match[2]},<{'.'.join(str(number) for number in upper)}"


def _pipfile(path: Path, root: Path, _findings: list[Finding]) -> list[str]:
    return [_poetry_requirement(name, spec) for name, spec in _table(read_toml(path, root), "packages").items()]


def _setup_cfg(path: Path, root: Path, _findings: list[Finding]) -> list[str] | None:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(read_text(path, root))
    except configparser.Error as error:
        hint = "mend the file, then scan again"
        raise ProjectError(f"{relative(path, root)}: cannot be parsed: {error.message}", hint=hint) from error
    if not parser.has_option("options", "install_requires"):
        return None
    return [line for _, line in _logical_lines(parser.get("options", "install_requires"))]


def _setup_py(path: Path, root: Path, _findings: list[Finding]) -> list[str] | None:
    for node in ast.walk(read_python(path, root)):
        if (
            isinstance(node, ast.keyword)
            and node.arg == "install_requires"
            and isinstance(node.value, (ast.List, ast.Tuple))
        ):
            return [str(each.value) for each in node.value.elts if isinstance(each, ast.Constant)]
    return None


_DECLARATIONS = {"pyproject.toml": _pyproject, "Pipfile": _pipfile, "setup.cfg": _setup_cfg, "setup.py": _setup_py}


def _with_lock(found: Requirements, root: Path, folder: Path, findings: list[Finding]) -> Requirements:
    """Add the exact versions of a lock file beside what was found. Requirement files pin for themselves."""
    if found.files:
        return found
    for name in _LOCKS:
        path = folder / name
        if path.is_file():
            pins = _pins(path, root, findings)
            return replace(found, constraints=tuple(pins), lock=relative(path, root))
    return found


def _pins(path: Path, root: Path, findings: list[Finding]) -> list[str]:
    if path.name == "Pipfile.lock":
        locked = _table(read_json(path, root), "default")
        versions = [
            (name, spec.get("version", "").lstrip("=")) for name, spec in locked.items() if isinstance(spec, dict)
        ]
    else:
        content = read_toml(path, root)
        packages = content.get("packages") if path.name == "pylock.toml" else content.get("package")
        rows = [row for row in packages if isinstance(row, dict)] if isinstance(packages, list) else []
        versions = [(str(row.get("name", "")), str(row.get("version", ""))) for row in rows if _from_index(row)]
    several = {name for name, _ in versions if sum(1 for other, _ in versions if other == name) > 1}
    if several:
        text = f"locks several versions of {', '.join(sorted(several))}: pip chooses, within what is asked for"
        findings.append(Finding(text, relative(path, root)))
    pins = {f"{normalised(name)}=={version}" for name, version in versions if name and version and name not in several}
    return sorted(pins)


def _from_index(row: dict[str, object]) -> bool:
    """Say whether a locked package comes from an index: a folder or a Git revision can't be constrained by version."""
    source = row.get("source")
    if isinstance(source, dict):
        return "registry" in source or source.get("type") == "legacy"
    return not {"vcs", "directory", "archive"} & row.keys()


def _table(content: dict[str, object], key: str) -> dict[str, object]:
    value = content.get(key)
    return value if isinstance(value, dict) else {}


def _strings(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def django_specifier(root: Path, requirements: Requirements) -> str | None:
    """Return the best known version specifier of Django: the lock's, else what is asked for."""
    return specifiers(root, requirements).get("django")


def specifiers(root: Path, requirements: Requirements) -> dict[str, str]:
    """Return the best known version specifier of each distribution that has one: the lock's, else what is asked for."""
    lines = [*requirements.packages]
    for name in (*requirements.files, *requirements.included):
        lines.extend(line for _, line in _logical_lines(read_text(root / name, root)))
    found: dict[str, str] = {}
    for line in [*requirements.constraints, *lines]:
        asked = requirement_name(line)
        match = re.search(r"[<>=!~][^;#@]*", line.split(" --hash")[0])
        if asked and match:
            found.setdefault(asked, match[0].replace(" ", ""))
    return found


def python_specifier(root: Path) -> str | None:
    """Return which Python the project asks for, as a version specifier."""
    path = root / "pyproject.toml"
    content = read_toml(path, root) if path.is_file() else {}
    asked = _table(content, "project").get("requires-python")
    if isinstance(asked, str):
        return asked
    poetry = _table(_table(_table(content, "tool"), "poetry"), "dependencies").get("python")
    if isinstance(poetry, str):
        return _poetry_version(poetry) or None
    return _python_from_files(root)


def _python_from_files(root: Path) -> str | None:
    for name, pattern in (
        ("Pipfile", r"python_(?:full_)?version\s*=\s*[\"'](\d+\.\d+)"),
        (".python-version", r"^\s*(\d+\.\d+)"),
        ("runtime.txt", r"^\s*python-(\d+\.\d+)"),
    ):
        path = root / name
        match = re.search(pattern, read_text(path, root)) if path.is_file() else None
        if match:
            return f"=={match[1]}.*"
    path = root / "setup.cfg"
    match = (
        re.search(r"^python_requires\s*=\s*(\S.*)$", read_text(path, root), re.MULTILINE) if path.is_file() else None
    )
    return match[1].strip() if match else None
