"""The walk by the mouse alone, from the first picture to the report."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Footer, OptionList
from textual.widgets._footer import FooterKey

from stackwise.tui.app import Walk
from stackwise.tui.screens.choosing import ChoosingScreen
from stackwise.tui.screens.dialogs import Explanation
from stackwise.tui.screens.report import ReportScreen
from stackwise.tui.screens.run import RunScreen
from stackwise.tui.screens.step import StepScreen
from tests.tui.test_run import BEGUN, ENDED
from tests.tui.walking import NARROW, happening, settled, shown, small_project, until


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    project = small_project(tmp_path)
    monkeypatch.chdir(project)
    return project


async def press(pilot: Pilot[None], action: str) -> None:
    """Click a key of the footer, by what it does."""
    keys = {key.action: key for key in pilot.app.screen.query_one(Footer).query(FooterKey)}
    assert await pilot.click(keys[action])
    await pilot.pause()


async def click_row(pilot: Pilot[None], place: int) -> None:
    """Click a row of what can be chosen; rows may have several lines."""
    screen = pilot.app.screen
    assert isinstance(screen, ChoosingScreen)
    rows = screen.query_one("#options", OptionList)
    line = next(y for y, (option, _) in enumerate(rows._lines) if option == place)
    assert await pilot.click(rows, offset=(3, line))
    await pilot.pause()


@pytest.mark.parametrize("size", [NARROW, (120, 40), (200, 60)])
async def test_the_whole_walk_by_mouse_alone(size: tuple[int, int], folder: Path) -> None:
    app = Walk(runs=happening(*BEGUN, *ENDED))
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await pilot.click("#begin")
        await pilot.pause()
        seen = []
        while not isinstance(app.screen, RunScreen):
            assert isinstance(app.screen, StepScreen)
            seen.append(app.screen.step.id)
            assert len(seen) <= len(app.steps), seen
            if isinstance(app.screen, ChoosingScreen):
                await click_row(pilot, next(n for n, row in enumerate(app.screen.shown) if row.chosen))
            else:
                await press(pilot, "next")
            await settled(pilot)
        assert seen == [step.id for step in app.steps if step.kind not in {"run", "report"}]
        await pilot.click("#go")
        await until(pilot, lambda: bool(app.progress and not app.progress.running))
        await until(pilot, lambda: bool(app.screen.query_one("#report").display))
        await pilot.click("#report")
        await pilot.pause()
        assert isinstance(app.screen, ReportScreen)
        assert "https://192.0.2.7/" in shown(app, "#report-text")
    assert (folder / "stackwise.yml").exists()


async def test_another_option_and_its_explanation_by_mouse(folder: Path) -> None:
    app = Walk()
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.click("#begin")
        await pilot.pause()
        app.go("layer-cache")
        await settled(pilot)
        assert isinstance(app.screen, ChoosingScreen)
        await click_row(pilot, next(n for n, row in enumerate(app.screen.shown) if row.id == "local-memory"))
        assert "cache: local-memory" in (folder / "stackwise.yml").read_text()
        app.go("layer-cache")
        await settled(pilot)
        await press(pilot, "explain")
        assert isinstance(app.screen, Explanation)
        await pilot.click(".box")
        await pilot.pause()
        assert isinstance(app.screen, StepScreen)
