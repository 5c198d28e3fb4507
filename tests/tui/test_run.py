"""The run as somebody watches it: live, failing, stopped; with the seams faked, or with a stream of events by hand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, RichLog

from stackwise import events
from stackwise.errors import ConfigureError, InterruptedRunError, NothingLeftError
from stackwise.events import Event
from stackwise.job import Job
from stackwise.journal.record import Recorder
from stackwise.run import Runner
from stackwise.tui.app import Walk
from stackwise.tui.screens.dialogs import Sure
from stackwise.tui.screens.report import ReportScreen
from tests.fakes import FakeCloud, FakePlaybookRun
from tests.tui.walking import NARROW, happening, settled, shown, small_project, until

EVIL = "[/x] [@click=app.quit]press[/] [bold red]\x1b[31m"
BEGUN: tuple[Event, ...] = (
    events.RunStarted(number=1, command="up", name="mysite", environment="production"),
    events.PhaseStarted(phase="configure", detail="bring the server into its known state"),
)
ENDED: tuple[Event, ...] = (
    events.TaskStarted(name=EVIL, role="nginx", number=3, total=40),
    events.TaskFinished(name=EVIL, role="nginx", host="web", result="changed", seconds=0.1),
    events.TaskFinished(name="Look", role="nginx", host="web", result="ok", seconds=0.1),
    events.PhaseFinished(phase="configure", seconds=4.2),
    events.ServerFound(server="mysite-production-1", id="node-1", address="192.0.2.7"),
    events.CheckFinished(name="the site answers", status="ok", saw=EVIL),
    events.RunFinished(number=1, seconds=71, changed=1, url="https://192.0.2.7/"),
)
FAILED = events.TaskFinished(
    name="Install", role="base", host="web", result="failed", seconds=1, said=f"no space left\n{EVIL}"
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    project = small_project(tmp_path)
    monkeypatch.chdir(project)
    return project


async def to_the_run(pilot: Pilot[None], app: Walk) -> None:
    await settled(pilot)
    await pilot.press("enter")
    app.go("run")
    await pilot.pause()


def log(app: Walk) -> str:
    return "\n".join(line.text for line in app.screen.query_one(RichLog).lines)


async def test_a_run_is_shown_and_ends_in_a_report() -> None:
    app = Walk(carry_out=happening(*BEGUN, *ENDED))
    async with app.run_test(size=NARROW) as pilot:
        await to_the_run(pilot, app)
        assert "0 USD a month" in shown(app, "#now")
        await pilot.press("enter")
        await until(pilot, lambda: bool(app.progress and not app.progress.running))
        await until(pilot, lambda: "done in 71.0 s" in log(app))
        assert "✓ configure    4.2 s" in shown(app, "#timeline")
        assert "1 ok  1 changed  0 failed" in shown(app, "#now")
        assert "[/x] [@click=app.quit]press[/] [bold red]" in log(app)
        app.go("report")
        await pilot.pause()
        assert isinstance(app.screen, ReportScreen)
        report = shown(app, "#report-text")
        assert "https://192.0.2.7/" in report
        assert "1 min 11 s in all" in report
        assert "[/x] [@click=app.quit]press[/]" in report
        assert "stackwise destroy" in report
        assert app.standings()["report"] == "done"


async def test_a_failure_shows_the_servers_words_and_what_to_do_and_is_tried_again() -> None:
    error = ConfigureError("base : Install failed on web", said=FAILED.said, hint="free some room, then: stackwise up")
    app = Walk(carry_out=happening(*BEGUN, FAILED, error=error))
    async with app.run_test(size=NARROW) as pilot:
        await to_the_run(pilot, app)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.query_one("#failure").display)
        why = shown(app, "#why")
        assert "base : Install failed on web" in why
        assert "| no space left" in why
        assert "[/x] [@click=app.quit]press[/]" in why
        assert "free some room" in why
        assert app.standings()["run"] == "conflict"
        app.carry_out = happening(*BEGUN, *ENDED)
        # A button that was just pressed takes no second press for a moment.
        await until(pilot, lambda: not app.screen.query_one("#go", Button).has_class("-active"))
        await pilot.press("enter")
        await until(pilot, lambda: bool(app.progress and app.progress.finished))
        await until(pilot, lambda: app.screen.query_one("#report", Button).has_focus)
        await pilot.press("enter")
        assert isinstance(app.screen, ReportScreen)


async def test_ctrl_c_asks_once_and_stops_cleanly() -> None:
    reached = threading.Event()

    def waits(job: Job, progress: Callable[[str], None], stop: threading.Event) -> Iterator[Event]:
        del job
        yield from BEGUN
        progress("the provider is at it")
        reached.set()
        stop.wait(20)
        raise InterruptedRunError("it was stopped", hint="go on with: stackwise up")

    app = Walk(carry_out=waits)
    async with app.run_test(size=NARROW) as pilot:
        await to_the_run(pilot, app)
        await pilot.press("enter")
        await until(pilot, lambda: reached.is_set() and "the provider is at it" in shown(app, "#now"))
        await pilot.press("ctrl+c", "n")
        assert app.running
        await pilot.press("ctrl+c", "ctrl+c")
        assert isinstance(app.screen, Sure)
        await pilot.press("y")
        await until(pilot, lambda: not app.running)
        await until(pilot, lambda: "go on with: stackwise up" in shown(app, "#why"))
        assert str(app.screen.query_one("#go", Button).label) == "Go on from there"


async def test_quitting_while_it_runs_stops_it_first() -> None:
    ended = threading.Event()

    def waits(job: Job, progress: Callable[[str], None], stop: threading.Event) -> Iterator[Event]:
        del job, progress
        yield from BEGUN
        stop.wait(20)
        ended.set()

    app = Walk(carry_out=waits)
    async with app.run_test(size=NARROW) as pilot:
        await to_the_run(pilot, app)
        await pilot.press("enter")
        await until(pilot, lambda: app.running)
        await pilot.press("ctrl+q", "y")
        await until(pilot, lambda: ended.is_set() and app._exit)


async def test_the_run_goes_on_while_other_screens_are_shown() -> None:
    go_on = threading.Event()

    def waits(job: Job, progress: Callable[[str], None], stop: threading.Event) -> Iterator[Event]:
        del job, progress, stop
        yield from BEGUN
        go_on.wait(20)
        yield from ENDED

    app = Walk(carry_out=waits)
    async with app.run_test(size=NARROW) as pilot:
        await to_the_run(pilot, app)
        await pilot.press("enter", "escape")
        go_on.set()
        await until(pilot, lambda: bool(app.progress and app.progress.finished))
        await pilot.press("ctrl+n")
        await until(pilot, lambda: "done in 71.0 s" in log(app))


async def test_nothing_is_run_while_choices_conflict() -> None:
    app = Walk(carry_out=happening(*BEGUN))
    async with app.run_test(size=NARROW) as pilot:
        await to_the_run(pilot, app)
        app.answer("stack.app", "uwsgi")
        await pilot.pause()
        assert app.screen.query_one("#go", Button).disabled
        assert "cannot work together" in shown(app, "#now")


async def test_an_error_of_ours_shows_no_variables() -> None:
    app = Walk(carry_out=happening(*BEGUN, error=ValueError("token=hunter2")))
    async with app.run_test(size=NARROW) as pilot:
        await to_the_run(pilot, app)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.query_one("#failure").display)
        assert "ValueError" in shown(app, "#why")
        assert "hunter2" not in shown(app, "#why") + log(app)


async def test_the_real_runner_is_what_is_run() -> None:
    """The real generator, with the two seams faked: the provider has no room, and says so."""
    cloud = FakeCloud(faults=[NothingLeftError("no room for another server", hint="remove one: stackwise destroy")])
    ansible = FakePlaybookRun()

    def carry_out(job: Job, progress: Callable[[str], None], stop: threading.Event) -> Iterator[Event]:
        progress("asking the provider")
        return Runner(job, cloud, ansible, stop).up()

    app = Walk(carry_out=carry_out)
    async with app.run_test(size=NARROW) as pilot:
        await to_the_run(pilot, app)
        await pilot.press("enter")
        await until(pilot, lambda: bool(app.progress and app.progress.failure))
        await until(pilot, lambda: "no room for another server" in shown(app, "#why"))
        assert "✓ plan" in shown(app, "#timeline")
        assert "✗ provision" in shown(app, "#timeline")
        assert len(cloud.orders) == 1
        assert ansible.asked == []


async def test_a_run_on_record_is_reported_in_a_new_session(folder: Path) -> None:
    app = Walk(carry_out=happening(*BEGUN))
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        app.go("report")
        await settled(pilot)
        assert "Nothing was made yet" in shown(app, "#report-text")
        with Recorder(folder, 1, "up") as recorder:
            for event in (*BEGUN, *ENDED):
                recorder.keep(event)
        app.go("review")
        app.go("report")
        await settled(pilot)
        assert "https://192.0.2.7/" in shown(app, "#report-text")
