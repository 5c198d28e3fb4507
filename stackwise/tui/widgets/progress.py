"""What is known of a run, as words and marks on a screen; nothing is told by colour alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime

from textual.content import Content

from stackwise.render.report import duration
from stackwise.tui.widgets.log import RunLog
from stackwise.walk.progress import Failure, PhaseRow, RunProgress

Part = str | tuple[str, str]
_MARKS = {
    "waiting": ("·", "dim"),
    "running": ("▸", "bold $text-primary"),
    "done": ("✓", "$text-success"),
    "failed": ("✗", "bold $text-error"),
}
_CELLS = 30
_SAID = 5
_HOSTS = 3


def timeline(progress: RunProgress, now: datetime) -> Content:
    """Return a line a phase: how it stands, how long it took, and how long it usually takes."""
    rows = (part for row in progress.phases for part in _phase(row, progress.expected(row.name), now))
    return Content.assemble(*rows).rstrip()


def timeline_short(progress: RunProgress, now: datetime) -> Content:
    """Return the phases that were begun, in one line."""
    parts: list[Part] = []
    for row in progress.phases:
        seconds = row.elapsed(now)
        if seconds is not None:
            parts += [
                (f"{_MARKS[row.state][0]} ", _MARKS[row.state][1]),
                f"{row.name} ",
                (duration(seconds), "dim"),
                "  ",
            ]
    return Content.assemble(*parts).rstrip()


def _phase(row: PhaseRow, expected: float | None, now: datetime) -> Iterator[Part]:
    mark, style = _MARKS[row.state]
    yield f"{mark} {row.name:<10}", style
    seconds = row.elapsed(now)
    yield f"{duration(seconds):>11}" if seconds is not None else " " * 11
    if expected is not None:
        usual = f"of about {duration(expected)}" if row.state == "running" else f"usually {duration(expected)}"
        yield f"  {usual:<20}", "dim"
    yield f"  {row.detail if row.state in ('running', 'failed') else ''}\n", "dim"


def counts(progress: RunProgress) -> Content:
    """Return how far the tasks are, as a bar and in numbers, and what was done on each host."""
    parts: list[Part] = []
    if progress.tasks:
        filled = min(_CELLS, round(progress.task / progress.tasks * _CELLS))
        parts += [("━" * filled, "$text-primary"), ("─" * (_CELLS - filled), "dim")]
        parts.append(f" task {progress.task} of {progress.tasks}\n")
    for host, results in list(progress.hosts.items())[:_HOSTS]:
        parts += [(f"{host}  ", "bold"), *_results(results), "\n"]
    if more := len(progress.hosts) - _HOSTS:
        parts.append((f"and {more} hosts more\n", "dim") if more > 0 else "")
    return Content.assemble(*parts).rstrip()


def _results(results: Mapping[str, int]) -> Iterator[Part]:
    counted = Counter(results)
    failed = counted["failed"] + counted["unreachable"]
    yield f"{counted['ok']} ok  "
    yield f"{counted['changed']} changed  ", "$text-warning"
    yield f"{failed} failed", "bold $text-error" if failed else ""


def failure_text(failure: Failure) -> Content:
    """Return why a run ended: what failed and where, what lies behind it, what to do, and the end of what was said."""
    return Content.assemble(*_failure(failure))


def _failure(failure: Failure) -> Iterator[Part]:
    yield ("■ ", "bold $text-warning") if failure.stopped else ("✗ ", "bold $text-error")
    yield failure.message, "bold"
    place = [f"phase {failure.phase}" if failure.phase else "", failure.task, failure.host and f"on {failure.host}"]
    # What the message names already is not said twice.
    if untold := [part for part in place if part and part.removeprefix("on ") not in failure.message]:
        yield f"\n{', '.join(untold)}", "dim"
    if failure.cause:
        yield "\nLikely cause: ", "bold"
        yield failure.cause
        yield "\nWhat to do: ", "bold"
        yield failure.do
    if failure.hint:
        yield f"\n{failure.hint}"
    # The end of what a server says is what matters most; `w` shows all of it.
    for line in failure.said.rstrip().splitlines()[-_SAID:]:
        yield f"\n| {line}", "dim"


def log_state(log: RunLog) -> Content:
    """Return how the log stands, and the keys that move it."""
    parts: list[Part] = []
    if not log.lines:
        return Content("")
    if log.sought:
        place = f"{log.at + 1} of {len(log.found)}" if log.found else "nowhere"
        parts += [(f"found {place}", "bold"), ("  n, N move  ", "dim")]
    parts.append(("following  " if log.following else "paused  ", "" if log.following else "bold $text-warning"))
    parts.append((f"{len(log.lines)} lines  / finds  f {'pauses' if log.following else 'follows'}", "dim"))
    return Content.assemble(*parts)
