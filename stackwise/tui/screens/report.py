"""What stands now: the address, the proof of each check, the times, and what to type next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from stackwise.events import CheckStatus
from stackwise.tui.messages import Reported
from stackwise.tui.screens.run import duration
from stackwise.tui.screens.step import KEYS_HELP, StepScreen
from stackwise.walk.design import DEFAULT_FILE
from stackwise.walk.progress import RunProgress, last_run
from stackwise.walk.questions import price

if TYPE_CHECKING:
    from stackwise.walk.design import Design

Part = str | tuple[str, str]
_CHECKS = {"ok": ("✓", "$text-success"), "fault": ("✗", "bold $text-error"), "not-applicable": ("-", "dim")}
_COUNTED: dict[CheckStatus, str] = {"ok": "ok", "fault": "found a fault", "not-applicable": "make no sense here"}
_NEXT = {
    "open it": "open",
    "a first user": "manage -- createsuperuser",
    "what exists": "status",
    "prove it again": "verify",
    "the record": "runs show {number}",
    "remove it all": "destroy",
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
    """Yield the report in parts."""
    if progress is None:
        yield "Nothing was made yet. "
        yield "The run is one step back: escape", "dim"
        return
    if progress.running:
        yield "The run is still going on: escape shows it."
        return
    yield from _ending(progress, design)
    took = [f"{row.name} {duration(row.seconds)}" for row in progress.phases if row.seconds is not None]
    yield ", ".join(took) + (f"; {duration(progress.seconds)} in all" if progress.seconds is not None else "")
    yield "\n"
    yield from _next(progress, design)
    yield from _checks(progress)


def _checks(progress: RunProgress) -> Iterator[Part]:
    if progress.checks:
        counted = Counter(check.status for check in progress.checks)
        yield "\nChecks  ", "bold"
        yield ", ".join(f"{counted[status]} {words}" for status, words in _COUNTED.items() if counted[status])
    for check in progress.checks:
        mark, style = _CHECKS[check.status]
        yield f"\n{mark} ", style
        yield check.name
        yield f"  {check.saw}", "dim"
        if check.hint:
            yield f"\n    {check.hint}"


def _ending(progress: RunProgress, design: Design) -> Iterator[Part]:
    summary = design.summary
    if progress.failure is not None:
        yield ("■ " if progress.failure.stopped else "✗ "), "bold $text-error"
        yield f"{progress.failure.message}\n", "bold"
        yield f"{progress.failure.hint}\n"
    elif progress.command == "destroy":
        yield f"Everything of {summary.name} ({summary.environment}) was removed.\n"
    elif progress.finished is not None:
        yield f"{progress.finished.url}\n", "bold $text-success"
        domain = design.choices["access.domain"]
        for server in progress.servers[:1]:
            yield f"as {domain} on your own machine, add to /etc/hosts: {server.address} {domain}\n", "dim"
    for server in progress.servers:
        yield f"server {server.server} ({server.id}) at {server.address}, {price(summary.cost, summary.currency)}\n"


def _next(progress: RunProgress, design: Design) -> Iterator[Part]:
    flag = "" if str(design.path) == DEFAULT_FILE else f" -a {design.path}"
    failed = progress.finished is None or progress.command == "destroy"
    commands = {"make it": "up", "see the record": "runs show {number}"} if failed else _NEXT
    yield "\nNext\n", "bold"
    for words, command in commands.items():
        first, _, rest = command.partition(" ")
        line = f"stackwise {first}{flag} {rest}".rstrip().format(number=progress.number)
        yield f"  {words:<16}", "dim"
        yield f"{line}\n"
