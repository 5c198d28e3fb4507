from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stackwise import events
from stackwise.errors import JournalError, LockedError, UsageError
from stackwise.journal import Journal, journals
from stackwise.journal.record import Recorder, next_number, records
from stackwise.journal.secrets import resolve_secrets, write_private
from stackwise.plan.model import Identity

WEB = Identity("superbook", "production")


def test_reading_writes_nothing(own_home: Path) -> None:
    assert not Journal.of(WEB).exists
    assert list(own_home.iterdir()) == []


def test_what_was_written_is_there_for_the_next_process() -> None:
    journal = Journal.of(WEB)
    token = journal.begin()
    journal.write("creating", server="web-1", provider="sandbox")
    journal.write("created", server="web-1", id="42", address="192.0.2.7")
    record = Journal.of(WEB).servers()["web-1"]
    assert (record.id, record.address, record.ready) == ("42", "192.0.2.7", False)
    assert Journal.of(WEB).token == token


def test_the_journal_is_for_the_user_alone() -> None:
    journal = Journal.of(WEB)
    journal.begin()
    assert journal.folder.stat().st_mode & 0o777 == 0o700
    assert journal.path.stat().st_mode & 0o777 == 0o600


def test_a_line_that_a_crash_cut_short_is_left_out() -> None:
    journal = Journal.of(WEB)
    journal.write("creating", server="web-1", provider="sandbox")
    with journal.path.open("a") as stream:
        stream.write('{"kind": "created", "server": "web-1", "id"')
    again = Journal.of(WEB)
    again.write("created", server="web-1", id="42", address="")
    assert Journal.of(WEB).servers()["web-1"].id == "42"


def test_a_destroyed_server_is_no_more() -> None:
    journal = Journal.of(WEB)
    journal.write("creating", server="web-1", provider="sandbox")
    journal.write("created", server="web-1", id="42", address="")
    journal.write("destroying", server="web-1", id="42")
    assert journal.servers()["web-1"].going
    journal.write("destroyed", server="web-1", id="42")
    assert journal.servers() == {}


def test_runs_are_numbered() -> None:
    journal = Journal.of(WEB)
    assert journal.next_run() == 1
    journal.write("run", number=1, command="up")
    assert journal.next_run() == 2


def test_a_full_disk_is_an_error_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal.of(WEB)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(JournalError, match="No space left") as caught:
        journal.begin()
    assert "free some room" in caught.value.hint


def test_the_second_is_told_who_runs_and_since_when() -> None:
    with (
        Journal.of(WEB).locked("up"),
        pytest.raises(LockedError, match=r"stackwise up, process \d+, since 20"),
        Journal.of(WEB).locked("destroy"),
    ):
        pass


def test_a_lock_ends_with_its_process() -> None:
    code = (
        "import os\nfrom stackwise.journal import Journal\nfrom stackwise.plan.model import Identity\n"
        "context = Journal.of(Identity('superbook', 'production')).locked('up')\n"
        "context.__enter__()\nos.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == -9
    with Journal.of(WEB).locked("up"):
        pass


def test_forgetting_leaves_nothing() -> None:
    journal = Journal.of(WEB)
    journal.begin()
    (journal.folder / "work" / "deep").mkdir(parents=True)
    write_private(journal.folder / "secrets.json", "{}")
    journal.forget()
    assert not journal.folder.exists()


def test_all_journals_are_found() -> None:
    Journal.of(WEB).begin()
    Journal.of(Identity("other", "staging")).begin()
    assert [journal.folder.name for journal in journals()] == ["other-staging", "superbook-production"]


def test_secrets_are_made_once_and_kept_private(tmp_path: Path) -> None:
    journal = Journal.of(WEB)
    journal.begin()
    first = resolve_secrets({"SECRET_KEY": "generate"}, journal, tmp_path)
    assert len(first["SECRET_KEY"]) >= 50
    assert resolve_secrets({"SECRET_KEY": "generate"}, journal, tmp_path) == first
    assert (journal.folder / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_secrets_come_from_where_the_answers_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "from the environment")
    (tmp_path / "key").write_text("from a file\n")
    found = resolve_secrets({"A": "env:MY_KEY", "B": "file:key"}, Journal.of(WEB), tmp_path)
    assert found == {"A": "from the environment", "B": "from a file"}


@pytest.mark.parametrize(
    ("reference", "words"),
    [("env:NOT_THERE", "is empty"), ("file:nothing", "cannot be read"), ("file:two-lines", "more than one line")],
)
def test_a_secret_that_is_not_there_is_named(tmp_path: Path, reference: str, words: str) -> None:
    (tmp_path / "two-lines").write_text("a\nb\n")
    with pytest.raises(UsageError, match=words) as caught:
        resolve_secrets({"API_KEY": reference}, Journal.of(WEB), tmp_path)
    assert "API_KEY" in caught.value.message


def test_the_record_is_readable_and_complete(tmp_path: Path) -> None:
    with Recorder(tmp_path, 1, "up") as recorder:
        recorder.keep(events.RunStarted(number=1, command="up", name="superbook", environment="production"))
        recorder.keep(events.Waited(what="ssh", seconds=1, deadline=5))
        recorder.keep(events.CheckFinished(name="available: it answers", status="ok", saw="200"))
        recorder.keep(events.RunFinished(number=1, seconds=3.2, changed=4, url="https://192.0.2.7/"))
    (record,) = records(tmp_path)
    assert [type(event).__name__ for event in record.events()] == ["RunStarted", "CheckFinished", "RunFinished"]
    report = record.path.with_suffix(".md").read_text()
    assert "# Run 1: up superbook" in report
    assert "ok: available: it answers - 200" in report
    assert next_number(tmp_path) == 2


def test_a_line_that_was_cut_inside_a_letter_is_left_out(tmp_path: Path) -> None:
    with Recorder(tmp_path, 1, "up") as recorder:
        recorder.keep(events.RunStarted(number=1, command="up", name="superbook", environment="production"))
        recorder.keep(events.CheckFinished(name="available", status="ok", saw="é"))
    (record,) = records(tmp_path)
    whole = record.path.read_bytes()
    assert "é".encode() in whole
    record.path.write_bytes(whole[: whole.index("é".encode()) + 1])
    assert [type(event).__name__ for event in record.events()] == ["RunStarted"]


def test_no_letter_that_a_server_says_cuts_a_line_or_ends_the_record(tmp_path: Path) -> None:
    strange = ("one\u2028two", "next\u0085line", "half \ud800 a letter")
    with Recorder(tmp_path, 1, "up") as recorder:
        for words in strange:
            recorder.keep(events.StepFinished(message=words))
    kept = [event.message for event in records(tmp_path)[0].events() if isinstance(event, events.StepFinished)]
    assert kept == [*strange[:2], "half ? a letter"]


def test_an_event_survives_its_json() -> None:
    for kind in events.KINDS.values():
        fields: dict[str, Any] = {f: ("x" if t == "str" else 1) for f, t in kind.__annotations__.items() if f != "at"}
        event = kind(**fields)
        assert events.from_json(events.to_json(event)).__class__ is kind
        assert json.loads(events.to_json(event))["event"] == kind.__name__


@pytest.mark.parametrize("line", ["", "[]", "{}", '{"event": "Nothing"}', '{"event": "StepFinished"}'])
def test_what_is_no_event_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        events.from_json(line)
