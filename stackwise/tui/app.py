"""The walk as an app: opens the answers, leads from step to step, saves every change. The screens do the showing."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, Screen

from stackwise.paths import DEFAULT_FILE
from stackwise.tui.messages import Wanted
from stackwise.tui.screens.small import TooSmall, fits
from stackwise.tui.screens.start import StartScreen
from stackwise.tui.taste import TastefulApp, has_colours

if TYPE_CHECKING:
    from stackwise.background import Runs
    from stackwise.walk.steps import Step

# What Textual would put into the palette, and what has a better word or a key of ours.
_OWN = {"Keys", "Quit"}
_SCREENS = Path(__file__).parent / "screens"


class Walk(TastefulApp):
    """From a project to a running site, one decision after another."""

    TITLE = "stackwise"
    # The first screen's own style sheet, since Textual reads that of a default screen from the app.
    CSS_PATH = [_SCREENS / "start.tcss", _SCREENS / "plain.tcss"]  # noqa: RUF012 - Textual reads it from the class
    # What a screen is, and its keys, come first and whole; all other keys stand below.
    CSS = "HelpPanel #widget-help { max-height: 80%; } HelpPanel { width: 45%; max-width: 72; }"
    ENABLE_COMMAND_PALETTE = True
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide"), (160, "-huge")]  # noqa: RUF012 - Textual reads it from the class
    VERTICAL_BREAKPOINTS = [(0, "-low"), (32, "-tall")]  # noqa: RUF012 - as above
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "help", "Help", id="walk.help", tooltip="What this screen is, and all its keys"),
        Binding("ctrl+q", "quit", "Quit", id="walk.quit", priority=True, tooltip="Quit; everything is saved"),
    ]

    def __init__(self, answers: str | None = None, runs: Runs | None = None) -> None:
        """Walk on the file `answers`, or on the one of this folder; `runs` begins and finds runs."""
        super().__init__(Path(answers or DEFAULT_FILE), runs)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Put every action of the screen and every step into the palette."""
        yield from (command for command in super().get_system_commands(screen) if command.title not in _OWN)
        for node, binding, enabled, tooltip in {it.binding.id: it for it in screen.active_bindings.values()}.values():
            if binding.id and enabled and binding.description:
                yield SystemCommand(binding.description, tooltip, partial(self.run_action, binding.action, node))
        yield SystemCommand("Keys", "Every key, what it does, and the id by which it can be changed", self.action_keys)
        for step in self.steps:
            yield SystemCommand(f"Go to {step.title}", f"The step {step.title} of the walk", partial(self.go, step.id))

    def get_default_screen(self) -> Screen[None]:
        """Begin at the start."""
        return StartScreen()

    def on_ready(self) -> None:
        """Read the answers once the first picture is drawn."""
        self.open(self.path)
        self.read_own_keys()

    @on(Wanted)
    def _wanted(self, message: Wanted) -> None:
        self.go(message.step)

    def go(self, step: str) -> None:
        """Go to a step, by its id; `start` is the beginning."""
        if self.design is None:
            return
        self.leave()
        self.save_new()
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

    def leave(self) -> None:
        """Keep what was typed on the screens that are shown."""
        for screen in self.screen_stack:
            if hasattr(screen, "flush"):
                screen.flush()


def make_walk(answers: str | None) -> Walk:
    """Return the walk on an answers file, or on the one of this folder, ready to run."""
    if not has_colours(os.environ.get("TERM", "")):
        os.environ["NO_COLOR"] = "1"
    return Walk(answers)
