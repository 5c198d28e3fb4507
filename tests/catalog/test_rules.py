"""Every rule is a test case: facts under which it speaks, and facts under which it is silent."""

from __future__ import annotations

from typing import Any

import pytest

from stackwise.advice.facts import fact_names, gather
from stackwise.advice.report import PROPERTIES
from stackwise.catalog import Catalog, load_catalog
from stackwise.catalog.expression import evaluate, names
from stackwise.catalog.model import Rule
from tests.unit.test_plan import DJANGO, choices_for

RULES = load_catalog().rules

each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)


@pytest.fixture(scope="module")
def facts(catalog: Catalog) -> dict[str, Any]:
    """Give the facts of a team that answered nothing."""
    return gather(choices_for(catalog), DJANGO, catalog)


@each_rule
def test_rule_speaks_under_its_own_facts(rule: Rule, facts: dict[str, Any]) -> None:
    assert rule.speaks.keys() <= facts.keys()
    assert evaluate(rule.when, {**facts, **rule.speaks})


@each_rule
def test_rule_is_silent_under_its_other_facts(rule: Rule, facts: dict[str, Any]) -> None:
    if rule.when == "True":
        pytest.skip("it always speaks")
    assert rule.silent
    assert rule.silent.keys() <= facts.keys()
    assert not evaluate(rule.when, {**facts, **rule.silent})


@each_rule
def test_rule_weighs_on_components_that_exist(rule: Rule, catalog: Catalog) -> None:
    assert set(rule.of) <= set(catalog.components)


@each_rule
def test_rule_fills_in_facts_that_exist(rule: Rule, facts: dict[str, Any], catalog: Catalog) -> None:
    known = set(fact_names(catalog)) | facts.keys()
    for text in (rule.says, rule.because, rule.where):
        asked = {part.partition("}")[0] for part in text.split("{")[1:] if not part.startswith("%")}
        assert asked <= known


@each_rule
def test_rule_settles_by_an_answer(rule: Rule, catalog: Catalog) -> None:
    key = rule.settle.partition(":")[0]
    answers = {*catalog.questions, *(layer.answer for layer in catalog.layers), "hosting.servers", "servers.app", ""}
    assert key in answers


def test_words_of_the_vocabulary_weigh_by_facts_that_exist(catalog: Catalog) -> None:
    known = set(fact_names(catalog))
    assert {name for word in catalog.tradeoffs.values() for name in names(word.weighs)} <= known


def test_each_property_has_a_verdict_in_every_case(catalog: Catalog) -> None:
    known = set(fact_names(catalog))
    for name in PROPERTIES:
        verdicts = [verdict for verdict in catalog.verdicts if verdict.property == name]
        assert verdicts[-1].when == "True"
        assert {fact for verdict in verdicts for fact in names(verdict.when)} <= known


def test_points_of_failure_ask_for_facts_that_exist(catalog: Catalog) -> None:
    known = set(fact_names(catalog))
    assert {fact for failure in catalog.failures.values() for fact in names(failure.when)} <= known
