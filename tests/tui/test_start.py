"""The first picture: this folder, what was open lately, another place, and a run that can go on."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Footer, Input, OptionList

from stackwise import events
from stackwise.journal import Journal
from stackwise.journal.record import Recorder
from stackwise.plan.model import Identity
from stackwise.tui.app import Walk
from stackwise.tui.screens.faults import FaultsScreen
from stackwise.tui.screens.form import FormScreen
from stackwise.tui.screens.review import ReviewScreen
from stackwise.tui.screens.run import RunScreen
from stackwise.tui.screens.start import StartScreen
from stackwise.tui.widgets.place import completion
from stackwise.walk.recent import recents, remember
from tests.tui.walking import NARROW, settled, shown, small_project, until

WIDE = (120, 40)
BEGUN = events.RunStarted(number=3, command="up", name="mysite", environment="production")
FAILED = events.RunFailed(number=3, seconds=4, message="no room [/x]", hint="stackwise up", said="")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    project = small_project(tmp_path)
    monkeypatch.chdir(project)
    return project


def another(tmp_path: Path, name: str) -> Path:
    (tmp_path / name).mkdir()
    project = small_project(tmp_path / name)
    (project / "stackwise.yml").write_text(f"schema: 1\nname: {name}\n")
    return project / "stackwise.yml"


def recorded(folder: Path, *seen: events.Event) -> None:
    with Recorder(folder, 3, "up") as recorder:
        for event in seen:
            recorder.keep(event)


def rows(app: Walk) -> list[str]:
    listed = app.screen.query_one("#recents", OptionList)
    return [str(option.prompt) for option in listed.options] if listed.display else []


async def test_faults_are_shown_with_their_places_and_nothing_is_lost(folder: Path) -> None:
    text = "schema: 1\nname: mysite\nstack:\n  web: ngin  # typed in a hurry\nhostin: {}\n"
    (folder / "stackwise.yml").write_text(text)
    app = Walk()
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        assert isinstance(app.screen, FaultsScreen)
        words = " ".join(str(widget.render()) for widget in app.screen.query("Static"))
        assert "stackwise.yml:4:3" in words
        assert "did you mean nginx?" in words
        await pilot.press("enter")
        assert isinstance(app.screen, StartScreen)
        await pilot.press("ctrl+g", "home", "enter")
        assert isinstance(app.screen, FormScreen)
        assert (folder / "stackwise.yml").read_text() == text
        app.go("layer-web")
        await pilot.pause()
        await pilot.press("home", "space")
        assert "web: nginx # typed in a hurry\nhostin: {}\n" in (folder / "stackwise.yml").read_text()
        await pilot.press("ctrl+r", "enter", "y")
        assert (folder / "stackwise.yml").read_text().endswith("web: nginx # typed in a hurry\n")
        assert app.design is not None
        assert app.design.faults == ()


async def test_a_file_that_is_no_yaml_is_read_again_once_it_is_mended(folder: Path) -> None:
    (folder / "other.yml").write_text("schema: [1\n")
    app = Walk("other.yml")
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        assert isinstance(app.screen, FaultsScreen)
        (folder / "other.yml").write_text("schema: 1\nname: mended\n")
        await pilot.press("r")
        await settled(pilot)
        assert isinstance(app.screen, StartScreen)
        assert "mended" in shown(app, "#found")


async def test_a_folder_without_a_project_can_be_left_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = small_project(tmp_path)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    app = Walk()
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        assert "✗" in shown(app, "#found")
        assert app.screen.query_one("#begin", Button).disabled
        await pilot.press(*str(project), "enter")
        await settled(pilot)
        assert "Django" in shown(app, "#found")
        await pilot.press("enter")
        assert (project / "stackwise.yml").exists()


async def test_a_fresh_folder_is_scanned_and_one_key_begins(folder: Path) -> None:
    app = Walk()
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        assert "Django" in shown(app, "#found")
        assert rows(app) == []
        assert not app.screen.query_one("#resume").display
        assert recents() == ()
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, FormScreen)
        assert [(recent.path, recent.name) for recent in recents()] == [(folder / "stackwise.yml", "mysite")]


@pytest.mark.usefixtures("folder")
async def test_one_key_leads_to_the_review() -> None:
    app = Walk()
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        await pilot.press("ctrl+r")
        assert isinstance(app.screen, ReviewScreen)


async def test_what_was_open_lately_is_listed_and_opened_again(folder: Path, tmp_path: Path) -> None:
    for name in ("older", "newer", "gone"):
        remember(another(tmp_path, name), name, "testing")
    (tmp_path / "gone" / "mysite" / "stackwise.yml").unlink()
    recorded(
        tmp_path / "older" / "mysite", events.RunStarted(number=3, command="up", name="older", environment="testing")
    )
    app = Walk()
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        assert [row.split()[0] for row in rows(app)] == ["newer", "older"]
        assert "did not come to an end" in rows(app)[1]
        app.screen.query_one("#recents").focus()
        await pilot.press("down", "enter")
        await settled(pilot)
        assert "for older" in shown(app, "#found")
        assert rows(app)[0].startswith(f"This folder\n{folder}")
        assert app.screen.query_one("#begin").has_focus
        # And back to this folder, where nothing was written by looking elsewhere.
        app.screen.query_one("#recents").focus()
        await pilot.press("home", "enter")
        await settled(pilot)
        assert str(folder) in shown(app, "#found")
        assert not (folder / "stackwise.yml").exists()


async def test_what_was_open_lately_is_opened_by_mouse(tmp_path: Path, folder: Path) -> None:
    remember(another(tmp_path, "other"), "other", "testing")
    app = Walk()
    async with app.run_test(size=WIDE) as pilot:
        await settled(pilot)
        assert await pilot.click("#recents", offset=(2, 0))
        await settled(pilot)
        assert "for other" in shown(app, "#found")
        assert await pilot.click("#review")
        await pilot.pause()
        assert isinstance(app.screen, ReviewScreen)
        await pilot.press("ctrl+g", "home", "enter", "escape")
        assert isinstance(app.screen, StartScreen)
    assert not (folder / "stackwise.yml").exists()


async def test_a_run_that_failed_is_said_and_led_to(folder: Path) -> None:
    (folder / "stackwise.yml").write_text("schema: 1\nname: mysite\n")
    recorded(folder, BEGUN, FAILED)
    app = Walk()
    async with app.run_test(size=NARROW) as pilot:
        await until(pilot, lambda: "✗ run 3, up: failed" in shown(app, "#last"))
        assert "no room [/x]" in shown(app, "#last")
        assert len(app.screen.query_one(Footer).query("FooterKey")) <= 6
        assert app.screen.query_one("#begin").has_focus
        await pilot.press("r")
        assert isinstance(app.screen, RunScreen)
        app.go("start")
        await settled(pilot)
        await pilot.click("#resume")
        assert isinstance(app.screen, RunScreen)


async def test_a_run_that_goes_on_is_said(folder: Path) -> None:
    (folder / "stackwise.yml").write_text("schema: 1\nname: mysite\n")
    recorded(folder, BEGUN)
    with Journal.of(Identity("mysite", "production")).locked("up"):
        app = Walk()
        async with app.run_test(size=NARROW) as pilot:
            await until(pilot, lambda: isinstance(app.screen, RunScreen) and bool(app.screen.query("#log")))
            await pilot.pause()
            app.go("start")
            await until(pilot, lambda: isinstance(app.screen, StartScreen) and "going on now" in shown(app, "#last"))
            assert str(app.screen.query_one("#resume", Button).label) == "Watch the run"


async def test_the_start_is_up_to_date_when_one_comes_back(folder: Path) -> None:
    app = Walk()
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        app.answer("name", "renamed")
        recorded(folder, events.RunStarted(number=3, command="up", name="renamed", environment="production"), FAILED)
        await pilot.press("escape")
        await settled(pilot)
        assert isinstance(app.screen, StartScreen)
        assert "for renamed" in shown(app, "#found")
        assert "failed" in shown(app, "#last")
        assert recents()[0].name == "renamed"


@pytest.mark.usefixtures("folder")
async def test_a_place_is_completed_as_it_is_typed(tmp_path: Path) -> None:
    another(tmp_path, "elsewhere")
    app = Walk()
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        box = app.screen.query_one("#other", Input)
        box.focus()
        await type_in(pilot, f"{tmp_path}/elsew")
        await until(pilot, lambda: box._suggestion.endswith("/elsewhere/"))
        await pilot.press("right")
        assert box.value == f"{tmp_path}/elsewhere/"
        await type_in(pilot, "my")
        await until(pilot, lambda: box._suggestion.endswith("/mysite/"))
        await pilot.press("right", "enter")
        await settled(pilot)
        assert "for elsewhere" in shown(app, "#found")


async def type_in(pilot: Pilot[None], text: str) -> None:
    await pilot.press(*("full_stop" if letter == "." else letter for letter in text))


def test_completion_knows_folders_and_answers_files(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / ".hidden").mkdir()
    for name in ("answers.yml", "notes.txt"):
        (tmp_path / "site" / name).write_text("")
    endings = (".yml",)
    assert completion(f"{tmp_path}/si", endings) == f"{tmp_path}/site/"
    assert completion(f"{tmp_path}/site/", endings) == f"{tmp_path}/site/answers.yml"
    assert completion(f"{tmp_path}/site/.h", endings) == f"{tmp_path}/site/.hidden/"
    assert completion(f"{tmp_path}/site/notes", endings) is None
    assert completion(f"{tmp_path}/nowhere/x", endings) is None
