"""Runs in processes of their own, which outlive whoever watches them: begun, followed, stopped, found again.

A run is `stackwise up --yes --json` in a session of its own. What it says goes to files in the site's folder, and is
read from there; nothing is piped, so that nobody who goes away takes the run with him. Secrets that were typed go
into its environment alone.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Protocol

from stackwise import events
from stackwise.errors import InterruptedRunError, JournalError, LockedError, RunLostError
from stackwise.events import Event
from stackwise.journal import Holder, Journal
from stackwise.journal.record import run_path
from stackwise.plan.model import Identity

# How often it is looked whether a run has said more. Whoever watches sees ten batches a second at most.
_LOOK_SECONDS = 0.1
_COMMANDS = ("up", "verify", "destroy")
_AGAIN = {"up": "go on with: stackwise up", "destroy": "go on with: stackwise destroy"}
# Not from the folder it is called in: a file of the project may be named like a module of ours.
_PROGRAM = (sys.executable, "-P", "-m", "stackwise")


class Following(Protocol):
    """A run that is watched."""

    command: str

    def batches(self) -> Iterator[tuple[Event, ...]]:
        """Yield what happened and happens, all that came since the last look together.

        Raises InterruptedRunError, RunLostError where the run ended and none of its events says so.
        """

    def interrupt(self) -> None:
        """Ask the run to stop at the next safe point, as ctrl-c does. Raises LockedError where it is not ours."""

    def leave(self) -> None:
        """Watch no longer; the run goes on."""


class Runs(Protocol):
    """The seam to runs in processes of their own."""

    def begin(self, command: str, answers: Path, identity: Identity, environment: Mapping[str, str]) -> Following:
        """Begin `up`, `verify` or `destroy` with more environment variables. Raises JournalError."""

    def going_on(self, identity: Identity, folder: Path) -> Following | None:
        """Return the run that is at work on a site now, whoever began it; `folder` has the project's record."""

    def shell(self, answers: Path) -> Sequence[str]:
        """Return the command line that opens a shell on the server."""


class BackgroundRuns:
    """Runs of this very program."""

    def __init__(self, program: Sequence[str] = _PROGRAM) -> None:
        """Run `program`."""
        self._program = tuple(program)

    def begin(self, command: str, answers: Path, identity: Identity, environment: Mapping[str, str]) -> Following:
        """Begin a run in a session of its own, which a closed terminal does not reach. Raises JournalError."""
        journal, answers = Journal.of(identity), answers.absolute()
        argv = [*self._program, command, "--yes", "--json", "-a", str(answers)]
        try:
            journal.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with _fresh(_live(journal)) as out, _fresh(_errors(journal)) as err:
                process = subprocess.Popen(  # noqa: S603 - our own program and arguments
                    argv,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    cwd=answers.parent,
                    env={**os.environ, **environment},
                    start_new_session=True,
                )
                # Opened now, since destroying a site removes its folder.
                return _Begun(command, journal, process, _opened(_live(journal)), _opened(_errors(journal)))
        except OSError as exc:
            hint = f"free some room, or make {journal.folder} yours to write, then: stackwise {command}"
            raise JournalError(f"the run cannot begin: {exc.strerror}", hint=hint) from exc

    def going_on(self, identity: Identity, folder: Path) -> Following | None:
        """Return the run that is at work on a site now, whoever began it. Raises JournalError."""
        holder = Journal.of(identity).holder()
        return _Found(identity, holder, folder) if holder and holder.command in _COMMANDS else None

    def shell(self, answers: Path) -> Sequence[str]:
        """Return the command line that opens a shell on the server."""
        return [*self._program, "ssh", "-a", str(answers)]


class _Watched(ABC):
    """Reads what a run writes, as long as it goes on and somebody watches."""

    def __init__(self, command: str) -> None:
        self.command = command
        self._left = threading.Event()
        self._end: events.RunFinished | events.RunFailed | None = None
        self._streams: list[IO[bytes]] = []

    def batches(self) -> Iterator[tuple[Event, ...]]:
        """Yield what happened, and say at the end how it ended."""
        try:
            yield from self._read()
        finally:
            for stream in self._streams:
                stream.close()

    def _read(self) -> Iterator[tuple[Event, ...]]:
        rest = b""
        while not self._left.is_set():
            # Asked before it is read, so that the last words are not missed.
            over = self._over()
            *lines, rest = (rest + self._more()).split(b"\n")
            if batch := tuple(_understood(lines)):
                self._end = next((e for e in batch if isinstance(e, events.RunFinished | events.RunFailed)), self._end)
                yield batch
            if over:
                return self._judge()
            self._left.wait(_LOOK_SECONDS)
        return None

    def leave(self) -> None:
        """Watch no longer."""
        self._left.set()

    def _lost(self, message: str, said: str = "", hint: str = "") -> RunLostError:
        return RunLostError(message, said=said, hint=hint or _AGAIN.get(self.command, "see: stackwise status"))

    @abstractmethod
    def _over(self) -> bool:
        """Whether the run has ended."""

    @abstractmethod
    def _more(self) -> bytes:
        """Return what was written since the last look."""

    @abstractmethod
    def _judge(self) -> None:
        """Raise where the run ended in a way that its events do not tell."""


class _Begun(_Watched):
    """A run that we began: a child of ours."""

    def __init__(
        self, command: str, journal: Journal, process: subprocess.Popen[bytes], out: IO[bytes], err: IO[bytes]
    ) -> None:
        super().__init__(command)
        self._journal, self._process, self._out, self._err = journal, process, out, err
        self._streams = [out, err]

    def interrupt(self) -> None:
        """Send it what ctrl-c sends; nothing where it has ended."""
        self._process.send_signal(signal.SIGINT)

    def _over(self) -> bool:
        return self._process.poll() is not None

    def _more(self) -> bytes:
        return self._out.read()

    def _judge(self) -> None:
        said = self._err.read().decode(errors="replace")
        _tidy(self._journal.folder)
        code = self._process.returncode
        if isinstance(self._end, events.RunFailed) or (self._end and code == 0):
            return
        again = _AGAIN.get(self.command, "")
        if code in (130, -signal.SIGINT):
            raise InterruptedRunError("it was stopped before it could begin", hint=again)
        if code < 0:
            message = f"the run was killed ({signal.Signals(-code).name})"
            raise self._lost(message, said, f"nothing is lost; {again}" if again else "")
        raise RunLostError(_words(said, code), said=_server_words(said), hint=_hints(said) or again)


class _Found(_Watched):
    """A run that somebody else began: what we know of it is in the journal and the record."""

    def __init__(self, identity: Identity, holder: Holder, folder: Path) -> None:
        super().__init__(holder.command)
        self._identity, self._holder, self._folder = identity, holder, folder
        self._journal = Journal.of(identity)
        self._stream: IO[bytes] | None = None

    def interrupt(self) -> None:
        """Send it what ctrl-c sends, if it is still the one that holds the site: a number of a process comes again."""
        if self._over():
            return
        try:
            os.kill(self._holder.process, signal.SIGINT)
        except ProcessLookupError:
            return
        except PermissionError as exc:
            message = f"process {self._holder.process} is another user's, and cannot be stopped from here"
            raise LockedError(message, hint=f"stop it where it runs: kill -INT {self._holder.process}") from exc

    def _over(self) -> bool:
        return self._journal.holder() != self._holder

    def _more(self) -> bytes:
        if self._stream is None:
            self._stream = self._find()
            self._streams = [self._stream] if self._stream else []
        return self._stream.read() if self._stream else b""

    def _find(self) -> IO[bytes] | None:
        """Open what the run writes: what its beginner reads too, else the record; None while it has written nothing."""
        journal = Journal.of(self._identity)
        begun = [entry for entry in journal.entries("run") if _when(entry["at"]) >= _when(self._holder.since)]
        if not begun:
            return None
        number = int(begun[-1]["number"])
        with suppress(FileNotFoundError):
            live = _opened(_live(journal))
            first = next(_understood([live.readline()]), None)
            if isinstance(first, events.RunStarted) and first.number == number:
                live.seek(0)
                return live
            live.close()
        with suppress(FileNotFoundError):
            return _opened(run_path(self._folder, number, self.command))
        return None

    def _judge(self) -> None:
        if self._end is None:
            raise self._lost("the run ended without a word: it was killed")


def _live(journal: Journal) -> Path:
    return journal.folder / "live.jsonl"


def _errors(journal: Journal) -> Path:
    return journal.folder / "live.err"


def _fresh(path: Path) -> IO[bytes]:
    """Open a new file for this user alone; who still writes into an older one goes on doing so."""
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600), "wb")


def _opened(path: Path) -> IO[bytes]:
    return path.open("rb")


def _tidy(folder: Path) -> None:
    """Leave no folder behind for a site of which nothing else is on record."""
    ours = {"live.jsonl", "live.err"}
    with suppress(OSError):
        if {path.name for path in folder.iterdir()} <= ours:
            for name in ours:
                (folder / name).unlink(missing_ok=True)
            folder.rmdir()


def _understood(lines: Iterable[bytes]) -> Iterator[Event]:
    for line in lines:
        with suppress(ValueError):
            yield events.from_json(line.decode(errors="replace"))


def _when(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _words(said: str, code: int) -> str:
    """Return what went wrong as `stackwise` says it on stderr, in one sentence."""
    heads = ("error: ", "impossible: ", "Error: ")
    told = [line.removeprefix(head) for line in said.splitlines() for head in heads if line.startswith(head)]
    last = next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "")
    return "; ".join(told) or last or f"the run ended with exit code {code}, and said nothing"


def _server_words(said: str) -> str:
    return "\n".join(line.removeprefix("  | ") for line in said.splitlines() if line.startswith("  | "))


def _hints(said: str) -> str:
    return "; ".join(line.strip() for line in said.splitlines() if line.startswith("  ") and line[2:4] != "| ")
