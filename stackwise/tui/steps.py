"""The walk: which steps there are and how each of them stands. Made from the catalog; no widget here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from stackwise.advice import Advice
    from stackwise.catalog import Catalog
    from stackwise.tui.progress import RunProgress
    from stackwise.tui.state import Design

Kind = Literal["form", "layer", "review", "run", "report"]
Standing = Literal["done", "open", "conflict"]

# The words of the map, with the beginnings of the answers' keys that belong to them, in the order of the walk.
GROUPS = {
    "Project": ("name", "environment", "project."),
    "Needs": ("needs.", "team."),
    "Hosting": ("hosting.",),
    "Stack": ("stack.",),
    "Access": ("access.",),
    "Review": (),
    "Run": (),
    "Report": (),
}
_LAST = {"Review": "review", "Run": "run", "Report": "report"}
# Forms that share their group with layers have a name of their own.
_FORM_TITLES = {"Hosting": "Server", "Access": "Names and keys", "Needs": "Needs and team"}


@dataclass(frozen=True, slots=True)
class Step:
    """One screen of the walk: a form of questions, one layer's decision, or one of the three at the end."""

    id: str
    title: str
    group: str
    kind: Kind
    keys: tuple[str, ...] = ()
    category: str = ""


def steps_of(catalog: Catalog) -> tuple[Step, ...]:
    """Return every step of the walk."""
    return tuple(step for group in GROUPS for step in _steps(group, catalog))


def _steps(group: str, catalog: Catalog) -> Iterator[Step]:
    if group in _LAST:
        kind: Kind = _LAST[group]  # type: ignore[assignment] # the three words are three of the kinds
        yield Step(group.lower(), group, group, kind)
        return
    starts = GROUPS[group]
    keys = tuple(key for key in catalog.questions if key.startswith(starts))
    form = Step(group.lower(), _FORM_TITLES.get(group, group), group, "form", keys)
    layers = [
        Step(
            f"layer-{category.id}",
            "Kind" if category.name == group else category.name,
            group,
            "layer",
            (category.answer,),
            category.id,
        )
        for category in catalog.layers
        if category.answer.startswith(starts)
    ]
    # Where a server stands decides what is sold there; how it is reached is asked before the certificate.
    forms = [form] if keys else []
    yield from [*layers, *forms] if group == "Hosting" else [*forms, *layers]


def standing(step: Step, design: Design, run: RunProgress | None = None) -> Standing:
    """Return how a step stands: in conflict, looked at, or still open. A run is done when it ended well."""
    if step.kind in ("run", "report"):
        return _of_run(run)
    if in_conflict(step, design):
        return "conflict"
    if step.id in design.visited or (design.as_opened and step.keys and step.kind in ("form", "layer")):
        return "done"
    return "open"


def _of_run(run: RunProgress | None) -> Standing:
    if run is None or run.running:
        return "open"
    return "done" if run.failure is None else "conflict"


def in_conflict(step: Step, design: Design) -> bool:
    """Whether something stands against what was answered here."""
    if step.kind == "review":
        return bool(design.faults) or bool(design.summary.conflicts)
    if design.faults_of(step.keys):
        return True
    return any(concerns(advice, step, design) for advice in design.advice if advice.kind == "conflict")


def concerns(advice: Advice, step: Step, design: Design) -> bool:
    """Whether an answer of this step settles a piece of advice, or the advice is about what was chosen here."""
    if advice.settle.partition(":")[0] in step.keys:
        return True
    chosen = [name for key in step.keys if step.category for name in design.choices.components(key)]
    return any(advice.id == f"{name}-not-installed" or _numbered(advice.id, name) for name in chosen)


def _numbered(advice: str, component: str) -> bool:
    return advice.startswith(f"{component}-") and advice.removeprefix(f"{component}-").isdecimal()
