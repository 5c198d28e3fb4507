"""The walk: which steps there are and how each of them stands. Made from the catalog; no widget here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from stackwise.advice.offers import KEYS
from stackwise.answers.write import OF_A_FOUND_SERVER
from stackwise.errors import Fault

if TYPE_CHECKING:
    from stackwise.advice import Advice
    from stackwise.catalog import Catalog
    from stackwise.catalog.model import Category
    from stackwise.walk.design import Design
    from stackwise.walk.progress import RunProgress

Kind = Literal["form", "layer", "hosting", "server", "review", "run", "report"]
Standing = Literal["done", "open", "running", "conflict"]


@dataclass(frozen=True, slots=True)
class Step:
    """One screen of the walk: a form of questions, one layer's decision, a table, or one of the three at the end."""

    id: str
    title: str
    group: str
    kind: Kind
    keys: tuple[str, ...] = ()
    category: str = ""


GROUPS = ("Project", "Needs", "Hosting", "Stack", "Server", "Operations", "Review", "Run", "Report")
# Each form of the walk, with the beginnings of the keys that it asks for.
_FORMS = {
    "project": ("Project", "Project", ("name", "environment", "project.")),
    "needs": ("Needs", "Needs", ("needs.",)),
    "team": ("Team", "Needs", ("team.",)),
    "login": (
        "Keys and sharing",
        "Server",
        ("access.admin_user", "access.ssh_key", "hosting.sites", "hosting.share", *OF_A_FOUND_SERVER),
    ),
    "address": ("Address", "Operations", ("access.domain",)),
}


def steps_of(catalog: Catalog) -> tuple[Step, ...]:
    """Return every step of the walk."""
    steps = [
        *_forms(catalog, "Project"),
        *_forms(catalog, "Needs"),
        Step("hosting", "Hosting", "Hosting", "hosting", ("hosting.kind",), "hosting-kind"),
        *(_layer(category, "Stack") for category in catalog.layers if category.answer.startswith("stack.")),
        Step("server", "Server", "Server", "server", KEYS, "provider"),
        *_forms(catalog, "Server"),
        *_forms(catalog, "Operations"),
        *(_layer(category, "Operations") for category in catalog.layers if category.answer.startswith("access.")),
        Step("review", "Review", "Review", "review"),
        Step("run", "Run", "Run", "run"),
        Step("report", "Report", "Report", "report"),
    ]
    return tuple(steps)


def _forms(catalog: Catalog, group: str) -> Iterator[Step]:
    for name, (title, its_group, starts) in _FORMS.items():
        if its_group == group:
            yield Step(name, title, group, "form", tuple(key for key in catalog.questions if key.startswith(starts)))


def _layer(category: Category, group: str) -> Step:
    return Step(f"layer-{category.id}", category.name, group, "layer", (category.answer,), category.id)


def standing(step: Step, design: Design, run: RunProgress | None = None) -> Standing:
    """Return how a step stands: in conflict, looked at, or still open. A run is done when it ended well."""
    if step.kind in ("run", "report"):
        return _of_run(run)
    if in_conflict(step, design):
        return "conflict"
    if step.id in design.visited or (design.as_opened and step.keys):
        return "done"
    return "open"


def _of_run(run: RunProgress | None) -> Standing:
    if run is None:
        return "open"
    if run.running:
        return "running"
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


def step_for(piece: Advice | Fault, steps: Iterable[Step], design: Design) -> Step | None:
    """Return the step where a fault or a piece of advice can be settled; None where no step asks for it."""
    for step in steps:
        if isinstance(piece, Fault):
            if piece in design.faults_of(step.keys):
                return step
        elif concerns(piece, step, design):
            return step
    return None


def _numbered(advice: str, component: str) -> bool:
    return advice.startswith(f"{component}-") and advice.removeprefix(f"{component}-").isdecimal()
