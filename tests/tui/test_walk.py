"""The walk as somebody at the keyboard meets it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.color import Color
from textual.command import CommandPalette
from textual.dom import DOMNode
from textual.widgets import Footer, Input, OptionList

from stackwise.advice.report import report
from stackwise.render.advice_text import report_document, report_lines
from stackwise.tui.app import Walk
from stackwise.tui.screens.dialogs import Reading, reading_width
from stackwise.tui.screens.form import FormScreen
from stackwise.tui.screens.layer import LayerScreen
from stackwise.tui.screens.review import ReviewScreen
from stackwise.tui.screens.small import TooSmall
from stackwise.tui.screens.start import StartScreen
from stackwise.tui.screens.step import StepScreen
from stackwise.tui.widgets.form import Field
from stackwise.tui.widgets.map import WalkList, WalkStrip
from stackwise.tui.widgets.plan_view import PlanTree
from tests.tui.walking import NARROW, settled, shown, small_project, until


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    project = small_project(tmp_path)
    monkeypatch.chdir(project)
    return project


async def test_keys_lead_from_an_empty_folder_to_the_review(folder: Path) -> None:
    app = Walk()
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        assert "Django" in shown(app, "#found")
        assert not (folder / "stackwise.yml").exists()
        await pilot.press("enter")
        assert (folder / "stackwise.yml").exists()
        seen = []
        while not isinstance(app.screen, ReviewScreen):
            assert isinstance(app.screen, StepScreen)
            seen.append(app.screen.step.id)
            await pilot.press("enter" if isinstance(app.screen, LayerScreen) else "ctrl+n")
        assert seen == [step.id for step in app.steps[:-3]]
        await settled(pilot)
        assert "Servers (1)" in [str(node.label) for node in app.screen.query_one(PlanTree).root.children]
        assert set(app.standings().values()) == {"done", "open"}


async def test_the_whole_advice_is_a_key_away_and_says_what_the_command_prints(folder: Path) -> None:
    app = Walk()
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        await pilot.press("enter", "f2")
        await settled(pilot)
        assert isinstance(app.screen, Reading)
        assert app.design is not None
        job = app.design.job()
        document = report_document(report(job.choices, job.project, job.catalog))
        assert list(app.screen.lines) == list(report_lines(document, "USD", width=reading_width(80)))
        assert any("What it carries" in line for line in app.screen.lines)
        await pilot.press("pagedown", "escape")
        assert isinstance(app.screen, StepScreen)
    assert (folder / "stackwise.yml").exists()


async def test_the_whole_advice_holds_up_no_key_and_does_not_follow_to_another_step(folder: Path) -> None:
    app = Walk()
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        assert isinstance(app.screen, StepScreen)
        app.screen.action_advise()
        assert isinstance(app.screen, StepScreen)
        app.go("layer-cache")
        await settled(pilot)
        assert isinstance(app.screen, LayerScreen)
        await pilot.press("f2")
        await settled(pilot)
        assert isinstance(app.screen, Reading)
    assert (folder / "stackwise.yml").exists()


async def test_what_is_typed_is_in_the_file_with_its_comments(folder: Path) -> None:
    (folder / "stackwise.yml").write_text(
        "# ours\nschema: 1\nname: mysite # short\nneeds:\n  budget: 25 USD # agreed\n"
    )
    app = Walk()
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        await pilot.press("enter", "end", *"-two", "enter")
        assert "name: mysite-two # short\n" in (folder / "stackwise.yml").read_text()
        app.go("needs")
        await pilot.pause()
        box = next(field for field in app.screen.query(Field) if field.asked.key == "needs.budget").query_one(Input)
        box.focus()
        box.value = "40 EUR"
        # Left by a key that is not enter: nothing that was typed is lost.
        await pilot.press("ctrl+n")
        assert (folder / "stackwise.yml").read_text().startswith("# ours\nschema: 1\nname: mysite-two # short\n")
        assert "budget: 40 EUR # agreed" in (folder / "stackwise.yml").read_text()


async def test_what_cannot_be_right_is_said_and_not_saved(folder: Path) -> None:
    app = Walk()
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        await pilot.press("enter", "ctrl+u", *"My Site")
        field = app.screen.query(Field).first()
        assert "not of the expected form" in str(field.query_one(".why").render())
        await pilot.press("enter", "ctrl+n")
        assert "name: mysite\n" in (folder / "stackwise.yml").read_text()


async def test_an_impossible_option_stays_visible_and_says_why(folder: Path) -> None:
    app = Walk()
    async with app.run_test(size=NARROW, notifications=True) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        app.go("layer-app")
        await pilot.pause()
        before = (folder / "stackwise.yml").read_text()
        await pilot.press("end", "enter")
        assert isinstance(app.screen, LayerScreen)
        assert app.screen.step.id == "layer-app"
        assert "cannot be taken" in shown(app, "#note")
        assert [notice.message for notice in app._notifications] == ["stackwise does not install it."]
        assert (folder / "stackwise.yml").read_text() == before


async def test_a_choice_moves_the_summary_and_is_saved(folder: Path) -> None:
    app = Walk()
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        app.go("layer-cache")
        await pilot.pause()
        before = shown(app, "SummaryLine")
        rows = app.screen.query_one(OptionList)
        rows.highlighted = rows.get_option_index("local-memory")
        await pilot.press("space")
        assert shown(app, "SummaryLine") != before
        assert "cache: local-memory" in (folder / "stackwise.yml").read_text()
        await pilot.press("question_mark")
        assert "fast store" in " ".join(str(widget.render()) for widget in app.screen.query("Static"))


@pytest.mark.usefixtures("folder")
async def test_a_components_settings_are_saved_as_options() -> None:
    app = Walk()
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        app.go("layer-app")
        await pilot.pause()
        await pilot.press("o")
        box = next(f for f in app.screen.query(Field) if f.asked.key == "options.gunicorn.timeout").query_one(Input)
        box.value = "45"
        await pilot.press("escape")
        assert app.design is not None
        assert app.design.document.plain()["options"] == {"gunicorn": {"timeout": 45}}
        await pilot.press("o")
        box = next(f for f in app.screen.query(Field) if f.asked.key == "options.gunicorn.timeout").query_one(Input)
        assert box.value == "45"


async def test_a_terminal_too_small_is_told_so_and_forgiven(folder: Path) -> None:
    app = Walk()
    async with app.run_test(size=(60, 15)) as pilot:
        await settled(pilot)
        assert isinstance(app.screen, TooSmall)
        assert "60x15" in str(app.screen.query("Static").first().render())
        await pilot.resize_terminal(*NARROW)
        await pilot.pause()
        assert isinstance(app.screen, StartScreen)
    assert not (folder / "stackwise.yml").exists()


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("between", [None, (55, 16)])
async def test_a_terminal_made_larger_below_the_palette_is_forgiven_too(between: tuple[int, int] | None) -> None:
    app = Walk()
    async with app.run_test(size=(50, 15)) as pilot:
        await settled(pilot)
        await pilot.press("ctrl+p")
        assert isinstance(app.screen, CommandPalette)
        for size in (between, (100, 30)):
            if size is not None:
                await pilot.resize_terminal(*size)
                await pilot.pause()
        assert isinstance(app.screen, CommandPalette)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, StartScreen))
        assert len(app.screen_stack) == 1


async def test_a_file_that_cannot_be_written_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = Walk("gone/stackwise.yml")
    (folder / "gone").mkdir()
    small_project(folder / "gone").rename(folder / "gone" / "site")
    async with app.run_test(size=NARROW, notifications=True) as pilot:
        await settled(pilot)
        app.path = folder / "gone" / "stackwise.yml"
        assert app.design is not None
        monkeypatch.setattr(app.design, "path", folder / "nowhere" / "stackwise.yml")
        await pilot.press("enter")
        assert any("could not be written" in notice.message for notice in app._notifications)


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light", "ansi-light"])
@pytest.mark.usefixtures("folder")
async def test_every_word_can_be_read_in_every_kind_of_theme(theme: str) -> None:
    app = Walk()
    async with app.run_test(size=(170, 48)) as pilot:
        app.theme = theme
        await settled(pilot)
        await pilot.press("enter")
        for step in app.steps:
            app.go(step.id)
            await settled(pilot)
            faint = [words for words, contrast in _contrasts(app) if contrast < _FAINTEST]
            assert not faint, (step.id, faint)


# Twice as light as what is behind it: what is dim on purpose can still be read.
_FAINTEST = 2.0


def _contrasts(app: Walk) -> Iterator[tuple[str, float]]:
    """Yield the words on the screen whose colours are told, with their contrast."""
    for strip in app.screen._compositor.render_strips():
        for words, style, _ in strip:
            if words.strip(" ─━│▔▁▏▎▌▐▅▄▃▂▆▇█╸╺┃") and style and style.color and style.bgcolor:
                front, back = Color.from_rich_color(style.color), Color.from_rich_color(style.bgcolor)
                if style.dim:
                    front = back.blend(front, 0.5)
                if not front.ansi and not back.ansi:
                    yield words.strip(), _contrast(front, back)


def _contrast(front: Color, back: Color) -> float:
    """Return the contrast as WCAG 2 reckons it, from 1 to 21."""
    light, dark = sorted((_luminance(front), _luminance(back)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: Color) -> float:
    parts = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in color.normalized]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


@pytest.mark.usefixtures("folder")
async def test_no_footer_shows_more_than_six_keys() -> None:
    app = Walk()
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        for step in [step.id for step in app.steps]:
            app.go(step)
            await pilot.pause()
            assert len(app.screen.query_one(Footer).query("FooterKey")) <= 6
            assert app.screen.HELP


def test_every_binding_has_an_id_a_description_and_a_tooltip() -> None:
    for binding in _bindings(Walk):
        assert all(binding), binding


@pytest.mark.usefixtures("folder")
async def test_the_map_leads_anywhere_by_mouse() -> None:
    app = Walk()
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.click("#begin")
        await pilot.pause()
        line = app.screen.query_one(WalkList).lines.index("layer-database")
        await pilot.click(WalkList, offset=(4, line))
        await pilot.pause()
        assert isinstance(app.screen, LayerScreen)
        assert app.screen.step.id == "layer-database"
        await pilot.resize_terminal(*NARROW)
        await pilot.pause()
        await pilot.click(WalkStrip, offset=(14, 0))
        await pilot.pause()
        assert isinstance(app.screen, FormScreen)
        assert app.screen.step.id == "needs"


def _bindings(root: type) -> Iterator[tuple[str, str, str]]:
    """Yield id, description and tooltip of every binding that our own classes declare."""
    kinds, found = [DOMNode], set()
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        found.add(kind)
    assert root in found
    for kind in found:
        if kind.__module__.startswith("stackwise."):
            for binding in kind.__dict__.get("BINDINGS", ()):
                assert isinstance(binding, Binding)
                yield binding.id or "", binding.description, binding.tooltip
