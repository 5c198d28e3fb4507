"""How things stand, in words that can be read aloud."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stackwise.walk.questions import price
from stackwise.walk.scanning import found_rows, project_kind

if TYPE_CHECKING:
    from stackwise.walk.design import Design, Summary


def summary_words(summary: Summary) -> dict[str, str]:
    """Return each part of the summary by its name."""
    first = f", then {summary.gives_first} gives first" if summary.gives_first else ""
    failures = f" ({', '.join(summary.failures)})" if summary.failures else ""
    return {
        "cost": price(summary.cost, summary.currency),
        "memory": f"{summary.needed_mb} of {summary.memory_mb} MiB",
        "carries": f"{summary.carries:,} requests a minute of {summary.wanted:,} wanted{first}",
        "single points of failure": f"{len(summary.failures)}{failures}",
        "the team's own work": f"{summary.hours:g} hours a month",
        "conflicts": str(summary.conflicts),
        "warnings": str(summary.warnings),
        "faults": str(summary.faults),
    }


def summary_line(summary: Summary) -> str:
    """Return the summary as one line."""
    parts = "; ".join(f"{name}: {words}" for name, words in summary_words(summary).items())
    return f"{summary.name} ({summary.environment}). {parts}."


def moved_line(design: Design) -> str:
    """Return what the last change moved, as one line."""
    if design.before is None:
        return "Saved."
    moved = design.summary.changed_from(design.before)
    old, new = _parts(design.before), _parts(design.summary)
    changed = [f"{name}: {old[name]}, now {new[name]}" for name in old if old[name] != new[name]]
    if "failures" in moved:
        changed.append("single points of failure: " + ", ".join(_failures(design.before, design.summary)))
    return f"Saved. {'; '.join(changed) or 'Nothing else moves'}."


def _parts(summary: Summary) -> dict[str, str]:
    """Return what can move, each as short as can be."""
    words = summary_words(summary)
    kept = ("cost", "memory", "the team's own work", "conflicts", "warnings", "faults")
    return {
        **{name: words[name] for name in kept},
        "carries": f"{summary.carries:,} requests a minute",
        "wanted": f"{summary.wanted:,} requests a minute",
        "what gives first": summary.gives_first or "nothing",
    }


def _failures(before: Summary, after: Summary) -> Iterator[str]:
    yield from (f"no longer {name}" for name in before.failures if name not in after.failures)
    yield from (f"now {name}" for name in after.failures if name not in before.failures)


def found_lines(design: Design) -> Iterator[str]:
    """Yield what a look at the project gave."""
    project = design.project
    yield f"{project.name}, {project_kind(project)}"
    yield from (f"  {name}: {value}" for name, value in found_rows(project).items())
    yield from (f"  {finding}" for finding in project.findings)
    if design.scanned.problem:
        yield f"  The project cannot be read: {design.scanned.problem.message}. {design.scanned.problem.hint}"


def file_line(design: Design) -> str:
    """Return where the answers are kept."""
    if design.new:
        return f"The answers will be kept in {design.path}; each has a recommended value already."
    return f"The answers are kept in {design.path}, for {design.summary.name} ({design.summary.environment})."
