"""A text as an editor shows it: lines with numbers, coloured by what they mean, to be read and scrolled."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import ScrollableContainer
from textual.content import Content
from textual.highlight import HighlightTheme, highlight
from textual.widgets import Static

from stackwise.readable import readable


class _Look(HighlightTheme):
    """Colours by the names that every theme gives, so that they fit light, dark and plain terminals."""

    # Kinds of words as Pygments names them, which are tuples. Textual reads it from the class.
    STYLES = {  # noqa: RUF012
        ("Comment",): "dim italic",
        ("Generic", "Heading"): "bold",
        ("Generic", "Strong"): "bold",
        ("Keyword",): "$text-accent",
        ("Literal", "Number"): "$text-warning",
        ("Literal", "String"): "$text-success",
        ("Name", "Attribute"): "$text-primary",
        ("Name", "Builtin"): "$text-accent",
        ("Name", "Class"): "bold",
        ("Name", "Decorator"): "$text-accent",
        ("Name", "Function"): "bold",
        ("Name", "Tag"): "$text-primary",
        ("Name", "Variable"): "$text-secondary",
    }


def coloured(data: bytes, path: str) -> Content:
    """Return the text of a file with its colours, by its name; of a binary one, that it is one.

    A control character in it is shown as one, and does nothing.
    """
    try:
        text = readable(data.decode("utf-8"))
    except UnicodeDecodeError:
        return Content(f"{readable(path)} is no text: {len(data):,} bytes")
    return highlight(text, path=path, theme=_Look) if text.strip() else Content("empty")


class SourceView(ScrollableContainer):
    """Lines with their numbers. Arrows, page keys, `j` and `k` scroll."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", "Down", show=False, id="source.down", tooltip="Scroll down a line"),
        Binding("k", "scroll_up", "Up", show=False, id="source.up", tooltip="Scroll up a line"),
        Binding("g", "scroll_home", "Top", show=False, id="source.top", tooltip="Scroll to the first line"),
        Binding("G", "scroll_end", "End", show=False, id="source.end", tooltip="Scroll to the last line"),
    ]
    DEFAULT_CSS = """
    SourceView {
        layout: horizontal;
        & Static { width: auto; height: auto; text-wrap: nowrap; }
        & .numbers { color: $text-muted; padding: 0 1 0 0; text-align: right; }
    }
    """

    def compose(self) -> ComposeResult:
        """Make the numbers and the text beside them."""
        yield Static(markup=False, classes="numbers")
        yield Static(markup=False, classes="text")

    def show(self, text: Content, *, again: bool = False) -> None:
        """Show a text from its first line; or where it was, where it is the same one `again`."""
        count = len(text.plain.splitlines()) or 1
        self.query_one(".numbers", Static).update("\n".join(str(number + 1) for number in range(count)))
        self.query_one(".text", Static).update(text)
        if not again:
            self.scroll_home(animate=False)
