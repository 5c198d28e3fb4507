"""What stands now: the address, the proof of each check, the times, and what to type next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from stackwise.render.report import MARKS, TIMES, Report, Row, Tone
from stackwise.tui.messages import Reported
from stackwise.tui.screens.step import KEYS_HELP, StepScreen
from stackwise.walk.progress import RunProgress, last_run

if TYPE_CHECKING:
    from stackwise.walk.design import Design

Part = str | tuple[str, str]
_CHECKS = {"ok": "$text-success", "fault": "bold $text-error", "not-applicable": "dim"}
_TONES: dict[Tone, tuple[str, str]] = {
    "good": ("✓ ", "$text-success"),
    "bad": ("✗ ", "$text-error"),
    "stopped": ("■ ", "$text-warning"),
    "plain": ("", ""),
}


class ReportScreen(StepScreen):
    """The last step."""

    CSS_PATH = ["step.tcss", "report.tcss"]  # noqa: RUF012 - Textual reads it from the class
    AUTO_FOCUS = "#report"
    HELP = f"""# Report

What the last run left: of this session, or the one on record. Everything below *Next* can be typed in a shell.
{KEYS_HELP}"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+n", "next", "Next", show=False, id="step.next", tooltip="This is the last step"),
    ]

    def compose_step(self) -> Iterator[Widget]:
        """Make room for the report."""
        with VerticalScroll(id="report"):
            yield Static(markup=False, id="report-text")

    def refresh_facts(self) -> None:
        """Show the run of this session, or look for one on record."""
        super().refresh_facts()
        if self.walk.progress is not None:
            self._show(self.walk.progress)
        else:
            self._look(self.design.path.resolve().parent, self.design.summary.name, self.design.summary.environment)

    @work(thread=True, exclusive=True, exit_on_error=False, group="record")
    def _look(self, folder: Path, name: str, environment: str) -> None:
        try:
            found = last_run(folder, name, environment)
        except OSError:
            found = None
        self.post_message(Reported(found))

    def on_reported(self, message: Reported) -> None:
        """Show what is on record."""
        if self.here:
            self._show(message.progress)

    def _show(self, progress: RunProgress | None) -> None:
        self.query_one("#report-text", Static).update(Content.assemble(*report(progress, self.design)))


def report(progress: RunProgress | None, design: Design) -> Iterator[Part]:
    """Yield the report in parts; every fact of it comes from the core, which also saves it."""
    if progress is None:
        yield "Nothing was made yet. "
        yield "The run is one step back: escape", "dim"
    elif progress.running:
        yield "The run is still going on: escape shows it."
    else:
        yield from _report(progress.report(design.path))


def _report(made: Report) -> Iterator[Part]:
    mark, style = _TONES[made.tone]
    yield mark, style
    yield made.headline, f"bold {style}".rstrip()
    yield f"\n{made.title}. {made.began}\n", "dim"
    for section in made.sections:
        yield f"\n{section.title}", "bold"
        yield f"  {section.sum}\n" if section.sum else "\n"
        # The times stand in their sum already.
        for row in () if section.title == TIMES else section.rows:
            yield from _row(row, max(len(row.name) for row in section.rows))


def _row(row: Row, width: int) -> Iterator[Part]:
    if row.kind == "words":
        yield f"  {row.name}\n", "dim"
        yield from (f"  | {line}\n" for line in row.text.splitlines())
        return
    if row.status is not None:
        yield f"{MARKS[row.status]} ", _CHECKS[row.status]
        yield row.name
        yield f"  {row.text}\n", "dim"
    else:
        yield f"  {row.name:<{width}}  ", "dim"
        yield f"{row.text}\n"
    if row.more:
        yield f"    {row.more}\n"
