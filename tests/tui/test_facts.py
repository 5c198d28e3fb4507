"""Every fact that a screen shows is the one that `--json` prints: both are walked and compared."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from textual.pilot import Pilot
from textual.widgets import Input

from stackwise.cli import app as command
from stackwise.tui.app import Walk
from stackwise.tui.screens.choosing import ChoosingScreen
from stackwise.tui.screens.form import FormScreen
from stackwise.tui.screens.layer import LayerScreen
from stackwise.tui.screens.server import ServerScreen
from stackwise.tui.widgets.form import Field
from stackwise.walk.questions import text_of
from tests.tui.walking import settled, shown, small_project

HUGE = (200, 60)
ANSWERS = """\
schema: 1
name: mysite
team: {operations: comfortable}
needs: {requests_per_minute: 3000, budget: 40 EUR, downtime: minutes, uploads: many}
stack: {cache: local-memory, database: sqlite}
options: {gunicorn: {timeout: 45}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    project = small_project(tmp_path)
    (project / "stackwise.yml").write_text(ANSWERS)
    monkeypatch.chdir(project)
    return project


def printed(*words: str) -> Any:
    """Return what a command prints with --json."""
    result = CliRunner().invoke(command, [*words, "--json"], catch_exceptions=False)
    assert result.exit_code in (0, 3), result.output
    return json.loads(result.stdout)


@asynccontextmanager
async def walking() -> AsyncIterator[tuple[Walk, Pilot[None]]]:
    app = Walk()
    async with app.run_test(size=HUGE) as pilot:
        await settled(pilot)
        yield app, pilot


@pytest.mark.usefixtures("folder")
async def test_every_layer_shows_what_advise_recommends_and_what_the_catalog_says() -> None:
    layers = {layer["answer"]: layer for layer in printed("advise")["layers"] if layer["answer"]}
    components = {component["id"]: component for component in printed("catalog", "list")}
    async with walking() as (app, pilot):
        seen = 0
        for step in app.steps:
            if step.kind not in {"layer", "hosting"}:
                continue
            app.go(step.id)
            await settled(pilot)
            assert isinstance(app.screen, LayerScreen)
            layer = layers[step.keys[0]]
            chosen = {row.id for row in app.screen.shown if row.chosen}
            assert chosen == set(layer["chosen"])
            recommended = {name for name, option in app.screen.options.items() if option.recommended}
            assert recommended == {layer["recommended"]}
            assert app.screen.options[layer["recommended"]].fit == pytest.approx(layer["fit"], abs=0.06)
            for row in app.screen.shown:
                component = components[row.id]
                note = app.screen.note(row).plain
                assert component["summary"] in note
                assert all(word in note for word in (*component["good_at"], *component["costs"]))
                assert all(source["url"] in note for source in component["sources"])
                assert not row.why_not or row.why_not in note
            seen += 1
        assert seen == len(layers) - 1  # the provider's table is not a list of options


@pytest.mark.usefixtures("folder")
async def test_the_table_of_hosting_shows_the_figures_of_advise() -> None:
    kinds = {kind["id"]: kind for kind in printed("advise")["hosting"]}
    async with walking() as (app, pilot):
        app.go("hosting")
        await settled(pilot)
        assert isinstance(app.screen, ChoosingScreen)
        assert {row.id for row in app.screen.shown} == set(kinds)
        for row in app.screen.shown:
            kind, words = kinds[row.id], row.content.plain
            for when in ("today", "tenfold"):
                assert (f"{kind[when]['total']:.0f} EUR" if kind[when] else "unknown") in words
            assert f"{kind['hours']:g}" in words
            note = app.screen.note(row).plain
            for degree in ("effort", "lock_in", "control", "ceiling"):
                assert f"{kind[degree]['degree']}  {kind[degree]['says']}" in note


@pytest.mark.usefixtures("folder")
async def test_the_table_of_servers_shows_prices_of_the_catalog_and_the_size_that_advise_finds_enough() -> None:
    document = printed("advise")
    async with walking() as (app, pilot):
        app.go("server")
        await settled(pilot)
        assert isinstance(app.screen, ServerScreen)
        recommended = [sold for sold in app.screen.sold.values() if sold.recommended]
        enough = document["sizing"]["enough"]
        wanted = [enough["size"]] if enough and enough["servers"] == 1 else []
        assert [sold.size.id for sold in recommended] == wanted
        quotes = {quote["provider"]: quote for quote in document["market"]}
        for name, sold in app.screen.sold.items():
            row = next(row for row in app.screen.shown if row.id == name)
            offer = printed("catalog", "show", sold.provider.id)["offer"]
            # Nobody sells a server that is there already, so its price is nowhere.
            here = [{"price": None}] if sold.provider.id == "existing" else offer["sizes"]
            size = next(size for size in here if size.get("id", sold.size.id) == sold.size.id)
            assert (
                "unknown" if size["price"] is None else f"{size['price']:g} {offer['currency']}"
            ) in row.content.plain
            if sold.why_not:
                assert quotes[sold.provider.id]["size"] == sold.size.id


@pytest.mark.usefixtures("folder")
async def test_the_summary_shows_the_figures_of_plan_and_advise() -> None:
    document, plan = printed("advise"), printed("plan")
    async with walking() as (app, pilot):
        app.go("layer-cache")
        await settled(pilot)
        words = shown(app, "SummaryPanel")
        sizing = document["sizing"]
        assert f"{sizing['needed_mb']} of {sizing['memory_mb']} MiB" in words
        assert f"{sizing['limits'][0]['requests_per_minute']:,} requests a minute" in words
        assert f"{sizing['wanted']:,} wanted; {sizing['limits'][0]['what']} gives first" in words
        assert f"{plan['cost']['amount']:g} {plan['cost']['currency']}/month" in words
        assert "\n".join(failure["name"] for failure in document["failures"]) in words
        kind = next(kind for kind in document["hosting"] if kind["id"] == "vps")
        assert f"{kind['hours']:g} hours a month" in words
        open_warnings = [a for a in document["advice"] if a["kind"] == "warning" and not a.get("accepted")]
        assert f"{len(open_warnings)} warning" in words
        assert all(warning["says"] in words for warning in open_warnings)


@pytest.mark.usefixtures("folder")
async def test_every_form_shows_the_value_that_the_plan_is_made_of() -> None:
    async with walking() as (app, pilot):
        assert app.design is not None
        questions = 0
        for step in app.steps:
            if step.kind != "form":
                continue
            app.go(step.id)
            await settled(pilot)
            assert isinstance(app.screen, FormScreen)
            for field in app.screen.query(Field):
                if not field.asked.offered:
                    for box in field.query(Input):
                        assert box.value == text_of(app.design.choices.get(field.asked.key))
                questions += 1
        tabled = {"hosting.region", "hosting.size"}
        assert questions == len(set(app.design.catalog.questions) - tabled)
