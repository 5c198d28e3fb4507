"""The run as somebody watches it: live, failing, stopped, found again; with runs played, or by real processes."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.strip import Strip
from textual.widgets import Button

from stackwise import events
from stackwise.background import BackgroundRuns
from stackwise.errors import ConfigureError, RunLostError
from stackwise.events import Event
from stackwise.journal import Journal
from stackwise.journal.record import Recorder
from stackwise.plan.model import Identity
from stackwise.render.report import make_report
from stackwise.tui.app import Walk
from stackwise.tui.screens.dialogs import Reading, Sure
from stackwise.tui.screens.leaving import Leaving
from stackwise.tui.screens.report import ReportScreen
from stackwise.tui.screens.run import RunScreen
from stackwise.tui.widgets.log import RunLog
from tests.runs import program
from tests.tui.walking import NARROW, FakeRuns, Played, happening, settled, shown, small_project, until

SITE = Identity("mysite", "production")
EVIL = "[/x] [@click=app.quit]press[/] [bold red]\x1b[31m\x1b]52;c;b3Vycw==\x07\x9b2J"
CONTROL = re.compile("[\0-\x09\x0b-\x1f\x7f-\x9f]")
HARMLESS = "[/x] [@click=app.quit]press[/] [bold red]"
BEGUN: tuple[Event, ...] = (
    events.RunStarted(number=1, command="up", name="mysite", environment="production"),
    events.PhaseStarted(phase="configure", detail="bring the server into its known state"),
)
ENDED: tuple[Event, ...] = (
    events.TaskStarted(name=EVIL, role="nginx", number=3, total=40),
    events.TaskFinished(name=EVIL, role="nginx", host="web", result="changed", seconds=0.1),
    events.TaskFinished(name="Look", role="nginx", host="web", result="ok", seconds=0.1),
    events.TaskFinished(name="Look", role="nginx", host="db", result="ok", seconds=0.1),
    events.PhaseFinished(phase="configure", seconds=4.2),
    events.ServerFound(server="mysite-production-1", id="node-1", address="192.0.2.7"),
    events.CheckFinished(name="the site answers", status="ok", saw=EVIL),
    events.RunFinished(number=1, seconds=71, changed=1, url="https://192.0.2.7/"),
)
FAILED = events.TaskFinished(
    name="Install", role="base", host="web", result="failed", seconds=1, said=f"E: no space left on device\n{EVIL}"
)
GIVEN_UP = events.RunFailed(
    number=1,
    seconds=9,
    message="base : Install failed on web",
    hint="mend the cause, then go on: stackwise up",
    said=FAILED.said,
    cause="A disk is full.",
    do="See what takes the room: stackwise ssh -- df -h",
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


async def begin(pilot: Pilot[None], app: Walk) -> None:
    await to_the_run(pilot, app)
    await pilot.press("enter")
    await until(pilot, lambda: bool(app.progress and app.progress.seen))


def log(app: Walk) -> RunLog:
    return app.screen.query_one(RunLog)


def drawn(app: Walk) -> str:
    """Return what the log has on the screen."""
    widget = log(app)
    return "\n".join(widget.render_line(y).text.rstrip() for y in range(widget.size.height))


async def test_a_run_is_shown_and_ends_in_a_report(folder: Path) -> None:
    app = Walk(runs=happening(*BEGUN, *ENDED))
    async with app.run_test(size=NARROW) as pilot:
        await to_the_run(pilot, app)
        assert "0 USD a month" in shown(app, "#now")
        await pilot.press("enter")
        await until(pilot, lambda: bool(app.progress and not app.progress.running))
        await until(pilot, lambda: "done in 71.0 s" in drawn(app))
        assert "✓ configure       4.2 s" in shown(app, "#timeline")
        assert "web  1 ok  1 changed  0 failed" in shown(app, "#now")
        assert "db  1 ok  0 changed  0 failed" in shown(app, "#now")
        app.go("report")
        await pilot.pause()
        assert isinstance(app.screen, ReportScreen)
        report = shown(app, "#report-text")
        assert "https://192.0.2.7/" in report
        assert "1 min 11 s in all" in report
        assert HARMLESS in report
        assert "stackwise destroy" in report
        assert app.standings()["report"] == "done"
    assert isinstance(app.runs, FakeRuns)
    assert app.runs.begun == [("up", Path("stackwise.yml"), "mysite-production", {})]
    assert folder.joinpath("stackwise.yml").is_file()


async def test_every_fact_of_the_report_is_one_of_the_core() -> None:
    app = Walk(runs=happening(*BEGUN, FAILED, GIVEN_UP))
    async with app.run_test(size=(120, 60)) as pilot:
        await begin(pilot, app)
        await until(pilot, lambda: not app.running)
        app.go("report")
        await pilot.pause()
        words = " ".join(shown(app, "#report-text").split())
        made = make_report((*BEGUN, FAILED, GIVEN_UP), Path("stackwise.yml"))
        for row in (row for section in made.sections for row in section.rows if row.kind != "words"):
            assert " ".join(f"{row.name} {row.text}".split()) in words


async def test_what_a_run_says_is_never_markup() -> None:
    evil = (
        events.RunStarted(number=1, command="up", name=EVIL, environment=EVIL),
        events.PhaseStarted(phase="plan", detail=EVIL),
        events.Remarked(words=EVIL),
        events.StepFinished(message=EVIL),
        events.TaskStarted(name=EVIL, role=EVIL, number=1, total=2),
        events.TaskFinished(name=EVIL, role=EVIL, host=EVIL, result="failed", seconds=1, said=EVIL),
        events.CheckFinished(name=EVIL, status="fault", saw=EVIL, hint=EVIL),
        events.RunFailed(number=1, seconds=1, message=EVIL, hint=EVIL, said=EVIL, cause=EVIL, do=EVIL),
    )
    app = Walk(runs=happening(*evil))
    async with app.run_test(size=(120, 50)) as pilot:
        await begin(pilot, app)
        await until(pilot, lambda: app.screen.query_one("#failure").display)
        assert shown(app, "#why").count(HARMLESS) >= 5
        assert HARMLESS in shown(app, "#now")
        for words in (shown(app, "#why"), shown(app, "#now"), drawn(app)):
            assert not CONTROL.search(words)
        assert drawn(app).count(HARMLESS) >= 5
        await pilot.press("w")
        assert isinstance(app.screen, Reading)
        assert not CONTROL.search("".join(app.screen.lines))
        await pilot.press("escape")
        app.go("report")
        await pilot.pause()
        assert HARMLESS in shown(app, "#report-text")
        assert not CONTROL.search(shown(app, "#report-text"))


def failing_in(phase: str, said: str) -> tuple[Event, ...]:
    head: tuple[Event, ...] = (BEGUN[0], events.PhaseStarted(phase=phase, detail="at it"))  # type: ignore[arg-type]
    if phase in ("configure", "deploy"):
        task = events.TaskFinished(name="Do", role="app", host="web", result="failed", seconds=1, said=said)
        head = (*head, events.ServerFound(server="web", id="1", address="192.0.2.7"), task)
    return head


@pytest.mark.parametrize(
    ("phase", "said", "cause"),
    [
        ("plan", "the secret API_KEY shall come from the environment, and API_KEY is not set", "`secrets`"),
        ("provision", "ssh: connect to host 192.0.2.7 port 22: Connection timed out", "ssh port"),
        ("configure", "E: Could not get lock /var/lib/dpkg/lock-frontend", "Another program installs"),
        ("deploy", 'django.db.utils.ProgrammingError: relation "a" already exists', "in the database already"),
        ("verify", "HTTP 502 Bad Gateway", "does not answer it"),
    ],
)
async def test_a_failure_in_each_phase_names_its_likely_cause(phase: str, said: str, cause: str) -> None:
    """The run died before it could say why; what it left on stderr is all that there is."""
    app = Walk(runs=happening(*failing_in(phase, said), error=RunLostError("it broke", said=said, hint="stackwise up")))
    async with app.run_test(size=NARROW) as pilot:
        await begin(pilot, app)
        await until(pilot, lambda: app.screen.query_one("#failure").display)
        why = " ".join(shown(app, "#why").split())
        assert "it broke" in why
        assert f"phase {phase}" in why
        assert ("app : Do, on web" in why) == (phase in ("configure", "deploy"))
        assert "Likely cause: " in why
        assert cause in why
        assert "What to do: " in why
        assert f"| {said}" in why
        assert f"✗ {phase}" in shown(app, "#timeline")
        assert app.standings()["run"] == "conflict"
        for name in ("go", "shell", "words", "clean"):
            button = app.screen.query_one(f"#{name}", Button)
            assert button.display
            assert button.region.right <= NARROW[0]


async def test_a_failure_is_tried_again_by_the_same_command() -> None:
    app = Walk(runs=happening(*BEGUN, FAILED, GIVEN_UP))
    assert isinstance(app.runs, FakeRuns)
    app.runs.plays += happening(*BEGUN, *ENDED).plays
    app.credentials["TOKEN"] = "hunter2"  # noqa: S105 - no secret
    async with app.run_test(size=NARROW) as pilot:
        await begin(pilot, app)
        await until(pilot, lambda: app.screen.query_one("#failure").display)
        assert str(app.screen.query_one("#go", Button).label) == "Try again (t)"
        assert "A disk is full." in shown(app, "#why")
        await pilot.press("t")
        await until(pilot, lambda: bool(app.progress and app.progress.finished))
        await until(pilot, lambda: app.screen.query_one("#report", Button).has_focus)
        assert not app.screen.query_one("#failure").display
        await pilot.press("enter")
        assert isinstance(app.screen, ReportScreen)
    assert [(command, environment) for command, _, _, environment in app.runs.begun] == [
        ("up", {"TOKEN": "hunter2"}),
        ("up", {"TOKEN": "hunter2"}),
    ]


async def test_all_the_words_of_the_server_can_be_read() -> None:
    said = "\n".join(f"line {number}" for number in range(300))
    failed = events.RunFailed(number=1, seconds=9, message="it broke", said=said)
    app = Walk(runs=happening(*BEGUN, failed))
    async with app.run_test(size=NARROW) as pilot:
        await begin(pilot, app)
        await until(pilot, lambda: app.screen.query_one("#failure").display)
        assert "| line 299" in shown(app, "#why")
        assert "| line 200" not in shown(app, "#why")
        await pilot.press("w")
        assert isinstance(app.screen, Reading)
        assert app.screen.lines == said.splitlines()
        await pilot.press("escape")
        await pilot.click("#words")
        assert isinstance(app.screen, Reading)


async def test_where_the_terminal_cannot_be_handed_over_the_command_is_said() -> None:
    app = Walk(runs=happening(*BEGUN, GIVEN_UP))
    async with app.run_test(size=NARROW, notifications=True) as pilot:
        await begin(pilot, app)
        await until(pilot, lambda: app.screen.query_one("#failure").display)
        await pilot.press("s")
        assert "stackwise ssh" in [*app._notifications][-1].message


async def test_giving_up_says_what_goes_and_removes_it_as_a_run_of_its_own() -> None:
    journal = Journal.of(SITE)
    journal.begin()
    journal.write("creating", server="mysite-1", provider="sandbox")
    journal.write("created", server="mysite-1", id="node-7")
    runs = happening(*BEGUN, GIVEN_UP)
    removal = Played(
        (
            events.RunStarted(number=2, command="destroy", name="mysite", environment="production"),
            events.PhaseStarted(phase="destroy", detail="remove the servers"),
        ),
        (
            events.ServerDestroyed(server="mysite-1", id="node-7"),
            events.PhaseFinished(phase="destroy", seconds=1),
            events.RunFinished(number=2, seconds=2, changed=0),
        ),
        command="destroy",
    )
    runs.plays.append(removal)
    app = Walk(runs=runs)
    async with app.run_test(size=NARROW) as pilot:
        await begin(pilot, app)
        await until(pilot, lambda: app.screen.query_one("#failure").display)
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, Sure))
        assert isinstance(app.screen, Sure)
        assert "mysite-1 (node-7) at sandbox, its disk and all data on it, will be removed" in app.screen.question
        await pilot.press("n")
        assert len(runs.begun) == 1
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, Sure))
        await pilot.press("y")
        await until(pilot, lambda: "▸ destroy" in shown(app, "#timeline"))
        assert "configure" not in shown(app, "#timeline")
        removal.go_on.set()
        await until(pilot, lambda: not app.running)
        await until(pilot, lambda: "removed mysite-1 (node-7)" in drawn(app))
        assert str(app.screen.query_one("#go", Button).label) == "Make it"
        app.go("report")
        await pilot.pause()
        assert "Everything of mysite (production) was removed." in shown(app, "#report-text")
    assert [command for command, *_ in runs.begun] == ["up", "destroy"]


async def test_giving_up_where_nothing_was_made_says_so() -> None:
    app = Walk(runs=happening(*BEGUN, GIVEN_UP))
    async with app.run_test(size=NARROW, notifications=True) as pilot:
        await begin(pilot, app)
        await until(pilot, lambda: app.screen.query_one("#failure").display)
        await pilot.press("x")
        await until(pilot, lambda: any("Nothing was made" in notice.message for notice in app._notifications))


async def test_ctrl_c_asks_once_and_stops_cleanly_then_it_goes_on() -> None:
    played = Played((*BEGUN, events.Remarked(words="the provider is at it")))
    app = Walk(runs=FakeRuns([played, *happening(*BEGUN, *ENDED).plays]))
    async with app.run_test(size=NARROW) as pilot:
        await begin(pilot, app)
        await until(pilot, lambda: "the provider is at it" in shown(app, "#now"))
        await pilot.press("ctrl+c", "n")
        assert app.running
        await pilot.press("ctrl+c", "ctrl+c")
        assert isinstance(app.screen, Sure)
        await pilot.press("y")
        await until(pilot, lambda: not app.running)
        await until(pilot, lambda: "go on with: stackwise up" in shown(app, "#why"))
        assert played.stopped == 1
        assert shown(app, "#why").startswith("■ ")
        assert "Likely cause" not in shown(app, "#why")
        assert str(app.screen.query_one("#go", Button).label) == "Go on from there (t)"
        await pilot.press("t")
        await until(pilot, lambda: bool(app.progress and app.progress.finished))


async def test_stopping_before_the_run_has_begun_is_not_forgotten() -> None:
    """The process is still being made when somebody says stop."""
    may_begin = threading.Event()
    played = Played(BEGUN)

    class Slow(FakeRuns):
        def begin(self, *arguments: object) -> Played:
            del arguments
            may_begin.wait(20)
            return played

    app = Walk(runs=Slow())
    async with app.run_test(size=NARROW) as pilot:
        await to_the_run(pilot, app)
        await pilot.press("enter")
        await until(pilot, lambda: app.running)
        await pilot.press("ctrl+c", "y")
        may_begin.set()
        await until(pilot, lambda: not app.running)
        assert played.stopped == 1


@pytest.mark.parametrize(("key", "stopped"), [("enter", 0), ("l", 0), ("s", 1)])
async def test_quitting_while_it_runs_asks_what_becomes_of_it(key: str, stopped: int) -> None:
    played = Played(BEGUN)
    app = Walk(runs=FakeRuns([played]))
    async with app.run_test(size=NARROW) as pilot:
        await begin(pilot, app)
        await pilot.press("ctrl+q", "escape")
        assert isinstance(app.screen, RunScreen)
        assert app.running
        await pilot.press("ctrl+q")
        assert isinstance(app.screen, Leaving)
        await pilot.press(key)
        await until(pilot, lambda: app._exit)
    assert played.stopped == stopped
    assert played.left


async def test_the_run_goes_on_while_other_screens_are_shown() -> None:
    played = Played(BEGUN, ENDED)
    app = Walk(runs=FakeRuns([played]))
    async with app.run_test(size=NARROW) as pilot:
        await begin(pilot, app)
        await pilot.press("escape")
        played.go_on.set()
        await until(pilot, lambda: bool(app.progress and app.progress.finished))
        await pilot.press("ctrl+n")
        await until(pilot, lambda: "done in 71.0 s" in drawn(app))


async def test_nothing_is_run_while_choices_conflict() -> None:
    app = Walk(runs=happening(*BEGUN))
    async with app.run_test(size=NARROW) as pilot:
        await to_the_run(pilot, app)
        app.answer("stack.app", "uwsgi")
        await pilot.pause()
        assert app.screen.query_one("#go", Button).disabled
        assert "cannot work together" in shown(app, "#now")


async def test_an_error_of_ours_shows_no_variables() -> None:
    app = Walk(runs=happening(*BEGUN, error=ValueError("token=hunter2")))
    async with app.run_test(size=NARROW) as pilot:
        await begin(pilot, app)
        await until(pilot, lambda: app.screen.query_one("#failure").display)
        assert "ValueError" in shown(app, "#why")
        assert "hunter2" not in shown(app, "#why") + drawn(app)


def lines_of(count: int) -> tuple[Event, ...]:
    return tuple(events.StepFinished(message=f"step {number} {EVIL}") for number in range(count))


async def test_the_log_is_searched_followed_and_paused() -> None:
    played = Played((*BEGUN, *lines_of(200)), lines_of(100))
    app = Walk(runs=FakeRuns([played]))
    async with app.run_test(size=NARROW) as pilot:
        await begin(pilot, app)
        await until(pilot, lambda: "step 199" in drawn(app))
        assert "following" in shown(app, "#log-state")
        await pilot.press("slash", *"STEP", "space", *"15")
        # From the end on there is none, so it is the last one before.
        await until(pilot, lambda: "found 11 of 11" in shown(app, "#log-state"))
        await pilot.press("enter")
        assert "step 159 " in drawn(app)
        assert "paused" in shown(app, "#log-state")
        await pilot.press("n")
        assert "step 15 " in drawn(app)
        await pilot.press("N", "N")
        assert "found 10 of 11" in shown(app, "#log-state")
        assert "step 158 " in drawn(app)
        played.go_on.set()
        await until(pilot, lambda: len(log(app).lines) > 300)
        assert "step 158 " in drawn(app), "what comes does not move what is read"
        await pilot.press("f")
        assert "step 99 " in drawn(app)
        assert "following" in shown(app, "#log-state")
        await pilot.press("slash", "escape")
        assert "found" not in shown(app, "#log-state")
        await pilot.press("k")
        assert "paused" in shown(app, "#log-state")
        await pilot.press("G")
        await until(pilot, lambda: "following" in shown(app, "#log-state"))
        await pilot.press("escape")
        assert not isinstance(app.screen, RunScreen)


async def test_ten_thousand_lines_draw_no_more_than_those_in_sight() -> None:
    app = Walk(runs=happening(*BEGUN, *lines_of(10_000)))
    async with app.run_test(size=NARROW) as pilot:
        await begin(pilot, app)
        await until(pilot, lambda: len(log(app).lines) > 10_000 and "step 9999" in drawn(app))
        asked: list[int] = []
        widget = log(app)
        whole = widget.render_line

        def counted(y: int) -> Strip:
            asked.append(y)
            return whole(y)

        widget.render_line = counted  # type: ignore[method-assign]
        widget.focus()
        await pilot.press("k")
        await until(pilot, lambda: bool(asked))
        assert len(asked) <= 3 * widget.size.height


async def test_what_is_selected_in_the_log_is_copied_and_stops_nothing() -> None:
    played = Played((*BEGUN, *lines_of(3)))
    app = Walk(runs=FakeRuns([played]))
    async with app.run_test(size=(120, 40)) as pilot:
        await begin(pilot, app)
        await until(pilot, lambda: "step 2" in drawn(app))
        await pilot.mouse_down(RunLog, offset=(3, 2))
        await pilot.hover(RunLog, offset=(9, 2))
        await pilot.mouse_up(RunLog, offset=(9, 2))
        await pilot.pause()
        await pilot.press("ctrl+c")
        assert "step" in app.clipboard
        assert isinstance(app.screen, RunScreen)
        await pilot.press("ctrl+c")
        assert isinstance(app.screen, Sure), "nothing is selected any more"


def run_on_record(folder: Path, number: int, seconds: float, *, made: bool) -> None:
    server = {"server": "web", "id": "1", "address": "192.0.2.7"}
    stands = events.ServerCreated(seconds=1, **server) if made else events.ServerFound(**server)  # type: ignore[arg-type]
    with Recorder(folder, number, "up") as recorder:
        for event in (BEGUN[0], stands, events.PhaseFinished(phase="configure", seconds=seconds), ENDED[-1]):
            recorder.keep(event)


async def test_what_a_phase_takes_is_learnt_from_earlier_runs_of_the_same_kind(folder: Path) -> None:
    for number, (seconds, made) in enumerate([(100, True), (140, True), (120, True), (9, False), (11, False)], 1):
        run_on_record(folder, number, seconds, made=made)
    found = events.ServerFound(server="web", id="1", address="192.0.2.7")
    app = Walk(runs=FakeRuns([Played((*BEGUN, found))]))
    async with app.run_test(size=(120, 40)) as pilot:
        await to_the_run(pilot, app)
        await settled(pilot)
        # There is no server yet, so that the next one will be made.
        await until(pilot, lambda: "usually 2 min 0 s" in shown(app, "#timeline"))
        await pilot.press("enter")
        await until(pilot, lambda: "of about 10.0 s" in shown(app, "#timeline"))


async def test_a_run_on_record_is_reported_in_a_new_session(folder: Path) -> None:
    app = Walk(runs=FakeRuns())
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


async def test_a_run_that_failed_is_gone_on_with_in_a_new_session(folder: Path) -> None:
    with Recorder(folder, 1, "up") as recorder:
        for event in (*BEGUN, FAILED, GIVEN_UP):
            recorder.keep(event)
    app = Walk(runs=happening(*BEGUN, *ENDED))
    async with app.run_test(size=NARROW) as pilot:
        await to_the_run(pilot, app)
        await until(pilot, lambda: app.screen.query_one("#failure").display)
        assert "A disk is full." in shown(app, "#why")
        await pilot.press("t")
        await until(pilot, lambda: bool(app.progress and app.progress.finished))


async def test_opened_on_a_run_that_goes_on_it_shows_it() -> None:
    going = Played(BEGUN, ENDED)
    app = Walk(runs=FakeRuns(going=going))
    async with app.run_test(size=NARROW) as pilot:
        await until(pilot, lambda: bool(app.screen.query(RunLog)))
        await until(pilot, lambda: "▸ configure" in shown(app, "#timeline"))
        assert app.running
        going.go_on.set()
        await until(pilot, lambda: "done in 71.0 s" in drawn(app))


# As the real program does it: the lock, the journal's entry and the record around the events.
REAL = """
with Journal.of(WEB).locked(command):
    journal = Journal.of(WEB)
    journal.begin()
    journal.write("run", number=1, command=command)
    with Recorder(answers.parent, 1, command) as recorder:
        for line in E0:
            recorder.keep(from_json(line))
            say(line)
        until("go-on")
        for line in E1:
            recorder.keep(from_json(line))
            say(line)
Path("ended").touch()
"""


@pytest.fixture
def real(tmp_path: Path) -> BackgroundRuns:
    return BackgroundRuns(program(tmp_path, REAL, BEGUN, ENDED))


async def test_the_window_is_closed_and_another_one_shows_the_same_run(folder: Path, real: BackgroundRuns) -> None:
    first = Walk(runs=real)
    async with first.run_test(size=NARROW) as pilot:
        await begin(pilot, first)
        await pilot.press("ctrl+q", "enter")
        await until(pilot, lambda: first._exit)
    assert Journal.of(SITE).holder() is not None, "the run goes on without a window"
    second = Walk(runs=real)
    async with second.run_test(size=NARROW) as pilot:
        await until(pilot, lambda: bool(second.screen.query(RunLog)))
        await until(pilot, lambda: "▸ configure" in shown(second, "#timeline"))
        (folder / "go-on").touch()
        await until(pilot, lambda: "done in 71.0 s" in drawn(second))
        assert second.progress is not None
        assert second.progress.number == 1
    getattr(first._following, "_process").wait(20)  # noqa: B009 - so that no child is left over


async def test_a_run_by_a_real_process_is_stopped(folder: Path, tmp_path: Path) -> None:
    stopped = events.RunFailed(number=1, seconds=1, message="stopped: by you", hint="stackwise up", stopped=True)
    body = "say(*E0); until('never'); say(*E1); sys.exit(130)"
    app = Walk(runs=BackgroundRuns(program(tmp_path, body, BEGUN, (stopped,))))
    async with app.run_test(size=NARROW) as pilot:
        await begin(pilot, app)
        await pilot.press("ctrl+c", "y")
        await until(pilot, lambda: "stopped: by you" in shown(app, "#why"))
        assert app.progress is not None
        assert app.progress.failure is not None
        assert app.progress.failure.stopped
    del folder


async def test_the_timeline_counts_from_when_a_phase_began() -> None:
    """A window that is opened late does not begin at nought."""
    began = datetime.now(UTC) - timedelta(minutes=3)
    late = events.PhaseStarted(at=began, phase="configure", detail="at it")
    app = Walk(runs=FakeRuns(going=Played((BEGUN[0], late))))
    async with app.run_test(size=NARROW) as pilot:
        await until(pilot, lambda: bool(app.screen.query(RunLog)))
        await until(pilot, lambda: "3 min" in shown(app, "#timeline"))


async def test_a_failing_task_is_counted_for_its_host() -> None:
    error = ConfigureError("base : Install failed on web", said=FAILED.said, hint="free some room, then: stackwise up")
    app = Walk(runs=happening(*BEGUN, FAILED, error=error))
    async with app.run_test(size=NARROW) as pilot:
        await begin(pilot, app)
        await until(pilot, lambda: app.screen.query_one("#failure").display)
        assert "web  0 ok  0 changed  1 failed" in shown(app, "#now")
        assert "A disk is full" in shown(app, "#why"), "found by what the server said"
