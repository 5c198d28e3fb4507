"""The look at the project that a walk begins with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stackwise.errors import StackwiseError
from stackwise.operate.source import source_folder
from stackwise.project import Project, scan


@dataclass(frozen=True, slots=True)
class Scan:
    """What a look at the project gave: the project, or why there is none."""

    source: str
    ref: str | None
    folder: Path
    project: Project | None
    problem: StackwiseError | None = None


def look_at(source: str, ref: str | None, folder: Path) -> Scan:
    """Look at a project without running it; that there is none is an answer too."""
    try:
        place = source_folder(source, ref, folder)
        return Scan(source, ref, place, scan(place))
    except StackwiseError as exc:
        return Scan(source, ref, folder, None, exc)


def stand_in(scanned: Scan) -> Project:
    """Return the plainest project, to count with while the real one cannot be read."""
    return Project(root=str(scanned.folder), name="unknown", framework="django", wsgi="unknown.wsgi:application")
