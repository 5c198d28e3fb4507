"""Secrets: references in the answers, values in one 0600 file of the user's state folder, and nowhere else."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from stackwise.errors import UsageError
from stackwise.journal import Journal

# 50 characters of Django's own alphabet are about 280 bits; these are 64 of 64, without a sign that a shell or an
# environment file reads.
_LENGTH = 48
# As one keeps a secret there: keyring set stackwise HCLOUD_TOKEN
_SERVICE = "stackwise"


def resolve_secrets(references: Mapping[str, str], journal: Journal, folder: Path) -> dict[str, str]:
    """Return the value of each secret, making once and keeping those that shall be generated.

    `folder` is where relative `file:` paths start. Raises UsageError that names the secret, never its value.
    """
    return {name: _resolve(name, reference, journal, folder) for name, reference in references.items()}


def _resolve(name: str, reference: str, journal: Journal, folder: Path) -> str:
    kind, _, where = reference.partition(":")
    match kind:
        case "env":
            value = os.environ.get(where, "")
            hint = f"set it first: export {where}=..."
        case "file":
            value = _from_file(name, folder / Path(where).expanduser())
            hint = f"put the secret into {where}"
        case "keyring":
            value = _from_keyring(name, where)
            hint = f"keep it there first: keyring set stackwise {where}"
        case _:
            return _generated(name, journal)
    if not value:
        raise UsageError(f"the secret {name} is empty: {reference}", hint=hint)
    if "\n" in value:
        raise UsageError(f"the secret {name} has more than one line, and an environment variable has one", hint=hint)
    return value


def _from_file(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").rstrip("\n")
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is no UTF-8 text"
        raise UsageError(
            f"the secret {name} cannot be read from {path}: {reason}", hint=f"put the secret into {path}"
        ) from exc


def _from_keyring(name: str, where: str) -> str:
    found = in_keyring(where)
    if found is None:
        hint = "install it: pip install keyring, or use env:NAME or file:PATH"
        raise UsageError(f"the secret {name} is in a keyring, and the package keyring is not installed", hint=hint)
    return found


def in_keyring(name: str) -> str | None:
    """Return what the desktop's keyring has for us, empty for nothing; None where there is no package keyring."""
    try:
        import keyring  # noqa: PLC0415 - an extra that few have, and slow to import
        from keyring.errors import KeyringError  # noqa: PLC0415 - as above
    except ImportError:
        return None
    try:
        return keyring.get_password(_SERVICE, name) or ""
    except KeyringError:
        # A host without a desktop has the library, and no keyring behind it.
        return ""


def _generated(name: str, journal: Journal) -> str:
    path = journal.folder / "secrets.json"
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    if name not in known:
        known[name] = secrets.token_urlsafe(_LENGTH)
        write_private(path, json.dumps(known, indent=1) + "\n")
    return known[name]


def write_private(path: Path, text: str) -> None:
    """Write `text` so that nobody but the user ever could read it, in one step."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
