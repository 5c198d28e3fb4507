from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stackwise.answers import Answers, answers_text, choose, load_answers
from stackwise.answers.check import why_wrong
from stackwise.answers.document import Document
from stackwise.catalog import Catalog
from stackwise.errors import AnswersError, Fault

GOOD = "schema: 1\nname: superbook\n"


def faults_of(
    tmp_path: Path, catalog: Catalog, content: str | bytes, overrides: dict[str, Any] | None = None
) -> tuple[Fault, ...]:
    path = tmp_path / "stackwise.yml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(AnswersError) as caught:
        load_answers(path, catalog, overrides)
    return caught.value.faults


def test_missing_file_says_how_to_write_one(tmp_path: Path, catalog: Catalog) -> None:
    with pytest.raises(AnswersError) as caught:
        load_answers(tmp_path / "nothing.yml", catalog)
    assert "no such answers file" in caught.value.message
    assert "stackwise init" in caught.value.hint


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"# only a comment\n", "the file is empty"),
        (b"\x00\x01\x02", "no text file"),
        (b"\xff\xfe\xfa", "not UTF-8"),
        (b"just words", "no `key: value` pairs"),
        (b"- a\n- list\n", "no `key: value` pairs"),
        (b"schema: [1\n", "not YAML"),
        (b"schema: 1\n\tname: x\n", "not YAML"),
        (b"schema: 1\nname: a\nname: b\n", "a second time"),
        (b"x" * 300_000, "no text file"),
    ],
)
def test_what_is_no_answers_file_is_one_clear_fault(
    tmp_path: Path, catalog: Catalog, content: bytes, words: str
) -> None:
    (fault,) = faults_of(tmp_path, catalog, content)
    assert words in fault.message


def test_unreadable_file(tmp_path: Path, catalog: Catalog) -> None:
    folder = tmp_path / "stackwise.yml"
    folder.mkdir()
    with pytest.raises(AnswersError, match="cannot be read"):
        load_answers(folder, catalog)


def test_every_fault_at_once_each_with_its_place(tmp_path: Path, catalog: Catalog) -> None:
    content = (
        "schema: 1\nname: superbook\nneeds: {requests_per_minute: lots, downtime: hour}\n"
        "stack: {web: ngix, databse: x}\nstak: {}\n"
        "options: {gunicorn: {timout: 3, threads: 0}}\naccepted: {sinle-server: because}\n"
    )
    found = {(fault.line, fault.column): (fault.message, fault.hint) for fault in faults_of(tmp_path, catalog, content)}
    assert "a whole number is expected" in found[3, 9][0]
    assert found[3, 36][1] == "did you mean hours?"
    assert found[4, 9][1] == "did you mean nginx?"
    assert found[4, 20][1] == "did you mean database?"
    assert found[5, 1][1] == "did you mean stack?"
    assert found[6, 22][1] == "did you mean timeout?"
    assert "at least 1" in found[6, 33][0]
    assert found[7, 12][1] == "did you mean single-server?"


@pytest.mark.parametrize(
    "key", ["name", "access.domain", "access.admin_user", "project.settings", "project.wsgi", "hosting.region"]
)
@pytest.mark.parametrize(
    "nasty",
    [
        "$(id)",
        "`id`",
        "a;b",
        "{{ 7*7 }}",
        "{% x %}",
        "../../etc",
        "a b",
        "a\nb",
        "",
        "root' OR 1=1",
        "-oProxyCommand=x",
    ],
)
def test_metacharacters_are_refused_where_they_could_act(
    tmp_path: Path, catalog: Catalog, key: str, nasty: str
) -> None:
    faults = faults_of(tmp_path, catalog, GOOD, {key: nasty})
    assert [fault.file for fault in faults] == [f"--set {key}"]


@pytest.mark.parametrize("value", ["hunter2", "generate me", "env:", "env:A B", "file:"])
def test_a_secret_in_the_file_is_refused_and_not_repeated(tmp_path: Path, catalog: Catalog, value: str) -> None:
    (fault,) = faults_of(tmp_path, catalog, f"{GOOD}secrets: {{SECRET_KEY: {value!r}}}\n")
    assert fault.line == 3
    assert "hunter2" not in fault.message + fault.hint
    assert "never stands in this file" in fault.hint


def test_another_schema_says_so(tmp_path: Path, catalog: Catalog) -> None:
    (fault,) = faults_of(tmp_path, catalog, "schema: 2\nname: superbook\n")
    assert "another schema" in fault.message


def test_a_conflict_cannot_be_accepted(tmp_path: Path, catalog: Catalog) -> None:
    (fault,) = faults_of(tmp_path, catalog, f"{GOOD}accepted: {{memory-too-small: we are brave}}\n")
    assert "no reason makes it work" in fault.message


def test_a_layer_that_takes_one_component_refuses_two(tmp_path: Path, catalog: Catalog) -> None:
    (fault,) = faults_of(tmp_path, catalog, f"{GOOD}stack: {{web: [nginx, apache]}}\n")
    assert "takes one component" in fault.message


def test_precedence_is_given_then_written_then_scanned_then_default(tmp_path: Path, catalog: Catalog) -> None:
    answers = Answers(tmp_path / "stackwise.yml", {"name": "written", "environment": "staging"}, {"name": "given"})
    choices = choose(answers, {"environment": "testing", "project.wsgi": "a.wsgi:application"}, catalog)
    assert choices["name"] == "given"
    assert choices["environment"] == "staging"
    assert choices["project.wsgi"] == "a.wsgi:application"
    assert choices["stack.web"] == "nginx"
    origins = [choices.origins[key] for key in ("name", "environment", "project.wsgi", "stack.web")]
    assert origins == ["given", "written", "scanned", "default"]


def test_aliases_become_ids(tmp_path: Path, catalog: Catalog) -> None:
    answers = Answers(tmp_path / "stackwise.yml", {"access.tls": "none", "stack.database": "postgres"})
    choices = choose(answers, {}, catalog)
    assert choices["access.tls"] == "tls-none"
    assert choices["stack.database"] == "postgresql"


def test_a_change_keeps_comments_and_order() -> None:
    document = Document.parse("# mine\nschema: 1\nname: a  # the name\nneeds:\n  downtime: days\n", "stackwise.yml")
    document.change("needs.downtime", "hours")
    document.change("hosting.size", "medium")
    assert (
        document.text()
        == "# mine\nschema: 1\nname: a  # the name\nneeds:\n  downtime: hours\nhosting:\n  size: medium\n"
    )


def test_a_written_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "stackwise.yml"
    path.write_text(GOOD)
    path.chmod(0o600)
    Document.read(path).write(path)
    assert path.read_text() == GOOD
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.glob(".stackwise*")) == []


def test_overrides_stand_in_the_answers_that_are_kept(tmp_path: Path, catalog: Catalog) -> None:
    path = tmp_path / "stackwise.yml"
    path.write_text(GOOD)
    answers = load_answers(path, catalog, {"hosting.size": "medium"})
    assert answers_text(answers) == f"{GOOD}hosting:\n  size: medium\n"


def test_every_question_of_a_certain_form_shows_a_right_answer(catalog: Catalog) -> None:
    asked = [*catalog.questions.values(), *(q for c in catalog.components.values() for q in c.questions)]
    formed = [question for question in asked if question.pattern]
    assert formed
    for question in formed:
        nonsense = "\x00 never right \x00"
        wrong = why_wrong(question, [nonsense] if question.type == "list" else nonsense)
        assert wrong is not None
        example = wrong.rpartition("for example ")[2]
        assert why_wrong(question, [example] if question.type == "list" else example) is None
