"""A run as it happens: the phases with their times, the current task, a log; and on failure what to do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, RichLog, Static

from stackwise.tui.screens.step import KEYS_HELP, StepScreen
from stackwise.walk.progress import Line, PhaseRow, RunProgress, Tone
from stackwise.walk.questions import price

Part = str | tuple[str, str]
_MARKS = {
    "waiting": ("·", "dim"),
    "running": ("▸", "bold $text-primary"),
    "done": ("✓", "$text-success"),
    "failed": ("✗", "bold $text-error"),
}
# Names of the sixteen colours, which every theme and every terminal has.
_TONES: dict[Tone, str] = {
    "plain": "",
    "phase": "bold",
    "good": "green",
    "changed": "yellow",
    "bad": "red",
    "dim": "dim",
}
_TICK = 0.25
_CELLS = 30
_SAID = 5
_MINUTE = 60


class RunScreen(StepScreen):
    """Begins a run, shows it, stops it, and tries again."""

    CSS_PATH = ["step.tcss", "run.tcss"]  # noqa: RUF012 - Textual reads it from the class
    AUTO_FOCUS = "Button#go"
    HELP = f"""# Run

`enter` on the button makes what the plan says. It goes on while you look at other screens. `ctrl+c` asks once, then
stops at the next safe point; the next run goes on from there. Nothing is made twice.

The same is done by `stackwise up` with this answers file.
{KEYS_HELP}"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "stop", "Stop", id="run.stop", priority=True, tooltip="Stop the run at the next safe point"),
        Binding("ctrl+n", "next", "Report", id="step.next", tooltip="Go on to the report"),
        Binding("ctrl+r", "review", "Review", show=False, id="step.review", tooltip="See the plan again"),
    ]

    def compose_step(self) -> Iterator[Widget]:
        """Make the timeline, the current task, the log and the buttons."""
        self.shown = 0
        self.logged: RunProgress | None = None
        yield Static(markup=False, id="timeline")
        yield Static(markup=False, id="now")
        with VerticalScroll(id="failure"):
            yield Static(markup=False, id="why")
        yield RichLog(id="log", max_lines=5000, markup=False, highlight=False, wrap=True, min_width=20)
        with Horizontal(id="buttons"):
            yield Button("Make it", id="go", variant="primary", compact=True)
            yield Button("Report", id="report", compact=True)

    def on_mount(self) -> None:
        """Show the run as it stands, and look again while it is going on."""
        self.timer = self.set_interval(_TICK, self.tick, pause=True)
        super().on_mount()

    def refresh_facts(self) -> None:
        """Show everything as it is now."""
        super().refresh_facts()
        self.tick()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to stop only what is running."""
        return self.walk.running if action == "stop" else super().check_action(action, parameters)

    def action_stop(self) -> None:
        """Ask once, then stop."""
        self.walk.action_help_quit()

    @on(Button.Pressed, "#go")
    def _go(self) -> None:
        self.walk.start_run(self.design.fresh_job)
        self.tick()

    @on(Button.Pressed, "#report")
    def _report(self) -> None:
        self.action_next()

    def tick(self) -> None:
        """Show what has changed. Nothing is drawn, and no timer runs, while nothing happens."""
        if not self.here:
            return
        progress = self.walk.progress
        self.timer.resume() if self.walk.running else self.timer.pause()
        self._show_log(progress)
        self.query_one("#timeline", Static).update(timeline(progress or RunProgress(), datetime.now(UTC)))
        self.query_one("#now", Static).update(self._now(progress))
        self._show_failure(progress)
        self._show_buttons(progress)
        self.refresh_bindings()

    def _show_log(self, progress: RunProgress | None) -> None:
        log = self.query_one("#log", RichLog)
        if self.logged is not progress:
            log.clear()
            self.logged, self.shown = progress, 0
        if progress is not None and self.shown < len(progress.log):
            for line in progress.log[self.shown :]:
                log.write(log_text(line))
            self.shown = len(progress.log)

    def _now(self, progress: RunProgress | None) -> Content:
        if progress is None:
            return self._before()
        if progress.failure is not None or progress.finished is not None:
            return counts(progress)
        stopping = ("stopping at the next safe point: ", "bold $text-warning") if progress.stopping else ""
        return Content.assemble(stopping, progress.now, "\n", counts(progress))

    def _before(self) -> Content:
        summary = self.design.summary
        if against := self._against():
            return Content.assemble(("✗ ", "$text-error"), against, (" See the review: ctrl+r", "dim"))
        choices = self.design.choices
        host = choices.get("hosting.share")
        what = f"One {choices['hosting.size']} server at {choices['hosting.provider']}"
        return Content.assemble(
            f"A place on the server of {host}, " if host else f"{what}, ",
            (price(summary.cost, summary.currency), "bold"),
            ". What stands already is used again.",
        )

    def _against(self) -> str:
        summary = self.design.summary
        if self.design.stale:
            return "The project is being looked at."
        if summary.faults:
            return "There are faults in the answers, and nothing can be made of them."
        return "The choices cannot work together." if summary.conflicts else ""

    def _show_failure(self, progress: RunProgress | None) -> None:
        failure = progress.failure if progress else None
        box = self.query_one("#failure")
        box.display = failure is not None
        if failure is not None:
            # The end of what a server says is what matters most; the log has more of it.
            said = "\n".join(f"| {line}" for line in failure.said.rstrip().splitlines()[-_SAID:])
            mark = ("■ ", "bold $text-warning") if failure.stopped else ("✗ ", "bold $text-error")
            self.query_one("#why", Static).update(
                Content.assemble(
                    mark,
                    (failure.message, "bold"),
                    f"\n{failure.hint}" if failure.hint else "",
                    (f"\n{said}", "dim") if said else "",
                )
            )

    def _show_buttons(self, progress: RunProgress | None) -> None:
        go, report = self.query_one("#go", Button), self.query_one("#report", Button)
        # Not disabled while it runs: it would lose the focus, and enter would lead nowhere afterwards.
        go.disabled = bool(self._against()) and not self.walk.running
        go.variant = "default" if self.walk.running else "primary"
        go.label = Content(_label(progress))
        done = progress is not None and progress.finished is not None
        leads_on = done and not report.display and go.has_focus
        report.display = done
        if leads_on:
            report.focus()


def _label(progress: RunProgress | None) -> str:
    if progress is None:
        return "Make it"
    if progress.running:
        return "Running"
    if progress.failure is not None:
        return "Go on from there" if progress.failure.stopped else "Try again"
    return "Run it again"


def timeline(progress: RunProgress, now: datetime) -> Content:
    """Return a line a phase: how it stands, how long it took."""
    return Content.assemble(*(part for row in progress.phases for part in _phase(row, now))).rstrip()


def _phase(row: PhaseRow, now: datetime) -> Iterator[Part]:
    mark, style = _MARKS[row.state]
    yield f"{mark} {row.name:<10}", style
    seconds = row.elapsed(now)
    yield f"{duration(seconds):>8}" if seconds is not None else " " * 8
    yield f"   {row.detail if row.state in ('running', 'failed') else ''}\n", "dim"


def duration(seconds: float) -> str:
    """Return a time as a reader says it."""
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    return f"{int(seconds // _MINUTE)} min {int(seconds % _MINUTE)} s"


def counts(progress: RunProgress) -> Content:
    """Return how far the tasks are, as a bar and in numbers."""
    results = progress.results
    failed = results["failed"] + results["unreachable"]
    parts: list[Part] = []
    if progress.tasks:
        filled = min(_CELLS, round(progress.task / progress.tasks * _CELLS))
        parts += [("━" * filled, "$text-primary"), ("─" * (_CELLS - filled), "dim")]
        parts.append(f" task {progress.task} of {progress.tasks}   ")
    if results:
        parts += [f"{results['ok']} ok  ", (f"{results['changed']} changed  ", "$text-warning")]
        parts.append((f"{failed} failed", "bold $text-error" if failed else ""))
    return Content.assemble(*parts)


def log_text(line: Line) -> Text:
    """Return a line of the log; what others wrote is never read as markup."""
    return Text(line.text, style=_TONES[line.tone])
