"""Every catalog file is a test case: closed vocabulary, references and facts that exist, sources that were read."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from stackwise import paths
from stackwise.advice.facts import fact_names
from stackwise.catalog import Catalog, load_catalog
from stackwise.catalog.expression import names
from stackwise.catalog.model import Component

FILES = sorted(paths.catalog_dir().rglob("*.yml"))
COMPONENTS = load_catalog().components.values()

each_component = pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.id)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_file_has_no_key_twice(path: Path) -> None:
    assert YAML(typ="rt").load(path) is not None


@pytest.mark.parametrize("path", sorted(paths.catalog_dir().glob("components/*/*.yml")), ids=lambda path: path.stem)
def test_file_is_named_after_its_component_and_layer(path: Path, catalog: Catalog) -> None:
    component = catalog.components[path.stem]
    assert path.parent.name == component.categories[0]


@each_component
def test_categories_exist(component: Component, catalog: Catalog) -> None:
    assert set(component.categories) <= set(catalog.categories)


@each_component
def test_tradeoffs_come_from_the_vocabulary_and_stand_on_their_side(component: Component, catalog: Catalog) -> None:
    assert {catalog.tradeoffs[tag].side for tag in component.good_at} <= {"good_at"}
    assert {catalog.tradeoffs[tag].side for tag in component.costs} <= {"costs"}
    assert component.good_at
    assert component.costs


@each_component
def test_expressions_read_only_facts_that_exist(component: Component, catalog: Catalog) -> None:
    known = set(fact_names(catalog))
    expressions = [component.memory_mb, *(clause.when for clause in (*component.requires, *component.conflicts))]
    expressions += [question.formula for question in component.questions if question.formula]
    assert {name for expression in expressions for name in names(expression)} <= known


@each_component
def test_sources_were_read_and_not_in_the_future(component: Component) -> None:
    assert all(source.read <= date.today() for source in component.sources)


@each_component
def test_role_exists(component: Component) -> None:
    if component.install and component.install.role:
        assert (paths.roles_dir() / component.install.role / "meta" / "argument_specs.yml").is_file()


def test_every_tradeoff_is_used(catalog: Catalog) -> None:
    used = {tag for component in COMPONENTS for tag in (*component.good_at, *component.costs)}
    assert used == set(catalog.tradeoffs)


def test_every_category_has_its_default_among_its_options(catalog: Catalog) -> None:
    for category in catalog.layers:
        assert category.default in {component.id for component in catalog.options(category.id) if component.installable}


def test_rules_read_only_facts_that_exist(catalog: Catalog) -> None:
    assert {name for rule in catalog.rules for name in names(rule.when)} <= set(fact_names(catalog))


def test_rule_ids_are_unique(catalog: Catalog) -> None:
    ids = [rule.id for rule in catalog.rules]
    assert len(ids) == len(set(ids))


def test_options_of_a_component_are_variables_of_its_role() -> None:
    for component in COMPONENTS:
        if component.install and component.install.role:
            spec = YAML(typ="safe").load(paths.roles_dir() / component.install.role / "meta" / "argument_specs.yml")
            declared = set(spec["argument_specs"]["main"]["options"])
            asked = {f"{component.install.role}_{question.id}" for question in component.questions}
            given = {*component.install.variables}
            given |= {name for more in component.install.variables_on.values() for name in more}
            assert asked | given <= declared, component.id
