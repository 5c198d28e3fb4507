"""The answers files that were open lately, in the user's state folder, and how the last run of each ended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from stackwise import paths
from stackwise.answers.document import write_whole
from stackwise.errors import StackwiseError
from stackwise.journal import Journal
from stackwise.plan.model import Identity
from stackwise.walk.progress import RunProgress, last_run

MOST = 12
Ended = Literal["never", "going on", "done", "removed", "stopped", "failed"]


@dataclass(frozen=True, slots=True)
class LastRun:
    """How the last run of a site stands; `says` is why it did not end well, in its own words."""

    ended: Ended
    number: int = 0
    command: str = ""
    began: datetime | None = None
    says: str = ""

    @property
    def is_open(self) -> bool:
        """Whether there is something to go on with."""
        return self.ended in {"going on", "stopped", "failed"}

    @property
    def words(self) -> str:
        """How it stands, in a few words."""
        run = f"run {self.number}, {self.command}"
        words = {
            "never": "nothing made yet",
            "going on": f"{run}: going on now",
            "done": "stands" if self.command == "up" else f"{run}: ended well",
            "removed": "removed again",
            "stopped": f"{run}: did not come to an end",
            "failed": f"{run}: failed",
        }
        return words[self.ended]


@dataclass(frozen=True, slots=True)
class Recent:
    """An answers file that was open once."""

    path: Path
    name: str
    environment: str
    opened: datetime

    def last_run(self) -> LastRun:
        """Return how its last run ended; a record that cannot be read counts as none."""
        return last_run_of(self.path.parent, self.name, self.environment)


def recents() -> tuple[Recent, ...]:
    """Return the answers files that are still there, the one opened last first."""
    found = (recent for recent in _read() if recent.path.is_file())
    return tuple(sorted(found, key=lambda recent: recent.opened, reverse=True))


def remember(path: Path, name: str, environment: str) -> None:
    """Put an answers file in front. Raises OSError where it cannot be kept."""
    here = path.resolve()
    others = [recent for recent in recents() if recent.path != here]
    kept = [Recent(here, name, environment, datetime.now(UTC)), *others][:MOST]
    paths.state_dir().mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(_path(), json.dumps([_written(recent) for recent in kept], indent=1) + "\n")


def last_run_of(folder: Path, name: str, environment: str) -> LastRun:
    """Return how the last run of a site ended, or that one is going on."""
    try:
        run = last_run(folder, name, environment)
        in_use = (
            run is not None and run.finished is None and Journal.of(Identity(name, environment)).holder() is not None
        )
    except (OSError, StackwiseError) as exc:
        return LastRun("never", says=str(exc))
    if run is None:
        return LastRun("never")
    says = run.failure.message if run.failure else ""
    return LastRun(_ended(run, in_use=in_use), run.number, run.command, run.started, says)


def _ended(run: RunProgress, *, in_use: bool) -> Ended:
    if run.failure is not None:
        return "going on" if in_use else "stopped" if run.failure.stopped else "failed"
    return "removed" if run.command == "destroy" else "done"


def _path() -> Path:
    return paths.state_dir() / "recent.json"


def _read() -> Iterator[Recent]:
    try:
        rows = json.loads(_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        # No list, or one that a crash or somebody's editor broke: it fills again by itself.
        return
    for row in rows if isinstance(rows, list) else ():
        if recent := _recent(row):
            yield recent


def _recent(row: Any) -> Recent | None:
    try:
        opened = datetime.fromisoformat(row["opened"])
        return Recent(Path(row["path"]), str(row["name"]), str(row["environment"]), opened.astimezone(UTC))
    except (KeyError, TypeError, ValueError):
        return None


def _written(recent: Recent) -> dict[str, str]:
    return {
        "path": str(recent.path),
        "name": recent.name,
        "environment": recent.environment,
        "opened": recent.opened.isoformat(timespec="seconds"),
    }
