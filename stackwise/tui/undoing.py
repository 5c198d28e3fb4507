"""Takes changes back and makes them again, and shows what moved where it moved."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Input

from stackwise.errors import StackwiseError
from stackwise.tui.recalling import RecallingApp

if TYPE_CHECKING:
    from stackwise.walk.design import Design


class UndoingApp(RecallingApp):
    """An app whose every change can be taken back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+z", "undo", "Undo", show=False, id="walk.undo", tooltip="Take the last change back"),
        Binding("ctrl+y,ctrl+shift+z", "redo", "Redo", show=False, id="walk.redo", tooltip="Make it again after all"),
    ]

    def action_undo(self) -> None:
        """Take back what is being typed, else the last change."""
        if not self._untyped():
            self._step_back(lambda design: design.undo(), "Nothing to take back.")

    def action_redo(self) -> None:
        """Make the change again that was taken back last."""
        self._step_back(lambda design: design.redo(), "Nothing to make again.")

    def _untyped(self) -> bool:
        """Put a field back to what stood there, if something else was typed and not handed over yet."""
        box = self.focused
        if not isinstance(box, Input):
            return False
        stood = self._stood(box)
        if box.value == stood:
            return False
        box.value = stood
        return True

    def _stood(self, box: Input) -> str:
        """Return what stands in the answers where a field asks for one; other fields began empty."""
        from stackwise.tui.widgets.form import Field  # noqa: PLC0415 - not wanted before the first picture
        from stackwise.walk.questions import text_of  # noqa: PLC0415 - as above

        field = next((node for node in box.ancestors if isinstance(node, Field)), None)
        if field is None or self.design is None:
            return ""
        asked = self.design.asked(field.asked.key)
        if field.other and asked.shown in {value for value, _ in asked.offered}:
            return ""
        return text_of(asked.written if asked.key.startswith("options.") else asked.shown)

    def _step_back(self, step: Callable[[Design], tuple[str, ...]], nothing: str) -> None:
        # A box over a step asks about one thing; what is behind it does not move meanwhile.
        if self.design is None or isinstance(self.screen, ModalScreen):
            return
        site = self.identity
        try:
            keys = step(self.design)
        except OSError as exc:
            self.notify(f"{self.path} could not be written: {exc.strerror}", severity="error", markup=False)
        except StackwiseError as exc:
            self.notify(f"Not taken back: {exc.message}", severity="error", markup=False)
        else:
            if self.identity != site:
                self.forget_run()
                self.look_for_run()
            self._show_moved(self.design, keys, nothing)

    def _show_moved(self, design: Design, keys: tuple[str, ...], nothing: str) -> None:
        from stackwise.tui.widgets.form import show_question  # noqa: PLC0415 - as above
        from stackwise.walk.undoing import says, step_of  # noqa: PLC0415 - as above

        self.notify(says(design, keys) or nothing, markup=False)
        if not keys:
            return
        if design.stale:
            self.look_again()
        if step := step_of(design, self.steps, keys):
            self.go(step.id)
            self.call_after_refresh(show_question, self.screen, keys)
        else:
            self.show_facts()

    def go(self, step: str) -> None:
        """Go to a step, by its id, and show it as it stands now."""
        raise NotImplementedError
