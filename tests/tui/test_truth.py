"""What is shown is what is run: on the site that is shown, from the file as it is, and never unasked."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from stackwise import events
from stackwise.tui.app import Walk
from stackwise.tui.messages import Scanned
from stackwise.tui.screens.dialogs import GoTo, Sure
from stackwise.tui.screens.review import ReviewScreen
from stackwise.tui.screens.start import StartScreen
from stackwise.tui.screens.step import StepScreen
from stackwise.walk.progress import Failure, RunProgress
from stackwise.walk.scanning import look_at
from tests.tui.test_run import BEGUN, GIVEN_UP
from tests.tui.walking import NARROW, FakeRuns, Played, happening, settled, shown, small_project, until


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    project = small_project(tmp_path)
    (project / "stackwise.yml").write_text("schema: 1\nname: mysite\n")
    monkeypatch.chdir(project)
    return project


def _beside(folder: Path, name: str) -> Path:
    other = small_project(folder.parent / name)
    (other / "stackwise.yml").write_text(f"schema: 1\nname: {name}\n")
    return other / "stackwise.yml"


async def test_nothing_is_run_for_one_site_while_another_is_being_opened(folder: Path) -> None:
    runs = happening(*BEGUN)
    app = Walk(runs=runs)
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        app.open(_beside(folder, "other"))
        app.start_run("destroy")
        assert runs.begun == []
        await settled(pilot)
        app.start_run()
        await until(pilot, lambda: bool(runs.begun))
    assert [(path, site) for _, path, site, _ in runs.begun] == [
        (folder.parent / "other" / "mysite" / "stackwise.yml", "other-production")
    ]


async def test_after_a_file_that_cannot_be_opened_nothing_is_run(folder: Path) -> None:
    runs = happening(*BEGUN)
    app = Walk(runs=runs)
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        (folder / "broken.yml").write_text("schema: [1\n")
        app.open(folder / "broken.yml")
        await settled(pilot)
        app.start_run()
        await pilot.press("escape", "ctrl+r")
        assert isinstance(app.screen, StartScreen)
    assert runs.begun == []


async def test_what_an_editor_wrote_is_reviewed_before_it_is_run(folder: Path) -> None:
    runs = happening(*BEGUN)
    app = Walk(runs=runs)
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        app.go("run")
        await settled(pilot)
        (folder / "stackwise.yml").write_text("schema: 1\nname: renamed\n")
        app.start_run()
        await until(pilot, lambda: isinstance(app.screen, ReviewScreen))
        assert runs.begun == []
        assert "renamed" in shown(app, "SummaryLine")
        app.start_run()
        await until(pilot, lambda: bool(runs.begun))
    assert runs.begun[0][2] == "renamed-production"


async def test_what_could_not_be_saved_is_said_and_not_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = happening(*BEGUN)
    app = Walk(runs=runs)
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        app.go("needs")
        await settled(pilot)
        assert app.design is not None
        monkeypatch.setattr(app.design, "path", folder / "gone" / "stackwise.yml")
        app.answer("needs.requests_per_minute", 4321)
        assert "✗ not saved" in shown(app, "SummaryLine")
        app.start_run()
        assert runs.begun == []
        monkeypatch.setattr(app.design, "path", folder / "stackwise.yml")
        app.start_run()
        await until(pilot, lambda: bool(runs.begun))
        assert "requests_per_minute: 4321" in (folder / "stackwise.yml").read_text()


async def test_a_removal_that_was_stopped_is_never_gone_on_with_unasked() -> None:
    runs = happening(*BEGUN)
    app = Walk(runs=runs)
    async with app.run_test(size=NARROW, notifications=True) as pilot:
        await settled(pilot)
        app.progress = RunProgress("destroy", failure=Failure("stopped", stopped=True))
        app.go("run")
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert runs.begun == []
        assert any("Nothing was made" in notice.message for notice in app._notifications)


async def test_a_verify_that_found_a_fault_is_mended_by_up() -> None:
    runs = happening(*BEGUN)
    app = Walk(runs=runs)
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        app.progress = RunProgress("verify", failure=Failure("2 of the checks found a fault"))
        app.go("run")
        await settled(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: bool(runs.begun))
    assert runs.begun[0][0] == "up"


async def test_a_run_of_the_former_site_is_shown_no_more(folder: Path) -> None:
    played = Played((*BEGUN, GIVEN_UP))
    played.go_on.set()
    app = Walk(runs=FakeRuns([played]))
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        app.start_run()
        await until(pilot, lambda: bool(app.progress and app.progress.failure))
        app.open(_beside(folder, "other"))
        await settled(pilot)
        assert app.progress is None
        app.go("run")
        await settled(pilot)
        assert not app.screen.query_one("#failure").display


async def test_a_renamed_site_shows_no_run_of_the_former_name() -> None:
    played = Played((*BEGUN, GIVEN_UP))
    played.go_on.set()
    app = Walk(runs=FakeRuns([played]))
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        app.start_run()
        await until(pilot, lambda: bool(app.progress and app.progress.failure))
        app.go("project")
        await settled(pilot)
        app.answer("name", "renamed")
        await settled(pilot)
        assert app.progress is None


async def test_a_look_that_comes_late_does_not_replace_a_newer_one(folder: Path) -> None:
    app = Walk()
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        assert app.design is not None
        app.post_message(Scanned(app.design, look_at("elsewhere", None, folder)))
        await pilot.pause()
        assert not app.design.stale
        assert app.design.scanned.source == "."


async def test_an_editors_change_is_shown_by_a_step_back_that_has_nothing_to_do(folder: Path) -> None:
    app = Walk()
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        assert app.design is not None
        app.answer("needs.downtime", "days")
        (folder / "stackwise.yml").write_text("schema: 1\nname: edited\n")
        assert app.design.undo() == ()
        assert app.design.summary.name == "edited"


async def test_two_quick_enters_close_one_box() -> None:
    app = Walk()
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        await pilot.press("ctrl+g")
        assert isinstance(app.screen, GoTo)
        box = app.screen
        box.dismiss(None)
        await pilot.pause()
        box.dismiss(None)
        await pilot.pause()
        assert isinstance(app.screen, StartScreen)
        app.go("needs")
        await settled(pilot)
        sure = Sure("Really?", "Yes", "No")
        app.push_screen(sure)
        await pilot.pause()
        sure.dismiss(True)
        await asyncio.sleep(0)
        sure.dismiss(True)
        await pilot.pause()
        assert isinstance(app.screen, StepScreen)


async def test_escape_closes_the_help_and_nothing_else() -> None:
    app = Walk()
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("f1")
        await settled(pilot)
        assert app.screen.query("HelpPanel")
        await pilot.press("escape")
        await settled(pilot)
        assert not app.screen.query("HelpPanel")
        app.go("layer-database")
        await settled(pilot)
        await pilot.press("f1")
        await settled(pilot)
        await pilot.press("escape")
        await settled(pilot)
        assert not app.screen.query("HelpPanel")
        assert isinstance(app.screen, StepScreen)
        assert app.screen.step.id == "layer-database"


async def test_walking_past_every_page_changes_nothing(folder: Path) -> None:
    (folder / "stackwise.yml").unlink()
    app = Walk()
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        text = (folder / "stackwise.yml").read_text()
        for step in app.steps:
            app.go(step.id)
            await settled(pilot)
        app.go("project")
        await settled(pilot)
        assert (folder / "stackwise.yml").read_text() == text
        assert app.design is not None
        assert app.design.undo() == ()


async def test_a_run_that_goes_on_is_marked_on_the_map() -> None:
    played = Played(BEGUN)
    app = Walk(runs=FakeRuns([played]))
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        app.go("layer-tls")
        await settled(pilot)
        app.start_run()
        await until(pilot, lambda: bool(app.progress and app.progress.seen))
        assert "▸Run" in shown(app, "WalkStrip")
        assert app.standings()["run"] == "running"
        played.go_on.set()
    assert isinstance(BEGUN[0], events.RunStarted)
