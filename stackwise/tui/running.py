"""Begins runs and watches them; they have processes of their own, and go on when the window is closed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import App

from stackwise.errors import StackwiseError
from stackwise.tui.messages import Ended, Happened, RunFound, Wanted

if TYPE_CHECKING:
    from stackwise.background import Following, Runs
    from stackwise.plan.model import Identity
    from stackwise.tui.screens.leaving import Way
    from stackwise.walk.design import Design
    from stackwise.walk.learning import Learnt
    from stackwise.walk.progress import RunProgress


class RunningApp(App[None]):
    """An app that can watch one run at a time, whatever screen is shown meanwhile."""

    path: Path
    design: Design | None

    def __init__(self, runs: Runs | None = None) -> None:
        """Begin and find runs by `runs`; without it each is a process of this program."""
        super().__init__()
        self._runs = runs
        self.credentials: dict[str, str] = {}
        """What was typed for a provider, by variable: in memory only, handed to a run by its environment."""
        self.progress: RunProgress | None = None
        self.learnt: Learnt | None = None
        self.leaving = False
        self._following: Following | None = None
        self._gone = threading.Event()

    @property
    def runs(self) -> Runs:
        """What begins runs and finds them."""
        from stackwise.background import BackgroundRuns  # noqa: PLC0415 - loaded behind the first picture

        self._runs = self._runs or BackgroundRuns()
        return self._runs

    @property
    def running(self) -> bool:
        """Whether a run is going on."""
        return self.progress is not None and self.progress.running

    @property
    def identity(self) -> Identity | None:
        """The site that the answers are about; None while they are not read."""
        from stackwise.plan import identity_of  # noqa: PLC0415 - loaded behind the first picture

        return identity_of(self.design.choices) if self.design else None

    def start_run(self, command: str = "up") -> None:
        """Begin a run of `up` or `destroy`."""
        if self.running or not self._file_says_what_is_shown():
            return
        identity, path, environment = self.identity, self.path, dict(self.credentials)
        if identity is not None:
            self._show_run(command, lambda: self.runs.begin(command, path, identity, environment))

    def _file_says_what_is_shown(self) -> bool:
        """Whether the run, which reads the file, will make what is shown here; else say why not."""
        if self.design is None:
            return False
        try:
            changed = self.design.catch_up()
        except OSError as exc:
            self.notify(f"{self.path} could not be written: {exc.strerror}", severity="error", markup=False)
            return False
        except StackwiseError as exc:
            self.notify(f"{exc.message}; mend the file first", severity="error", markup=False)
            return False
        if changed:
            words = "The answers file was changed meanwhile. This is what it says now."
            self.notify(words, severity="warning", markup=False)
            self.show_facts()
            self.post_message(Wanted("review"))
        return not changed

    def forget_run(self) -> None:
        """Show no run any more, since the answers are about another site now; one that goes on does so unseen."""
        if self._following is not None:
            self._following.leave()
        self.progress = self._following = self.learnt = None

    def _show_run(self, command: str, begin: Callable[[], Following]) -> None:
        from stackwise.walk.progress import RunProgress  # noqa: PLC0415 - loaded behind the first picture

        self.progress = RunProgress(command, learnt=self.learnt)
        self._following = None
        self._watch(begin, self.progress)
        self.show_facts()

    @work(thread=True, exclusive=True, exit_on_error=False, group="run")
    def _watch(self, begin: Callable[[], Following], progress: RunProgress) -> None:
        error: Exception | None = None
        try:
            following = self._following = begin()
            # Whoever left, or wished it to stop, while it began could not tell it yet.
            if self._gone.is_set():
                following.leave()
            if progress.stopping:
                following.interrupt()
            for batch in following.batches():
                self.post_message(Happened(progress, batch))
        except Exception as exc:  # noqa: BLE001 - the top of a thread: Textual would print it with its variables
            error = exc
        self.post_message(Ended(progress, error))

    def look_for_run(self) -> None:
        """Look whether a run of this site is going on, how long runs take, and how the last one ended."""
        if (identity := self.identity) is not None:
            self._look_for_run(identity, self.path.resolve().parent)

    @work(thread=True, exclusive=True, exit_on_error=False, group="look")
    def _look_for_run(self, identity: Identity, folder: Path) -> None:
        from stackwise.walk.learning import learn  # noqa: PLC0415 - loaded behind the first picture
        from stackwise.walk.progress import last_run  # noqa: PLC0415 - as above

        try:
            following = self.runs.going_on(identity, folder)
            last = last_run(folder, identity.name, identity.environment)
            self.post_message(RunFound(identity, following, learn(folder, identity), last))
        except (OSError, StackwiseError):
            # A record that cannot be read teaches nothing; whoever begins a run is told so.
            self.post_message(RunFound(identity, None, None, None))

    @on(RunFound)
    def _run_found(self, message: RunFound) -> None:
        if message.site != self.identity:
            return
        self.learnt = message.learnt
        following = message.following
        if following is not None and not self.running:
            self._show_run(following.command, lambda: following)
            self.post_message(Wanted("run"))
        elif self.progress is None and message.last is not None and message.last.failure is not None:
            # What did not come to an end is what one goes on with.
            self.progress = message.last
        self.show_facts()

    def stop_run(self) -> None:
        """Stop at the next point where it can go on later; once more stops at once."""
        if self.progress is None or not self.running:
            return
        self.progress.stopping = True
        try:
            if self._following is not None:
                self._following.interrupt()
        except StackwiseError as exc:
            self.progress.stopping = self.leaving = False
            self.notify(f"{exc.message}; {exc.hint}", severity="error", markup=False)

    @on(Happened)
    def _happened(self, message: Happened) -> None:
        if message.progress is self.progress:
            for event in message.batch:
                self.progress.take(event)

    @on(Ended)
    def _ended(self, message: Ended) -> None:
        if self._gone.is_set() or message.progress is not self.progress:
            # It is not the run that ended, but the watching: the window is being closed, or shows another site.
            return
        if message.error is not None:
            self.progress.fail(message.error)
        self.show_facts()
        if self.leaving:
            self._depart()
        else:
            self.look_for_run()

    def show_facts(self) -> None:
        """Let every screen that is open show how things stand now; none does any more while the window is closed."""
        if self.return_code is not None:
            return
        for screen in self.screen_stack:
            # One that is just being left or made has nothing to show it on; what is made shows how things stand then.
            if screen.is_mounted and hasattr(screen, "refresh_facts") and getattr(screen, "here", True):
                screen.refresh_facts()

    def on_unmount(self) -> None:
        """Watch no longer, however the window comes to be closed: its thread would keep it open else."""
        self._watch_no_more()

    def _fatal_error(self) -> None:
        # Textual would print a traceback with the variables of every frame, secrets among them. The error goes to
        # whoever opened the walk instead, who says it in words.
        self._watch_no_more()
        self._close_messages_no_wait()

    def raise_crash(self) -> None:
        """Raise what broke the app, if anything did."""
        if self._exception is not None:
            raise self._exception

    async def action_quit(self) -> None:
        """Quit; where a run is going on, ask what becomes of it."""
        from stackwise.tui.screens.leaving import Leaving  # noqa: PLC0415 - not wanted before the first picture

        if not self.running:
            self._depart()
        elif not self.leaving and not isinstance(self.screen, Leaving):
            self.push_screen(Leaving(), self._leave)

    def _leave(self, way: Way | None) -> None:
        if way == "leave" or (way == "stop" and not self.running):
            self._depart()
        elif way == "stop":
            self.leaving = True
            self.stop_run()

    def _depart(self) -> None:
        self._watch_no_more()
        self.exit()

    def _watch_no_more(self) -> None:
        self._gone.set()
        if self._following is not None:
            self._following.leave()

    def action_help_quit(self) -> None:
        """Answer ctrl+c: stop the run if there is one, else say how to quit."""
        if not self.running:
            self.notify("Everything is saved. Quit with ctrl+q.", markup=False)
        elif self.progress is not None and self.progress.stopping:
            self.ask_to_stop("It stops at the next safe point. End it at once instead?")
        else:
            self.ask_to_stop("Stop the run? It ends at the next safe point, and can go on later.")

    def ask_to_stop(self, question: str) -> None:
        """Ask once, then stop."""
        from stackwise.tui.screens.dialogs import Sure  # noqa: PLC0415 - not wanted before the first picture

        def decided(yes: bool | None) -> None:
            if yes:
                self.stop_run()

        if not isinstance(self.screen, Sure):
            self.push_screen(Sure(question, "Stop it", "Let it go on"), decided)
