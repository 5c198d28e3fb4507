"""What was intended, what exists and what is done: one append-only file a site and environment, fsynced line by line.

Intent is written before each call that creates or destroys, the provider's id right after. Whatever a crash leaves,
the next run reads
here (and asks the provider, by tag) what exists and goes on.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stackwise import paths
from stackwise.errors import JournalError, LockedError

if TYPE_CHECKING:
    # Whoever only reads a record, like the walk's first picture, does not wait for all that makes a plan.
    from stackwise.plan.model import Identity

_HOLDER = re.compile(r"stackwise (.+), process (\d+), since (\S+)")
_LOOKS, _LOOK_SECONDS = 5, 0.02


@dataclass(frozen=True, slots=True)
class ServerRecord:
    """A server as the journal knows it. `id` is empty while only the intent to make it is on record."""

    name: str
    provider: str
    id: str = ""
    address: str = ""
    host_keys: tuple[str, ...] = ()
    ready: bool = False
    going: bool = False
    location: str = ""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who is at work on a site: the command, its process, and since when. Empty while it has not said so yet."""

    command: str = ""
    process: int = 0
    since: str = ""


class Journal:
    """The journal of one site and environment; `folder` also holds its keys, secrets and work files."""

    def __init__(self, folder: Path) -> None:
        """Open the journal in `folder`, which is made (0700) by the first write. Raises JournalError."""
        self.folder = folder
        self.path = folder / "journal.jsonl"
        try:
            self._entries = list(_read(self.path))
        except OSError as exc:
            hint = f"free some room, or make {folder} yours to write, then run the same command again"
            raise JournalError(f"the record in {folder} cannot be read: {exc.strerror}", hint=hint) from exc

    @classmethod
    def of(cls, identity: Identity) -> Journal:
        """Open the journal of a site in the user's state folder."""
        return cls(paths.state_dir() / str(identity))

    @property
    def exists(self) -> bool:
        """Whether anything was ever written here."""
        return bool(self._entries)

    @property
    def token(self) -> str:
        """The uuid that the provider's tags carry: made at the first write that needs it, or an adopted server's."""
        return next((str(entry["token"]) for entry in reversed(self._entries) if entry["kind"] == "started"), "")

    def entries(self, kind: str | None = None) -> tuple[Mapping[str, Any], ...]:
        """Return what was written, oldest first, of one kind or all."""
        return tuple(entry for entry in self._entries if kind in (None, entry["kind"]))

    def servers(self) -> dict[str, ServerRecord]:
        """Return the servers that exist or may exist, by name."""
        servers: dict[str, ServerRecord] = {}
        for entry in self._entries:
            _apply(entry, servers)
        return servers

    def next_run(self) -> int:
        """Return the number of the next run."""
        return 1 + max((int(entry["number"]) for entry in self._entries if entry["kind"] == "run"), default=0)

    def begin(self) -> str:
        """Make sure that the journal has a token, and return it."""
        if not self.token:
            self.write("started", token=uuid.uuid4().hex)
        return self.token

    def write(self, kind: str, **values: Any) -> None:
        """Append a line and wait until it is on the disk. Raises JournalError."""
        entry = {"kind": kind, "at": datetime.now(UTC).isoformat(timespec="milliseconds"), **values}
        line = (json.dumps(entry, ensure_ascii=False) + "\n").encode()
        try:
            self._make_folder()
            with os.fdopen(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as stream:
                if stream.tell() and not _ends_with_newline(self.path):
                    # A crash cut the last line short; begin a new one, so that this one can be read.
                    line = b"\n" + line
                stream.write(line)
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as exc:
            raise self._unwritable(exc) from exc
        self._entries.append(entry)

    def holder(self) -> Holder | None:
        """Return who is at work on this site, None where nobody is: the kernel knows, whatever became of a process."""
        try:
            handle = os.open(self.folder / "lock", os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _holder(os.pread(handle, 4096, 0).decode(errors="replace"))
        finally:
            os.close(handle)
        return None

    def _make_folder(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def forget(self) -> None:
        """Remove the record of a site of which nothing is left, keys and secrets too; the runs stay in the project."""
        for path in sorted(self.folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        self.folder.rmdir()
        self._entries.clear()

    @contextmanager
    def locked(self, command: str) -> Iterator[None]:
        """Hold this site for one command. Raises LockedError that says who holds it and since when.

        The lock is the kernel's and ends with the process, however that ends.
        """
        try:
            self._make_folder()
            handle = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as exc:
            raise self._unwritable(exc) from exc
        try:
            try:
                _take(handle)
            except BlockingIOError as exc:
                holder = os.pread(handle, 4096, 0).decode(errors="replace").strip() or "another process"
                raise LockedError(
                    f"{self.folder.name} is in use: {holder}", hint="wait for it to end, or stop it, then try again"
                ) from exc
            self._say_who(handle, command)
            # What another process wrote until it let go is not lost.
            self._entries = list(_read(self.path))
            yield
        finally:
            os.close(handle)

    def _say_who(self, handle: int, command: str) -> None:
        since = datetime.now(UTC).isoformat(timespec="seconds")
        try:
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"stackwise {command}, process {os.getpid()}, since {since}".encode(), 0)
        except OSError as exc:
            raise self._unwritable(exc) from exc

    def _unwritable(self, exc: OSError) -> JournalError:
        return JournalError(
            f"the record {self.path} cannot be written: {exc.strerror}",
            hint="free some room, or make its folder yours to write, then run the same command again",
        )


def _take(handle: int) -> None:
    """Take the lock. Who only looks whether it is free holds it for an instant, and keeps nobody from working."""
    for _ in range(_LOOKS):
        with suppress(BlockingIOError):
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        time.sleep(_LOOK_SECONDS)
    return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _holder(words: str) -> Holder:
    found = _HOLDER.fullmatch(words.strip())
    return Holder(found[1], int(found[2]), found[3]) if found else Holder()


def journals() -> Iterator[Journal]:
    """Yield the journal of every site that this user has a record of."""
    folder = paths.state_dir()
    if folder.is_dir():
        yield from (Journal(path.parent) for path in sorted(folder.glob("*/journal.jsonl")))


def _apply(entry: Mapping[str, Any], servers: dict[str, ServerRecord]) -> None:
    match entry["kind"]:
        case "creating":
            name, provider = entry["server"], entry["provider"]
            servers[name] = ServerRecord(name, provider, location=entry.get("location", ""))
        case "created":
            old = servers[entry["server"]]
            servers[old.name] = replace(old, id=entry["id"], address=entry.get("address", ""), ready=False, going=False)
        case "host-keys":
            old = servers[entry["server"]]
            servers[old.name] = replace(old, host_keys=tuple(entry["keys"]))
        case "ready":
            old = servers[entry["server"]]
            servers[old.name] = replace(old, address=entry["address"], ready=True, going=False)
        case "destroying" if entry["server"] in servers:
            servers[entry["server"]] = replace(servers[entry["server"]], going=True)
        case "destroyed":
            servers.pop(entry["server"], None)
        case _:
            pass


def _read(path: Path) -> Iterator[Mapping[str, Any]]:
    if not path.exists():
        return
    for line in path.read_bytes().splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            # Only the last line of a crash can be cut short, and what it would have said was not done yet.
            continue
        if isinstance(entry, dict) and "kind" in entry:
            yield entry


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as stream:
        stream.seek(-1, os.SEEK_END)
        return stream.read(1) == b"\n"
