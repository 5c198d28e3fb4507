"""The walk itself: one step after another, until it is made, refused or left."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from stackwise.cli import exit_code
from stackwise.cli.plain.forms import ask_form, ask_truth
from stackwise.cli.plain.hosting import ask_hosting
from stackwise.cli.plain.layers import ask_layer
from stackwise.cli.plain.review import review
from stackwise.cli.plain.server import ask_server
from stackwise.cli.plain.session import Back, Quit, Session, Turn
from stackwise.cli.plain.talk import Talk
from stackwise.cli.plain.words import file_line, found_lines
from stackwise.cli.work import report_lines
from stackwise.errors import InterruptedRunError, StackwiseError
from stackwise.job import Job
from stackwise.paths import answers_flag
from stackwise.walk.design import Design
from stackwise.walk.progress import last_run
from stackwise.walk.steps import Step, steps_of

Make = Callable[[Job, Talk, Path], None]


class PlainWalk:
    """A walk on one set of answers."""

    def __init__(self, design: Design, talk: Talk, make: Make) -> None:
        """Walk on `design`, and make the site by `make`."""
        self.session = Session(design, talk, steps_of(design.catalog))
        self.make = make
        self.agreed = False
        self._asks: dict[str, Callable[[Session, Step], None]] = {
            "form": ask_form,
            "hosting": ask_hosting,
            "layer": ask_layer,
            "server": ask_server,
            "review": self._review,
            "run": self._run,
            "report": self._report,
        }

    def walk(self) -> int:
        """Ask every step and return the exit code. Raises EndOfInputError, KeyboardInterrupt."""
        try:
            self._turning(self._start)
            self._keep()
            while self.session.place < len(self.session.steps):
                self._turning(self._step)
        except Quit:
            self.session.talk.say(self.kept())
        except InterruptedRunError as exc:
            self.session.failure = exc
            self._say_failure(exc)
        return self.code_at_the_end(unfinished=0)

    def code_at_the_end(self, *, unfinished: int) -> int:
        """Return the exit code: that of the run that failed last, else `unfinished`."""
        return exit_code(self.session.failure) if self.session.failure else unfinished

    def kept(self) -> str:
        """Return what is kept, and how to go on."""
        path = self.session.design.path
        if self.session.design.new:
            return "Nothing was written."
        return f"Everything is saved in {path}; go on with: stackwise{answers_flag(path)} --plain"

    def _turning(self, ask: Callable[[], None]) -> None:
        """Ask, and go where that leads: back, or to another step."""
        session = self.session
        try:
            ask()
        except Turn as turn:
            session.place = turn.place
        except Back:
            session.place = max(0, session.place - 1)

    def _step(self) -> None:
        session = self.session
        step = session.steps[session.place]
        session.design.visited.add(step.id)
        self._asks[step.kind](session, step)
        session.place += 1

    def _keep(self) -> None:
        """Write an answers file that was only in memory so far."""
        if self.session.design.new:
            self.session.change(self.session.design.save, said=lambda: "The answers file is written. ")

    def _start(self) -> None:
        design, talk = self.session.design, self.session.talk
        talk.say("stackwise, as plain questions. Enter takes what stands; h and Enter lists the commands.")
        talk.say()
        talk.lines(found_lines(design))
        talk.say(file_line(design))
        self._say_last_run()
        while self.session.ask("Enter begins; r goes to the review; q quits ", {}):
            talk.say("Possible is Enter, r, q, or another command; h lists them.")

    def _say_last_run(self) -> None:
        summary = self.session.design.summary
        with suppress(OSError):
            run = last_run(self.session.design.path.resolve().parent, summary.name, summary.environment)
            if run is not None and run.failure is not None:
                self.session.talk.say(
                    f"Run {run.number} did not end well: {run.failure.message}. It can go on: r goes to the review."
                )

    def _review(self, session: Session, step: Step) -> None:
        self.agreed = False
        review(session, step)
        self.agreed = True

    def _run(self, session: Session, step: Step) -> None:
        """Make it, as often as somebody wants to try again. Raises InterruptedRunError."""
        if not self.agreed:
            session.talk.say("Before a run stands the review.")
            session.go("review")
        self.agreed = False
        session.heading(step)
        try:
            self.make(session.design.fresh_job(), session.talk, session.design.path)
        except InterruptedRunError:
            raise
        except StackwiseError as exc:
            self._failed(exc)
        else:
            session.failure = None
            # The report has just been said.
            raise Turn(len(session.steps))

    def _failed(self, exc: StackwiseError) -> None:
        session = self.session
        session.failure = exc
        self._say_failure(exc)
        session.talk.say("It can be tried again, and goes on where it stopped. Or b goes back to the review, q quits.")
        self.agreed = ask_truth(session, "Try again? [y/N] ")
        if not self.agreed:
            raise Quit
        raise Turn(session.place)

    def _say_failure(self, exc: StackwiseError) -> None:
        talk = self.session.talk
        talk.say(f"error: {exc.message}")
        said = str(getattr(exc, "said", ""))
        talk.lines((f"| {line}" for line in said.splitlines()[-20:]), 2)
        talk.say(exc.hint, 2)

    def _report(self, session: Session, step: Step) -> None:
        session.heading(step)
        summary = session.design.summary
        path = session.design.path
        run = last_run(path.resolve().parent, summary.name, summary.environment)
        session.talk.lines(report_lines(run.seen, path) if run else ["Nothing was made yet."])
        while session.ask("Enter ends the walk ", {}):
            session.talk.say("Possible is Enter, or a command; h lists them.")
