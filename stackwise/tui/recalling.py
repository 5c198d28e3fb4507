"""Remembers which answers files were open, and recalls them with how the last run of each ended."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual import on, work

from stackwise.tui.answering import AnsweringApp
from stackwise.tui.messages import NotOpened, Opened, Recalled, Remarkable

if TYPE_CHECKING:
    from stackwise.walk.design import Design
    from stackwise.walk.recent import Recent


class RecallingApp(AnsweringApp):
    """An app that knows what was open lately."""

    @on(Opened)
    def _recall_with(self, message: Opened) -> None:
        self.recall(message.design)

    @on(NotOpened)
    def _recall_without(self) -> None:
        self.recall(None)

    def save_new(self) -> None:
        """Write an answers file that was only in memory so far, and remember it."""
        begins = self.design is not None and self.design.new
        super().save_new()
        if begins:
            self.recall(self.design)

    @work(thread=True, exclusive=True, exit_on_error=False, group="recall")
    def recall(self, design: Design | None) -> None:
        """Remember the file that is open, if there is one on disk, and tell the screens about all of them."""
        from stackwise.walk.recent import last_run_of, recents, remember  # noqa: PLC0415 - behind the first picture

        here = None
        if design is not None:
            summary = design.summary
            if not design.new:
                try:
                    remember(design.path, summary.name, summary.environment)
                except OSError as exc:
                    words = f"The list of recent answers files was not written: {exc.strerror}"
                    self.post_message(Remarkable(words))
            here = last_run_of(design.path.resolve().parent, summary.name, summary.environment)
        self.post_message(Recalled([(recent, recent.last_run()) for recent in _others(recents(), design)], here))

    @on(Recalled)
    def _recalled(self, message: Recalled) -> None:
        from stackwise.tui.screens.start import StartScreen  # noqa: PLC0415 - the start imports the app's own modules

        for screen in self.screen_stack:
            if isinstance(screen, StartScreen):
                screen.show_recalled(message.recents, message.here)


def _others(known: tuple[Recent, ...], design: Design | None) -> tuple[Recent, ...]:
    open_now = design.path.resolve() if design else Path()
    return tuple(recent for recent in known if recent.path != open_now)
