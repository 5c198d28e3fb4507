"""Files as text and as syntax trees. Every error says where, and what to do."""

from __future__ import annotations

import ast
import codecs
import io
import json
import tokenize
import tomllib
import warnings
from pathlib import Path

from stackwise.errors import ProjectError

# A settings module is a few kilobytes; what is larger was not written by hand, and reading it could take minutes.
LARGEST = 2_000_000


def read_bytes(path: Path, root: Path) -> bytes:
    """Return the bytes of `path`.

    Raises ProjectError when it cannot be read or is too large to be a source file.
    """
    place = relative(path, root)
    try:
        if not path.is_file():
            raise ProjectError(f"{place}: not a plain file", hint="put a file there, or leave it out")
        if path.stat().st_size > LARGEST:
            raise ProjectError(
                f"{place}: larger than {LARGEST // 1_000_000} MB, so not read", hint="is this the right file?"
            )
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ProjectError(f"{place}: cannot be read: {reason}", hint=f"make it readable: chmod u+r {place}") from error


def read_python(path: Path, root: Path) -> ast.Module:
    """Return the syntax tree of `path`, honouring a BOM and a declared encoding (PEP 263).

    Raises ProjectError with file:line:column.
    """
    place = relative(path, root)
    data = read_bytes(path, root)
    if b"\0" in data:
        raise ProjectError(f"{place}: not a text file", hint="a Python module is text; is this the right file?")
    try:
        with warnings.catch_warnings():
            # An invalid escape in a stranger's string is their warning, not ours.
            warnings.simplefilter("ignore")
            return ast.parse(data, filename=place)
    except SyntaxError as error:
        raise _bad_syntax(error, place) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise ProjectError(f"{place}: cannot be parsed: {error}", hint=f"try: python3 -m py_compile {place}") from error


def _bad_syntax(error: SyntaxError, place: str) -> ProjectError:
    at = f"{place}:{error.lineno or 1}:{error.offset or 1}"
    return ProjectError(f"{at}: cannot be parsed: {error.msg}", hint=f"try: python3 -m py_compile {place}")


def read_text(path: Path, root: Path) -> str:
    """Return the text of a file: UTF-8, UTF-16 with its mark (PowerShell), a declared encoding, else latin-1."""
    data = read_bytes(path, root)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError):
        return data.decode("latin-1")


def read_toml(path: Path, root: Path) -> dict[str, object]:
    """Return the content of a TOML file, or raise ProjectError with its place."""
    try:
        return tomllib.loads(read_text(path, root).replace("\r\n", "\n"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ProjectError(
            f"{relative(path, root)}: not valid TOML: {error}", hint="mend the file, then scan again"
        ) from error


def read_json(path: Path, root: Path) -> dict[str, object]:
    """Return the object in a JSON file, or raise ProjectError with its place."""
    try:
        content = json.loads(read_text(path, root))
    except (json.JSONDecodeError, RecursionError) as error:
        raise ProjectError(
            f"{relative(path, root)}: not valid JSON: {error}", hint="mend the file, then scan again"
        ) from error
    return content if isinstance(content, dict) else {}


def relative(path: Path, root: Path) -> str:
    """Return `path` as it is written in messages: relative to the project where possible."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
