"""What somebody likes about the walk, kept from one day to the next: the theme, and keys of their own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stackwise import paths
from stackwise.errors import UsageError


def keys_path() -> Path:
    """Return the file in which keys can be changed."""
    return paths.config_dir() / "keys.yml"


def kept_theme() -> str:
    """Return the name of the theme that was chosen last; empty where none was, or nothing can be read."""
    try:
        kept = json.loads(_taste_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        # Taste is not worth an error: the usual look it is, and the next choice writes the file anew.
        return ""
    theme = kept.get("theme", "") if isinstance(kept, dict) else ""
    return theme if isinstance(theme, str) else ""


def keep_theme(name: str) -> None:
    """Keep the theme for the next time. Raises OSError."""
    # Only who changes it waits for the module that writes files in one step, and for the YAML it comes with.
    from stackwise.answers.document import write_whole  # noqa: PLC0415 - as above

    path = _taste_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps({"theme": name}) + "\n")


def read_keys() -> dict[str, str]:
    """Return the keys of one's own by the id of what they do; none where there is no file.

    Raises AnswersError for a file that is no YAML mapping, UsageError for a key that is no word.
    """
    path = keys_path()
    if not path.exists():
        return {}
    from stackwise.answers.document import Document  # noqa: PLC0415 - most people have no such file

    return dict(_pairs(path, Document.read(path).plain()))


def _pairs(path: Path, pairs: Mapping[str, Any]) -> Mapping[str, str]:
    for name, keys in pairs.items():
        # A digit is a key as well as a number.
        if isinstance(keys, bool) or not isinstance(keys, str | int):
            raise UsageError(
                f"{path}: {name} wants a key, or several with commas between them",
                hint=f'write it in quotes, for example: {name}: "ctrl+t"',
            )
    return {name: str(keys) for name, keys in pairs.items()}


def _taste_path() -> Path:
    return paths.config_dir() / "taste.json"
