"""The look and the keys that somebody likes: theme, no colours, keys of one's own."""

from __future__ import annotations

import os
import re
from typing import Any

from textual import on, work

from stackwise import paths
from stackwise.errors import StackwiseError
from stackwise.tui.messages import KeysRead, Remarkable
from stackwise.tui.undoing import UndoingApp
from stackwise.walk.taste import keep_theme, kept_theme, keys_path, read_keys

# The theme that needs no colours to be read.
_PLAIN = "ansi-dark"
# Terminals that show no colours, by the names that terminfo gives them.
_COLOURLESS = re.compile(r"dumb|unknown|vt\d.*|.*-(m|mono|nocolor)")


def has_colours(term: str) -> bool:
    """Whether a terminal of this name can show colours; one that nobody knows is taken to."""
    return _COLOURLESS.fullmatch(term) is None


class TastefulApp(UndoingApp):
    """An app that looks as it did the last time, and takes the keys that it is told."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Begin with the theme that was kept."""
        self._plain = "NO_COLOR" in os.environ
        super().__init__(*arguments, **named)
        wanted = _PLAIN if self._plain else os.environ.get("TEXTUAL_THEME") or kept_theme()
        self._theme_kept = wanted if wanted in self.available_themes else self.theme
        self.theme = self._theme_kept
        self.own_keys: dict[str, str] = {}

    @property
    def native_ansi_color(self) -> bool:
        """Whether colours are the terminal's own.

        Without colours they are too: of others Textual makes greys, which are colours to whoever wants none.
        """
        return self._plain or super().native_ansi_color

    def watch_theme(self, theme: str) -> None:
        """Keep a theme that somebody chose."""
        if theme != self._theme_kept and not self._plain:
            self._theme_kept = theme
            self._keep(theme)

    @work(thread=True, exclusive=True, exit_on_error=False, group="taste")
    def _keep(self, theme: str) -> None:
        try:
            keep_theme(theme)
        except OSError as exc:
            words = f"The theme is not kept: {paths.config_dir()} cannot be written ({exc.strerror})"
            self.post_message(Remarkable(words))

    @work(thread=True, exclusive=True, exit_on_error=False, group="keys")
    def read_own_keys(self) -> None:
        """Read the keys of one's own, behind the first picture."""
        try:
            self.post_message(KeysRead(read_keys()))
        except (StackwiseError, OSError) as exc:
            self.post_message(Remarkable(f"Keys stay as they are. {exc}"))

    @on(KeysRead)
    def _take_keys(self, message: KeysRead) -> None:
        if not message.keys:
            return
        from stackwise.tui.keys import checked, known_keys  # noqa: PLC0415 - most people have no keys of their own

        self.own_keys, said = checked(message.keys, known_keys())
        self.set_keymap(self.own_keys)
        if said:
            self.notify("\n".join(said), title=str(keys_path()), severity="warning", timeout=20, markup=False)

    @on(Remarkable)
    def _remark_on(self, message: Remarkable) -> None:
        self.notify(message.words, severity="warning", markup=False)

    def action_keys(self) -> None:
        """Show every key, what it does and by which id it can be changed."""
        from stackwise.tui.screens.keys import KeysScreen  # noqa: PLC0415 - not wanted before the first picture

        if not isinstance(self.screen, KeysScreen):
            self.push_screen(KeysScreen(self.own_keys))
