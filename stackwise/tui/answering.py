"""Opens the answers, changes and saves them, and looks at the project again where they name another one."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from textual import on, work

from stackwise.errors import StackwiseError
from stackwise.tui.aside import aside
from stackwise.tui.messages import Answered, NotOpened, Opened, Scanned
from stackwise.tui.running import RunningApp

if TYPE_CHECKING:
    from stackwise.background import Runs
    from stackwise.catalog.model import Category
    from stackwise.tui.screens.start import StartScreen
    from stackwise.walk.design import Design
    from stackwise.walk.steps import Standing, Step


class AnsweringApp(RunningApp):
    """An app that holds one set of answers, and keeps the file in step with it."""

    def __init__(self, path: Path, runs: Runs | None = None) -> None:
        """Hold the answers of the file at `path`."""
        super().__init__(runs)
        self.path = path
        self.design: Design | None = None
        self.steps: tuple[Step, ...] = ()

    def open(self, path: Path) -> None:
        """Read an answers file, or make one in memory for the project in its folder; what was open is let go first."""
        self.forget_run()
        self.path, self.design = path, None
        self._open(path)

    @work(exclusive=True, exit_on_error=False, group="open")
    async def _open(self, path: Path) -> None:
        try:
            self.post_message(Opened(await aside(lambda: _read(path))))
        except Exception as exc:  # noqa: BLE001 - the top of a thread: Textual would print it with its variables
            self.post_message(NotOpened(path, exc))

    @on(Opened)
    def _opened(self, message: Opened) -> None:
        from stackwise.walk.steps import steps_of  # noqa: PLC0415 - loaded behind the first picture

        if message.design.path != self.path:
            # Somebody has wished for another one meanwhile.
            return
        self.design = message.design
        _look_for_garbage_in_small_pieces()
        self.steps = steps_of(self.design.catalog)
        cast("StartScreen", self.screen_stack[0]).show(self.design)
        self.look_for_run()

    @on(NotOpened)
    def _not_opened(self, message: NotOpened) -> None:
        if message.path == self.path:
            cast("StartScreen", self.screen_stack[0]).show_error(message.error)

    def standings(self) -> dict[str, Standing]:
        """Return how every step stands."""
        from stackwise.walk.steps import standing  # noqa: PLC0415 - loaded behind the first picture

        return {step.id: standing(step, self.design, self.progress) for step in self.steps} if self.design else {}

    def read_again(self) -> None:
        """Show what an editor wrote meanwhile, and save what is not saved."""
        self._change(lambda design: design.catch_up())

    def answer(self, key: str, value: Any) -> None:
        """Set an answer and save it."""
        self._change(lambda design: design.change(key, value))

    def answer_all(self, values: Mapping[str, object]) -> None:
        """Set answers that belong together in one step, and save them."""
        self._change(lambda design: design.change_all(values))

    def choose(self, category: Category, component: str) -> None:
        """Take a component for a layer and save it."""
        self._change(lambda design: design.choose(category, component))

    def _change(self, change: Callable[[Design], object]) -> None:
        if self.design is None:
            return
        site = self.identity
        try:
            change(self.design)
        except OSError as exc:
            self.notify(f"{self.path} could not be written: {exc.strerror}", severity="error", markup=False)
        except StackwiseError as exc:
            self.notify(f"Not saved: {exc.message}", severity="error", markup=False)
        if self.design.stale:
            self.look_again()
        if self.identity != site:
            self.forget_run()
            self.look_for_run()
        self.show_facts()

    def look_again(self) -> None:
        """Look at the project's files again: somebody may have changed them meanwhile."""
        if self.design is not None:
            self._look_again(self.design, *self.design.source)

    @work(exclusive=True, exit_on_error=False, group="scan")
    async def _look_again(self, design: Design, source: str, ref: str | None) -> None:
        from stackwise.walk.scanning import look_at  # noqa: PLC0415 - loaded behind the first picture

        place = design.path.resolve().parent
        self.post_message(Scanned(design, await aside(lambda: look_at(source, ref, place))))

    @on(Scanned)
    def _scanned(self, message: Scanned) -> None:
        # A look that took long may be at another project than the one that is wanted now.
        if message.design is self.design and (message.scan.source, message.scan.ref) == self.design.source:
            self.design.take(message.scan)
            self.show_facts()

    @on(Answered)
    def _answered(self, message: Answered) -> None:
        self.answer(message.key, message.value)

    def save_new(self) -> None:
        """Write an answers file that was only in memory so far."""
        if self.design is not None and self.design.new:
            self._change(lambda design: design.save())


def _read(path: Path) -> Design:
    # Catalog, models and the other screens are loaded here, behind the first picture.
    import stackwise.tui.screens.catalogue  # noqa: F401, PLC0415 - as above
    from stackwise.walk.design import open_design  # noqa: PLC0415 - as above

    return open_design(path)


def _look_for_garbage_in_small_pieces() -> None:
    """Keep the collector from holding up a key: by the bench up to a tenth of a second, where it does much at once.

    Catalog and modules stay as long as the walk, and are not looked through at all.
    """
    if not gc.get_freeze_count():
        gc.freeze()
    gc.set_threshold(5_000, 20, 100)
