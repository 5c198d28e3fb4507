"""Keys, made by OpenSSH's own ssh-keygen: the administrator's, and the host's before the host exists."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from stackwise.errors import ProvisionError, UsageError

# How the line of a public key begins.
_PUBLIC = ("ssh-", "ecdsa-", "sk-")


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A key pair: the public half as text, the private half as a file (empty where only an agent has it)."""

    public: str
    private: str


def make_key(path: Path, comment: str) -> KeyPair:
    """Return the ed25519 key at `path`, made now where it is absent. Raises ProvisionError."""
    public = path.with_name(f"{path.name}.pub")
    if not (path.exists() and public.exists()):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.unlink(missing_ok=True)
        try:
            argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)]
            subprocess.run(argv, check=True, capture_output=True, text=True)  # noqa: S603 - our own arguments
        except (OSError, subprocess.CalledProcessError) as exc:
            raise ProvisionError(
                f"no key could be made at {path}: {exc}", hint="install it: apt install openssh-client"
            ) from exc
    return KeyPair(public.read_text().strip(), str(path))


def own_keys() -> tuple[str, ...]:
    """Return the public keys in the user's own .ssh folder, as one would write them in an answers file."""
    folder = Path("~/.ssh").expanduser()
    return tuple(f"~/.ssh/{path.name}" for path in sorted(folder.glob("*.pub")) if _is_public_key(path))


def _is_public_key(path: Path) -> bool:
    try:
        return path.read_text(encoding="utf-8").startswith(_PUBLIC)
    except (OSError, UnicodeDecodeError):
        return False


def admin_key(wish: str, folder: Path, site_folder: Path) -> KeyPair:
    """Return the administrator's key: one made in `site_folder` for `generate`, else the file that `wish` names.

    Relative paths start at `folder`. Raises UsageError for a file that is missing or no public key.
    """
    if wish == "generate":
        return make_key(site_folder / "ssh_key", f"stackwise {site_folder.name}")
    path = folder / Path(wish).expanduser()
    hint = "name your public key, or let one be made: --set access.ssh_key=generate"
    try:
        words = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is no text"
        raise UsageError(f"the public key {path} cannot be read: {reason}", hint=hint) from exc
    if not words.startswith(_PUBLIC) or "\n" in words:
        raise UsageError(f"{path} holds no public key", hint=hint)
    private = path.with_suffix("") if path.suffix == ".pub" else path
    return KeyPair(words, str(private) if path.suffix == ".pub" and private.exists() else "")
