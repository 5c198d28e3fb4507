"""The log of a run: only the lines in sight are drawn, so that ten thousand cost a key no more than a hundred."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from stackwise.readable import INSTEAD, readable
from stackwise.walk.progress import Line, Tone

# Names of the sixteen colours, which every theme and every terminal has.
_TONES: dict[Tone, Style] = {
    "plain": Style(),
    "phase": Style(bold=True),
    "good": Style(color="green"),
    "changed": Style(color="yellow"),
    "bad": Style(color="red"),
    "dim": Style(dim=True),
}
_FOUND, _FOUND_HERE = Style(underline=True, bold=True), Style(reverse=True, bold=True)


class RunLog(ScrollView, can_focus=True):
    """Shows lines as they come, follows their end until somebody looks at something else, and finds words."""

    ALLOW_SELECT = True
    DEFAULT_CSS = """
    RunLog { background: $surface; overflow-x: auto; overflow-y: scroll; scrollbar-size: 1 1; }
    RunLog:focus { background-tint: $foreground 5%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", "Down", show=False, id="log.down", tooltip="One line down"),
        Binding("k", "scroll_up", "Up", show=False, id="log.up", tooltip="One line up"),
        Binding("g", "scroll_home", "Begin", show=False, id="log.home", tooltip="To the first line"),
        Binding("G", "scroll_end", "End", show=False, id="log.end", tooltip="To the last line, and follow"),
    ]

    class Moved(Message):
        """What is in sight is another part now, or other words are looked for."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - the base class calls it so
        """Begin with nothing to show."""
        super().__init__(id=id)
        self.lines: Sequence[Line] = ()
        self.following = True
        self.sought = ""
        self.found: list[int] = []
        self.at = -1
        self._count = 0
        self._widest = 0
        self._own = False
        # The lines as they are searched: to make them anew at each key would cost more than all the rest of it.
        self._folded: list[str] = []
        self._strips: LRUCache[int, Strip] = LRUCache(512)

    @property
    def allow_select(self) -> bool:
        """Whether the mouse selects text here: always."""
        return True

    def show(self, lines: Sequence[Line]) -> None:
        """Show `lines`, which may become more: `grow` says so."""
        self.lines, self.found, self.at = lines, [], -1
        self._count = self._widest = 0
        self._folded.clear()
        self.following = True
        self._strips.clear()
        self.grow()

    def grow(self) -> None:
        """Take in the lines that came since the last time."""
        new = range(self._count, len(self.lines))
        if not new and self._count:
            return
        self._count = len(self.lines)
        shown = [_shown(self.lines[y]) for y in new]
        self._folded += [text.casefold() for text in shown]
        self._widest = max((self._widest, *map(cell_len, shown)))
        self.found += [y for y in new if self._fits(y)]
        self.virtual_size = Size(self._widest, self._count)
        if self.following:
            self._go(self._count)
        self.refresh()

    def on_resize(self) -> None:
        """Stay at the end that is followed, however much room there is now."""
        if self.following:
            self._go(self._count)

    def follow(self, *, on: bool) -> None:
        """Follow the end, or stay where one is."""
        self.following = on
        if on:
            self._go(self._count)
        self.post_message(self.Moved())

    def find(self, words: str) -> None:
        """Look for `words`, and go to the next place that has them; nothing takes the marks away."""
        former, self.sought, self.at = self.sought, words.casefold(), -1
        # Only what had the shorter words can have the longer ones.
        among = self.found if former and former in self.sought else range(self._count)
        before, self.found = self.found, [y for y in among if self._fits(y)]
        if not before and not self.found:
            # No mark comes and none goes: a key costs no picture of the whole log.
            self.post_message(self.Moved())
            return
        self._strips.clear()
        if self.found:
            top = round(self.scroll_y)
            after = next((place for place, y in enumerate(self.found) if y >= top), len(self.found) - 1)
            self._show_found(after)
        self.refresh()
        self.post_message(self.Moved())

    def find_next(self, step: int) -> None:
        """Go to the next place that has the words, or with -1 to the one before; after the last comes the first."""
        if self.found:
            self._show_found((self.at + step) % len(self.found))

    def _show_found(self, place: int) -> None:
        self.at, self.following = place, False
        self._strips.clear()
        self._go(self.found[place] - self.size.height // 2)
        self.refresh()
        self.post_message(self.Moved())

    def _go(self, y: int) -> None:
        self._own = True
        self.scroll_to(y=max(0, min(y, self.max_scroll_y)), animate=False, immediate=True, force=True)
        self._own = False

    def _fits(self, y: int) -> bool:
        return bool(self.sought) and self.sought in self._folded[y]

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Follow the end as long as it is in sight, and no longer once somebody goes elsewhere."""
        super().watch_scroll_y(old_value, new_value)
        if not self._own and old_value != new_value:
            self.following = new_value >= self.max_scroll_y
            self.post_message(self.Moved())

    def notify_style_update(self) -> None:
        """Draw anew where the theme has changed."""
        super().notify_style_update()
        self._strips.clear()

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return what the mouse has selected."""
        return selection.extract("\n".join(map(_shown, self.lines))), "\n"

    def selection_updated(self, selection: Selection | None) -> None:  # noqa: ARG002 - as the base class calls it
        """Draw what is selected."""
        self._strips.clear()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return a line that is in sight."""
        left, top = self.scroll_offset
        width, line, base = self.size.width, top + y, self.rich_style
        if line >= self._count:
            return Strip.blank(width, base)
        return self._strip(line, base).crop_extend(left, left + width, base).apply_offsets(left, line)

    def _strip(self, y: int, base: Style) -> Strip:
        strip = self._strips.get(y)
        if strip is None:
            text = self._text(y, base)
            strip = Strip(text.render(self.app.console), cell_len(text.plain))
            self._strips[y] = strip
        return strip

    def _text(self, y: int, base: Style) -> Text:
        text = Text(_shown(self.lines[y]), no_wrap=True, end="")
        text.stylize(base + _TONES[self.lines[y].tone])
        if self._fits(y):
            here = self.at >= 0 and self.found[self.at] == y
            pattern = re.compile(re.escape(self.sought), re.IGNORECASE)
            for place in pattern.finditer(text.plain):
                text.stylize(_FOUND_HERE if here else _FOUND, *place.span())
        selection = self.text_selection
        span = selection.get_span(y) if selection is not None else None
        if span is not None:
            start, end = span
            text.stylize(
                self.screen.get_component_rich_style("screen--selection"), start, len(text) if end < 0 else end
            )
        return text


def _shown(line: Line) -> str:
    """Return the words as a terminal may have them: what others wrote moves no cursor and rings no bell."""
    # A line of the log is one line of the screen.
    return readable(line.text).expandtabs(4).replace("\n", INSTEAD)
