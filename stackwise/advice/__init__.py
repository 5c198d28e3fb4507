"""What we have to say about a set of choices: recommendations, warnings and conflicts, each with its reason. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from stackwise.advice.facts import chosen, gather, is_found
from stackwise.advice.ranking import Scale, best, eligible
from stackwise.advice.versions import foresee
from stackwise.answers import Choices
from stackwise.catalog import Catalog
from stackwise.catalog.expression import Facts, evaluate
from stackwise.catalog.model import WEIGHTS, Category, Clause, Component, Source
from stackwise.errors import UsageError
from stackwise.project import Project

__all__ = ["Advice", "Option", "advise", "conflicts_of", "filled", "options_for", "why_not"]


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to be said.

    A conflict cannot work; a warning is a judgement and can be accepted with a reason; a note informs.
    """

    id: str
    kind: Literal["conflict", "warning", "note"]
    says: str
    because: str
    settle: str = ""
    accepted: str = ""
    sources: tuple[Source, ...] = ()
    topic: str = "fit"
    where: str = ""


@dataclass(frozen=True, slots=True)
class Option:
    """A component as one of the choices of its layer.

    `why_not` is the reason why it cannot be taken, empty where it can; `because` the first reason why it fits; `fit`
    how well, the higher the better, None where nothing can be weighed.
    """

    component: Component
    chosen: bool
    recommended: bool
    why_not: str
    because: str = ""
    fit: float | None = None


def advise(choices: Choices, project: Project, catalog: Catalog) -> tuple[Advice, ...]:
    """Return all advice on the choices, conflicts first.

    Raises UsageError for a provider or a size that does not exist.
    """
    facts = gather(choices, project, catalog)
    said = [
        *_component_conflicts(choices, catalog, facts),
        *_ageing(choices, catalog),
        *_rules(choices, catalog, facts),
        *_versions(choices, project, catalog, facts),
    ]
    weight = {"conflict": 0, "warning": 1, "note": 2}
    return tuple(sorted(said, key=lambda advice: (weight[advice.kind], bool(advice.accepted))))


def conflicts_of(advice: tuple[Advice, ...]) -> tuple[str, ...]:
    """Return a sentence for each conflict: what, and why."""
    return tuple(f"{a.says} {a.because}" for a in advice if a.kind == "conflict")


def options_for(category: Category, choices: Choices, project: Project, catalog: Catalog) -> tuple[Option, ...]:
    """Return the options of a layer, each with the reason why it cannot be taken beside the other choices."""
    taken = choices.components(category.answer)
    components = {component.id: component for component in catalog.options(category.id)}
    reasons = {name: why_not(c, category, choices, project, catalog) for name, c in components.items()}
    scale = _scale(choices, project, catalog)
    may = {name: eligible(c, category, reasons[name]) for name, c in components.items()}
    order = best(may, components, category, scale) if scale else []
    first = order[0] if order else category.default
    return tuple(
        Option(
            component,
            name in taken,
            name == first,
            reasons[name],
            _praise(scale, component),
            round(scale.fit(component), 1) if scale else None,
        )
        for name, component in components.items()
    )


def _scale(choices: Choices, project: Project, catalog: Catalog) -> Scale | None:
    """Return what everything weighs; None while a size is chosen that is not sold."""
    try:
        return Scale(catalog, gather(choices, project, catalog))
    except UsageError:
        return None


def _praise(scale: Scale | None, component: Component) -> str:
    """Return the rule that speaks for a component most, else when one would take it."""
    rules = (r.says for r in scale.reasons(component) if r.weight > 0 and r.rule) if scale else iter(())
    return next(rules, component.choose_when)


def why_not(component: Component, category: Category, choices: Choices, project: Project, catalog: Catalog) -> str:
    """Return the reason why a component cannot be taken beside the other choices; nothing where it can."""
    if not component.installable:
        return "stackwise does not install it."
    with_it = {**choices.values, category.answer: component.id, **_moved(component, choices)}
    try:
        facts = gather(Choices(with_it, choices.origins, choices.folder), project, catalog)
    except UsageError as exc:
        return f"{exc.message}."
    if category.id == "os" and component.id not in facts["images"]:
        return f"The provider has no image of {component.name}."
    return next((clause.because for clause in _broken(component, facts)), "")


def _moved(component: Component, choices: Choices) -> dict[str, str]:
    """Return region and size at another provider, which has others than those that are chosen now."""
    offer = component.offer
    if offer is None:
        return {}
    places, sizes = list(offer.locations), [size.id for size in offer.sizes]
    wanted = {"hosting.region": places, "hosting.size": sizes}
    return {key: sold[0] for key, sold in wanted.items() if sold and choices.get(key) not in sold}


def _broken(component: Component, facts: Facts) -> Iterator[Clause]:
    yield from (clause for clause in component.requires if not evaluate(clause.when, facts))
    yield from (clause for clause in component.conflicts if evaluate(clause.when, facts))


def _component_conflicts(choices: Choices, catalog: Catalog, facts: Mapping[str, Any]) -> Iterator[Advice]:
    for component in chosen(choices, catalog):
        if not component.installable:
            because = "There is no role for it in this version; the entry says when it would be the right choice."
            key = next(c.answer for c in catalog.layers if component.id in choices.components(c.answer))
            settle = f"{key}: {next(c.default for c in catalog.layers if c.answer == key)}"
            yield Advice(
                f"{component.id}-not-installed", "conflict", f"{component.name} cannot be installed.", because, settle
            )
        for number, clause in enumerate(_broken(component, facts), start=1):
            says = f"{component.name} cannot be used here."
            yield Advice(f"{component.id}-{number}", "conflict", says, clause.because, clause.settle)


def _ageing(choices: Choices, catalog: Catalog) -> Iterator[Advice]:
    for component in chosen(choices, catalog):
        if component.state.state == "ageing":
            because = component.state.note or component.leave_when
            if component.state.replaced_by:
                because += f" What takes its place: {component.state.replaced_by}."
            yield Advice(f"{component.id}-ageing", "note", f"{component.name} is ageing.", because)


def _rules(choices: Choices, catalog: Catalog, facts: Facts) -> Iterator[Advice]:
    accepted = choices.under("accepted")
    for rule in catalog.rules:
        if rule.kind not in WEIGHTS and evaluate(rule.when, facts):
            reason = accepted.get(rule.id, "") if rule.kind == "warning" else ""
            yield Advice(
                rule.id,
                cast('Literal["note", "warning", "conflict"]', rule.kind),
                filled(rule.says, facts),
                filled(rule.because, facts),
                # A server that is there already has the size that it has.
                "" if is_found(choices) and rule.settle.startswith("hosting.size") else filled(rule.settle, facts),
                reason,
                rule.sources,
                rule.topic,
                filled(rule.where, facts),
            )


def _versions(choices: Choices, project: Project, catalog: Catalog, facts: Facts) -> Iterator[Advice]:
    accepted = choices.under("accepted")
    for name, kind, says, because, settle, sources in foresee(facts, project, catalog):
        reason = accepted.get(name, "") if kind == "warning" else ""
        yield Advice(name, cast('Literal["warning", "conflict"]', kind), says, because, settle, reason, sources)


def filled(text: str, facts: Facts) -> str:
    """Put facts into a rule's words: `{memory_mb}`. The texts are ours; the facts are only ever shown."""
    for name, value in facts.items():
        if f"{{{name}}}" in text:
            text = text.replace(f"{{{name}}}", f"{value:g}" if isinstance(value, float) else str(value))
    return text
