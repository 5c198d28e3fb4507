"""What can be bought, and how the design fits on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from stackwise.advice.offers import KEYS, Sold, sold
from stackwise.advice.sizing import HEADROOM
from stackwise.answers import Choices
from stackwise.walk.design import Design, open_design
from tests.tui.walking import small_project


@pytest.fixture
def design(tmp_path: Path) -> Design:
    return open_design(small_project(tmp_path) / "stackwise.yml")


def _rows(design: Design, **values: object) -> list[Sold]:
    keys = {key.replace("__", "."): value for key, value in values.items()}
    choices = Choices({**design.choices.values, **keys}, design.choices.origins, design.choices.folder)
    return list(sold(choices, design.project, design.catalog))


def test_what_can_be_taken_comes_first_in_every_size_and_region_that_is_sold_there(design: Design) -> None:
    rows = _rows(design)
    takeable = [row for row in rows if not row.why_not]
    assert rows[: len(takeable)] == takeable
    assert {row.provider.id for row in takeable} == {c.id for c in design.catalog.options("provider") if c.installable}
    for provider in {row.provider.id for row in takeable}:
        offer = design.catalog.component(provider).offer
        assert offer is not None
        pairs = {(row.region, row.size.id) for row in takeable if row.provider.id == provider}
        regions = offer.locations if provider == "sandbox" else offer.locations[:1]
        sold_there = {(region, size.id) for region in regions for size in offer.sizes}
        # A server that is there already is one place of one size, which nobody has looked at here.
        assert pairs == ({("local", "unseen")} if provider == "existing" else sold_there)


def test_every_region_of_the_chosen_provider_is_a_row(design: Design) -> None:
    rows = _rows(design, hosting__provider="digitalocean", hosting__region="lon1", hosting__size="s-1vcpu-2gb")
    offer = design.catalog.component("digitalocean").offer
    assert offer is not None
    assert {row.region for row in rows if row.provider.id == "digitalocean"} == set(offer.locations)
    assert {row.region for row in rows if row.chosen} == {"lon1"}


def test_one_is_recommended_and_it_is_the_cheapest_that_carries_the_need(design: Design) -> None:
    recommended = [row for row in _rows(design) if row.recommended]
    assert [row.size.id for row in recommended] == ["small"]
    more = [row for row in _rows(design, needs__requests_per_minute=12_000) if row.recommended]
    assert [row.size.id for row in more] == ["medium"]
    assert all(row.fits for row in more)
    assert not [row for row in _rows(design, needs__requests_per_minute=10_000_000) if row.recommended]


def test_what_does_not_fit_says_so_by_its_figures(design: Design) -> None:
    for row in _rows(design, needs__requests_per_minute=12_000):
        assert row.fits == (row.needed_mb <= row.memory_mb * HEADROOM and row.carries >= 12_000)


def test_other_providers_stand_there_with_the_reason_against_them(design: Design) -> None:
    others = [row for row in _rows(design) if row.why_not]
    assert {"azure-vm", "scaleway"} <= {row.provider.id for row in others}
    assert len(others) == len({row.provider.id for row in others})


def test_taking_a_row_is_one_step_that_can_be_taken_back(design: Design) -> None:
    medium = next(row for row in design.sold() if row.size.id == "medium")
    design.change_all(medium.answers)
    assert [row.size.id for row in design.sold() if row.chosen] == ["medium"]
    assert set(design.undo()) <= set(KEYS)
    assert [row.size.id for row in design.sold() if row.chosen] == ["small"]


def test_a_size_that_is_not_sold_leaves_the_table_readable(design: Design) -> None:
    rows = _rows(design, hosting__size="gigantic")
    assert rows
    assert not any(row.chosen for row in rows)


def test_what_is_answered_for_a_component_counts_in_the_memory(design: Design) -> None:
    before = design.summary
    design.change("options.postgresql.shared_buffers_mb", 9000)
    assert design.summary.needed_mb > before.needed_mb + 8000
    assert design.summary.conflicts
    assert not any(row.recommended for row in design.sold())
    design.change("options.postgresql.shared_buffers_mb", None)
    assert design.summary == before
