"""What a Django or other Python web project needs, read without running it.

`scan` reads settings, requirements and entry points as text (ast, tomllib): nothing of the project is imported, because
a stranger's settings module may do anything, and because it needs packages and variables that are not here. `snapshot`
packs a folder that is no Git repository. `evaluate` says what an expression of the settings would be under given
environment variables.

    model.py         Project and its parts, plain data
    source.py        files as text and syntax trees, with the errors that a user can act on
    symbols.py       a module's names, each as an expression that stands alone
    evaluation.py    such an expression under given environment variables
    environment.py   the variables that an expression reads, and how
    settings.py      which settings module is meant for production, and what it says
    requirements.py  what to install
    layout.py        manage.py, entry points, other frameworks
    scan.py          all of it together
    snapshot.py      the files less what is ignored, as one archive
"""

from __future__ import annotations

from stackwise.project.evaluation import UNKNOWN, evaluate
from stackwise.project.model import (
    Candidate,
    Database,
    EnvironmentVariable,
    Finding,
    Project,
    Requirements,
    Snapshot,
    stand_in,
)
from stackwise.project.scan import scan
from stackwise.project.snapshot import snapshot

__all__ = [
    "UNKNOWN",
    "Candidate",
    "Database",
    "EnvironmentVariable",
    "Finding",
    "Project",
    "Requirements",
    "Snapshot",
    "evaluate",
    "scan",
    "snapshot",
    "stand_in",
]
