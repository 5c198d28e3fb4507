"""Public keys by name, as clouds keep them for an account. A private key is given out once and never kept."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from stackwise.errors import ProvisionError, UsageError
from stackwise.provision.sandbox.commands import run

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key in OpenSSH's notation, with its SHA256 fingerprint."""

    name: str
    text: str
    fingerprint: str


class Keys:
    """The public keys in one folder, one file each."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`; it is made at the first key."""
        self._folder = folder

    def all(self) -> list[PublicKey]:
        """Give every key, by name."""
        return [_read(path) for path in sorted(self._folder.glob("*.pub"))]

    def find(self, name: str) -> PublicKey | None:
        """Give the key called `name`, or None."""
        path = self._path(name)
        return _read(path) if path.exists() else None

    def create(self, name: str) -> tuple[PublicKey, str]:
        """Make an ed25519 pair, keep the public half, and give both."""
        with tempfile.TemporaryDirectory() as folder:
            private = Path(folder, "key")
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(private)])
            return self.add(name, private.with_suffix(".pub").read_text()), private.read_text()

    def add(self, name: str, text: str) -> PublicKey:
        """Keep the public key `text`; raise ProvisionError when the name is taken, or when it is no public key."""
        path = self._path(name)
        if path.exists():
            raise ProvisionError(f"there is a key {name} already", hint=f"to see it, type: cat {path}")
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = path.with_suffix(".new")
        new.write_text(text.strip() + "\n")
        try:
            _read(new)
            new.rename(path)
        finally:
            new.unlink(missing_ok=True)
        return _read(path)

    def delete(self, name: str) -> bool:
        """Forget a key; tell whether it was there."""
        path = self._path(name)
        there = path.exists()
        path.unlink(missing_ok=True)
        return there

    def _path(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} can't be the name of a key: letters, digits, dot, dash, underscore and @, 64 at the most",
                hint="give it another name, for example: laptop",
            )
        return self._folder / f"{name}.pub"


def _read(path: Path) -> PublicKey:
    fingerprint = run(["ssh-keygen", "-l", "-f", str(path)]).split()[1]
    return PublicKey(path.stem, path.read_text().strip(), fingerprint)
