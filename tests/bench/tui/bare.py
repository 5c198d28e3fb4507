"""A bare app of Textual: one line to read, and where `field` is said a field to type into."""

from __future__ import annotations

import sys

from textual.app import App, ComposeResult
from textual.widgets import Input, Static


class Bare(App[None]):
    def compose(self) -> ComposeResult:
        yield Static("first content")
        if "field" in sys.argv:
            yield Input(placeholder="type here")


if __name__ == "__main__":
    Bare().run()
