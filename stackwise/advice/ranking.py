"""Which option of a layer fits this team best, why, what was close, and which answer would tip it. Pure.

An option's fit is a sum that can be read aloud: what its words of praise weigh for this team, less what its costs
weigh, and the rules that name it. Nothing else goes in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from stackwise.catalog import Catalog
from stackwise.catalog.expression import Facts, evaluate
from stackwise.catalog.model import WEIGHTS, Category, Component, Question, Rule

# What a component loses by its age; what is gone is never recommended.
_AGE = {"current": 0.0, "ageing": 3.0, "gone": 100.0}
# What is decided already weighs more than what is best.
GIVEN = 20.0
# How far a number is turned when we look for the answer that tips a choice.
_TURNS = (0.1, 0.3, 3, 10, 30, 100)


@dataclass(frozen=True, slots=True)
class Reason:
    """One part of a fit: how much, and in a sentence why."""

    weight: float
    says: str
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Tip:
    """An answer that would make another component the best."""

    question: str
    answer: Any
    component: str

    def __str__(self) -> str:
        """Write it as one would answer it."""
        answer = str(self.answer).lower() if isinstance(self.answer, bool) else self.answer
        return f"{self.question}: {answer}"


class Scale:
    """What everything weighs under some facts; made once, and asked of every option."""

    def __init__(self, catalog: Catalog, facts: Facts) -> None:
        """Weigh the vocabulary and the rules."""
        self.catalog = catalog
        self._words = {word.id: float(evaluate(word.weighs, facts)) for word in catalog.tradeoffs.values()}
        self._given = [str(word).lower() for word in facts["team.constraints"]]
        self._rules: dict[str, list[Rule]] = {}
        for rule in catalog.rules:
            if rule.kind in WEIGHTS and evaluate(rule.when, facts):
                for name in rule.of:
                    self._rules.setdefault(name, []).append(rule)

    def fit(self, component: Component) -> float:
        """Return how well a component fits."""
        words = self._words
        fit = sum(words[word] for word in component.good_at) - sum(words[word] for word in component.costs)
        fit += sum(rule.weighs for rule in self._rules.get(component.id, ())) - _AGE[component.state.state]
        return fit + (GIVEN if self._is_given(component) else 0.0)

    def _is_given(self, component: Component) -> bool:
        """Whether the team has decided on it already: `debian` stands for every Debian."""
        names = (component.id, *component.aliases)
        return any(name == word or name.startswith(f"{word}-") for word in self._given for name in names)

    def reasons(self, component: Component) -> tuple[Reason, ...]:
        """Return what the fit is made of, what weighs most first."""
        found = [
            Reason(rule.weighs, rule.because, rule.id) for rule in self._rules.get(component.id, ()) if rule.weighs
        ]
        tradeoffs = self.catalog.tradeoffs
        found += [Reason(self._words[word], f"{word}: {tradeoffs[word].says}") for word in component.good_at]
        found += [Reason(-self._words[word], f"{word}: {tradeoffs[word].says}") for word in component.costs]
        if self._is_given(component):
            found.append(Reason(GIVEN, "It is decided already, for reasons outside the project."))
        if _AGE[component.state.state]:
            found.append(Reason(-_AGE[component.state.state], f"It is {component.state.state}. {component.state.note}"))
        return tuple(sorted((reason for reason in found if reason.weight), key=lambda r: (-abs(r.weight), r.says)))


def eligible(component: Component, category: Category, why_not: str) -> bool:
    """Whether an option may be recommended: it works here, it has a future, and what we install we really install."""
    if component.state.state == "gone":
        return False
    if not category.answer or category.beyond:
        return not why_not or not component.installable
    return not why_not


def best(
    options: Mapping[str, bool], components: Mapping[str, Component], category: Category, scale: Scale
) -> list[str]:
    """Return the ids of the eligible `options` ({id: whether it is}), the best first.

    What fits equally stands in the order of the catalog, the category's default before it.
    """
    names = [name for name, may in options.items() if may]
    order = {name: place for place, name in enumerate(names)}
    return sorted(names, key=lambda n: (-round(scale.fit(components[n]), 6), n != category.default, order[n]))


def variations(catalog: Catalog, facts: Facts) -> Iterator[tuple[str, Any]]:
    """Yield each single answer that could have been given otherwise, with its key: of the needs and of the team."""
    for key, question in catalog.questions.items():
        if key.startswith(("needs.", "team.")) and key in facts:
            yield from ((key, value) for value in _others(question, facts[key]) if value != facts[key])


def _others(question: Question, value: Any) -> Iterator[Any]:
    if question.type == "choice":
        yield from question.choices
    elif question.type == "boolean":
        yield not value
    elif question.type == "integer":
        lowest, highest = question.minimum or 0, question.maximum or 10**9
        yield from dict.fromkeys(min(highest, max(lowest, round(value * turn))) for turn in _TURNS)


def tips(
    layers: Mapping[str, dict[str, bool]], winners: Mapping[str, str], catalog: Catalog, facts: Facts
) -> dict[str, list[Tip]]:
    """Return, by category, the single answers under which another option than its winner would be the best.

    `layers` has the eligible options of each category, `winners` the best of each.
    """
    found: dict[str, list[Tip]] = {name: [] for name in winners}
    for key, value in variations(catalog, facts):
        scale = Scale(catalog, {**facts, key: value})
        for name, winner in winners.items():
            category = catalog.categories[name]
            other = best(layers[name], catalog.components, category, scale)[0]
            if other != winner:
                found[name].append(Tip(key, value, other))
    return found
