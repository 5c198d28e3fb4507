"""One decision on one screen: options, hosting and servers as somebody at the keyboard or the mouse meets them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static

from stackwise.advice.offers import KEYS
from stackwise.render.comparison import comparison_lines
from stackwise.render.why_text import why_lines
from stackwise.tui.app import Walk
from stackwise.tui.screens.dialogs import Explanation, Reading, reading_width
from stackwise.tui.screens.hosting import HostingScreen
from stackwise.tui.screens.layer import LayerScreen
from stackwise.tui.screens.server import ServerScreen
from stackwise.tui.screens.step import StepScreen
from stackwise.tui.widgets.form import Field, Form
from stackwise.tui.widgets.summary import SummaryLine, SummaryPanel
from stackwise.walk.design import Design
from tests.tui.walking import NARROW, happening, settled, shown, small_project, until

WIDE, HUGE = (120, 36), (180, 50)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    project = small_project(tmp_path)
    monkeypatch.chdir(project)
    monkeypatch.setenv("HOME", str(tmp_path))
    return project


@asynccontextmanager
async def at(step: str, size: tuple[int, int] = NARROW) -> AsyncIterator[tuple[Walk, Pilot[None]]]:
    """Stand on a step of the walk."""
    app = Walk()
    async with app.run_test(size=size, notifications=True) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        app.go(step)
        await settled(pilot)
        yield app, pilot


def design_of(app: Walk) -> Design:
    assert app.design is not None
    return app.design


def highlight(app: Walk, name: str) -> None:
    rows = app.screen.query_one("#options", OptionList)
    rows.highlighted = rows.get_option_index(name)


async def test_what_can_be_taken_stands_first_with_its_fit() -> None:
    async with at("layer-database") as (app, _):
        assert isinstance(app.screen, LayerScreen)
        options = design_of(app).options(app.screen.category)
        refused = [bool(option.why_not) for option in options]
        assert refused == sorted(refused)
        assert [row.id for row in app.screen.shown] == [option.component.id for option in options]
        first = options[0]
        assert f"fit {first.fit:+g}" in str(app.screen.list.get_option_at_index(0).prompt)


async def test_the_notes_say_first_what_taking_it_would_move() -> None:
    async with at("layer-database") as (app, pilot):
        highlight(app, "sqlite")
        await pilot.pause()
        before, then = design_of(app).summary, design_of(app).would_be({"stack.database": "sqlite"})
        assert then is not None
        assert shown(app, "#note").startswith("Taking it: ")
        assert f"memory {before.needed_mb} → {then.needed_mb} MiB" in shown(app, "#note")
        await pilot.press("space")
        assert design_of(app).summary.needed_mb == then.needed_mb
        assert not shown(app, "#note").startswith("Taking it: ")


async def test_typing_filters_and_escape_shows_all_again() -> None:
    async with at("layer-database") as (app, pilot):
        many = app.screen.query_one("#options", OptionList).option_count
        await pilot.press("slash", *"sqli")
        assert app.screen.query_one("#options", OptionList).option_count == 1
        await pilot.press("enter", "space")
        assert design_of(app).choices["stack.database"] == "sqlite"
        await pilot.press("escape")
        assert app.screen.query_one("#options", OptionList).option_count == many
        assert isinstance(app.screen, LayerScreen)
        await pilot.press("slash", *"zzz")
        assert "Nothing here has these words" in shown(app, "#note")
        await pilot.press("escape", "escape")
        assert isinstance(app.screen, StepScreen)
        assert app.screen.step.id == "layer-process"


async def test_w_says_why_in_the_words_of_the_core() -> None:
    async with at("layer-database") as (app, pilot):
        highlight(app, "sqlite")
        await pilot.press("w")
        await settled(pilot)
        assert isinstance(app.screen, Reading)
        design = design_of(app)
        why = design.why(design.catalog.categories["database"])
        assert list(app.screen.lines) == list(why_lines(why, "sqlite", design.catalog, reading_width(80)))
        assert any(line.startswith("Recommended: PostgreSQL") for line in app.screen.lines)
        assert any("SQLite fits by" in line for line in app.screen.lines)
        await pilot.press("escape")
        assert isinstance(app.screen, LayerScreen)


async def test_c_compares_what_is_marked_and_at_most_four() -> None:
    async with at("layer-database", WIDE) as (app, pilot):
        for name in ("postgresql", "sqlite", "mariadb", "mysql", "mongodb"):
            highlight(app, name)
            await pilot.press("m")
        assert any("4 are marked already" in notice.message for notice in app._notifications)
        await pilot.press("c")
        assert isinstance(app.screen, Reading)
        catalog = design_of(app).catalog
        four = [catalog.component(name) for name in ("postgresql", "sqlite", "mariadb", "mysql")]
        assert list(app.screen.lines) == list(comparison_lines(four, catalog, reading_width(WIDE[0])))
        await pilot.press("escape")
        highlight(app, "mysql")
        await pilot.press("m", "c")
        assert isinstance(app.screen, Reading)
        assert "MySQL" not in app.screen.lines[0]


async def test_with_nothing_marked_c_compares_with_what_is_taken() -> None:
    async with at("layer-database") as (app, pilot):
        highlight(app, "sqlite")
        await pilot.press("c")
        assert isinstance(app.screen, Reading)
        assert app.screen.lines[0].split() == ["SQLite", "PostgreSQL"]


async def test_settings_fold_out_below_the_option_and_back_in(folder: Path) -> None:
    async with at("layer-app") as (app, pilot):
        await pilot.press("o")
        await pilot.pause()
        assert app.screen.query_one("#settings", Form)
        assert app.screen.focused is not None
        field = next(f for f in app.screen.query(Field) if f.asked.key == "options.gunicorn.timeout")
        field.query_one(Input).value = "45"
        await pilot.press("escape")
        await settled(pilot)
        assert not app.screen.query("#settings")
        assert isinstance(app.screen, LayerScreen)
        assert "timeout: 45" in (folder / "stackwise.yml").read_text()


async def test_settings_that_are_open_when_the_step_is_left_are_kept(folder: Path) -> None:
    async with at("layer-app") as (app, pilot):
        await pilot.press("o")
        await pilot.pause()
        field = next(f for f in app.screen.query(Field) if f.asked.key == "options.gunicorn.timeout")
        field.query_one(Input).value = "50"
        await pilot.press("ctrl+n")
        assert "timeout: 50" in (folder / "stackwise.yml").read_text()


async def test_the_four_kinds_of_hosting_stand_in_one_table() -> None:
    for size in (NARROW, WIDE):
        async with at("hosting", size) as (app, pilot):
            assert isinstance(app.screen, HostingScreen)
            kinds = design_of(app).kinds()
            rows = app.screen.query_one("#options", OptionList)
            assert rows.option_count == len(kinds) == 4
            assert rows.region.height == 4, "each in one line"
            for kind in kinds:
                line = str(rows.get_option(kind.component.id).prompt)
                assert f"{kind.hours:g}" in line
                for quote in (kind.today, kind.tenfold):
                    assert (f"{quote.total:.0f} " if quote and quote.total is not None else "unknown") in line
            highlight(app, "bare-metal")
            await pilot.press("enter")
            assert any("cannot be taken" in notice.title for notice in app._notifications)
            assert isinstance(app.screen, HostingScreen)


async def test_the_table_of_servers_shows_what_is_sold_and_takes_it_as_a_whole(folder: Path) -> None:
    async with at("server") as (app, pilot):
        assert isinstance(app.screen, ServerScreen)
        sold = design_of(app).sold()
        assert [row.id for row in app.screen.shown] == list(app.screen.sold)
        assert app.screen.query_one("#options", OptionList).option_count == len(sold)
        recommended = next(place for place, row in enumerate(sold) if row.recommended)
        assert "★" in str(app.screen.list.get_option_at_index(recommended).prompt)
        app.screen.list.highlighted = next(n for n, row in enumerate(sold) if row.size.id == "medium")
        await pilot.press("space")
        assert "size: medium" in (folder / "stackwise.yml").read_text()
        assert {key: design_of(app).choices[key] for key in KEYS} == sold[1].answers
        await pilot.press("home", "enter")
        assert isinstance(app.screen, StepScreen)
        assert app.screen.step.id == "login"


async def test_a_size_that_is_too_small_says_so() -> None:
    async with at("server") as (app, pilot):
        app.answer("needs.requests_per_minute", 12_000)
        await pilot.pause()
        assert "too small" in str(app.screen.query_one("#options", OptionList).get_option_at_index(0).prompt)
        assert "too small" not in str(app.screen.query_one("#options", OptionList).get_option_at_index(1).prompt)


async def test_the_provider_is_tried_out_at_once_and_again_by_key() -> None:
    async with at("server") as (app, pilot):
        assert isinstance(app.screen, ServerScreen)
        trial = app.screen.trials["sandbox"]
        assert trial.says in " ".join(shown(app, "#note").split())
        app.screen.trials.clear()
        await pilot.press("t")
        await settled(pilot)
        assert app.screen.trials["sandbox"].ok == trial.ok


async def test_credentials_are_masked_and_never_saved(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VULTR_API_KEY", raising=False)
    async with at("server") as (app, pilot):
        assert isinstance(app.screen, ServerScreen)
        vultr = next(place for place, row in enumerate(app.screen.shown) if row.id.startswith("vultr"))
        app.screen.list.highlighted = vultr
        await pilot.press("t")
        box = app.screen.query_one(Input)
        assert box.password
        assert "VULTR_API_KEY" in " ".join(str(widget.render()) for widget in app.screen.query(Static))
        await pilot.press(*"canary-1234", "escape")
        assert app.credentials == {}
        assert isinstance(app.screen, ServerScreen)
        assert "canary" not in "".join(path.read_text() for path in folder.rglob("*.yml"))


async def test_what_was_typed_for_a_provider_reaches_a_run_by_its_environment_alone(folder: Path) -> None:
    runs = happening()
    app = Walk(runs=runs)
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        app.credentials["VULTR_API_KEY"] = "canary-1234"
        app.start_run()
        await until(pilot, lambda: bool(runs.begun))
    command, path, _, environment = runs.begun[0]
    assert environment == {"VULTR_API_KEY": "canary-1234"}
    assert "canary" not in command + path.read_text()
    assert "canary" not in "".join(file.read_text(errors="replace") for file in folder.rglob("*") if file.is_file())


async def test_question_mark_explains_each_kind_of_step() -> None:
    for step in ("hosting", "layer-cache", "server"):
        async with at(step) as (app, pilot):
            await pilot.press("question_mark")
            assert isinstance(app.screen, Explanation)
            await pilot.press("escape")
            assert isinstance(app.screen, StepScreen)


async def test_most_questions_stay_folded_and_enter_passes_them_by() -> None:
    async with at("needs") as (app, pilot):
        fields = {field.asked.key: field for field in app.screen.query(Field)}
        assert set(fields) == set(next(step for step in app.steps if step.id == "needs").keys)
        more = [field for field in fields.values() if field.asked.question.more]
        assert more
        assert not any(field.is_on_screen and field.region.height for field in more)
        for _ in range(len(fields) - len(more)):
            await pilot.press("enter")
        assert isinstance(app.screen, StepScreen)
        assert app.screen.step.id == "team"


async def test_folded_questions_are_a_key_away_and_saved(folder: Path) -> None:
    async with at("needs", WIDE) as (app, pilot):
        app.screen.query_one("CollapsibleTitle").focus()
        await pilot.press("enter")
        field = next(f for f in app.screen.query(Field) if f.asked.key == "needs.sites")
        field.query_one(Input).focus()
        await pilot.press("ctrl+u", "3", "ctrl+n")
        assert "sites: 3" in (folder / "stackwise.yml").read_text()


async def test_a_key_of_ones_own_can_be_picked_or_another_typed(tmp_path: Path, folder: Path) -> None:
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "id_ed25519.pub").write_text("ssh-ed25519 AAAA me@here\n")
    (tmp_path / ".ssh" / "notes.pub").write_text("no key at all\n")
    async with at("login") as (app, pilot):
        field = next(f for f in app.screen.query(Field) if f.asked.key == "access.ssh_key")
        assert [value for value, _ in field.asked.offered] == ["generate", "~/.ssh/id_ed25519.pub"]
        await pilot.click(list(field.query("Choice"))[1])
        assert "ssh_key: ~/.ssh/id_ed25519.pub" in (folder / "stackwise.yml").read_text()
        field.query_one(Input).focus()
        await pilot.press(*"other.pub", "ctrl+n")
        assert "ssh_key: other.pub" in (folder / "stackwise.yml").read_text()


@pytest.mark.parametrize(("size", "panel"), [(NARROW, False), (WIDE, False), (HUGE, True), ((400, 110), True)])
async def test_the_summary_is_in_sight_at_every_size(size: tuple[int, int], *, panel: bool) -> None:
    async with at("layer-cache", size) as (app, _):
        summary = design_of(app).summary
        assert app.screen.query_one(SummaryPanel).display == panel
        assert app.screen.query_one(SummaryLine).display != panel
        words = shown(app, "SummaryPanel" if panel else "SummaryLine")
        for figure in (f"{summary.carries:,}", f"{summary.needed_mb}", f"{summary.hours:g}", "no conflict"):
            assert figure in words
        if panel:
            assert all(failure in words for failure in summary.failures)


async def test_what_a_change_moved_says_what_it_was() -> None:
    async with at("layer-cache", HUGE) as (app, _):
        before = design_of(app).summary.needed_mb
        app.answer("stack.cache", "local-memory")
        assert f"(was {before})" in shown(app, "SummaryPanel")
