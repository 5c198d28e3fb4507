"""The arithmetic of a server: which values follow from its size, and what each part takes of its memory. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from stackwise.catalog.expression import Facts, evaluate
from stackwise.catalog.model import Component, Question

# What a bare Debian with systemd, journald, sshd and one login takes: 70 to 90 MiB on a fresh machine, by `free -m` on
# the sandbox.
BASE_MB = 90
# Beyond this part of the processor a queue grows quickly: at 0.6 a page waits on average 1.5 times as long as it takes
# (a queue with one server and random arrivals: utilisation / (1 - utilisation)).
USABLE = 0.6
# How much of a server's memory a design may plan with; the rest is for the page cache and for peaks.
HEADROOM = 0.9
# A page of a real site may cost half or twice of what the measured one does, so that a figure holds within these.
BAND = (0.5, 1.5)


@dataclass(frozen=True, slots=True)
class Value:
    """The value of a component's option, and how it came about."""

    component: str
    question: Question
    value: Any
    because: str


@dataclass(frozen=True, slots=True)
class Share:
    """What one part takes of a server's memory, in MiB."""

    component: str
    memory_mb: int


def option_key(component: str, question: str) -> str:
    """Return the name under which an option is a fact: `gunicorn.workers`."""
    return f"{component.replace('-', '_')}.{question}"


def option_values(components: Iterable[Component], answered: Mapping[str, Any], facts: Facts) -> Iterator[Value]:
    """Yield the value of every option, in the order of the components; a formula may read the options before it.

    `answered` has the answers by `<component>.<question>`, as below `options` in the answers file.
    """
    known = dict(facts)
    for component in components:
        for question in component.questions:
            value = _value(component, question, answered, known)
            known[option_key(component.id, question.id)] = value.value
            yield value


def memory_shares(components: Iterable[Component], facts: Facts) -> tuple[Share, ...]:
    """Return what each component takes on the server, the system first, those that take nothing left out."""
    shares = [Share(component.id, int(evaluate(component.memory_mb, facts))) for component in components]
    return (Share("system", BASE_MB), *(share for share in shares if share.memory_mb > 0))


def part_mb(memory_mb: int, sites: int) -> int:
    """Return what one of several sites on a server may plan with, in MiB: the system, and an equal part of the rest."""
    return BASE_MB + (memory_mb - BASE_MB) // sites


def page_ms(components: Iterable[Component], facts: Facts) -> float:
    """Return the processor time of one page from the database, in ms, over all parts of the stack.

    The figures of the parts are measured: `python -m tests.bench site`.
    """
    return sum(float(evaluate(component.cpu_ms, facts)) for component in components)


def carries(cpus: float, page: float) -> int:
    """Return how many pages a minute `cpus` cores carry: USABLE of what they do when there is nothing else to do."""
    return int(cpus * 60_000 / page * USABLE) if page else 0


def _value(component: Component, question: Question, answered: Mapping[str, Any], facts: Facts) -> Value:
    given = answered.get(f"{component.id}.{question.id}")
    if given is not None:
        return Value(component.id, question, given, "answered")
    if question.formula is None:
        return Value(component.id, question, question.default, "the default")
    return Value(
        component.id, question, _clamped(int(evaluate(question.formula, facts)), question), f"= {question.formula}"
    )


def _clamped(value: int, question: Question) -> int:
    lowest = value if question.minimum is None else max(value, question.minimum)
    return lowest if question.maximum is None else min(lowest, question.maximum)
