"""The whole run as one stream of events, with both seams faked and an ssh client of our own making."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from stackwise import events
from stackwise.errors import ConfigureError, LockedError, ProjectError, ProvisionError, UsageError, VerifyError
from stackwise.events import Event
from stackwise.job import Job, load_job
from stackwise.journal import Journal
from stackwise.journal.record import records
from stackwise.operate.source import source_folder
from stackwise.run import Runner
from tests.fakes import FakeCloud, FakePlaybookRun
from tests.unit.test_servers import SSH

PLAYS = (
    events.PlayStarted(name="Prepare every server"),
    events.PlayStarted(name="Set up the database"),
    events.PlayStarted(name="Put up the application"),
    events.HostSummarised(host="web", ok=3, changed=2, failed=0, skipped=0, unreachable=0),
)


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    """Make a small project with its answers, and an ssh client that answers as a fresh server does."""
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "ssh").write_text(SSH)
    (tools / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setenv("SSH_LOG", str(tmp_path / "ssh.log"))
    folder = tmp_path / "hello"
    folder.mkdir()
    (folder / "app.py").write_text("from flask import Flask\napp = Flask(__name__)\n")
    (folder / "requirements.txt").write_text("flask\n")
    (folder / "stackwise.yml").write_text("schema: 1\nname: hello\naccess: {domain: hello.test, tls: none}\n")
    return load_job(folder / "stackwise.yml")


def until_verify(run: Iterator[Event]) -> list[Event]:
    """Take a run up to where it would look at a site that is not there."""
    seen = []
    for event in run:
        seen.append(event)
        if isinstance(event, events.PhaseStarted) and event.phase == "verify":
            break
    return seen


def runner(job: Job, cloud: FakeCloud | None = None, ansible: FakePlaybookRun | None = None) -> Runner:
    provider = cloud or FakeCloud()
    return Runner(job, lambda: provider, ansible or FakePlaybookRun(PLAYS), threading.Event())


def test_the_phases_come_in_order_and_the_plays_say_where_deploying_begins(job: Job) -> None:
    seen = until_verify(runner(job).up())
    phases = [event.phase for event in seen if isinstance(event, events.PhaseStarted)]
    assert phases == ["plan", "provision", "configure", "deploy", "verify"]


def test_ansible_gets_the_rendered_project_pinned_keys_and_secrets_apart(job: Job) -> None:
    ansible = FakePlaybookRun(PLAYS)
    until_verify(runner(job, ansible=ansible).up())
    (asked,) = ansible.asked
    assert (asked.project / "project" / "site.yml").is_file()
    assert "ansible_host: 192.0.2.7" in (asked.project / "project" / "inventory" / "hosts.yml").read_text()
    assert "ssh-ed25519" in (asked.project / "project" / "group_vars" / "all.yml").read_text()
    assert "StrictHostKeyChecking=yes" in asked.ssh_options
    assert asked.tasks > 30


def test_a_failure_is_told_recorded_and_raised(job: Job) -> None:
    class Failing(FakePlaybookRun):
        def run(self, *_: object) -> Iterator[Event]:
            raise ConfigureError("base : Install failed on web", said="E: no space", hint="stackwise up")

    seen: list[Event] = []

    def carry_out() -> None:
        seen.extend(runner(job, ansible=Failing()).up())

    with pytest.raises(ConfigureError):
        carry_out()
    (record,) = records(job.folder)
    last = list(record.events())[-1]
    assert isinstance(last, events.RunFailed)
    assert last.said == "E: no space"
    assert "**Failed**" in record.path.with_suffix(".md").read_text()


def test_a_run_that_goes_on_says_so(job: Job) -> None:
    until_verify(runner(job).up())
    first = next(iter(runner(job).up()))
    assert isinstance(first, events.RunStarted)
    assert first.resumed
    assert first.number == 2


def test_a_secret_that_is_missing_is_found_before_a_server_is_made(job: Job) -> None:
    (job.folder / "stackwise.yml").write_text("schema: 1\nname: hello\nsecrets: {API_KEY: env:NOT_SET_ANYWHERE}\n")
    cloud = FakeCloud()
    with pytest.raises(UsageError, match="API_KEY"):
        list(runner(load_job(job.answers.path), cloud).up())
    assert cloud.orders == []


def test_two_at_once_are_told_apart(job: Job) -> None:
    with Journal.of(job.identity).locked("up"), pytest.raises(LockedError):
        list(runner(job).up())


def test_destroying_leaves_the_record_in_the_project_alone(job: Job) -> None:
    cloud = FakeCloud()
    until_verify(runner(job, cloud).up())
    list(runner(job, cloud).destroy())
    assert cloud.nodes == {}
    assert not Journal.of(job.identity).exists
    assert [record.command for record in records(job.folder)] == ["up", "destroy"]


def test_a_key_that_is_gone_is_no_obstacle_to_destroying(job: Job) -> None:
    cloud = FakeCloud()
    until_verify(runner(job, cloud).up())
    answers = "schema: 1\nname: hello\naccess: {domain: hello.test, tls: none, ssh_key: gone.pub}\n"
    job.answers.path.write_text(answers)
    list(runner(load_job(job.answers.path), cloud).destroy())
    assert cloud.nodes == {}


def test_verify_without_a_server_says_how_to_get_one(job: Job) -> None:
    with pytest.raises(ProvisionError) as caught:
        list(runner(job).verify())
    assert "stackwise up" in caught.value.hint


def test_a_site_that_does_not_answer_is_a_fault_in_every_check_that_asks_it(job: Job) -> None:
    cloud = FakeCloud(address="127.0.0.1")

    def verified() -> list[Event]:
        return list(runner(job, cloud).up())

    with pytest.raises(VerifyError):
        verified()
    checks = [event for event in next(iter(records(job.folder))).events() if isinstance(event, events.CheckFinished)]
    assert any(check.status == "fault" and check.name.startswith("available") for check in checks)


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"]
    return subprocess.run(
        ["git", *identity, "-C", str(folder), *arguments], check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Make a repository with a site in a folder, two commits and a tag on the first."""
    folder = tmp_path / "repository"
    (folder / "site").mkdir(parents=True)
    git(folder, "init", "-q")
    (folder / "site" / "app.py").write_text("first")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "one")
    git(folder, "tag", "v1")
    (folder / "site" / "app.py").write_text("second")
    git(folder, "commit", "-qam", "two")
    (folder / "site" / "app.py").write_text("not committed")
    return folder


def test_a_folder_is_taken_as_it_is(repository: Path) -> None:
    assert source_folder("site", None, repository) == repository / "site"


def test_a_ref_is_exactly_that_commit(repository: Path) -> None:
    assert (source_folder("site", "v1", repository) / "app.py").read_text() == "first"
    assert (source_folder("site", "main", repository) / "app.py").read_text() == "second"


def test_a_url_is_cloned_once_and_fetched_after(repository: Path, tmp_path: Path) -> None:
    url = f"file://{repository}"
    assert (source_folder(url, "v1", tmp_path) / "site" / "app.py").read_text() == "first"
    git(repository, "commit", "-qam", "three")
    assert (source_folder(url, None, tmp_path) / "site" / "app.py").read_text() == "not committed"


@pytest.mark.parametrize(
    ("source", "ref"),
    [("nowhere", None), ("site", "no-such-ref"), ("site", "--upload-pack=id"), ("file:///nowhere/at/all", None)],
)
def test_what_git_cannot_read_is_said_in_its_words(repository: Path, source: str, ref: str | None) -> None:
    with pytest.raises(ProjectError) as caught:
        source_folder(source, ref, repository)
    assert caught.value.hint
