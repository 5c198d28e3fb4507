"""What can be taken out of a walk and written: the answers, the rendered project, the plan for the team."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from stackwise.answers.document import Document, write_whole
from stackwise.errors import StackwiseError, UsageError
from stackwise.job import Job

SUFFIXES = (".md", ".svg")
# As wide as a page that is read beside something else.
_WIDTH = 110


@dataclass(frozen=True, slots=True)
class Export:
    """Something that can be written: its name, what it is, and where it goes if nobody says otherwise."""

    id: str
    title: str
    usual: str


EXPORTS = (
    Export("markdown", "Plan for the team, as Markdown", "plan.md"),
    Export("svg", "Plan for the team, as a picture (SVG)", "plan.svg"),
    Export("answers", "Answers file", "{name}-answers.yml"),
    # Beside the project and not in it: what is in it is deployed with it.
    Export("project", "Ansible project, which runs without stackwise", "../{name}-ansible"),
)


def usual_place(export: Export, folder: Path, name: str) -> Path:
    """Return where an export goes if nobody says otherwise."""
    return Path(os.path.normpath(folder / export.usual.format(name=name)))


def is_taken(export: Export, target: Path) -> bool:
    """Whether something stands there already that writing would replace."""
    return target.is_dir() and any(target.iterdir()) if export.id == "project" else target.exists()


def write_export(export: Export, document: Document, job: Callable[[], Job], target: Path) -> str:
    """Write an export to `target`, and return what was written in words.

    Raises UsageError where that cannot be, and as the plan does: AnswersError, ImpossibleError, ProjectError.
    """
    hint = f"type another place, for example {Path.home() / target.name}"
    if export.id != "project" and target.is_dir():
        raise UsageError(f"{target} is a folder", hint=f"type a file in it: {target / Path(export.usual).name}")
    try:
        if export.id == "project":
            return _write_project(job(), target)
        text = document.text() if export.id == "answers" else team_page(job(), Path(export.usual).suffix)
        write_text(target, text)
    except OSError as exc:
        raise UsageError(f"{target} cannot be written: {exc.strerror}", hint=hint) from exc
    return f"wrote {target}"


def _write_project(job: Job, target: Path) -> str:
    from stackwise.render import write_project  # noqa: PLC0415 - only who writes it waits for it

    files: Mapping[str, bytes] = job.rendered()
    write_project(files, target)
    return f"wrote {len(files)} files to {target}; begin with README.md"


def write_text(target: Path, text: str) -> None:
    """Replace `target` in one step; folders on the way are made. Raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    write_whole(target, text)


def team_page(job: Job, suffix: str) -> str:
    """Return the plan for the team as `.md` or `.svg`. Raises UsageError for another suffix, and as the plan does."""
    if suffix not in SUFFIXES:
        raise UsageError(
            f"the plan is written as {' or '.join(SUFFIXES)}, not as {suffix or 'a file without a suffix'}",
            hint="say which one by the name: stackwise plan -o plan.md",
        )
    text = team_plan(job)
    return text if suffix == ".md" else _picture(text, str(job.identity))


def team_plan(job: Job) -> str:
    """Return the plan for the team, in Markdown. Raises ImpossibleError, UsageError."""
    from stackwise.advice.report import report  # noqa: PLC0415 - only who asks for it waits for it
    from stackwise.render import file_names  # noqa: PLC0415 - as above
    from stackwise.render.advice_text import report_document  # noqa: PLC0415 - as above
    from stackwise.render.documents import plan_document  # noqa: PLC0415 - as above
    from stackwise.render.plan_markdown import plan_markdown  # noqa: PLC0415 - as above

    plan = job.outline()
    found = report(job.choices, job.project, job.catalog)
    document = plan_document(plan, file_names(plan))
    return plan_markdown(document, report_document(found), str(found.facts["budget.currency"]))


def _picture(text: str, title: str) -> str:
    from rich.console import Console  # noqa: PLC0415 - only a picture needs it
    from rich.markdown import Markdown  # noqa: PLC0415 - as above

    console = Console(record=True, file=io.StringIO(), width=_WIDTH, force_terminal=True, color_system="truecolor")
    console.print(Markdown(text, hyperlinks=False))
    svg = console.export_svg(title=f"stackwise: {title}", unique_id="plan")
    return without_foreign_fonts(svg)


def without_foreign_fonts(svg: str) -> str:
    """Return a picture that asks no other host for its letters."""
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL).replace("Fira Code,", "")


def in_words(error: Exception) -> str:
    """Return why nothing was written, and what to type."""
    if isinstance(error, StackwiseError):
        return f"{error.message}\n{error.hint}".rstrip()
    return f"something went wrong that should not: {type(error).__name__}; see more with: stackwise --debug plan"
