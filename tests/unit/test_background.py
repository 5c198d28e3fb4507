"""Runs in processes of their own, with real processes: ended, stopped, killed, refused, and found again."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stackwise import events
from stackwise.background import BackgroundRuns, Following
from stackwise.errors import InterruptedRunError, RunLostError, StackwiseError
from stackwise.events import Event
from stackwise.journal import Journal
from stackwise.plan.model import Identity
from tests.runs import program

WEB = Identity("mysite", "production")
# Whole milliseconds, as an event has them after it was written down.
AT = datetime(2026, 11, 20, 11, 2, tzinfo=UTC)
BEGUN = (
    events.RunStarted(at=AT, number=1, command="up", name="mysite", environment="production"),
    events.PhaseStarted(at=AT, phase="plan", detail="[/x] [bold]"),
    events.Remarked(at=AT, words="asking the provider"),
)
ENDED = (events.RunFinished(at=AT, number=1, seconds=1, changed=2, url="https://192.0.2.7/"),)
STOPPED = (events.RunFailed(at=AT, number=1, seconds=1, message="stopped: by you", stopped=True),)
# As the real one does it: the lock, the journal's entry and the record around the events.
RECORDED = """
with Journal.of(WEB).locked(command):
    journal = Journal.of(WEB)
    journal.begin()
    journal.write("run", number=1, command=command)
    with Recorder(answers.parent, 1, command) as recorder:
        for line in E0:
            recorder.keep(from_json(line))
            say(line)
        until("go-on")
        for line in E2 if stop.is_set() else E1:
            recorder.keep(from_json(line))
            say(line)
sys.exit(130 if stop.is_set() else 0)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "mysite"
    folder.mkdir()
    return folder


def begin(folder: Path, argv: list[str], command: str = "up", **environment: str) -> Following:
    return BackgroundRuns(argv).begin(command, folder / "stackwise.yml", WEB, environment)


def watched(following: Following, react: Callable[[Event], None] = lambda _: None) -> list[Event]:
    seen = []
    for batch in following.batches():
        for event in batch:
            seen.append(event)
            react(event)
    return seen


def at(kind: type[Event], then: Callable[[], None]) -> Callable[[Event], None]:
    def react(event: Event) -> None:
        if isinstance(event, kind):
            then()

    return react


def recorded(folder: Path) -> list[str]:
    return program(folder, RECORDED, BEGUN, ENDED, STOPPED)


def test_a_run_is_followed_to_its_end(folder: Path) -> None:
    seen = watched(begin(folder, recorded(folder)), at(events.Remarked, (folder / "go-on").touch))
    assert seen == [*BEGUN, *ENDED]
    assert all(isinstance(event, events.Event) for event in seen)


def test_it_runs_in_a_session_of_its_own_and_secrets_are_in_its_environment_alone(folder: Path) -> None:
    body = """
    ours = [Path(f"/proc/self/{name}").read_bytes().decode() for name in ("cmdline", "environ")]
    words = f"{os.getsid(0) == os.getpid()} {'hunter2' in ours[0]} {os.environ['TOKEN']} {sys.stdin.read()!r}"
    say(to_json(StepFinished(message=words)), *E1)
    """
    seen = watched(begin(folder, program(folder, body, BEGUN, ENDED), TOKEN="hunter2"))  # noqa: S106 - no secret
    told = next(event for event in seen if isinstance(event, events.StepFinished))
    assert told.message == "True False hunter2 ''"
    kept = [path for path in Journal.of(WEB).folder.rglob("*") if path.is_file()]
    assert not kept, "nothing of a site that has no record"


def test_what_it_writes_is_for_this_user_alone(folder: Path) -> None:
    following = begin(folder, recorded(folder))
    modes = {stat.S_IMODE(path.stat().st_mode) for path in Journal.of(WEB).folder.glob("live.*")}
    assert modes == {0o600}
    (folder / "go-on").touch()
    watched(following)


def test_an_interrupted_run_says_so(folder: Path) -> None:
    following = begin(folder, recorded(folder))
    assert watched(following, at(events.Remarked, following.interrupt)) == [*BEGUN, *STOPPED]


def test_stopped_before_the_first_event(folder: Path) -> None:
    body = "Path('ready').touch(); until('never'); sys.exit(130)"
    following = begin(folder, program(folder, body))
    wait_for(folder / "ready")
    following.interrupt()
    with pytest.raises(InterruptedRunError):
        watched(following)


def test_a_killed_run_says_that_it_was_and_how_to_go_on(folder: Path) -> None:
    body = "say(*E0, *E1); os.kill(os.getpid(), signal.SIGKILL)"
    following = begin(folder, program(folder, body, BEGUN, ()))
    with pytest.raises(RunLostError, match="killed") as caught:
        watched(following)
    assert "stackwise up" in caught.value.hint


def test_died_before_the_first_event_in_its_own_words(folder: Path) -> None:
    body = r"""
    words = "error: stackwise.yml:3:1: [/x] is no key\n  | the server said\n  mend it, then: stackwise check"
    print(words, file=sys.stderr)
    sys.exit(2)
    """
    with pytest.raises(RunLostError) as caught:
        watched(begin(folder, program(folder, body)))
    assert caught.value.message == "stackwise.yml:3:1: [/x] is no key"
    assert caught.value.said == "the server said"
    assert caught.value.hint == "mend it, then: stackwise check"
    assert not Journal.of(WEB).folder.exists(), "no folder for a site that is not there"


def test_a_program_that_is_not_there_is_an_error_in_words(folder: Path) -> None:
    with pytest.raises(StackwiseError, match="cannot begin"):
        begin(folder, [str(folder / "nothing")])


def test_the_real_program_refuses_in_its_own_words(folder: Path) -> None:
    (folder / "stackwise.yml").write_text("schema: 1\nname: mysite\nnonsense: 1\n")
    with pytest.raises(RunLostError) as caught:
        watched(BackgroundRuns().begin("up", folder / "stackwise.yml", WEB, {}))
    assert "nonsense" in caught.value.message


def test_a_module_of_the_project_is_not_taken_for_one_of_ours(folder: Path) -> None:
    (folder / "click.py").write_text("raise SystemExit('the project was run')")
    (folder / "stackwise.yml").write_text("schema: 1\nname: 3\n")
    with pytest.raises(RunLostError) as caught:
        watched(BackgroundRuns().begin("up", folder / "stackwise.yml", WEB, {}))
    assert "the project was run" not in caught.value.message


def test_following_survives_that_the_folder_is_removed(folder: Path) -> None:
    body = """
    say(*E0)
    until("go-on")
    journal = Journal.of(WEB)
    journal.forget()
    say(*E1)
    """
    following = begin(folder, program(folder, body, BEGUN, ENDED), "destroy")
    assert watched(following, at(events.Remarked, (folder / "go-on").touch)) == [*BEGUN, *ENDED]
    assert not Journal.of(WEB).folder.exists()


def test_who_leaves_hears_no_more_and_the_run_goes_on(folder: Path) -> None:
    following = begin(folder, recorded(folder))
    watched(following, at(events.Remarked, following.leave))
    found = BackgroundRuns().going_on(WEB, folder)
    assert found is not None
    assert found.command == "up"
    seen = watched(found, at(events.Remarked, (folder / "go-on").touch))
    assert seen == [*BEGUN, *ENDED], "what the beginner hears is heard again from its start, remarks too"
    ended(following)


def ended(following: Following) -> None:
    """Wait for the process, so that none is left over."""
    getattr(following, "_process").wait(20)  # noqa: B009 - ours, and no part of the seam


def wait_for(path: Path) -> None:
    pause = threading.Event()
    for _ in range(2000):
        if path.exists():
            return
        pause.wait(0.01)
    pytest.fail(f"{path.name} did not come")


@pytest.fixture
def elsewhere(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Give a run that somebody began in another terminal: its events go nowhere that we know, its record does."""
    argv = [*recorded(folder), "up", "-a", str(folder / "stackwise.yml")]
    with subprocess.Popen(argv, cwd=folder, stdout=subprocess.DEVNULL, start_new_session=True) as process:
        wait_for(folder / ".stackwise" / "runs" / "0001-up.jsonl")
        yield process
        process.kill()


def test_a_run_of_another_terminal_is_followed_by_its_record(folder: Path, elsewhere: object) -> None:
    del elsewhere
    found = BackgroundRuns().going_on(WEB, folder)
    assert found is not None
    seen = watched(found, at(events.PhaseStarted, (folder / "go-on").touch))
    assert seen == [*BEGUN[:2], *ENDED]


def test_a_run_of_another_terminal_is_stopped(folder: Path, elsewhere: subprocess.Popen[bytes]) -> None:
    found = BackgroundRuns().going_on(WEB, folder)
    assert found is not None
    assert watched(found, at(events.PhaseStarted, found.interrupt)) == [*BEGUN[:2], *STOPPED]
    assert elsewhere.wait(20) == 130


def test_a_run_of_another_terminal_that_is_killed_is_said_to_be(
    folder: Path, elsewhere: subprocess.Popen[bytes]
) -> None:
    found = BackgroundRuns().going_on(WEB, folder)
    assert found is not None
    with pytest.raises(RunLostError, match="killed"):
        watched(found, at(events.PhaseStarted, elsewhere.kill))


def test_nothing_is_found_where_nobody_is_at_work(folder: Path) -> None:
    assert BackgroundRuns().going_on(WEB, folder) is None
    with Journal.of(WEB).locked("up"):
        assert BackgroundRuns().going_on(WEB, folder) is not None
    # The file still says who held it, and the number of that process may be another one's by now.
    assert BackgroundRuns().going_on(WEB, folder) is None


def test_the_work_of_another_site_on_its_server_is_no_run_of_this_one(folder: Path) -> None:
    with Journal.of(WEB).locked("up of guest-production"):
        assert BackgroundRuns().going_on(WEB, folder) is None


def test_a_number_that_is_another_process_by_now_is_not_hit(folder: Path) -> None:
    """The lock went to somebody else: whoever is interrupted then would be the wrong one."""
    with Journal.of(WEB).locked("up"):
        found = BackgroundRuns().going_on(WEB, folder)
    assert found is not None
    before = signal.signal(signal.SIGINT, lambda *_: pytest.fail("it was hit"))
    try:
        found.interrupt()
    finally:
        signal.signal(signal.SIGINT, before)


def test_looking_keeps_nobody_from_working() -> None:
    looker = [
        sys.executable,
        "-c",
        "from stackwise.journal import Journal\nfrom stackwise.plan.model import Identity\n",
    ]
    looker[-1] += (
        "journal = Journal.of(Identity('mysite', 'production'))\nprint(flush=True)\nwhile True: journal.holder()"
    )
    with Journal.of(WEB).locked("up"):
        pass
    with subprocess.Popen(looker, stdout=subprocess.PIPE, env=dict(os.environ)) as process:
        assert process.stdout
        process.stdout.readline()
        for _ in range(50):
            with Journal.of(WEB).locked("up"):
                pass
        process.kill()
