"""The look and the keys of one's own: kept, told where they are wrong, and never in the way."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import DataTable

from stackwise import paths
from stackwise.tui.app import Walk
from stackwise.tui.keys import checked, known_keys
from stackwise.tui.screens.keys import KeysScreen
from stackwise.tui.screens.review import ReviewScreen
from stackwise.tui.screens.start import StartScreen
from stackwise.tui.screens.step import StepScreen
from stackwise.tui.taste import has_colours
from stackwise.walk.taste import kept_theme, keys_path
from tests.tui.walking import NARROW, settled, small_project


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    project = small_project(tmp_path)
    monkeypatch.chdir(project)
    return project


def own_keys(text: str) -> None:
    keys_path().parent.mkdir(parents=True, exist_ok=True)
    keys_path().write_text(text)


def notices(app: Walk) -> list[str]:
    return [notice.message for notice in app._notifications]


async def test_a_theme_that_was_chosen_is_there_the_next_time() -> None:
    app = Walk()
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        assert not kept_theme()
        await pilot.press("ctrl+p", *"theme", "enter")
        await pilot.press(*"textuallight", "enter")
        await settled(pilot)
        assert app.theme == "textual-light"
    assert kept_theme() == "textual-light"
    again = Walk()
    assert again.theme == "textual-light"


async def test_a_theme_that_cannot_be_kept_is_said() -> None:
    paths.config_dir().parent.mkdir(parents=True)
    paths.config_dir().write_text("in the way")
    app = Walk()
    async with app.run_test(size=NARROW, notifications=True) as pilot:
        await settled(pilot)
        app.theme = "textual-light"
        await settled(pilot)
        assert any("theme is not kept" in notice for notice in notices(app))


async def test_a_kept_theme_that_is_gone_is_forgotten() -> None:
    paths.config_dir().mkdir(parents=True)
    (paths.config_dir() / "taste.json").write_text('{"theme": "of-another-version"}')
    assert Walk().theme == "textual-dark"


async def test_a_key_of_ones_own_does_what_it_is_told() -> None:
    own_keys("start.begin: f5\nstep.next: f6, ctrl+t\n")
    app = Walk()
    async with app.run_test(size=NARROW, notifications=True) as pilot:
        await settled(pilot)
        assert notices(app) == []
        await pilot.press("ctrl+n")
        assert isinstance(app.screen, StartScreen)
        await pilot.press("f5")
        assert isinstance(app.screen, StepScreen)
        first = app.screen.step
        await pilot.press("f6")
        assert app.screen.step != first
        before = app.screen.step
        await pilot.press("ctrl+t")
        assert app.screen.step != before


async def test_mistakes_are_said_with_the_nearest_id_and_all_else_counts() -> None:
    own_keys("step.nxt: f6\nstart.begin: f1\nstep.back: strg+b\nstep.review: f7\n")
    app = Walk()
    async with app.run_test(size=NARROW, notifications=True) as pilot:
        await settled(pilot)
        said = "\n".join(notices(app))
        assert "step.nxt: no such id; did you mean step.next?" in said
        assert "start.begin: f1 is walk.help already" in said
        assert "step.back: strg+b is no key" in said
        assert "step.review" not in said
        await pilot.press("ctrl+n", "f7")
        assert isinstance(app.screen, ReviewScreen)
        await pilot.press("escape")
        assert not isinstance(app.screen, ReviewScreen)


@pytest.mark.parametrize("text", ["[", "7\n", "step.next: [f5]\n", "step.next:\n"])
async def test_a_keys_file_that_cannot_be_read_is_said_and_nothing_breaks(text: str) -> None:
    own_keys(text)
    app = Walk()
    async with app.run_test(size=NARROW, notifications=True) as pilot:
        await settled(pilot)
        assert any(notice.startswith("Keys stay as they are.") for notice in notices(app))
        await pilot.press("enter")
        assert isinstance(app.screen, StepScreen)


def test_two_that_change_places_do_not_clash() -> None:
    known = known_keys()
    keys, said = checked({"step.next": "ctrl+g", "step.goto": "ctrl+n"}, known)
    assert keys == {"step.next": "ctrl+g", "step.goto": "ctrl+n"}
    assert said == []
    keys, said = checked({"step.next": "f6", "step.goto": "f6", "review.accept": "ctrl+p", "layer.take": "?"}, known)
    assert keys == {}
    assert len(said) == 4
    # What is never on the same screen may have the same key.
    assert checked({"file.close": "f9", "export.close": "f9"}, known)[1] == []


def test_no_two_keys_clash_as_they_are() -> None:
    known = known_keys()
    screens = {name: ",".join(it.keys) for name, it in known.items() if name.partition(".")[0] in {"walk", "step"}}
    assert checked(screens, known)[1] == []


async def test_the_palette_leads_to_every_key_with_its_id() -> None:
    own_keys("step.next: f6\n")
    app = Walk()
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        await pilot.press("ctrl+p", *"keys", "enter")
        await pilot.pause()
        assert isinstance(app.screen, KeysScreen)
        table = app.screen.query_one(DataTable)
        rows = {
            str(row[2]): (str(row[0]), str(row[1])) for row in (table.get_row_at(i) for i in range(table.row_count))
        }
        assert rows.keys() == known_keys().keys()
        assert rows["step.next"] == ("✎ f6", "Go to the next step")
        assert rows["walk.undo"][0] == "^z"
        await pilot.press("escape")
        assert isinstance(app.screen, StartScreen)


async def test_every_action_of_every_screen_is_in_the_palette() -> None:
    app = Walk()
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        for step in ("project", "layer-database", "review", "run", "report"):
            app.go(step)
            await settled(pilot)
            titles = [command.title for command in app.get_system_commands(app.screen)]
            own = {b.binding.description for b in app.screen.active_bindings.values() if b.binding.id and b.enabled}
            assert own <= {*titles, ""}
            assert {"Undo", "Redo", "Keys", "Theme", "Go to Review"} <= set(titles)
        app.go("review")
        await settled(pilot)
        await pilot.press("ctrl+p", *"show answers", "enter")
        await settled(pilot)
        assert app.screen.query_one("#answers-source").has_focus


@pytest.mark.parametrize(
    ("term", "colours"), [("xterm-256color", True), ("vt100", False), ("", True), ("nobodys", True)]
)
def test_a_terminal_is_asked_for_colours_by_its_name(term: str, colours: bool) -> None:
    assert has_colours(term) is colours
