"""The catalog's files as plain documents: YAML that people edit, and a copy of it that a program reads quickly.

Reading YAML takes most of the time of a short command. So the documents are kept as JSON in the user's cache folder,
under a fingerprint of the files' names, sizes and times; they get there only after all of them were found right.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from stackwise import __version__, paths
from stackwise.errors import CatalogError

Documents = dict[str, Any]


def kept(root: Path) -> Documents | None:
    """Return the documents of `root`, {relative path: document}, where a copy of just these files is kept."""
    # A copy that is not as we write it is no copy.
    with suppress(OSError, ValueError, KeyError, TypeError):
        copy = json.loads(_copy(root).read_bytes())
        if copy["fingerprint"] == fingerprint(root):
            found: Documents = copy["documents"]
            return found
    return None


def keep(root: Path, documents: Documents, mark: str) -> None:
    """Keep a copy for the next time, under the fingerprint `mark` of before they were read.

    A cache that can't be written is no loss, and leaves nothing half written.
    """
    target = _copy(root)
    beside = target.with_name(f"{target.name}.{os.getpid()}")
    with suppress(OSError):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            beside.write_text(json.dumps({"fingerprint": mark, "documents": documents}, default=str), "utf-8")
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)


def read(root: Path) -> Documents:
    """Read every file. Raises CatalogError with the file and the line."""
    return {str(path.relative_to(root)): _load(path) for path in sorted(_files(root))}


def line_of(path: Path, where: tuple[str | int, ...]) -> int:
    """Return the line, counted from 1, on which a part of a file stands; of what is missing, where it should be."""
    import yaml  # noqa: PLC0415 - only a mistake needs it

    node = yaml.compose(path.read_bytes(), Loader=yaml.SafeLoader)
    line = 1
    for part in where:
        if isinstance(node, yaml.MappingNode):
            pair = next(((key, value) for key, value in node.value if key.value == part), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            pair = (node.value[part], node.value[part])
        else:
            pair = None
        if pair is None:
            break
        line, node = pair[0].start_mark.line + 1, pair[1]
    return line


def _load(path: Path) -> Any:
    import yaml  # noqa: PLC0415 - a copy is read without it

    # The C loader takes a fraction of the pure Python one's time; libyaml comes with every PyYAML wheel.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(path.read_bytes(), Loader=loader)  # noqa: S506 - both are safe loaders
    except OSError as exc:
        raise CatalogError(f"{path}: {exc.strerror}", hint="make the file readable, or install stackwise anew") from exc
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        problem = getattr(exc, "problem", None) or "this is no YAML"
        raise CatalogError(
            f"{place}: {problem}", hint=f"mend that line of {path.name}, then: stackwise catalog list"
        ) from exc


def _files(root: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(root):
        yield from (Path(folder, name) for name in names if name.endswith(".yml"))


def fingerprint(root: Path) -> str:
    """Return what changes when a file of `root` comes, goes or is written. Raises OSError."""
    parts = [__version__]
    for path in sorted(_files(root)):
        found = path.stat()
        parts.append(f"{path}:{found.st_size}:{found.st_mtime_ns}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _copy(root: Path) -> Path:
    return paths.cache_dir() / f"catalog-{hashlib.sha256(str(root).encode()).hexdigest()[:12]}.json"
