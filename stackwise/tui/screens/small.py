"""What is shown where the terminal is too small for the walk, instead of half a screen."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.events import Resize
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.widgets import Static

LEAST = Size(70, 20)


def fits(size: Size) -> bool:
    """Whether the walk can be shown in a terminal of this size."""
    return size.width >= LEAST.width and size.height >= LEAST.height


class TooSmall(ModalScreen[None]):
    """Says how large the terminal is and how large it has to be. It goes away by itself."""

    HELP = "Make the terminal larger, or quit with `ctrl+q`. Nothing is lost."
    CSS_PATH = "small.tcss"

    def compose(self) -> ComposeResult:
        """Make the words."""
        yield Static(self._words(self.app.size), markup=False)

    def on_resize(self, event: Resize) -> None:
        """Say the size as it is now."""
        self.query_one(Static).update(self._words(event.size))

    def on_screen_resume(self) -> None:
        """Go away where the terminal was made larger while something else lay on top of this."""
        if self.is_current and fits(self.app.size):
            self.app.pop_screen()

    @staticmethod
    def _words(size: Size) -> str:
        return (
            f"This terminal is {size.width}x{size.height}.\n"
            f"The walk needs {LEAST.width}x{LEAST.height}.\n"
            "Make it larger; nothing is lost.\nctrl+q quits."
        )
