"""A step with questions in plain words."""

from __future__ import annotations

from collections.abc import Iterator

from textual.widget import Widget
from textual.widgets import Static

from stackwise.tui.screens.step import KEYS_HELP, StepScreen
from stackwise.tui.widgets.form import Form


class FormScreen(StepScreen):
    """Several questions; each answer is saved as soon as its field is left."""

    CSS_PATH = ["step.tcss", "form.tcss"]  # noqa: RUF012 - Textual reads it from the class
    HELP = f"""# Questions

Answer what you know. Below each question stands why it is asked; where an answer cannot be right, that is said there
and nothing is saved. An emptied field leaves the answer to the scan, or to the usual value.
{KEYS_HELP}"""

    def compose_step(self) -> Iterator[Widget]:
        """Make the form, and below the first one what the scan found."""
        yield Form([self.design.asked(key) for key in self.step.keys], self.action_next)
        if "project.source" in self.step.keys:
            yield Static(self._findings(), markup=False, id="findings")

    def refresh_facts(self) -> None:
        """Show what the scan found as well."""
        super().refresh_facts()
        for findings in self.query("#findings").results(Static):
            findings.update(self._findings())

    def flush(self) -> None:
        """Hand over what was typed."""
        for key, value in self.query_one(Form).pending():
            self.walk.answer(key, value)

    def _findings(self) -> str:
        scanned = self.design.scanned
        if self.design.stale:
            return "reading the project ..."
        if scanned.problem is not None:
            return f"✗ {scanned.problem.message}\n  {scanned.problem.hint}"
        return "\n".join(f"- {finding}" for finding in self.design.project.findings)
