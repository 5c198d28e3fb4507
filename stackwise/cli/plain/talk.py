"""Says lines and reads lines, on whatever two streams there are."""

from __future__ import annotations

import io
import shutil
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TextIO

import click

from stackwise.readable import readable

# So wide that whoever makes lines breaks none: that is left to the talk.
UNBROKEN = 100_000


class EndOfInputError(Exception):
    """There is nothing more to read."""


@dataclass
class Talk:
    """A talk in whole lines: what is said is never taken back, and what is read ends with a new line."""

    heard: TextIO
    said: TextIO
    width: int = 0
    """Columns to break lines at; 0 leaves each of them whole, as a script wants it."""
    echo: bool = False
    """Whether to repeat what was read, since no terminal shows it."""

    def say(self, text: str = "", indent: int = 0) -> None:
        """Say something; of what others wrote, nothing can move a cursor or colour a line."""
        for line in text.split("\n"):
            for part in self._wrapped(_readable(line), " " * indent):
                self.said.write(f"{part}\n")
        self.said.flush()

    def lines(self, lines: Iterable[str], indent: int = 0) -> None:
        """Say several lines."""
        for line in lines:
            self.say(line, indent)

    def ask(self, prompt: str) -> str:
        """Ask, and return the line that comes. Raises EndOfInputError."""
        self.said.write(f"{_readable(prompt)}> ")
        self.said.flush()
        line = self.heard.readline()
        if not line:
            raise EndOfInputError
        if self.echo:
            self.said.write(f"{_readable(line.rstrip())}\n")
        return line.strip()

    def _wrapped(self, line: str, indent: str) -> list[str]:
        if not self.width or not line.strip():
            return [f"{indent}{line}".rstrip()]
        indent += " " * (len(line) - len(line.lstrip()))
        return textwrap.wrap(
            line.lstrip(),
            self.width,
            initial_indent=indent,
            subsequent_indent=f"{indent}  ",
            break_long_words=False,
            break_on_hyphens=False,
        )


def talk_here(heard: TextIO, said: TextIO) -> Talk:
    """Return a talk on the streams of this process; signs that the terminal cannot show become question marks."""
    if isinstance(said, io.TextIOWrapper):
        said.reconfigure(errors="replace")
    if isinstance(heard, io.TextIOWrapper):
        heard.reconfigure(errors="replace")
    width = shutil.get_terminal_size().columns - 1 if said.isatty() else 0
    return Talk(heard, said, max(20, width) if width else 0, echo=not heard.isatty())


def _readable(line: str) -> str:
    return readable(click.unstyle(line)).replace("\t", " ")
