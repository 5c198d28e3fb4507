"""Components beside each other: the same words of praise and cost, row by row. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from stackwise.catalog import Catalog
from stackwise.catalog.model import COMES_BY, Component

# More do not fit beside each other, and nobody weighs more at once.
MOST_COMPARED = 4
_LABEL = 20


def comparison_document(components: Sequence[Component], catalog: Catalog) -> dict[str, Any]:
    """Return a comparison as JSON-like data: each word of the vocabulary that one of them has, with who has it."""
    words = [word for word in catalog.tradeoffs if any(word in (*c.good_at, *c.costs) for c in components)]
    return {
        "components": [component.id for component in components],
        "tradeoffs": [
            {
                "word": word,
                "side": catalog.tradeoffs[word].side,
                "says": catalog.tradeoffs[word].says,
                "of": [component.id for component in components if word in (*component.good_at, *component.costs)],
            }
            for word in words
        ],
        "facts": {component.id: dict(_facts(component, catalog)) for component in components},
    }


def comparison_lines(components: Sequence[Component], catalog: Catalog, width: int) -> Iterator[str]:
    """Yield a comparison as text of `width` columns; the first line has the names."""
    column = max(14, (width - _LABEL) // len(components))
    yield " " * _LABEL + "".join(f"{component.name[: column - 2]:<{column}}" for component in components).rstrip()
    for word, tradeoff in catalog.tradeoffs.items():
        sign = "+" if tradeoff.side == "good_at" else "−"  # noqa: RUF001 - a minus is what it is
        if any(word in (*c.good_at, *c.costs) for c in components):
            marks = [sign if word in (*component.good_at, *component.costs) else "·" for component in components]
            yield f"{word:<{_LABEL}}" + "".join(f"{mark:<{column}}" for mark in marks).rstrip()
    facts = [dict(_facts(component, catalog)) for component in components]
    for name in dict.fromkeys(name for fact in facts for name in fact):
        yield ""
        yield from _row(name, [fact.get(name, "unknown") for fact in facts], column)
    yield ""
    yield "+ good at  − costs  · neither said"  # noqa: RUF001 - as above


def _row(name: str, texts: Sequence[str], column: int) -> Iterator[str]:
    cells = [textwrap.wrap(text, column - 2) or [""] for text in texts]
    for number in range(max(len(cell) for cell in cells)):
        row = "".join(f"{cell[number] if number < len(cell) else '':<{column}}" for cell in cells)
        yield f"{name if number == 0 else '':<{_LABEL}}{row}".rstrip()


def _facts(component: Component, catalog: Catalog) -> Iterator[tuple[str, str]]:
    yield "state", component.state.state
    yield "licence", component.licence
    yield "comes by", COMES_BY[component.comes_by]
    for system in catalog.components.of("os"):
        version = system.system.versions.get(component.id) if system.system else None
        if version:
            yield system.id, version
    yield "choose it when", component.choose_when
    yield "leave it when", component.leave_when
