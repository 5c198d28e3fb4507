"""Every cause is a test case: the words that it has to know lead to it, and to no other one before it."""

from __future__ import annotations

import re
from datetime import date

import pytest

from stackwise.catalog import Catalog, load_catalog
from stackwise.catalog.tables import Cause
from stackwise.cli import app
from stackwise.operate.causes import likely_cause

CAUSES = tuple(load_catalog().causes.values())
EXAMPLES = [(cause.id, words) for cause in CAUSES for words in cause.examples]


@pytest.mark.parametrize(("name", "words"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_words_lead_to_their_cause(catalog: Catalog, name: str, words: str) -> None:
    for said in (words, f"TASK [app : Do it]\n{words}\nand more after it"):
        found = likely_cause(catalog, "app : Do it failed on web-1", said)
        assert found is not None
        assert found.id == name


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.id)
def test_what_is_to_be_typed_exists(cause: Cause) -> None:
    """Whatever a cause says to type by our name is a command that there is."""
    typed = re.findall(r"(?<!`)\bstackwise ([a-z]+)", cause.do)
    assert set(typed) <= set(app.list_commands(None))  # type: ignore[arg-type]
    assert not re.search(cause.pattern, "")
    assert all(source.read <= date.today() for source in cause.sources)


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.id)
def test_no_pattern_repeats_without_an_end(cause: Cause) -> None:
    """What has no end is tried to the end of a line, from each place in it: the square of its length."""
    bare = re.sub(r"\\.|\[(?:\\.|[^\]\\])*\]", "x", cause.pattern)
    assert not re.search(r"[*+]|\{\d*,\}", bare)


def test_enough_of_them_are_known() -> None:
    assert len(CAUSES) >= 25


@pytest.mark.parametrize("words", ["", "it failed", "no reason given", "(hidden, because a secret may stand in it)"])
def test_nothing_is_made_up_where_nothing_is_known(catalog: Catalog, words: str) -> None:
    assert likely_cause(catalog, words) is None


def test_it_is_found_at_the_end_of_a_long_text_at_once(catalog: Catalog) -> None:
    said = "Collecting something-or-other==1.2.3\n" * 50_000 + "No space left on device"
    found = likely_cause(catalog, said)
    assert found is not None
    assert found.id == "disk-full"
