"""Carries a job out in a thread, which posts messages and touches no widget, and keeps what is known of the run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import App

from stackwise.tui.messages import Ended, Happened, Remarked
from stackwise.walk.progress import RunProgress

if TYPE_CHECKING:
    from stackwise.events import Event
    from stackwise.job import Job

CarryOut = Callable[["Job", Callable[[str], None], threading.Event], "Iterator[Event]"]


def carry_out(job: Job, progress: Callable[[str], None], stop: threading.Event) -> Iterator[Event]:
    """Make the site stand: the same generator of events that `stackwise up` reads."""
    # Loaded only where something is made: the cloud's library alone takes longer to load than the walk to draw.
    from stackwise.configure import AnsibleRun  # noqa: PLC0415 - as above
    from stackwise.provision.providers import open_cloud  # noqa: PLC0415 - as above
    from stackwise.run import Runner  # noqa: PLC0415 - as above

    yield from Runner(job, open_cloud(job.choices["hosting.provider"], progress), AnsibleRun(), stop).up()


class RunningApp(App[None]):
    """An app that can carry one job out at a time, whatever screen is shown meanwhile."""

    def __init__(self, carry_out: CarryOut = carry_out) -> None:
        """Carry jobs out by `carry_out`."""
        super().__init__()
        self.carry_out = carry_out
        self.progress: RunProgress | None = None
        self.stop = threading.Event()
        self.leaving = False

    @property
    def running(self) -> bool:
        """Whether a run is going on."""
        return self.progress is not None and self.progress.running

    def start_run(self, job: Callable[[], Job]) -> None:
        """Begin to make the site stand; `job` is asked for in the thread, since it reads the project."""
        if not self.running:
            self.stop = threading.Event()
            self.progress = RunProgress()
            self._run(job, self.stop)

    def stop_run(self) -> None:
        """Stop at the next point where it can go on later."""
        if self.progress is not None:
            self.progress.stopping = True
        self.stop.set()

    @work(thread=True, exclusive=True, exit_on_error=False, group="run")
    def _run(self, job: Callable[[], Job], stop: threading.Event) -> None:
        error: Exception | None = None
        try:
            for event in self.carry_out(job(), self._remark, stop):
                self.post_message(Happened(event))
        except Exception as exc:  # noqa: BLE001 - the top of a thread: Textual would print it with its variables
            error = exc
        self.post_message(Ended(error))

    def _remark(self, words: str) -> None:
        self.post_message(Remarked(words))

    @on(Happened)
    def _happened(self, message: Happened) -> None:
        if self.progress is not None:
            self.progress.take(message.event)

    @on(Remarked)
    def _remarked(self, message: Remarked) -> None:
        if self.progress is not None:
            self.progress.remark(message.words)

    @on(Ended)
    def _ended(self, message: Ended) -> None:
        if self.progress is not None and message.error is not None:
            self.progress.fail(message.error)
        self.show_facts()
        if self.leaving:
            self.exit()

    def show_facts(self) -> None:
        """Let every screen that is open show how things stand now."""
        for screen in self.screen_stack:
            if hasattr(screen, "refresh_facts"):
                screen.refresh_facts()

    def _fatal_error(self) -> None:
        # Textual would print a traceback with the variables of every frame, secrets among them. The error goes to
        # whoever opened the walk instead, who says it in words.
        self.stop.set()
        self._close_messages_no_wait()

    def raise_crash(self) -> None:
        """Raise what broke the app, if anything did."""
        if self._exception is not None:
            raise self._exception

    async def action_quit(self) -> None:
        """Quit; a run that is going on is stopped first, and waited for."""
        if not self.running:
            self.exit()
        elif not self.leaving:
            self.ask_to_stop("Stop the run and quit? It can go on later: stackwise up", leave=True)

    def action_help_quit(self) -> None:
        """Answer ctrl+c: stop the run if there is one, else say how to quit."""
        if self.running:
            self.ask_to_stop("Stop the run? It ends at the next safe point, and can go on later.", leave=False)
        else:
            self.notify("Everything is saved. Quit with ctrl+q.", markup=False)

    def ask_to_stop(self, question: str, *, leave: bool) -> None:
        """Ask once, then stop."""
        from stackwise.tui.screens.dialogs import Sure  # noqa: PLC0415 - not wanted before the first picture

        def decided(yes: bool | None) -> None:
            if yes:
                self.leaving = leave
                self.stop_run()
                if leave and not self.running:
                    self.exit()

        if not isinstance(self.screen, Sure):
            self.push_screen(Sure(question, "Stop it", "Let it go on"), decided)
