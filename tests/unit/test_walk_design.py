"""The walk's state without a terminal: the answers, and what follows from them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from stackwise import events
from stackwise.errors import AnswersError, ConfigureError, InterruptedRunError, ProjectError
from stackwise.journal.record import Recorder
from stackwise.walk.design import Design, open_design
from stackwise.walk.progress import RunProgress, last_run
from stackwise.walk.questions import text_of, value_of
from stackwise.walk.scanning import look_at
from stackwise.walk.sound import sound_answers
from stackwise.walk.steps import standing, steps_of
from tests.tui.walking import small_project

WRONG = """\
schema: 1
name: mysite  # the name of the site
hosting:
  size: tiny
needs:
  downtime: never  # we thought so
  requests_per_minute: 100
stack:
  database: postgrex
"""


@pytest.fixture
def design(tmp_path: Path) -> Design:
    return open_design(small_project(tmp_path) / "stackwise.yml")


def test_a_new_file_stays_in_memory_until_something_is_kept(design: Design) -> None:
    assert design.new
    assert not design.path.exists()
    design.change("needs.downtime", "days")
    assert "downtime: days" in design.path.read_text()
    assert not design.new


def test_a_change_keeps_comments_and_moves_the_summary(tmp_path: Path) -> None:
    path = small_project(tmp_path) / "stackwise.yml"
    path.write_text("schema: 1\nname: mysite  # ours\nstack:\n  database: postgresql  # since 2019\n")
    design = open_design(path)
    design.choose(design.catalog.categories["database"], "sqlite")
    lines = [" ".join(line.split()) for line in path.read_text().splitlines()]
    assert lines == ["schema: 1", "name: mysite # ours", "stack:", "database: sqlite # since 2019"]
    assert design.summary.changed_from(design.before) == {"needed_mb", "carries", "failures"}


def test_what_an_editor_wrote_meanwhile_is_kept(design: Design) -> None:
    design.change("needs.downtime", "days")
    design.path.write_text(design.path.read_text() + "# written in the editor\n")
    design.change("needs.downtime", "hours")
    assert "# written in the editor" in design.path.read_text()
    assert "downtime: hours" in design.path.read_text()
    design.path.write_text("schema: [")
    with pytest.raises(AnswersError):
        design.change("needs.downtime", "days")
    assert design.path.read_text() == "schema: ["


def test_wrong_answers_stay_in_the_file_and_the_right_ones_count(tmp_path: Path) -> None:
    path = small_project(tmp_path) / "stackwise.yml"
    path.write_text(WRONG)
    design = open_design(path)
    places = {fault.key: fault.place.removeprefix(str(path)) for fault in design.faults}
    assert places == {"needs.downtime": ":6:3", "stack.database": ":9:3", "hosting.size": ":4:3"}
    assert design.choices["needs.requests_per_minute"] == 100
    assert design.choices["needs.downtime"] == "hours"
    design.change("needs.downtime", "days")
    text = path.read_text()
    assert "downtime: days   # we thought so" in text
    assert "database: postgrex\n" in text
    with pytest.raises(AnswersError):
        design.job()


@pytest.mark.parametrize("broken", ["schema: 1\nname: [a]\n", "schema: 7\nname: mysite\nteam: 5\n", "stack: nginx\n"])
def test_something_right_is_found_in_any_pairs(tmp_path: Path, broken: str) -> None:
    path = small_project(tmp_path) / "stackwise.yml"
    path.write_text(broken)
    design = open_design(path)
    assert design.faults
    assert sound_answers(design.document, path, design.catalog)[0].written["schema"] == 1
    assert path.read_text() == broken


def test_a_folder_without_a_project_says_so(tmp_path: Path) -> None:
    with pytest.raises(ProjectError):
        open_design(tmp_path / "stackwise.yml")


def test_another_project_is_looked_at_again(design: Design, tmp_path: Path) -> None:
    design.change("project.source", "../nowhere")
    assert design.stale
    design.take(look_at(*design.source, tmp_path / "mysite"))
    assert not design.stale
    assert design.faults[0].key == "project.source"
    assert standing(steps_of(design.catalog)[0], design) == "conflict"


@pytest.mark.parametrize("source", ["x" * 300, "a\0b", "~nosuchuser/site"])
def test_a_source_that_can_be_no_folder_is_a_problem_with_a_hint(source: str, tmp_path: Path) -> None:
    found = look_at(source, None, tmp_path)
    assert found.project is None
    assert isinstance(found.problem, ProjectError)
    assert "cannot be read" in found.problem.message
    assert found.problem.hint.endswith("--set project.source=FOLDER")


def test_an_impossible_option_has_its_reason(design: Design) -> None:
    options = {option.component.id: option for option in design.options(design.catalog.categories["app"])}
    assert "does not install" in options["uwsgi"].why_not
    assert options["gunicorn"].recommended


def test_steps_are_open_until_they_were_looked_at(design: Design) -> None:
    project = steps_of(design.catalog)[0]
    assert standing(project, design) == "open"
    design.visited.add(project.id)
    assert standing(project, design) == "done"


def test_a_conflict_is_shown_where_it_is_settled(design: Design) -> None:
    design.change("stack.app", "uwsgi")
    marks = {step.id: standing(step, design) for step in steps_of(design.catalog)}
    assert [step for step, mark in marks.items() if mark == "conflict"] == ["layer-app", "review"]


def test_an_option_of_a_component_shows_how_its_value_follows(design: Design) -> None:
    asked = design.asked("options.gunicorn.workers")
    assert asked.written is None
    assert asked.stands == 2
    assert asked.origin.startswith("= max(2,")


def test_every_step_of_the_catalog_is_on_the_map(design: Design) -> None:
    steps = steps_of(design.catalog)
    keys = [key for step in steps for key in step.keys]
    assert sorted(keys) == sorted([*design.catalog.questions, *(c.answer for c in design.catalog.layers)])


@pytest.mark.parametrize(
    ("key", "typed", "value"),
    [
        ("needs.requests_per_minute", " 50 ", 50),
        ("needs.requests_per_minute", "many", "many"),
        ("needs.requests_per_minute", "9" * 5_000, "9" * 5_000),
        ("team.constraints", "debian, nginx,", ["debian", "nginx"]),
        ("name", "  ", None),
    ],
)
def test_what_is_typed_becomes_a_value(design: Design, key: str, typed: str, value: object) -> None:
    asked = design.asked(key)
    assert value_of(asked.question, typed) == value
    assert bool(asked.wrong(value)) == (key == "needs.requests_per_minute" and isinstance(value, str))


def test_a_value_is_shown_as_it_would_be_typed() -> None:
    assert [text_of(value) for value in (None, ["a", "b"], 5)] == ["", "a, b", "5"]


def test_a_run_is_put_together_from_its_events() -> None:
    progress = RunProgress()
    first = events.PhaseStarted(phase="configure", detail="bring it up")
    for event in (
        events.RunStarted(number=3, command="up", name="a", environment="testing"),
        first,
        events.TaskStarted(name="Write it", role="nginx", number=2, total=9),
        events.TaskFinished(name="Write it", role="nginx", host="a-1", result="changed", seconds=1),
    ):
        progress.take(event)
    row = progress.phases[2]
    assert (progress.now, progress.task, progress.tasks) == ("nginx : Write it", 2, 9)
    assert progress.results == {"changed": 1}
    assert row.elapsed(first.at + timedelta(seconds=3)) == 3
    progress.fail(ConfigureError("it failed", said="no space left", hint="stackwise up"))
    assert progress.failure is not None
    assert (progress.failure.said, row.state) == ("no space left", "failed")


def test_an_error_after_its_event_is_not_said_twice() -> None:
    progress = RunProgress()
    progress.take(events.RunFailed(number=1, seconds=2, message="stopped: by you", hint="stackwise up"))
    progress.fail(InterruptedRunError("by you"))
    assert progress.failure is not None
    assert progress.failure.message == "stopped: by you"
    assert progress.failure.stopped


def test_the_last_run_of_this_name_comes_from_the_record(tmp_path: Path) -> None:
    for number, name in ((1, "mine"), (2, "other")):
        with Recorder(tmp_path, number, "up") as recorder:
            recorder.keep(events.RunStarted(number=number, command="up", name=name, environment="production"))
            recorder.keep(events.RunFinished(number=number, seconds=5, changed=0, url=f"https://{name}/"))
    found = last_run(tmp_path, "mine", "production")
    assert found is not None
    assert found.finished is not None
    assert found.finished.url == "https://mine/"
    assert last_run(tmp_path, "mine", "testing") is None


def test_every_change_can_be_taken_back_and_made_again_with_its_comments(tmp_path: Path) -> None:
    path = small_project(tmp_path) / "stackwise.yml"
    first = "schema: 1\nname: mysite  # ours\nneeds:\n  budget: 25 USD  # agreed\n"
    path.write_text(first)
    design = open_design(path)
    design.change("needs.budget", None)
    design.change("needs.downtime", "days")
    second = path.read_text()
    assert design.undo() == ("needs.downtime",)
    assert design.undo() == ("needs.budget",)
    assert "budget: 25 USD # agreed" in " ".join(path.read_text().split())
    assert design.undo() == ()
    assert design.redo() == ("needs.budget",)
    assert design.redo() == ("needs.downtime",)
    assert design.redo() == ()
    assert path.read_text() == second


def test_a_step_back_never_undoes_what_an_editor_wrote(design: Design) -> None:
    design.change("needs.downtime", "days")
    design.path.write_text(design.path.read_text() + "# written in the editor\n")
    assert design.undo() == ()
    assert "# written in the editor" in design.path.read_text()


def test_a_change_after_a_step_back_ends_what_could_be_made_again(design: Design) -> None:
    design.change("needs.downtime", "days")
    design.undo()
    design.change("needs.downtime", "minutes")
    assert design.redo() == ()
    assert design.choices["needs.downtime"] == "minutes"
