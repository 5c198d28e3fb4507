from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from stackwise import events
from stackwise.configure import AnsibleRun, Playbook, ansible_environment
from stackwise.configure.translate import Translator, said_by
from stackwise.errors import ConfigureError, InterruptedRunError


def message(kind: str, **data: Any) -> dict[str, Any]:
    empty = dict.fromkeys(
        (
            "play",
            "task",
            "role",
            "host",
            "duration",
            "ignore_errors",
            "name",
            "ok",
            "changed",
            "failures",
            "skipped",
            "dark",
        )
    )
    return {"event": kind, "data": {**empty, "res": {}, **data}, "stdout": data.get("stdout", "")}


def test_a_task_has_a_beginning_and_an_end() -> None:
    translator = Translator(total=2)
    (started,) = translator.translate(message("playbook_on_task_start", task="nginx : Write it", role="nginx"))
    assert started == events.TaskStarted(at=started.at, name="Write it", role="nginx", number=1, total=2)
    (ended,) = translator.translate(
        message("runner_on_ok", task="Write it", role="nginx", host="web", duration=0.12, res={"changed": True})
    )
    assert isinstance(ended, events.TaskFinished)
    assert ended.result == "changed"


def test_more_tasks_than_expected_raise_the_total() -> None:
    translator = Translator(total=0)
    (started,) = translator.translate(message("playbook_on_task_start", task="A handler"))
    assert isinstance(started, events.TaskStarted)
    assert started.total == 1


def test_the_first_failure_is_kept_with_the_servers_own_words() -> None:
    translator = Translator(1)
    res = {"msg": "non-zero return code", "stderr": "E: no space", "stdout": "unpacking"}
    list(translator.translate(message("runner_on_failed", task="Install", role="base", host="web", res=res)))
    assert translator.failure is not None
    assert translator.failure.said == "E: no space\nunpacking"


def test_a_failure_that_is_expected_is_none() -> None:
    translator = Translator(1)
    list(translator.translate(message("runner_on_failed", task="Try", host="web", ignore_errors=True, res={})))
    assert translator.failure is None


def test_a_secret_that_the_server_repeats_is_not_passed_on() -> None:
    """An application's traceback may have the address of its database in it, and the record is fit to commit."""
    translator = Translator(1, ["hunter2-and-more", "hunter2", "a"])
    res = {"msg": "failed", "stderr": "no login: postgres://blog:hunter2-and-more@db/a and hunter2"}
    list(translator.translate(message("runner_on_failed", task="Migrate", role="site", host="web", res=res)))
    assert translator.failure is not None
    assert translator.failure.said == "failed\nno login: postgres://blog:(hidden)@db/a and (hidden)"


def test_hidden_results_stay_hidden() -> None:
    assert (
        said_by({"censored": "the output has been hidden", "msg": "s3cret"})
        == "(hidden, because a secret may stand in it)"
    )


def test_totals_come_from_the_closing_statistics() -> None:
    translator = Translator(1)
    (summary,) = translator.translate(message("playbook_on_stats", ok={"web": 5}, changed={"web": 2}))
    assert isinstance(summary, events.HostSummarised)
    assert (summary.ok, summary.changed, summary.failed) == (5, 2, 0)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Make a work folder as the run lays it out, with a local playbook."""
    folder = tmp_path / "work" / "project"
    (folder / "inventory").mkdir(parents=True)
    (folder / "ansible.cfg").write_text("[defaults]\ninventory = inventory\n")
    (folder / "inventory" / "hosts.yml").write_text(
        "all: {hosts: {here: {ansible_connection: local, ansible_python_interpreter: /usr/bin/python3}}}\n"
    )
    return tmp_path / "work"


def playbook(work: Path, text: str, **secrets: str) -> Playbook:
    (work / "project" / "site.yml").write_text(text)
    return Playbook(work, "site.yml", (), secrets, tasks=1)


PLAY = "- hosts: all\n  gather_facts: false\n  tasks:\n"


def test_a_real_run_is_a_stream_of_events_and_leaves_no_secret(project: Path) -> None:
    text = (
        PLAY
        + "    - name: Say it\n      ansible.builtin.assert:\n        that: site_secrets.KEY == '{{ canary }}-7f3a'\n"
    )
    seen = list(
        AnsibleRun().run(
            playbook(project, text.replace("'{{ canary }}-7f3a'", "'canary-' ~ '7f3a'"), KEY="canary-7f3a"),
            threading.Event(),
        )
    )
    assert [type(event).__name__ for event in seen][-1] == "HostSummarised"
    left = b"".join(path.read_bytes() for path in project.rglob("*") if path.is_file())
    assert b"canary-7f3a" not in left


def test_a_secret_is_never_a_template(project: Path) -> None:
    text = PLAY + "    - name: Weigh it\n      ansible.builtin.assert:\n        that: site_secrets.KEY | length == 11\n"
    assert list(AnsibleRun().run(playbook(project, text, KEY="{{ 1 + 1 }}"), threading.Event()))


def test_a_failed_task_is_named_with_the_servers_words(project: Path) -> None:
    text = PLAY + "    - name: Break\n      ansible.builtin.command: ls /no/such/folder\n      changed_when: false\n"
    with pytest.raises(ConfigureError) as caught:
        list(AnsibleRun().run(playbook(project, text), threading.Event()))
    assert caught.value.task == "Break"
    assert "No such file" in caught.value.said


def test_a_playbook_that_cannot_be_read_is_a_failure(project: Path) -> None:
    with pytest.raises(ConfigureError, match="could not start"):
        list(AnsibleRun().run(playbook(project, PLAY + "    - no.such.module: {}\n"), threading.Event()))


def test_no_host_is_a_failure_and_not_a_success(project: Path) -> None:
    text = "- hosts: nobody\n  gather_facts: false\n  tasks: []\n"
    with pytest.raises(ConfigureError, match="no server matched"):
        list(AnsibleRun().run(playbook(project, text), threading.Event()))


def test_stopping_ends_the_task_for_real(project: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    text = PLAY + f"    - name: Sleep\n      ansible.builtin.shell: sleep 8; touch {mark}\n      changed_when: false\n"
    stop = threading.Event()

    def stopped_at_the_task() -> None:
        for event in AnsibleRun().run(playbook(project, text), stop):
            if isinstance(event, events.TaskStarted):
                stop.set()

    with pytest.raises(InterruptedRunError):
        stopped_at_the_task()
    assert threading.Event().wait(9) is False
    assert not mark.exists()


def test_the_environment_of_a_run_holds_nothing_of_ours(tmp_path: Path) -> None:
    environment = ansible_environment(Playbook(tmp_path, "site.yml", ("-o", "A=b"), {}, 1))
    assert environment["ANSIBLE_HOST_KEY_CHECKING"] == "True"
    assert "-o A=b" in environment["ANSIBLE_SSH_ARGS"]
    assert environment["ANSIBLE_STRATEGY"] == "mitogen_linear"
