"""The walk as plain questions: what is asked, what is taken, and that nothing but lines ever comes out."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pexpect
import pytest

from stackwise import events
from stackwise.answers.document import Document, flatten
from stackwise.cli.plain import walk_plain
from stackwise.cli.plain.choosing import NotOneError, pick
from stackwise.cli.plain.run import PlainLines
from stackwise.cli.plain.talk import Talk
from stackwise.errors import ConfigureError, InterruptedRunError, ProjectError
from stackwise.job import Job
from stackwise.walk.design import open_design
from stackwise.walk.steps import steps_of
from tests.tui.walking import small_project

PROGRAM = [sys.executable, "-m", "stackwise"]
ENTER = ""
ENOUGH = [ENTER] * 60
PROMPT = "> "
EVIL = "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b2J [bold]x[/x]"


@dataclass
class Making:
    """Makes nothing, remembers what was asked for, and fails as often as it has `errors`."""

    errors: list[Exception] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)

    def __call__(self, job: Job, talk: Talk, answers: Path) -> None:
        self.jobs.append(job)
        if self.errors:
            raise self.errors.pop(0)
        talk.say(f"https://192.0.2.7/ by {answers.name}")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    project = small_project(tmp_path)
    monkeypatch.chdir(project)
    return project


def walked(*lines: str, make: Making | None = None) -> tuple[int, str]:
    """Walk with these lines typed, each read back where it was asked for; return exit code and words."""
    said = io.StringIO()
    talk = Talk(io.StringIO("".join(f"{line}\n" for line in lines)), said, echo=True)
    code = walk_plain(None, talk, make or Making())
    return code, said.getvalue()


def answers() -> str:
    return Path("stackwise.yml").read_text()


def answer(key: str) -> Any:
    return dict(flatten(Document.read(Path("stackwise.yml")).plain())).get(key)


def document(*arguments: str) -> Any:
    done = subprocess.run([*PROGRAM, *arguments, "--json"], capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def after(said: str, heading: str) -> str:
    """Return what was said from the last time that a step was begun, to the next step."""
    return said.rpartition(f", {heading}\n")[2].partition("\nStep ")[0]


# -- Enter, numbers, ids ------------------------------------------------------------------------------------------


def test_enter_takes_what_is_recommended_and_writes_what_init_writes() -> None:
    expected = subprocess.run([*PROGRAM, "init", "-o", "-"], capture_output=True, text=True, check=True).stdout
    code, said = walked(*ENOUGH)
    assert code == 0
    assert answers() == expected
    assert "Step 1 of 18, Project" in said
    assert "Shall it be made? [y/N] > " in said
    assert "Nothing is made." in said


@pytest.mark.parametrize("typed", ["2", "sqlite", "sq", "SQLite"])
def test_a_number_an_id_or_its_beginning_takes_an_option_and_goes_on(typed: str) -> None:
    _, said = walked(ENTER, "g database", typed, "q")
    assert answer("stack.database") == "sqlite"
    assert re.search(r"SQLite\. Saved\. memory: \d+ of 1024 MiB, now \d+ of 1024 MiB;.*now The database's file", said)
    assert "Step 10 of 18, Cache" in said


def test_an_impossible_option_is_listed_with_its_reason_and_refused_with_it() -> None:
    code, said = walked(ENTER, "g web", "caddy", "0", "nothing", "q")
    assert code == 0
    assert re.search(r"\d\. Caddy \(caddy\): cannot be taken\n     stackwise does not install it\.", said)
    assert "Caddy cannot be taken: stackwise does not install it." in said
    assert "There is no number 0. Possible is a number from 1 to 5" in said
    assert "nothing is none of these. Possible is a number from 1 to 5, or an id" in said
    assert answer("stack.web") == "nginx"


def test_what_may_be_several_is_asked_for_again() -> None:
    things = [("debian-12", "Debian 12"), ("debian-13", "Debian 13"), ("debian", "Debian")]
    with pytest.raises(NotOneError, match="debian- may be debian-12 or debian-13"):
        pick("debian-", things)
    assert pick("debian", things) == 2
    assert pick("DEBIAN-13", things) == 1
    with pytest.raises(NotOneError, match="no number 4"):
        pick("4", things)


# -- forms --------------------------------------------------------------------------------------------------------


def test_a_wrong_answer_says_what_is_possible_and_asks_again() -> None:
    _, said = walked(ENTER, "g needs", "many", "0", "700", ENTER, "never", "ho", "q")
    assert "That cannot be: a whole number is expected here. Possible is a whole number from 1" in said
    assert "never is none of these. Possible is a number from 1 to 4" in said
    assert answer("needs.requests_per_minute") == 700


def test_more_questions_are_asked_only_where_somebody_wants_them() -> None:
    _, said = walked(ENTER, "g team", ENTER, ENTER)
    assert "There are 3 more questions here" in said
    assert "Question 1 of 3" not in after(said, "Team")
    _, said = walked(ENTER, "g team", ENTER, "perhaps", "y", ENTER, "y", "debian, nginx", "q")
    assert "perhaps is neither. Possible is y or n." in said
    assert "Question 3 of 3" in after(said, "Team")
    design = open_design(Path("stackwise.yml"))
    assert design.choices["team.on_call"] is True
    assert design.choices["team.constraints"] == ["debian", "nginx"]


def test_a_text_that_is_called_like_a_command_can_be_typed_and_a_dash_gives_it_back() -> None:
    walked(ENTER, "=redo", "q")
    assert answer("name") == "redo"
    walked(ENTER, "g address", "www.example.org", "q")
    assert answer("access.domain") == "www.example.org"
    walked(ENTER, "g address", "-", "q")
    assert answer("access.domain") is None


def test_back_goes_to_the_question_before_then_to_the_step_before() -> None:
    _, said = walked(ENTER, ENTER, "b", "other", ENTER, "b", "b", "q")
    assert answer("name") == "other"
    _, said = walked(ENTER, "g team", "b", "q")
    assert said.index("Step 3 of 18, Team") < said.index("Step 2 of 18, Needs")


def test_a_key_of_ones_own_is_offered(tmp_path: Path) -> None:
    key = tmp_path / "home" / ".ssh" / "id_ed25519.pub"
    key.parent.mkdir()
    key.write_text("ssh-ed25519 AAAA somebody\n")
    _, said = walked(ENTER, "g login", ENTER, "2", "q")
    assert "1. generate: one made for this site (stands)\n  2. ~/.ssh/id_ed25519.pub" in said
    assert answer("access.ssh_key") == "~/.ssh/id_ed25519.pub"


# -- commands -----------------------------------------------------------------------------------------------------


def test_every_command_answers_at_a_layer() -> None:
    commands = ["?", "h", "s", "g", "w", "w 2", "c 1 2", "c 1", "c 1 nix", "n 2", "o", "b", "a x", "wh"]
    _, said = walked(ENTER, "g database", *commands, "q")
    said = after(said, "Database")
    assert "Where everything lives that must survive a restart." in said
    assert "c N M: compare two to four options" in said
    assert re.search(r"mysite \(production\)\. cost: 0 USD a month; memory: \d+ of 1024 MiB; carries:", said)
    assert "9. Database (layer-database): done" in said
    assert "PostgreSQL is recommended, with a fit of" in said
    assert "SQLite has a fit of" in said
    assert re.search(r"With needs\.\w+: \w+, SQLite would be the best\.", said)
    assert re.search(r"good at durable \(.*\) postgresql, sqlite\n", said)
    assert "  leave it when: " in said
    assert "Two to 4 can be compared; for example: c 1 2" in said
    assert "nix is none of these." in said
    assert "Sources" in said
    assert "There is nothing of that kind here. h lists the commands." in said
    assert "wh is none of these." in said


def test_the_settings_of_a_component_have_a_value_each_and_can_be_given_back() -> None:
    _, said = walked(ENTER, "g cache", "o", "5", "100", ENTER, "q")
    assert "That cannot be: at least 8 MiB is expected here." in said
    assert answer("options.redis.max_memory_mb") == 100
    walked(ENTER, "g cache", "o", "-", "b", "b", "q")
    assert answer("options.redis.max_memory_mb") is None


def test_undo_and_redo_say_what_they_did_and_ask_again() -> None:
    _, said = walked(ENTER, "g database", "sqlite", "undo", "redo", "u", "u", "q")
    assert "Taken back: stack.database. Saved." in said
    assert "Made again: stack.database. Saved." in said
    assert answer("stack.database") == "postgresql"


def test_the_server_is_bought_whole_and_the_way_back_leads_to_the_provider() -> None:
    _, said = walked(ENTER, "g server", "scaleway", "?", ENTER, "b", "sandbox", "huge", "medium", "q")
    assert "Scaleway cannot be taken:" in said
    assert "The company, or the machine on your desk" in said
    assert "Back to the provider." in said
    assert "huge is none of these. Possible is a number from 1 to 3" in said
    assert "Local sandbox, local, medium. Saved. memory:" in said
    assert answer("hosting.size") == "medium"


# -- review and run -----------------------------------------------------------------------------------------------


def test_a_conflict_is_said_first_and_enter_leads_to_what_settles_it(folder: Path) -> None:
    walked(ENTER, "q")
    (folder / "stackwise.yml").write_text(re.sub("app: gunicorn", "app: uwsgi", answers()))
    code, said = walked(ENTER, "r", "gunicorn", ENTER, "gunicorn", "q")
    review = after(said, "Review")
    assert review.index("conflict [uwsgi-not-installed]") < review.index("note [")
    assert "that is asked in step 7, Application server: g layer-app" in review
    assert "No plan can be made before that is settled." in review
    assert "Possible is Enter, or any command" in review
    assert answer("stack.app") == "gunicorn"
    assert code == 0


def test_a_fault_is_said_with_its_place_at_its_step_and_at_the_review(folder: Path) -> None:
    (folder / "stackwise.yml").write_text("schema: 1\nname: mysite\nneeds:\n  downtime: never\n")
    _, said = walked("r", ENTER, ENTER, ENTER, ENTER, "hours", "q")
    assert "fault: stackwise.yml:4:3: needs.downtime: one of days, hours" in after(said, "Review")
    assert "fault: stackwise.yml:4:3" in after(said, "Needs")
    assert "That cannot be: one of days, hours, minutes, none is expected here." in after(said, "Needs")
    assert answer("needs.downtime") == "hours"


def test_a_warning_is_accepted_with_a_reason_only() -> None:
    walked(ENTER, "g needs", ENTER, "1 USD", ENTER, ENTER, ENTER, "q")
    walked(ENTER, "g needs", "1", "q")
    warning = next(piece["id"] for piece in document("advise")["advice"] if piece["kind"] == "warning")
    _, said = walked(ENTER, "r", f"a {warning}", "a nothing x", f"a {warning} it is a pilot", "q")
    assert f"To accept one: a {warning} REASON" in said
    assert "Say why that is all right here" in said
    assert "nothing is none of these." in said
    assert answer(f"accepted.{warning}") == "it is a pilot"


def test_yes_makes_it_and_the_walk_ends_with_the_report() -> None:
    making = Making()
    code, said = walked(ENTER, "r", "y", make=making)
    assert code == 0
    assert [job.identity.name for job in making.jobs] == ["mysite"]
    assert "Step 17 of 18, Run" in said
    assert said.endswith("https://192.0.2.7/ by stackwise.yml\n")


def test_a_run_that_failed_says_the_servers_words_and_is_tried_again() -> None:
    error = ConfigureError("base : Install failed on web", said=f"no space left {EVIL}", hint="free some room")
    making = Making([error])
    code, said = walked(ENTER, "r", "y", "y", make=making)
    assert code == 0
    assert len(making.jobs) == 2
    assert "error: base : Install failed on web\n  | no space left red" in said
    assert "free some room" in said
    assert "\x1b" not in said
    assert "\x9b" not in said
    code, _ = walked("r", "y", "n", make=Making([error]))
    assert code == 1
    code, said = walked("r", "y", make=Making([error]))
    assert code == 1
    assert "The input has come to its end." in said


def test_a_stopped_run_ends_the_walk_with_130() -> None:
    stopped = InterruptedRunError("it was stopped", hint="go on with: stackwise up")
    code, said = walked(ENTER, "r", "y", "y", make=Making([stopped]))
    assert code == 130
    assert "go on with: stackwise up" in said


def test_no_run_begins_before_the_review() -> None:
    making = Making()
    _, said = walked(ENTER, "g run", "n", make=making)
    assert "Before a run stands the review." in said
    assert "Shall it be made?" in said
    assert making.jobs == []
    _, said = walked(ENTER, "g report", ENTER, make=making)
    assert "Nothing was made yet." in said


def test_a_run_is_said_once_a_line_and_waiting_only_now_and_then() -> None:
    said = io.StringIO()
    lines = PlainLines(Talk(io.StringIO(), said))
    for second in range(5):
        lines.show(events.Waited(what="ssh", seconds=second, deadline=60))
    lines.show(events.TaskFinished(name=EVIL, role="nginx", host="web", result="changed", seconds=0.1))
    lines.show(events.CheckFinished(name="the site answers", status="fault", saw=EVIL, hint="look"))
    assert said.getvalue().count("waiting for ssh") == 1
    assert "fault the site answers" in said.getvalue()
    assert "\x1b" not in said.getvalue()
    assert "[bold]x[/x]" in said.getvalue()


# -- the end of the talk ------------------------------------------------------------------------------------------


def test_the_end_of_the_input_says_so_and_all_is_saved() -> None:
    code, said = walked()
    assert code == 2
    assert "The input has come to its end. Nothing was written." in said
    assert not Path("stackwise.yml").exists()
    code, said = walked(ENTER, "g database", "sqlite")
    assert code == 2
    assert "Everything is saved in stackwise.yml; go on with: stackwise --plain" in said
    assert answer("stack.database") == "sqlite"


def test_without_a_project_there_is_nothing_to_ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    with pytest.raises(ProjectError):
        walked(ENTER)


# -- what is shown is what the core says --------------------------------------------------------------------------

OPTION = re.compile(
    r"^  \d+\. (?P<name>.+?) \((?P<id>[a-z0-9-]+)\)(?:: (?P<marks>[^;\n]*))?(?:;.*)?\n {5}(?P<line>.*)$", re.M
)


def options_said(said: str) -> dict[str, tuple[str, set[str], str]]:
    found = OPTION.finditer(said)
    return {m["id"]: (m["name"], set((m["marks"] or "").split(", ")) - {""}, m["line"]) for m in found}


def test_every_fact_of_every_step_is_what_the_commands_print_as_json() -> None:
    code, said = walked(*ENOUGH)
    assert code == 0
    advice, plan = document("advise"), document("plan")
    layers = {layer["category"]: layer for layer in advice["layers"]}
    design = open_design(Path("stackwise.yml"))
    told = 0
    for step in steps_of(design.catalog):
        block = after(said, step.title)
        if step.category:
            _compare_options(
                options_said(block), document("catalog", "list", "-c", step.category), layers[step.category]
            )
            told += 1
        for key in step.keys if step.kind == "form" else ():
            asked = design.asked(key)
            assert asked.question.more or (asked.question.ask in block and asked.question.why in block)
    assert told == 10
    _compare_hosting(after(said, "Hosting"), advice["hosting"])
    _compare_sizes(after(said, "Server"), document("catalog", "show", "sandbox")["offer"])
    _compare_review(after(said, "Review"), advice, plan)


def _compare_options(
    options: dict[str, tuple[str, set[str], str]], components: list[dict[str, Any]], layer: dict[str, Any]
) -> None:
    assert {name: words[0] for name, words in options.items()} == {c["id"]: c["name"] for c in components}
    refused = ["cannot be taken" in marks for _, marks, _ in options.values()]
    assert refused == sorted(refused), "what can be taken comes first"
    for component in components:
        _, marks, line = options[component["id"]]
        state = component["state"]["state"]
        assert (component["id"] in layer["chosen"]) == ("taken" in marks)
        assert state == "current" or state in marks
        installed = component["install"] or component["system"] or (component["offer"] and component["offer"]["driver"])
        # What none of our roles brings is listed with that reason; of the kinds of hosting a server is what we make.
        assert ("cannot be taken" in marks) == (line == "stackwise does not install it.")
        assert bool(installed) == ("cannot be taken" not in marks)
    recommended = [name for name, (_, marks, _) in options.items() if "recommended" in marks]
    assert recommended == [layer["recommended"]]


def _compare_hosting(said: str, kinds: list[dict[str, Any]]) -> None:
    for kind in kinds:
        line = re.search(rf"\({kind['id']}\).*\n.*\n +a month (.*)", said)
        assert line, kind["id"]
        today, tenfold = (
            f"{kind[when]['total']:.0f} USD" if kind[when] else "unknown" for when in ("today", "tenfold")
        )
        money = rf"(from )?{today} today, (from )?{tenfold} at ten times the need; hours a month: {kind['hours']:g};"
        assert re.match(money, line[1]), line[1]
        degrees = [kind[name]["degree"] for name in ("effort", "lock_in", "control", "ceiling")]
        assert [int(number) for number in re.findall(r"(\d) of 5", line[1])] == degrees


def _compare_sizes(said: str, offer: dict[str, Any]) -> None:
    found = re.findall(
        r"^  \d+\. (\S+): (\S+) CPU, (\d+) MiB, (\d+) GB, (\S+) (\w+) a month \(price of (\S+)\)", said, re.M
    )
    expected = [
        (s["id"], s["cpus"], s["memory_mb"], s["disk_gb"], s["price"], offer["currency"]) for s in offer["sizes"]
    ]
    assert [(n, float(c), int(m), int(d), float(p), cur) for n, c, m, d, p, cur, _ in found] == expected
    assert {day for *_, day in found} == {offer["priced"]}


def _compare_review(said: str, advice: dict[str, Any], plan: dict[str, Any]) -> None:
    first = advice["sizing"]["limits"][0]
    kinds = [piece["kind"] for piece in advice["advice"] if not piece["accepted"]]
    failures = [failure["name"] for failure in advice["failures"]]
    assert f"cost: {plan['cost']['amount']:g} {plan['cost']['currency']} a month;" in said
    assert f"memory: {advice['sizing']['needed_mb']} of {plan['memory_mb']} MiB;" in said
    assert (
        f"carries: {first['requests_per_minute']:,} requests a minute of {advice['sizing']['wanted']:,} wanted" in said
    )
    assert f"then {first['what']} gives first" in said
    assert f"single points of failure: {len(failures)} ({', '.join(failures)})" in said
    assert f"conflicts: {kinds.count('conflict')}; warnings: {kinds.count('warning')}; faults: 0." in said
    for piece in advice["advice"]:
        assert f"{piece['kind']} [{piece['id']}] {piece['says']}\n  {piece['because']}" in said
    for fact in (*plan["packages"], *plan["users"], *plan["python"], *(play["play"] for play in plan["roles"])):
        assert fact in said
    assert f"{len(plan['files'])} files in the Ansible project" in said


# -- through a real terminal --------------------------------------------------------------------------------------


@pytest.fixture
def spawn() -> Iterator[Callable[..., Any]]:
    """Give a way to start the program on a terminal of its own; each is ended at the end."""
    started = []

    def start(*arguments: str, **environment: str) -> Any:
        child = pexpect.spawn(
            PROGRAM[0],
            [*PROGRAM[1:], *arguments],
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **environment},
            encoding="utf-8",
            timeout=60,
            dimensions=(24, 80),
        )
        child.logfile_read = io.StringIO()
        started.append(child)
        return child

    yield start
    for child in started:
        child.close(force=True)


def ended(child: Any) -> tuple[int, str]:
    """Wait for the end, and return the exit code and every byte that came out."""
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus, child.logfile_read.getvalue()


@pytest.mark.parametrize(("arguments", "term"), [(("--plain",), "xterm-256color"), ((), "dumb"), ((), "")])
def test_no_escape_ever_comes_out_of_a_whole_walk(
    spawn: Callable[..., Any], arguments: tuple[str, ...], term: str
) -> None:
    child = spawn(*arguments, TERM=term)
    for typed in ("", "h", "g database", "w 1", "c 1 2", "n 1", "n 9", "o", "b", "sqlite", "u", "s", "r"):
        child.expect(PROMPT)
        child.sendline(typed)
    child.expect(re.escape("Shall it be made? [y/N] > "))
    child.sendline("n")
    code, said = ended(child)
    assert code == 0
    assert "\x1b" not in said
    assert "\r\n" in said
    assert not re.search(r"\r(?!\r*\n)", said), "a line was written a second time"
    assert [line for line in re.split(r"\r+\n", said) if len(line) > 80 and "http" not in line] == []


def test_ctrl_c_saves_and_ends_with_130(spawn: Callable[..., Any]) -> None:
    child = spawn("--plain")
    for typed in ("", "g database", "sqlite"):
        child.expect(PROMPT)
        child.sendline(typed)
    child.expect("of 18, Cache")
    child.expect(PROMPT)
    # Between the prompt and the reading of a line lies a moment in which Python keeps the signal for the next line; who
    # sees that nothing happens presses again.
    while child.isalive():
        child.sendintr()
        child.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=10)
    code, said = ended(child)
    assert code == 130
    assert "Stopped. Everything is saved in stackwise.yml" in said
    assert answer("stack.database") == "sqlite"


def test_an_error_has_no_colours_either(spawn: Callable[..., Any], tmp_path: Path) -> None:
    child = spawn("--plain", "-a", str(tmp_path / "home" / "stackwise.yml"))
    code, said = ended(child)
    assert code == 2
    assert "error: " in said
    assert "\x1b" not in said


def test_a_script_pipes_its_answers_and_needs_no_terminal() -> None:
    typed = "\n".join(["", "g database", "sqlite", "q", ""])
    done = subprocess.run([*PROGRAM, "--plain"], input=typed, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "[postgresql] > sqlite\nSQLite. Saved." in done.stdout
    done = subprocess.run([*PROGRAM, "--plain"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    done = subprocess.run(PROGRAM, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "stackwise --plain asks the same in plain questions" in done.stderr


def test_signs_that_the_terminal_cannot_show_stop_nothing() -> None:
    typed = "\n".join(["", "g web", "n 1", "r", "n", ""])
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
    done = subprocess.run(
        [*PROGRAM, "--plain"], input=typed, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Nothing is made." in done.stdout
