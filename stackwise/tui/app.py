"""The walk as an app: opens the answers, leads from step to step, saves every change. The screens do the showing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import events, on, work
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, Screen

from stackwise.tui.messages import Answered, NotOpened, Opened, Scanned, Wanted
from stackwise.tui.running import CarryOut, RunningApp, carry_out
from stackwise.tui.screens.small import TooSmall, fits
from stackwise.tui.screens.start import StartScreen

if TYPE_CHECKING:
    from stackwise.catalog.model import Category
    from stackwise.tui.state import Design
    from stackwise.tui.steps import Standing, Step


class Walk(RunningApp):
    """From a project to a running site, one decision after another."""

    TITLE = "stackwise"
    ENABLE_COMMAND_PALETTE = True
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012 - Textual reads it from the class
    VERTICAL_BREAKPOINTS = [(0, "-low"), (32, "-tall")]  # noqa: RUF012 - as above
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "help", "Help", id="walk.help", tooltip="What this screen is, and all its keys"),
        Binding("ctrl+q", "quit", "Quit", id="walk.quit", priority=True, tooltip="Quit; everything is saved"),
    ]

    def __init__(self, answers: str | None = None, carry_out: CarryOut = carry_out) -> None:
        """Walk on the file `answers`, or on the one of this folder."""
        super().__init__(carry_out)
        self.path = Path(answers or "stackwise.yml")
        self.design: Design | None = None
        self.steps: tuple[Step, ...] = ()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Put every step into the palette."""
        yield from super().get_system_commands(screen)
        for step in self.steps:
            yield SystemCommand(f"Go to {step.title}", f"The step {step.title} of the walk", partial(self.go, step.id))

    def get_default_screen(self) -> Screen[None]:
        """Begin at the start."""
        return StartScreen()

    def on_ready(self) -> None:
        """Read the answers once the first picture is drawn."""
        self.open(self.path)

    @work(thread=True, exclusive=True, exit_on_error=False, group="open")
    def open(self, path: Path) -> None:
        """Read an answers file, or make one in memory for the project in its folder."""
        try:
            # Catalog, models and the other screens are loaded here, behind the first picture.
            import stackwise.tui.screens.catalogue  # noqa: F401, PLC0415 - as above
            from stackwise.tui.state import open_design  # noqa: PLC0415 - as above

            self.post_message(Opened(open_design(path)))
        except Exception as exc:  # noqa: BLE001 - the top of a thread: Textual would print it with its variables
            self.post_message(NotOpened(exc))

    @on(Opened)
    def _opened(self, message: Opened) -> None:
        from stackwise.tui.steps import steps_of  # noqa: PLC0415 - loaded behind the first picture

        self.design, self.path = message.design, message.design.path
        self.steps = steps_of(self.design.catalog)
        cast("StartScreen", self.screen_stack[0]).show(self.design)

    @on(NotOpened)
    def _not_opened(self, message: NotOpened) -> None:
        cast("StartScreen", self.screen_stack[0]).show_error(message.error)

    def standings(self) -> dict[str, Standing]:
        """Return how every step stands."""
        from stackwise.tui.steps import standing  # noqa: PLC0415 - loaded behind the first picture

        return {step.id: standing(step, self.design) for step in self.steps} if self.design else {}

    def answer(self, key: str, value: Any) -> None:
        """Set an answer and save it."""
        self._change(lambda design: design.change(key, value))

    def choose(self, category: Category, component: str) -> None:
        """Take a component for a layer and save it."""
        self._change(lambda design: design.choose(category, component))

    def _change(self, change: Callable[[Design], None]) -> None:
        if self.design is None:
            return
        try:
            change(self.design)
        except OSError as exc:
            self.notify(f"{self.path} could not be written: {exc.strerror}", severity="error", markup=False)
        if self.design.stale:
            self._look_again(*self.design.source)
        self._show_facts()

    @work(thread=True, exclusive=True, exit_on_error=False, group="scan")
    def _look_again(self, source: str, ref: str | None) -> None:
        from stackwise.tui.state import look_at  # noqa: PLC0415 - loaded behind the first picture

        self.post_message(Scanned(look_at(source, ref, self.path.resolve().parent)))

    @on(Scanned)
    def _scanned(self, message: Scanned) -> None:
        if self.design is not None:
            self.design.take(message.scan)
            self._show_facts()

    def _show_facts(self) -> None:
        for screen in self.screen_stack:
            if hasattr(screen, "refresh_facts"):
                screen.refresh_facts()

    @on(Answered)
    def _answered(self, message: Answered) -> None:
        self.answer(message.key, message.value)

    @on(Wanted)
    def _wanted(self, message: Wanted) -> None:
        self.go(message.step)

    def go(self, step: str) -> None:
        """Go to a step, by its id; `start` is the beginning."""
        if self.design is None:
            return
        self.leave()
        while len(self.screen_stack) > (1 if step == "start" else 2):
            self.pop_screen()
        if step != "start":
            from stackwise.tui.screens.catalogue import screen_for  # noqa: PLC0415 - as above

            screen = screen_for(next(known for known in self.steps if known.id == step))
            self.switch_screen(screen) if len(self.screen_stack) > 1 else self.push_screen(screen)

    def go_by(self, step: Step, places: int) -> None:
        """Go so many places on (or back) from a step."""
        place = self.steps.index(step) + places
        if place < len(self.steps):
            self.go(self.steps[place].id if place >= 0 else "start")

    def action_goto(self) -> None:
        """Ask where to go."""
        from stackwise.tui.screens.dialogs import GoTo  # noqa: PLC0415 - not wanted before the first picture

        here = getattr(self.screen, "step", None)
        if self.design is not None and not isinstance(self.screen, ModalScreen):
            self.push_screen(GoTo(self.steps, self.standings(), here.id if here else ""), self._go_if)

    def _go_if(self, step: str | None) -> None:
        if step is not None:
            self.save_new()
            self.go(step)

    def action_help(self) -> None:
        """Show what this screen is, or hide it again."""
        shown = bool(self.screen.query("HelpPanel"))
        self.action_hide_help_panel() if shown else self.action_show_help_panel()

    async def action_quit(self) -> None:
        """Keep what was typed, and quit."""
        self.leave()
        await super().action_quit()

    def on_resize(self, event: events.Resize) -> None:
        """Say so where the terminal is too small, and only as long as it is."""
        small = isinstance(self.screen, TooSmall)
        if not fits(event.size) and not small:
            self.push_screen(TooSmall())
        elif fits(event.size) and small:
            self.pop_screen()

    def save_new(self) -> None:
        """Write an answers file that was only in memory so far."""
        if self.design is not None and self.design.new:
            self._change(lambda design: design.save())

    def leave(self) -> None:
        """Keep what was typed on the screens that are shown."""
        for screen in self.screen_stack:
            if hasattr(screen, "flush"):
                screen.flush()


def open_walk(answers: str | None) -> None:
    """Open the walk on an answers file, or on the one of this folder; return when it is quit."""
    app = Walk(answers)
    app.run()
    app.raise_crash()
