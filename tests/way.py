"""The shortest way through the walk: what is recommended, from the first screen to the run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Stop:
    """A screen, by words that only it shows once it is ready for a key, and the key that goes on."""

    name: str
    words: str
    key: str
    """As tmux calls it."""
    sent: bytes
    """As a terminal sends it."""


START = Stop("the start", "Django", "C-r", b"\x12")
REVIEW = Stop("the review", "What will be made", "C-n", b"\x0e")
RUN = Stop("the run", "Make it", "Enter", b"\r")
