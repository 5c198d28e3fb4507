"""`up` with nothing to change, beside the first one."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.machines import site, up
from tests.bench.pairs import Pair, WrongAnswerError, say, timed
from tests.e2e.conftest import Program

TIMES = 2


def measure(times: int) -> Iterator[Pair]:
    pair = Pair("second up", "up with nothing to change", "the first up", "s", 0.25)
    pair.notes.append("the whole program, from exec to exit; one second up after each first one")
    for _ in range(times or TIMES):
        with site() as program:
            pair.theirs.append(timed(lambda: up(program)))
            pair.ours.append(timed(lambda: _unchanged(program)))
        say(f"first {pair.theirs[-1]:.1f} s, second {pair.ours[-1]:.1f} s")
    yield pair


def _unchanged(program: Program) -> None:
    happened = up(program)
    changed = happened[-1]["changed"]
    if changed:
        raise WrongAnswerError(f"the second run changed {changed}")
