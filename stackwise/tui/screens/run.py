"""A run as it happens: the phases with their times, the current task, a log; and on failure what to do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from stackwise.advice.facts import FOUND
from stackwise.errors import StackwiseError
from stackwise.tui.messages import Goes
from stackwise.tui.screens.dialogs import Reading, Sure
from stackwise.tui.screens.shell import open_shell
from stackwise.tui.screens.step import KEYS_HELP, StepScreen
from stackwise.tui.widgets.log import RunLog
from stackwise.tui.widgets.progress import counts, failure_text, log_state, timeline, timeline_short
from stackwise.walk.progress import RunProgress
from stackwise.walk.questions import price

if TYPE_CHECKING:
    from stackwise.plan.model import Identity

_TICK = 0.25
_ON_FAILURE = ("shell", "words", "clean")


class Find(Input):
    """Asks for the words to look for in the log."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", show=False, id="find.close", tooltip="Look for nothing any more"),
    ]

    class Closed(Message):
        """Nothing is looked for any more."""

    def action_close(self) -> None:
        """Say that it is over."""
        self.post_message(self.Closed())


class RunScreen(StepScreen):
    """Begins a run, shows it, stops it, and tries again."""

    CSS_PATH = ["step.tcss", "run.tcss"]  # noqa: RUF012 - Textual reads it from the class
    AUTO_FOCUS = "Button#go"
    HELP = f"""# Run

`enter` on the button makes what the plan says. It goes on while you look at other screens, and when this window is
closed: `stackwise` shows it again. `ctrl+c` asks once, then stops at the next safe point; the next run goes on from
there. Nothing is made twice.

| key | does |
|---|---|
| `/`, `n`, `N` | find words in the log; the next and the one before |
| `f` | follow the log, or stay where you are |
| `t` | try again, or go on, after a failure |
| `s`, `w`, `x` | after a failure: a shell on the server, its own words, clean up |

The mouse selects text in the log, and `ctrl+c` then copies it. The same run is `stackwise up` with this answers file.
{KEYS_HELP}"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "stop", "Stop", id="run.stop", priority=True, tooltip="Stop the run at the next safe point"),
        Binding("ctrl+n", "next", "Report", id="step.next", tooltip="Go on to the report"),
        Binding("ctrl+r", "review", "Review", show=False, id="step.review", tooltip="See the plan again"),
        Binding("slash", "find", "Find", show=False, id="run.find", tooltip="Find words in the log"),
        Binding("n", "find_next(1)", "Next place", show=False, id="run.find_next", tooltip="The next place found"),
        Binding("N", "find_next(-1)", "Place before", show=False, id="run.find_before", tooltip="The place before"),
        Binding("f", "follow", "Follow", show=False, id="run.follow", tooltip="Follow the log, or stay in it"),
        Binding("t", "again", "Try again", show=False, id="run.again", tooltip="Try again, or go on from there"),
        Binding("s", "shell", "Shell", show=False, id="run.shell", tooltip="Open a shell on the server"),
        Binding("w", "words", "Words", show=False, id="run.words", tooltip="Read all that the server said"),
        Binding("x", "clean", "Clean up", show=False, id="run.clean", tooltip="Give up, and remove what was made"),
    ]

    def compose_step(self) -> Iterator[Widget]:
        """Make the timeline, the current task, the log and the buttons."""
        self.logged: RunProgress | None = None
        self.was_running = False
        self.put: dict[str, Content] = {}
        yield Static(markup=False, id="timeline")
        yield Static(markup=False, id="now")
        with VerticalScroll(id="failure", can_focus=False):
            yield Static(markup=False, id="why")
        yield RunLog(id="log")
        yield Static(markup=False, id="log-state")
        yield Find(placeholder="find in the log; enter keeps it, escape ends it", compact=True, id="find")
        with Horizontal(id="buttons"):
            yield Button("Make it", id="go", variant="primary", compact=True)
            yield Button("Report", id="report", compact=True)
            yield Button(Content("Shell (s)"), id="shell", compact=True)
            yield Button(Content("All its words (w)"), id="words", compact=True)
            yield Button(Content("Clean up (x)"), id="clean", compact=True)

    def on_mount(self) -> None:
        """Show the run as it stands, and look again while it is going on."""
        self.timer = self.set_interval(_TICK, self.tick, pause=True)
        self.query_one("#find").display = False
        super().on_mount()

    def refresh_facts(self) -> None:
        """Show everything as it is now."""
        super().refresh_facts()
        self.tick()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to stop only what is running, and what to do about a failure only after one."""
        if action == "stop":
            return self.walk.running
        if action in ("again", *_ON_FAILURE):
            return self.failed
        return super().check_action(action, parameters)

    @property
    def failed(self) -> bool:
        """Whether the last run ended early."""
        return self.walk.progress is not None and self.walk.progress.failure is not None

    def action_stop(self) -> None:
        """Copy what is selected; else ask once, then stop."""
        if text := self.get_selected_text():
            self.app.copy_to_clipboard(text)
            self.clear_selection()
        else:
            self.walk.action_help_quit()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        acts = {"go": self.action_again, "report": self.action_next}
        acts |= {"shell": self.action_shell, "words": self.action_words, "clean": self.action_clean}
        if event.button.id in acts:
            acts[event.button.id]()

    def action_again(self) -> None:
        """Begin, try again, or go on: it is the same command each time."""
        progress = self.walk.progress
        if progress and progress.failure and progress.command == "destroy":
            # Whoever stopped it may have meant it: nothing is removed unasked.
            self.action_clean()
        else:
            self.walk.start_run()

    def action_shell(self) -> None:
        """Open a shell on the server, and come back when it is closed."""
        open_shell(self.walk, self.walk.runs.shell(self.walk.path))

    def action_words(self) -> None:
        """Show all that the server said."""
        if self.walk.progress is not None and (failure := self.walk.progress.failure) is not None:
            words = failure.said or "Nothing was said beside what stands here already."
            self.app.push_screen(Reading(failure.message, words.splitlines()))

    def action_clean(self) -> None:
        """Ask whether everything shall be removed that was made, and say what that is."""
        if (identity := self.walk.identity) is not None and not self.walk.running:
            self.notify("Looking at what exists ...", timeout=2, markup=False)
            self._look_what_goes(identity)

    @work(thread=True, exclusive=True, exit_on_error=False, group="goes")
    def _look_what_goes(self, identity: Identity) -> None:
        from stackwise.operate.removal import what_goes  # noqa: PLC0415 - only who gives up waits for it

        try:
            self.post_message(Goes(what_goes(identity)))
        except StackwiseError as exc:
            self.post_message(Goes((), exc))

    def on_goes(self, message: Goes) -> None:
        """Ask, with everything that would go."""
        if message.error is not None:
            self.notify(f"{message.error.message}; {message.error.hint}", severity="error", markup=False)
        elif not message.lines:
            self.notify("Nothing was made that could be removed.", markup=False)
        else:
            self.app.push_screen(Sure("\n".join(message.lines), "Remove it all", "Keep it"), self._remove)

    def _remove(self, yes: bool | None) -> None:
        if yes:
            self.walk.start_run("destroy")

    def action_find(self) -> None:
        """Ask for the words to look for."""
        box = self.query_one(Find)
        box.display = True
        self.query_one("#log-state").display = False
        box.focus()

    def action_find_next(self, step: int) -> None:
        """Go to another place that has the words."""
        self.query_one(RunLog).find_next(step)

    def action_follow(self) -> None:
        """Follow the log, or stay."""
        log = self.query_one(RunLog)
        log.follow(on=not log.following)

    @on(Input.Changed, "#find")
    def _sought(self, event: Input.Changed) -> None:
        self.query_one(RunLog).find(event.value)

    @on(Input.Submitted, "#find")
    def _kept(self) -> None:
        self._close_find()

    @on(Find.Closed)
    def _find_closed(self) -> None:
        self.query_one(Find).value = ""
        self._close_find()

    def _close_find(self) -> None:
        self.query_one("#log-state").display = True
        self.query_one(RunLog).focus()
        self.query_one(Find).display = False

    @on(RunLog.Moved)
    def _moved(self) -> None:
        self._put("#log-state", log_state(self.query_one(RunLog)))

    def _put(self, selector: str, words: Content, *, wraps: bool = False) -> None:
        """Show words where they are others than those shown; only another number of lines moves what is below."""
        before, box = self.put.get(selector), self.query_one(selector, Static)
        if before is None or before != words:
            self.put[selector] = words
            width = box.size.width if wraps else 0
            moves = before is None or _rows(before, width) != _rows(words, width)
            box.update(words, layout=moves)

    def tick(self) -> None:
        """Show what has changed. Nothing is drawn, and no timer runs, while nothing happens."""
        if not self.here:
            return
        progress, running = self.walk.progress, self.walk.running
        self.timer.resume() if running else self.timer.pause()
        self._show_log(progress)
        self._show_timeline(progress)
        self._put("#now", self._now(progress), wraps=True)
        if running != self.was_running or not running:
            self.was_running = running
            self._show_failure(progress)
            self._show_buttons(progress)
            self.refresh_bindings()

    def _show_log(self, progress: RunProgress | None) -> None:
        log = self.query_one(RunLog)
        if self.logged is not progress:
            self.logged = progress
            log.show(progress.log if progress else ())
        log.grow()
        self._moved()

    def _show_timeline(self, progress: RunProgress | None) -> None:
        shown, now = progress or RunProgress(learnt=self.walk.learnt), datetime.now(UTC)
        # Where there is no room, what went wrong needs it more than what went well.
        short = shown.failure is not None and self.has_class("-low")
        self._put("#timeline", timeline_short(shown, now) if short else timeline(shown, now))

    def _now(self, progress: RunProgress | None) -> Content:
        if progress is None:
            return self._before()
        if not progress.running:
            return counts(progress)
        stopping = ("stopping at the next safe point: ", "bold $text-warning") if progress.stopping else ""
        return Content.assemble(stopping, progress.now or "it begins", "\n", counts(progress))

    def _before(self) -> Content:
        summary = self.design.summary
        if against := self._against():
            return Content.assemble(("✗ ", "$text-error"), against, (" See the review: ctrl+r", "dim"))
        choices = self.design.choices
        host = choices.get("hosting.share")
        what = f"One {choices['hosting.size']} server at {choices['hosting.provider']}"
        if choices["hosting.provider"] == FOUND:
            what = f"Your server at {choices.get('hosting.address', 'an address that is not said yet')}"
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
        self.query_one("#failure").display = failure is not None
        if failure is not None:
            self.query_one("#why", Static).update(failure_text(failure))

    def _show_buttons(self, progress: RunProgress | None) -> None:
        go, report = self.query_one("#go", Button), self.query_one("#report", Button)
        # Not disabled while it runs: it would lose the focus, and enter would lead nowhere afterwards.
        go.disabled = bool(self._against()) and not self.walk.running
        go.variant = "default" if self.walk.running else "primary"
        go.label = Content(_label(progress))
        for name in _ON_FAILURE:
            self.query_one(f"#{name}").display = self.failed
        done = progress is not None and progress.finished is not None
        leads_on = done and not report.display and go.has_focus
        report.display = done
        if leads_on:
            report.focus()


def _rows(words: Content, width: int) -> int:
    """Return how many rows words take, at a width at which long lines are wrapped; 0 is at none."""
    lines = words.plain.split("\n") if words else []
    return sum(len(line) // width + 1 if width else 1 for line in lines)


def _label(progress: RunProgress | None) -> str:
    if progress is None or (progress.finished and progress.command == "destroy"):
        return "Make it"
    if progress.running:
        return "Running"
    if progress.failure is not None:
        return "Go on from there (t)" if progress.failure.stopped else "Try again (t)"
    return "Run it again"
