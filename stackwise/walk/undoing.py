"""What a step back moved, in words, and where in the walk it can be seen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from stackwise.answers.document import flatten
from stackwise.walk.questions import text_of

if TYPE_CHECKING:
    from stackwise.walk.design import Design
    from stackwise.walk.steps import Step


def says(design: Design, keys: Iterable[str]) -> str:
    """Say how things stand again, one line a key."""
    return "\n".join(_line(design, key) for key in keys)


def _line(design: Design, key: str) -> str:
    written = dict(flatten(design.document.plain())).get(key)
    if written is not None:
        return f"{key} is {text_of(written) or 'empty'} again"
    stands = text_of(design.choices.get(key))
    return f"{key} is left open again" + (f": {stands}" if stands else "")


def step_of(design: Design, steps: Iterable[Step], keys: Iterable[str]) -> Step | None:
    """Return the step that asks for the first of the keys that any step asks for."""
    known = tuple(steps)
    found = (step for key in keys for step in known if _asks(step, key, design))
    return next(found, None)


def _asks(step: Step, key: str, design: Design) -> bool:
    if key.startswith("options."):
        component = key.split(".")[1]
        return bool(step.category) and component in {o.id for o in design.catalog.options(step.category)}
    if key.startswith("accepted."):
        return step.kind == "review"
    return any(key == asked or key.startswith(f"{asked}.") for asked in step.keys)
