"""The look at the project that a walk begins with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stackwise.errors import ProjectError, StackwiseError
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
    except (OSError, ValueError, RuntimeError) as exc:
        return Scan(source, ref, folder, None, _unreadable(source, exc))


def _unreadable(source: str, exc: Exception) -> ProjectError:
    """Return that the files are there, or might be, and cannot be read: rights, a name that can be none, no home."""
    why = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
    place = exc.filename if isinstance(exc, OSError) and exc.filename else source
    hint = "make it readable, or say where the project is: --set project.source=FOLDER"
    return ProjectError(f"{place} cannot be read: {why}", hint=hint)


def project_kind(project: Project) -> str:
    """Return what kind of project was found, in words."""
    django = f" {project.django_version}" if project.django_version else ""
    return f"a Django{django} project" if project.framework == "django" else f"a Python project ({project.framework})"


def found_rows(project: Project) -> dict[str, str]:
    """Return what was found in a project, by what it is; what was not found is left out."""
    rows = {
        "folder": project.root,
        "settings": project.settings,
        "serves": project.wsgi or project.asgi,
        "needs": project.requirements.source,
        "database": ", ".join(d.engine.rpartition(".")[2] for d in project.databases if d.engine),
        "uses": ", ".join(project.uses),
    }
    return {name: value for name, value in rows.items() if value}
