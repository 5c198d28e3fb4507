"""A question as it is asked, and what somebody types turned into its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stackwise.answers.check import why_wrong
from stackwise.catalog.model import Question

# More of them are no number that anybody means, and Python refuses to read thousands.
_MOST_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as a form shows it: the answer in the file, and what stands where the file has none."""

    key: str
    question: Question
    written: Any
    stands: Any
    origin: str
    offered: tuple[tuple[str, str], ...] = ()

    @property
    def shown(self) -> Any:
        """The value that a form begins with: what is written, right or wrong, else what stands."""
        return self.stands if self.written is None else self.written

    @property
    def closed(self) -> bool:
        """Whether only what is offered can be answered; else another value can be typed."""
        return bool(self.offered) and (self.question.type == "choice" or self.key.startswith("hosting."))

    def wrong(self, value: object) -> str | None:
        """Return what is wrong with a value, None where it is right or leaves the answer to us."""
        return None if value is None else why_wrong(self.question, value)


def value_of(question: Question, text: str) -> Any:
    """Return what somebody typed as the kind of value that the question takes; nothing typed is None."""
    text = text.strip()
    if not text:
        return None
    if question.type == "integer":
        digits = text.removeprefix("-")
        return int(text) if digits.isdecimal() and len(digits) <= _MOST_DIGITS else text
    if question.type == "list":
        return [part for part in (piece.strip() for piece in text.split(",")) if part]
    return text


def text_of(value: object) -> str:
    """Return a value as somebody would type it."""
    if value is None:
        return ""
    return ", ".join(str(part) for part in value) if isinstance(value, list | tuple) else str(value)


def price(amount: float | None, currency: str) -> str:
    """Return a price a month in words; an unknown one is said to be unknown."""
    return "price unknown" if amount is None else f"{amount:g} {currency} a month"


def count(number: int, word: str) -> str:
    """Return a number with its word: 1 fault, 2 faults."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
