"""A pair: two arms, timed in turns in the same run, so that what else the machine does falls on both."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

# Tenths and hundredths are not exact as binary fractions.
_ROUNDING = 1e-9


class WrongAnswerError(Exception):
    """An arm did its work wrongly: its time is worth nothing."""


@dataclass
class Pair:
    """What was measured. `limit` is the goal for ours/theirs: at most, or at least where more is better.

    None is no goal: the pair is there to be known. `slack` is what the clock cannot tell apart, and `missing` says why
    a pair could not be measured, which then counts for nothing.
    """

    name: str
    ours_is: str
    theirs_is: str
    unit: str
    limit: float | None
    more_is_better: bool = False
    slack: float = 0.0
    missing: str = ""
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        return median(self.ours) / max(median(self.theirs), self.slack)

    @property
    def reached(self) -> bool:
        if self.limit is None:
            return True
        if self.more_is_better:
            return self.ratio >= self.limit
        return median(self.ours) <= self.limit * median(self.theirs) + self.slack + _ROUNDING

    @property
    def goal(self) -> str:
        slack = f" + {self.slack:g} {self.unit}" if self.slack else ""
        return "none" if self.limit is None else f"{'>=' if self.more_is_better else '<='} {self.limit}x{slack}"

    def document(self) -> dict[str, object]:
        if self.missing:
            return {"name": self.name, "missing": self.missing, "goal": self.goal}
        return {
            "name": self.name,
            "unit": self.unit,
            "ours": {"what": self.ours_is, "samples": self.ours, "median": median(self.ours)},
            "theirs": {"what": self.theirs_is, "samples": self.theirs, "median": median(self.theirs)},
            "ratio": round(self.ratio, 3),
            "goal": self.goal,
            "reached": self.reached,
            "notes": self.notes,
        }

    def text(self) -> str:
        if self.missing:
            return f"{self.name}: not measured: {self.missing}"
        verdict = "" if self.limit is None else ": reached" if self.reached else ": MISSED"
        lines = [f"{self.name}: {self.ratio:.2f}x, goal {self.goal}{verdict}"]
        for what, samples in ((self.ours_is, self.ours), (self.theirs_is, self.theirs)):
            shown = ", ".join(f"{sample:.4g}" for sample in samples[:8]) + (", ..." if len(samples) > 8 else "")
            lines.append(f"  {median(samples):>9.4g} {self.unit:<11} {what}  [{shown}]")
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])


def in_turns(pair: Pair, ours: Callable[[], float], theirs: Callable[[], float], times: int) -> Pair:
    """Take a sample of each arm, `times` over, and let the other one begin each time."""
    for number in range(times):
        arms = [(ours, pair.ours), (theirs, pair.theirs)]
        for arm, samples in arms if number % 2 else reversed(arms):
            samples.append(arm())
    return pair


def timed(work: Callable[[], object]) -> float:
    """Return how many seconds `work` took."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def say(words: str) -> None:
    """Tell on stderr what is going on; stdout is the result."""
    print(words, file=sys.stderr, flush=True)  # noqa: T201 - a program's progress
