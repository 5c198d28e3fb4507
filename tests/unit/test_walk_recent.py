"""The list of answers files that were open lately, and the taste of who opened them."""

from __future__ import annotations

from pathlib import Path

import pytest

from stackwise import events, paths
from stackwise.errors import AnswersError, UsageError
from stackwise.journal import Journal
from stackwise.journal.record import Recorder
from stackwise.plan.model import Identity
from stackwise.walk.recent import MOST, last_run_of, recents, remember
from stackwise.walk.taste import keep_theme, kept_theme, keys_path, read_keys

BEGUN = events.RunStarted(number=3, command="up", name="site", environment="production")
FAILED = events.RunFailed(number=3, seconds=4, message="no room", hint="stackwise up", said="")
DONE = events.RunFinished(number=3, seconds=4, changed=2, url="https://192.0.2.7/")


def answers(folder: Path, name: str = "stackwise.yml") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("schema: 1\n")
    return folder / name


def recorded(folder: Path, *seen: events.Event, command: str = "up") -> None:
    with Recorder(folder, 3, command) as recorder:
        for event in seen:
            recorder.keep(event)


def test_the_last_opened_stands_first_and_once(tmp_path: Path) -> None:
    first, second = answers(tmp_path / "a"), answers(tmp_path / "b")
    for path in (first, second, first):
        remember(path, path.parent.name, "production")
    assert [(recent.path, recent.name) for recent in recents()] == [(first, "a"), (second, "b")]
    assert paths.state_dir().stat().st_mode & 0o777 == 0o700


def test_what_is_gone_is_left_out_and_the_list_has_an_end(tmp_path: Path) -> None:
    for number in range(MOST + 2):
        remember(answers(tmp_path / f"site{number}"), f"site{number}", "testing")
    assert len(recents()) == MOST
    (tmp_path / f"site{MOST + 1}" / "stackwise.yml").unlink()
    assert [recent.name for recent in recents()][:2] == [f"site{MOST}", f"site{MOST - 1}"]


@pytest.mark.parametrize("text", ["{", "7", '[{"path": 1}, "x", null]'])
def test_a_broken_list_is_an_empty_one(text: str, tmp_path: Path) -> None:
    paths.state_dir().mkdir(parents=True)
    (paths.state_dir() / "recent.json").write_text(text)
    assert recents() == ()
    remember(answers(tmp_path / "a"), "a", "testing")
    assert len(recents()) == 1


def test_how_the_last_run_ended_is_read_from_its_record(tmp_path: Path) -> None:
    assert last_run_of(tmp_path, "site", "production").words == "nothing made yet"
    recorded(tmp_path, BEGUN, FAILED)
    last = last_run_of(tmp_path, "site", "production")
    assert (last.ended, last.number, last.says, last.is_open) == ("failed", 3, "no room", True)
    recorded(tmp_path, BEGUN, DONE)
    assert last_run_of(tmp_path, "site", "production").words == "stands"
    assert last_run_of(tmp_path, "site", "testing").ended == "never"


def test_a_run_without_an_end_goes_on_or_was_broken_off(tmp_path: Path) -> None:
    recorded(tmp_path, BEGUN)
    assert last_run_of(tmp_path, "site", "production").ended == "stopped"
    with Journal.of(Identity("site", "production")).locked("up"):
        assert last_run_of(tmp_path, "site", "production").ended == "going on"
    assert last_run_of(tmp_path, "site", "production").ended == "stopped"


def test_a_theme_is_kept_and_a_broken_file_forgiven() -> None:
    assert not kept_theme()
    keep_theme("textual-light")
    assert kept_theme() == "textual-light"
    (paths.config_dir() / "taste.json").write_text("[")
    assert not kept_theme()


def test_keys_are_read_as_words() -> None:
    assert read_keys() == {}
    keys_path().parent.mkdir(parents=True)
    keys_path().write_text("step.next: f5\nreview.plan: 7\n")
    assert read_keys() == {"step.next": "f5", "review.plan": "7"}
    keys_path().write_text("step.next: [f5]\n")
    with pytest.raises(UsageError, match=r"step\.next wants a key"):
        read_keys()
    keys_path().write_text("[")
    with pytest.raises(AnswersError):
        read_keys()
