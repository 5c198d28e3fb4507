"""The review: what speaks against the plan, the plan as a tree, the answers, and what can be taken out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from textual.pilot import Pilot
from textual.widgets import Input, Static, Tabs
from textual.widgets.tree import TreeNode

from stackwise.cli.design import plan_command
from stackwise.tui.app import Walk
from stackwise.tui.screens.dialogs import Sure
from stackwise.tui.screens.export import ExportScreen
from stackwise.tui.screens.file import FileScreen
from stackwise.tui.screens.layer import LayerScreen
from stackwise.tui.screens.review import ReviewScreen
from stackwise.tui.widgets.form import Field
from stackwise.tui.widgets.plan_view import PlanTree
from stackwise.tui.widgets.source import SourceView
from stackwise.walk.planned import Node
from tests.tui.walking import NARROW, settled, shown, small_project

WIDE = (120, 40)
EVIL = "[/x] [@click=app.quit]press[/]"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    project = small_project(tmp_path)
    monkeypatch.chdir(project)
    return project


async def to_the_review(pilot: Pilot[None], *keys: str) -> PlanTree:
    await settled(pilot)
    await pilot.press("ctrl+r", *keys)
    await settled(pilot)
    review = next(screen for screen in pilot.app.screen_stack if isinstance(screen, ReviewScreen))
    return review.query_one(PlanTree)


def labels(node: TreeNode[Node]) -> list[str]:
    return [str(child.label) for child in node.children]


def every(node: TreeNode[Node]) -> Iterator[TreeNode[Node]]:
    for child in node.children:
        yield child
        yield from every(child)


async def opened(pilot: Pilot[None], tree: PlanTree) -> None:
    """Open every line, as somebody would who opens one after another."""
    while closed := [node for node in every(tree.root) if node.allow_expand and not node.is_expanded]:
        for node in closed:
            node.expand()
        await pilot.pause()


def source(app: Walk, selector: str = "SourceView") -> str:
    return str(app.screen.query_one(selector, SourceView).query_one(".text", Static).visual)


async def test_a_warning_is_accepted_with_a_reason(folder: Path) -> None:
    app = Walk()
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        app.answer("needs.downtime", "minutes")
        await pilot.press("ctrl+r")
        await settled(pilot)
        await pilot.press("a", *"a pilot", "enter")
        await settled(pilot)
        assert "single-server: a pilot" in (folder / "stackwise.yml").read_text()
        assert app.design is not None
        assert app.design.summary.warnings == 0


@pytest.mark.usefixtures("folder")
async def test_advice_leads_to_the_answer_that_settles_it() -> None:
    app = Walk()
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        app.answer("stack.app", "uwsgi")
        await pilot.press("ctrl+r")
        await settled(pilot)
        assert "cannot be made" in shown(app, "#plan-text")
        await pilot.press("enter")
        assert isinstance(app.screen, LayerScreen)
        assert app.screen.step.id == "layer-app"


@pytest.mark.usefixtures("folder")
async def test_advice_leads_to_the_very_question() -> None:
    app = Walk()
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        app.answer("needs.downtime", "minutes")
        await pilot.press("ctrl+r")
        await settled(pilot)
        await pilot.press("home", "enter")
        await settled(pilot)
        field = next(field for field in app.screen.query(Field) if field.asked.key == "needs.downtime")
        assert field.has_focus_within


@pytest.mark.usefixtures("folder")
async def test_the_tree_shows_the_facts_of_the_command() -> None:
    app = Walk()
    async with app.run_test(size=WIDE) as pilot:
        tree = await to_the_review(pilot, "2")
        await opened(pilot, tree)
        document: dict[str, Any] = json.loads(CliRunner().invoke(plan_command, ["--json"]).stdout)
        tops = {node.data.id: node for node in tree.root.children if node.data}
        for part in ("packages", "ports", "services", "components", "python", "destroys"):
            assert labels(tops[part]) == [str(word) for word in document[part]], part
        assert labels(tops["users"]) == [f"{user}: {part}" for user, part in document["users"].items()]
        assert [str(node.label) for node in tops["servers"].children] == [s["name"] for s in document["servers"]]
        assert labels(tops["memory"]) == [f"{s['component']}: {s['memory_mb']} MiB" for s in document["memory"]]
        assert [labels(play) for play in tops["roles"].children] == [play["roles"] for play in document["roles"]]
        assert f"{document['cost']['amount']:g} {document['cost']['currency']}" in str(tops["cost"].label)
        files = {node.data.file for node in every(tops["files"]) if node.data and node.data.file}
        assert files == set(document["files"])
        advice = [node.data.detail for node in tops["advice"].children if node.data]
        assert len(advice) == len(document["advice"])
        for said, piece in zip(advice, document["advice"], strict=True):
            assert f"[{piece['id']}] {piece['says']}" in said
            assert piece["because"] in said


@pytest.mark.usefixtures("folder")
async def test_a_line_is_made_when_the_one_above_it_is_opened() -> None:
    app = Walk()
    async with app.run_test(size=NARROW) as pilot:
        tree = await to_the_review(pilot, "2")
        assert all(not node.children for node in tree.root.children)
        await pilot.press("right", "right", "right")
        await pilot.pause()
        assert tree.cursor_node is not None
        assert any(label.startswith("size: ") for label in labels(tree.cursor_node))
        assert "location: local" in shown(app, "#plan-text")
        await pilot.press("left", "left", "left")
        assert not tree.root.children[0].is_expanded


@pytest.mark.usefixtures("folder")
async def test_a_file_is_read_beside_and_on_the_whole_screen_and_left_again() -> None:
    app = Walk()
    async with app.run_test(size=NARROW) as pilot:
        tree = await to_the_review(pilot, "2")
        await opened(pilot, tree)
        tree.move_cursor(next(node for node in every(tree.root) if node.data and node.data.file == "site.yml"))
        await settled(pilot)
        assert "Prepare every server" in source(app, "PlanView SourceView")
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, FileScreen)
        assert shown(app, "#file-title") == "site.yml"
        assert "Prepare every server" in source(app)
        numbers = str(app.screen.query_one(".numbers", Static).visual).split()
        assert numbers[:3] == ["1", "2", "3"]
        await pilot.press("G")
        await pilot.press("escape")
        assert isinstance(app.screen, ReviewScreen)
        assert app.screen.query_one(PlanTree).has_focus


@pytest.mark.usefixtures("folder")
async def test_a_binary_file_is_named_as_one() -> None:
    app = Walk()
    async with app.run_test(size=WIDE) as pilot:
        tree = await to_the_review(pilot, "2")
        await opened(pilot, tree)
        tree.move_cursor(next(n for n in every(tree.root) if n.data and n.data.file.endswith(".tar.gz")))
        await settled(pilot)
        assert "is no text" in source(app, "PlanView SourceView")


@pytest.mark.usefixtures("folder")
async def test_what_was_open_stays_open_when_the_plan_changes() -> None:
    app = Walk()
    async with app.run_test(size=WIDE) as pilot:
        tree = await to_the_review(pilot, "2", "right", "down", "right")
        await pilot.pause()
        at = tree.cursor_node.data.id if tree.cursor_node and tree.cursor_node.data else ""
        app.answer("stack.cache", "local-memory")
        await settled(pilot)
        await pilot.pause()
        assert "redis" not in labels(next(n for n in tree.root.children if n.data and n.data.id == "packages"))
        assert tree.root.children[0].is_expanded
        assert tree.cursor_node is not None
        assert tree.cursor_node.data is not None
        assert tree.cursor_node.data.id == at


async def test_the_answers_are_shown_as_they_are_saved_and_never_as_markup(folder: Path) -> None:
    (folder / "stackwise.yml").write_text(f"# {EVIL}\nschema: 1\nname: mysite\n")
    app = Walk()
    async with app.run_test(size=WIDE) as pilot:
        tree = await to_the_review(pilot, "3")
        assert source(app, "#answers-source").splitlines() == (folder / "stackwise.yml").read_text().splitlines()
        assert EVIL in source(app, "#answers-source")
        await opened(pilot, tree)
        tree.move_cursor(next(n for n in every(tree.root) if n.data and n.data.file == "stackwise.yml"))
        await settled(pilot)
        assert "name: mysite" in source(app, "PlanView SourceView")


@pytest.mark.usefixtures("folder")
async def test_tabs_and_tree_answer_to_the_mouse() -> None:
    app = Walk()
    async with app.run_test(size=WIDE) as pilot:
        tree = await to_the_review(pilot)
        tabs = app.screen.query_one(Tabs)
        await pilot.click(tabs.query("Tab")[1])
        await settled(pilot)
        assert tree.region.height > 5
        assert await pilot.click(PlanTree, offset=(1, 0))
        await pilot.pause()
        assert tree.root.children[0].is_expanded
        assert await pilot.click(PlanTree, offset=(6, 1))
        await pilot.pause()
        assert "location: local" in shown(app, "#plan-text")


async def test_the_plan_is_exported_and_nothing_is_replaced_unasked(folder: Path) -> None:
    app = Walk()
    async with app.run_test(size=NARROW, notifications=True) as pilot:
        await to_the_review(pilot, "e")
        assert isinstance(app.screen, ExportScreen)
        await pilot.press("enter", "enter")
        await settled(pilot)
        assert isinstance(app.screen, ReviewScreen)
        assert (folder / "plan.md").read_text().startswith("# Plan for mysite (production)")
        assert any(str(folder / "plan.md") in notice.message for notice in app._notifications)
        (folder / "plan.md").write_text("ours")
        await pilot.press("e", "enter", "enter")
        assert isinstance(app.screen, Sure)
        await pilot.press("n")
        assert isinstance(app.screen, ExportScreen)
        assert (folder / "plan.md").read_text() == "ours"
        await pilot.press("enter", "y")
        await settled(pilot)
        assert (folder / "plan.md").read_text() != "ours"


async def test_each_thing_is_exported_by_mouse(folder: Path) -> None:
    app = Walk()
    async with app.run_test(size=WIDE) as pilot:
        await to_the_review(pilot)
        for number, name in enumerate(("plan.md", "plan.svg", "mysite-answers.yml", "../mysite-ansible")):
            await pilot.press("e")
            await pilot.click("#what", offset=(3, number))
            assert Path(app.screen.query_one("#where", Input).value) == (folder / name).resolve()
            await pilot.click("#write")
            await settled(pilot)
            assert isinstance(app.screen, ReviewScreen)
            assert (folder / name).exists()
        assert (folder.parent / "mysite-ansible" / "site.yml").exists()
        await pilot.press("e")
        await pilot.click("#what", offset=(3, 3))
        await pilot.click("#write")
        assert isinstance(app.screen, Sure)
        assert "is not empty" in app.screen.question
        await pilot.click("#no")
        await pilot.click("#close")
        assert isinstance(app.screen, ReviewScreen)


async def test_what_cannot_be_exported_says_what_to_type(folder: Path) -> None:
    (folder / "file").write_text("")
    app = Walk()
    async with app.run_test(size=NARROW) as pilot:
        await to_the_review(pilot, "e", "enter")
        where = app.screen.query_one("#where", Input)
        where.value = str(folder / "file" / "plan.md")
        await pilot.press("enter")
        await settled(pilot)
        assert "type another place" in shown(app, "#wrong")
        where.value = ""
        await pilot.press("enter")
        assert "Type a place" in shown(app, "#wrong")
        for typed in ("~nosuchuser/plan.md", "x" * 300, str(folder / ("x" * 300) / "plan.md")):
            where.value = typed
            await pilot.press("enter")
            assert "Type another place" in shown(app, "#wrong")
        await pilot.press("escape")
        assert isinstance(app.screen, ReviewScreen)
