"""What can be taken out of a walk: the plan for the team, the tree of the plan, and where it is written."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stackwise.errors import UsageError
from stackwise.render import file_names
from stackwise.render.documents import plan_document
from stackwise.walk.design import Design, open_design
from stackwise.walk.export import EXPORTS, is_taken, team_page, usual_place, write_export
from stackwise.walk.places import place_of
from stackwise.walk.planned import Node, plan_nodes
from stackwise.walk.steps import steps_of
from stackwise.walk.undoing import says, step_of
from tests.conftest import EXAMPLES

BY_ID = {export.id: export for export in EXPORTS}


@pytest.fixture
def design(tmp_path: Path) -> Design:
    folder = shutil.copytree(EXAMPLES / "superbook", tmp_path / "superbook")
    return open_design(folder / "stackwise.yml")


def document_of(design: Design) -> dict[str, Any]:
    plan = design.job().outline()
    return plan_document(plan, file_names(plan))


def every(nodes: tuple[Node, ...]) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from every(node.children)


def leaves(value: Any) -> Iterator[object]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    elif value not in ("", None):
        yield value


def test_the_tree_says_all_that_the_document_says(design: Design) -> None:
    document = document_of(design)
    nodes = {node.id: node for node in plan_nodes(document)}
    assert {"servers", "cost", "roles", "packages", "ports", "users", "files", "advice"} <= nodes.keys()
    words = {"overlay": "overridden", "already": "as the project has it", "left": "left to", "environment": "by "}
    for part, top in nodes.items():
        said = "\n".join(f"{node.label}\n{node.detail}" for node in every((top,)))
        for leaf in leaves(document[part]):
            assert words.get(str(leaf), f"{leaf:g}" if isinstance(leaf, float) else str(leaf)) in said, (part, leaf)
    assert {node.file for node in every((nodes["files"],)) if node.file} == set(document["files"])


def test_nobodys_words_in_the_tree_are_for_the_terminal(design: Design) -> None:
    document = document_of(design)
    document["packages"] = ["nginx\x1b]52;c;b3Vycw==\x07"]
    document["settings"] = [{"name": "A\x9b2J", "how": "left", "because": "so\x1b[2J\nand so"}]
    nodes = {node.id: node for node in plan_nodes(document)}
    said = "".join(f"{node.label}{node.detail}" for node in every(tuple(nodes.values())))
    assert not re.search("[\0-\x09\x0b-\x1f\x7f-\x9f]", said)
    assert nodes["packages"].children[0].label == "nginx\ufffd]52;c;b3Vycw==\ufffd"
    assert nodes["settings"].children[0].detail.endswith("so\ufffd[2J\nand so")


def test_every_line_of_the_tree_has_an_id_of_its_own(design: Design) -> None:
    found = [node.id for node in every(plan_nodes(document_of(design)))]
    assert len(found) == len(set(found))


def test_the_plan_for_the_team_says_what_it_costs_and_why(design: Design) -> None:
    text = team_page(design.job(), ".md")
    assert text == team_page(design.job(), ".md")
    for title in ("What will exist", "What it costs", "Why each layer", "Risks", "Advice", "How it is run"):
        assert f"\n## {title}\n" in text
    assert "| superbook-production-1 | small | 0 USD |" in text
    assert "| database | postgresql | postgresql | Several visitors write at once" in text
    assert "**The server**: When the machine fails" in text
    assert "stackwise up" in text


def test_nobodys_words_become_markdown(design: Design) -> None:
    design.change("needs.downtime", "minutes")
    design.change("accepted.single-server", "[click](http://192.0.2.1) <b>|</b>\n# now")
    text = team_page(design.job(), ".md")
    assert r"\[click\](http://192.0.2.1) \<b>\|\</b> # now" in text


def test_the_picture_asks_no_other_host(design: Design) -> None:
    svg = team_page(design.job(), ".svg")
    assert svg == team_page(design.job(), ".svg")
    assert "superbook-production" in svg
    assert "https://cdn" not in svg
    assert len(svg) < 200_000


def test_another_suffix_is_refused_with_what_to_type(design: Design) -> None:
    with pytest.raises(UsageError, match=r"not as \.pdf") as caught:
        team_page(design.job(), ".pdf")
    assert caught.value.hint.endswith("stackwise plan -o plan.md")


@pytest.mark.parametrize("export", EXPORTS, ids=lambda export: export.id)
def test_each_export_is_written_where_it_is_wanted(design: Design, tmp_path: Path, export: Any) -> None:
    target = tmp_path / "out" / "deep" / Path(export.usual).name.format(name="x")
    assert not is_taken(export, target)
    assert str(target) in write_export(export, design.document, design.fresh_job, target)
    assert is_taken(export, target)
    if export.id == "answers":
        assert target.read_text() == design.document.text()
    if export.id == "project":
        assert (target / "site.yml").exists()


def test_a_place_that_cannot_be_written_says_what_to_type(design: Design, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written") as caught:
        write_export(BY_ID["markdown"], design.document, design.fresh_job, tmp_path / "file" / "plan.md")
    assert "type another place" in caught.value.hint
    with pytest.raises(UsageError, match="is a folder"):
        write_export(BY_ID["svg"], design.document, design.fresh_job, tmp_path)


def test_the_rendered_project_does_not_go_into_what_is_deployed(design: Design) -> None:
    folder = design.path.parent
    assert usual_place(BY_ID["project"], folder, "superbook") == folder.parent / "superbook-ansible"
    assert usual_place(BY_ID["markdown"], folder, "superbook") == folder / "plan.md"


def test_a_step_back_is_said_and_has_a_place_in_the_walk(design: Design) -> None:
    steps = steps_of(design.catalog)
    for key, value, step, words in (
        ("stack.cache", "local-memory", "layer-cache", "stack.cache is redis again"),
        ("needs.downtime", "minutes", "needs", "needs.downtime is hours again"),
        ("options.granian.workers", 3, "layer-app", "options.granian.workers is left open again"),
        ("accepted.single-server", "a pilot", "review", "is left open again"),
    ):
        design.change(key, value)
        keys = design.undo()
        assert words in says(design, keys)
        found = step_of(design, steps, keys)
        assert found is not None
        assert found.id == step


def test_a_place_is_what_was_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert place_of("~/plan.md") == tmp_path / "plan.md"
    assert place_of("nowhere/plan.md") == Path("nowhere/plan.md")
    assert place_of(str(tmp_path)) == tmp_path


@pytest.mark.parametrize("typed", ["~nosuchuser/x", "x" * 300, "a\0b", "\ud800"])
def test_what_can_be_no_place_is_none(typed: str) -> None:
    assert place_of(typed) is None
