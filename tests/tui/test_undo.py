"""Taking changes back and making them again, wherever one is by then."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input

from stackwise.tui.app import Walk
from stackwise.tui.screens.dialogs import GoTo
from stackwise.tui.screens.form import FormScreen
from stackwise.tui.screens.layer import LayerScreen
from stackwise.tui.screens.step import StepScreen
from stackwise.tui.widgets.form import Field
from tests.tui.walking import NARROW, settled, small_project


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    project = small_project(tmp_path)
    monkeypatch.chdir(project)
    return project


def notices(app: Walk) -> list[str]:
    return [notice.message for notice in app._notifications]


def box_of(app: Walk, key: str) -> Input:
    return next(field for field in app.screen.query(Field) if field.asked.key == key).query_one(Input)


async def test_a_choice_is_taken_back_and_made_again_from_another_step(folder: Path) -> None:
    app = Walk()
    async with app.run_test(size=NARROW, notifications=True) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        before = (folder / "stackwise.yml").read_text()
        app.answer("stack.cache", "local-memory")
        app.go("needs")
        await pilot.press("ctrl+z")
        await pilot.pause()
        assert (folder / "stackwise.yml").read_text() == before
        assert notices(app)[-1] == "stack.cache is redis again"
        assert isinstance(app.screen, LayerScreen)
        assert app.screen.step.id == "layer-cache"
        assert app.screen.highlighted is not None
        assert app.screen.highlighted.id == "redis"
        await pilot.press("ctrl+y")
        await pilot.pause()
        assert notices(app)[-1] == "stack.cache is local-memory again"
        assert "cache: local-memory" in (folder / "stackwise.yml").read_text()
        await pilot.press("ctrl+y")
        assert notices(app)[-1] == "Nothing to make again."


async def test_a_form_shows_the_old_value_again(folder: Path) -> None:
    app = Walk()
    async with app.run_test(size=NARROW, notifications=True) as pilot:
        await settled(pilot)
        await pilot.press("enter", "end", *"-two", "enter")
        assert "name: mysite-two" in (folder / "stackwise.yml").read_text()
        await pilot.press("ctrl+z")
        await settled(pilot)
        assert isinstance(app.screen, FormScreen)
        assert box_of(app, "name").value == "mysite"
        assert box_of(app, "name").has_focus
        assert "name: mysite\n" in (folder / "stackwise.yml").read_text()
        await pilot.press("ctrl+shift+z")
        await settled(pilot)
        assert box_of(app, "name").value == "mysite-two"


async def test_what_is_being_typed_is_taken_back_first(folder: Path) -> None:
    app = Walk()
    async with app.run_test(size=NARROW, notifications=True) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        app.answer("stack.cache", "local-memory")
        await pilot.press("end", *"xyz")
        assert box_of(app, "name").value == "mysitexyz"
        await pilot.press("ctrl+z")
        assert box_of(app, "name").value == "mysite"
        assert "cache: local-memory" in (folder / "stackwise.yml").read_text()
        await pilot.press("ctrl+z")
        await pilot.pause()
        assert "cache: redis" in (folder / "stackwise.yml").read_text()


async def test_nothing_moves_behind_a_box_and_nothing_is_said_to_be_taken_back(folder: Path) -> None:
    app = Walk()
    async with app.run_test(size=NARROW, notifications=True) as pilot:
        await settled(pilot)
        await pilot.press("enter", "ctrl+z")
        assert notices(app) == ["Nothing to take back."]
        app.answer("stack.cache", "local-memory")
        text = (folder / "stackwise.yml").read_text()
        await pilot.press("ctrl+g", "ctrl+z")
        assert isinstance(app.screen, GoTo)
        assert (folder / "stackwise.yml").read_text() == text


async def test_what_an_editor_wrote_meanwhile_is_not_undone(folder: Path) -> None:
    app = Walk()
    async with app.run_test(size=NARROW, notifications=True) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        app.answer("stack.cache", "local-memory")
        app.go("layer-cache")
        await pilot.pause()
        (folder / "stackwise.yml").write_text("schema: 1\nname: edited-by-hand\n")
        await pilot.press("ctrl+z")
        assert notices(app)[-1] == "Nothing to take back."
        assert (folder / "stackwise.yml").read_text() == "schema: 1\nname: edited-by-hand\n"
        (folder / "stackwise.yml").write_text("schema: [1\n")
        await pilot.press("ctrl+z")
        await pilot.pause()
        assert any(notice.startswith("Not taken back: ") for notice in notices(app)), notices(app)


@pytest.mark.usefixtures("folder")
async def test_an_accepted_warning_and_a_setting_lead_to_their_steps() -> None:
    app = Walk()
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        app.answer("needs.downtime", "minutes")
        for key, value, step in (
            ("accepted.single-server", "a pilot", "review"),
            ("options.gunicorn.timeout", 45, "layer-app"),
        ):
            app.answer(key, value)
            app.go("needs")
            await pilot.press("ctrl+z")
            await settled(pilot)
            assert isinstance(app.screen, StepScreen)
            assert app.screen.step.id == step
