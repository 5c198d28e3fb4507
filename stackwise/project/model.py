"""A project as plain data: `dataclasses.asdict` of it is JSON.

No literal secret of the project is in it: keys and passwords are only said to be there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Framework = Literal["django", "wsgi", "asgi"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a reader of the scan should know; `place` is file:line, or a file, or empty."""

    message: str
    place: str = ""

    def __str__(self) -> str:
        """Write it as editors and compilers do: the place first."""
        return f"{self.place}: {self.message}" if self.place else self.message


@dataclass(frozen=True, slots=True)
class Candidate:
    """A module that could be the settings, and why it stands where it stands in the order (best first)."""

    module: str
    path: str
    why: str


@dataclass(frozen=True, slots=True)
class Database:
    """One alias of DATABASES. `engine` is None when it is not written out; `name` is a path or a name."""

    alias: str
    engine: str | None
    name: str | None


@dataclass(frozen=True, slots=True)
class EnvironmentVariable:
    """One variable that the settings read.

    `reader` is the library that reads it, `cast` what it becomes, `default` its Python literal (None: none, or hidden
    because it may be a secret), `feeds` the settings it ends in, dotted into dictionaries ("DATABASES.default.NAME").
    """

    name: str
    reader: Literal["os.environ", "django-environ", "environs", "decouple", "dj-database-url", "django-configurations"]
    cast: str
    required: bool
    default: str | None
    feeds: tuple[str, ...]
    place: str


@dataclass(frozen=True, slots=True)
class Requirements:
    """How to install what the project asks for.

    `source` names the file that was believed ("" when there is none). `files` are requirement files for
    `pip install -r`, without those they include themselves (these stand in `included`); `packages` are requirement
    strings where there is no such file; `constraints` are the exact versions of a lock file; `names` are the normalised
    names of what is asked for directly.
    """

    source: str = ""
    files: tuple[str, ...] = ()
    included: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    lock: str | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Project:
    """What a folder holds. All paths are relative to `root`, with forward slashes.

    `expressions` has, for every setting that depends on the environment, the Python expression that makes it, closed:
    it uses literals and library names only, so that `evaluate` can say what it would be under given variables.
    `literals` has those settings that are the same in every environment and that a stack has a word on; `places` says
    where each setting is set, as file:line. `static_root` and `media_root` are relative to `root` where they lie
    inside, absolute where they are written so, else None. `hints` has what the code tells of its speed, as file:line:
    `queries` (a query whose rows' relations are read in a template, one query each), `unindexed` (a field that is
    filtered or ordered by and has no index), `uncached` (template loaders without the cache), `caches` and `uploads`.
    """

    root: str
    name: str
    framework: Framework
    django_version: str | None = None
    app_dir: str = "."
    manage: str | None = None
    settings: str | None = None
    settings_candidates: tuple[Candidate, ...] = ()
    configuration: str | None = None
    wsgi: str | None = None
    asgi: str | None = None
    requires_python: str | None = None
    requirements: Requirements = Requirements()
    versions: dict[str, str] = field(default_factory=dict)
    databases: tuple[Database, ...] = ()
    caches: dict[str, str | None] | None = None
    uses: tuple[str, ...] = ()
    installed_apps: tuple[str, ...] = ()
    middleware: tuple[str, ...] = ()
    static_root: str | None = None
    static_url: str | None = None
    media_root: str | None = None
    media_url: str | None = None
    static_storage: str | None = None
    default_storage: str | None = None
    session_engine: str | None = None
    settings_forced: bool = False
    has_tests: bool = False
    frontend_build: str | None = None
    environment: tuple[EnvironmentVariable, ...] = ()
    expressions: dict[str, str] | None = None
    literals: dict[str, object] | None = None
    places: dict[str, str] | None = None
    hints: dict[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A folder as one archive. `id` depends on paths, modes and bytes alone: the same files, the same id."""

    id: str
    archive: bytes
    files: tuple[str, ...]


def stand_in(folder: Path) -> Project:
    """Return the plainest project, to count with while the real one in `folder` cannot be read."""
    return Project(root=str(folder), name="unknown", framework="django", wsgi="unknown.wsgi:application")
