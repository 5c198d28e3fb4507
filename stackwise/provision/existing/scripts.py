"""The shell scripts beside this file, which run on the server."""

from __future__ import annotations

from importlib.resources import files


def script(name: str) -> str:
    """Return the text of a script; signs such as `@site@` are for the caller to fill in, quoted."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
