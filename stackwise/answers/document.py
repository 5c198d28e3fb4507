"""An answers file as YAML with places: read, changed and written with its comments kept."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from stackwise.errors import AnswersError, Fault

# An answers file is some kilobytes. Much more is another kind of file, and a bomb of aliases needs no room at all, so
# these are refused.
_MOST_BYTES = 256 * 1024

Place = tuple[int, int]


class Document:
    """A YAML mapping that knows where each of its keys stands."""

    def __init__(self, data: CommentedMap, file: str) -> None:
        """Keep the round-trip `data` that was read from `file`."""
        self.data = data
        self.file = file

    @classmethod
    def read(cls, path: Path) -> Document:
        """Read `path`. Raises AnswersError for a file that is missing, unreadable, empty, binary or no YAML mapping."""
        return cls.parse(_text(path), str(path))

    @classmethod
    def parse(cls, text: str, file: str) -> Document:
        """Read YAML `text`; `file` is named in the faults. Raises AnswersError."""
        try:
            data = _yaml().load(text)
        except DuplicateKeyError as exc:
            raise AnswersError((_marked(file, exc, "the key stands here a second time"),)) from exc
        except MarkedYAMLError as exc:
            raise AnswersError((_marked(file, exc, f"this is not YAML: {exc.problem or exc.context}"),)) from exc
        except (YAMLError, ValueError, RecursionError) as exc:
            raise AnswersError(
                (Fault(file, 1, 1, f"this is not YAML: {str(exc).splitlines()[0]}", _WRITE_ONE),)
            ) from exc
        if not isinstance(data, CommentedMap):
            what = "the file is empty" if data is None else "the file holds no `key: value` pairs"
            raise AnswersError((Fault(file, 1, 1, what, _WRITE_ONE),))
        return cls(data, file)

    def place(self, path: tuple[str | int, ...]) -> Place:
        """Return line and column, from 1, of the deepest part of `path` that the file has."""
        node: Any = self.data
        found = (1, 1)
        for part in path:
            try:
                line, column = node.lc.key(part) if isinstance(node, CommentedMap) else node.lc.item(part)
            except (AttributeError, KeyError, IndexError, TypeError):
                break
            found = (line + 1, column + 1)
            node = node[part]
        return found

    def plain(self) -> dict[str, Any]:
        """Return the data as ordinary dicts and lists."""
        return _plain(self.data)  # type: ignore[no-any-return] # a mapping comes back as a mapping

    def change(self, key: str, value: object) -> None:
        """Set the dotted `key`, or remove it where `value` is None; comments and order stay."""
        *parents, last = key.split(".")
        node: MutableMapping[str, Any] = self.data
        for parent in parents:
            if not isinstance(node.get(parent), MutableMapping):
                node[parent] = CommentedMap()
            node = node[parent]
        if value is None:
            node.pop(last, None)
        else:
            node[last] = value

    def text(self) -> str:
        """Return the YAML, comments kept."""
        stream = io.StringIO()
        _yaml().dump(self.data, stream)
        return stream.getvalue()

    def write(self, path: Path) -> None:
        """Write the YAML to `path` in one step: a reader sees the old file or the new one."""
        write_whole(path, self.text())


def write_whole(path: Path, text: str) -> None:
    """Replace `path` by `text` in one step, so that a full disk or a kill leaves the old file. Raises OSError."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def flatten(data: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each leaf of nested mappings with its dotted key; lists are leaves."""
    for key, value in data.items():
        if isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


_WRITE_ONE = "write one with: stackwise init"


def _yaml() -> YAML:
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 120
    return yaml


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except FileNotFoundError as exc:
        raise AnswersError((Fault(str(path), 0, 0, "there is no such answers file", _WRITE_ONE),)) from exc
    except OSError as exc:
        hint = f"make it readable, or name another one: stackwise check -a {path.name}"
        raise AnswersError((Fault(str(path), 0, 0, f"cannot be read: {exc.strerror}", hint),)) from exc
    if len(raw) > _MOST_BYTES or b"\0" in raw:
        raise AnswersError((Fault(str(path), 0, 0, "this is no text file of the size of an answers file", _WRITE_ONE),))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = raw.count(b"\n", 0, exc.start) + 1
        column = exc.start - (raw.rfind(b"\n", 0, exc.start) + 1) + 1
        raise AnswersError(
            (Fault(str(path), line, column, "this is not UTF-8 text", "save the file as UTF-8"),)
        ) from exc


def _marked(file: str, exc: MarkedYAMLError, message: str) -> Fault:
    mark = exc.problem_mark or exc.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return Fault(
        file, line, column, message, "mend this line; each key stands once, and strings with special signs want quotes"
    )


def _plain(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if isinstance(node, bool) or node is None:
        return node
    # The round-trip loader wraps scalars to remember how they were written.
    for kind in (int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node
