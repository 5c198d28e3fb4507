"""The contract of the command line: stdout is the product, exit codes, no traceback, all of it without a terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FLASK = "from flask import Flask\napp = Flask(__name__)\n"


class Ran:
    """How a call of the program ended."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr
        assert "Traceback" not in self.err + self.out


def stackwise(*arguments: str, cwd: Path, env: dict[str, str] | None = None) -> Ran:
    argv = [sys.executable, "-m", "stackwise", *arguments]
    return Ran(
        subprocess.run(
            argv,
            cwd=cwd,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **(env or {})},
        )
    )


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Make a small project."""
    folder = tmp_path / "hello"
    folder.mkdir()
    (folder / "app.py").write_text(FLASK)
    (folder / "requirements.txt").write_text("flask\n")
    return folder


def test_without_a_terminal_the_walk_is_help_and_exit_2(site: Path) -> None:
    ran = stackwise(cwd=site)
    assert ran.code == 2
    assert "Commands:" in ran.out
    assert "stackwise init" in ran.err


def test_help_names_every_command(site: Path) -> None:
    ran = stackwise("--help", cwd=site)
    assert ran.code == 0
    commands = (
        "scan init catalog check advise plan render up verify status open ssh manage logs runs destroy orphans schema"
    )
    assert all(f"\n  {command}" in ran.out for command in commands.split())


def test_a_wrong_command_names_the_nearest(site: Path) -> None:
    ran = stackwise("plam", cwd=site)
    assert ran.code == 2
    assert "did you mean plan?" in ran.err


def test_from_a_project_to_a_plan(site: Path) -> None:
    assert stackwise("init", cwd=site).code == 0
    assert stackwise("check", cwd=site).out == "stackwise.yml: no fault found\n"
    ran = stackwise("plan", "--json", cwd=site)
    document = json.loads(ran.out)
    assert {"servers", "cost", "roles", "packages", "ports", "files", "advice"} <= set(document)
    assert document["name"] == "hello"


def test_init_never_replaces_a_file_unasked(site: Path) -> None:
    stackwise("init", cwd=site)
    (site / "stackwise.yml").write_text("mine")
    ran = stackwise("init", cwd=site)
    assert ran.code == 2
    assert (site / "stackwise.yml").read_text() == "mine"
    assert stackwise("init", "--force", cwd=site).code == 0


def test_init_takes_answers_and_refuses_wrong_ones(site: Path) -> None:
    ran = stackwise("init", "-o", "-", "--set", "access.domain=www.example.org", cwd=site)
    assert "domain: www.example.org" in ran.out
    assert stackwise("init", "--set", "needs.wishes=many", cwd=site).code == 2
    assert not (site / "stackwise.yml").exists()


def test_check_lists_every_fault_as_json(site: Path) -> None:
    (site / "stackwise.yml").write_text("schema: 1\nname: hello\nstak: {}\nneeds: {downtime: hour}\n")
    ran = stackwise("check", "--json", cwd=site)
    assert ran.code == 2
    faults = json.loads(ran.out)["faults"]
    assert [(fault["line"], fault["hint"]) for fault in faults] == [
        (3, "did you mean stack?"),
        (4, "did you mean hours?"),
    ]


def test_an_impossible_combination_is_exit_3(site: Path) -> None:
    stackwise("init", cwd=site)
    ran = stackwise("plan", "--set", "stack.web=apache", cwd=site)
    assert ran.code == 3
    assert "stack.web: nginx" in ran.err


def test_wrong_answers_win_over_impossible_ones(site: Path) -> None:
    stackwise("init", cwd=site)
    assert stackwise("plan", "--set", "stack.web=apache", "--set", "needs.downtime=never", cwd=site).code == 2


@pytest.mark.parametrize("command", ["plan", "check", "up", "verify", "status", "destroy", "ssh", "logs", "open"])
def test_a_missing_file_is_one_message_and_exit_2(site: Path, command: str) -> None:
    ran = stackwise(command, "-a", "nothing.yml", cwd=site)
    assert ran.code == 2
    assert "nothing.yml" in ran.err
    assert "stackwise init" in ran.err


def test_a_folder_without_a_project_is_exit_2(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for command in (["scan"], ["init"]):
        ran = stackwise(*command, cwd=tmp_path / "empty")
        assert ran.code == 2
        assert ran.err.startswith("error: ")


def test_settings_that_cannot_be_parsed_name_the_place(tmp_path: Path) -> None:
    package = tmp_path / "mysite"
    package.mkdir()
    (tmp_path / "manage.py").write_text(
        "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'mysite.settings')\n"
    )
    (package / "__init__.py").write_text("")
    (package / "settings.py").write_text("DEBUG = (\n")
    ran = stackwise("scan", cwd=tmp_path)
    assert ran.code == 2
    assert "settings.py:1" in ran.err


def test_asking_without_a_terminal_names_the_flag(site: Path) -> None:
    stackwise("init", cwd=site)
    ran = stackwise("up", cwd=site)
    assert ran.code == 2
    assert "--yes" in ran.err


def test_destroying_nothing_says_so(site: Path) -> None:
    stackwise("init", cwd=site)
    ran = stackwise("destroy", cwd=site)
    assert ran.code == 0
    assert "nothing to remove" in ran.err


def test_what_needs_a_server_says_how_to_get_one(site: Path) -> None:
    stackwise("init", cwd=site)
    for command in (["verify"], ["ssh"], ["logs"], ["open"]):
        ran = stackwise(*command, cwd=site)
        assert ran.code == 1
        assert "stackwise up" in ran.err


def test_render_writes_into_an_empty_folder_only(site: Path) -> None:
    stackwise("init", cwd=site)
    assert stackwise("render", "-o", "out", cwd=site).code == 0
    assert (site / "out" / "site.yml").is_file()
    assert stackwise("render", "-o", "out", cwd=site).code == 2


def test_set_wants_a_key_and_a_value(site: Path) -> None:
    ran = stackwise("plan", "--set", "nonsense", cwd=site)
    assert ran.code == 2
    assert "KEY=VALUE" in ran.err


def test_catalog_in_words_and_as_json(site: Path) -> None:
    assert "nginx" in stackwise("catalog", cwd=site).out
    shown = stackwise("catalog", "show", "postgres", cwd=site).out
    assert "Good at" in shown
    assert "Sources" in shown
    ids = [component["id"] for component in json.loads(stackwise("catalog", "list", "--json", cwd=site).out)]
    assert "postgresql" in ids
    wrong = stackwise("catalog", "show", "postgrsql", cwd=site)
    assert wrong.code == 2
    assert "did you mean postgresql?" in wrong.err


@pytest.mark.parametrize("what", ["answers", "component"])
def test_schemas_are_json(site: Path, what: str) -> None:
    assert json.loads(stackwise("schema", what, cwd=site).out)["additionalProperties"] is False


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions(site: Path, shell: str) -> None:
    ran = stackwise(cwd=site, env={"_STACKWISE_COMPLETE": f"{shell}_source"})
    assert "stackwise" in ran.out


def test_a_reader_that_goes_away_is_no_error(site: Path) -> None:
    script = f"{sys.executable} -m stackwise catalog list --json | head -c 10"
    done = subprocess.run(["sh", "-c", script], cwd=site, capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_no_colour_without_a_terminal(site: Path) -> None:
    assert "\x1b[" not in stackwise("catalog", cwd=site).out


def test_components_side_by_side(site: Path) -> None:
    ran = stackwise("catalog", "compare", "nginx", "caddy", "apache", cwd=site)
    assert ran.code == 0
    rows = {line.split()[0]: line.split()[1:] for line in ran.out.splitlines() if line.strip()}
    assert rows["automatic"] == ["·", "+", "·"]
    assert rows["proven"] == ["+", "·", "+"]
    assert rows["debian-13"] == ["1.26.3", "2.6.2", "2.4.71"]
    document = json.loads(stackwise("catalog", "compare", "nginx", "caddy", "--json", cwd=site).out)
    assert document["components"] == ["nginx", "caddy"]
    assert {"word", "side", "says", "of"} == document["tradeoffs"][0].keys()


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["nginx"], "two to four"),
        (["nginx", "cady"], "did you mean caddy?"),
        (["a", "b", "c", "d", "e"], "no component"),
    ],
)
def test_what_cannot_be_compared_says_why(site: Path, names: list[str], says: str) -> None:
    ran = stackwise("catalog", "compare", *names, cwd=site)
    assert ran.code == 2
    assert says in ran.err


def test_what_is_gone_says_where_to_go(site: Path) -> None:
    out = stackwise("catalog", "show", "webfaction", cwd=site).out
    assert "gone since 2021-09-15, replaced by" in out
    assert "To move" in out


def test_the_whole_advice_its_sums_and_what_an_answer_changes(site: Path) -> None:
    stackwise("init", cwd=site)
    plain = stackwise("advise", cwd=site)
    assert plain.code == 0
    for part in ("Hosting, for this team", "Layer by layer", "What it carries", "five properties", "points of failure"):
        assert part in plain.out
    assert "\n    fit " not in plain.out
    explained = stackwise("advise", "--explain", cwd=site).out
    assert "gunicorn.workers 2 = max(2," in explained
    assert "60,000 ms / 4 ms a page" in explained
    turned = stackwise("advise", "--set", "needs.requests_per_minute=60000", "--diff", cwd=site)
    assert "capacity: good -> short" in turned.out
    assert "+ more-than-it-carries" in turned.out
    assert stackwise("advise", "--set", "needs.requests_per_minute=600", "--diff", cwd=site).out == "nothing changes\n"
    refused = stackwise("advise", "--diff", cwd=site)
    assert (refused.code, "--set KEY=VALUE" in refused.err) == (2, True)
    document = json.loads(stackwise("advise", "--json", cwd=site).out)
    assert document.keys() == {"hosting", "layers", "sizing", "market", "properties", "failures", "advice"}


def test_a_first_file_has_the_smallest_design_that_carries_the_need(site: Path) -> None:
    def chosen(*given: str) -> list[str]:
        words = [word for each in given for word in ("--set", each)]
        lines = stackwise("init", "-o", "-", *words, cwd=site).out.splitlines()
        keys = ("  size:", "  database:", "  cache:")
        return [line.split()[1] for key in keys for line in lines if line.startswith(key)]

    assert chosen() == ["small", "postgresql", "redis"]
    assert chosen("needs.requests_per_minute=20") == ["small", "sqlite", "local-memory"]
    assert chosen("needs.requests_per_minute=15000") == ["medium", "postgresql", "redis"]
    assert chosen("needs.requests_per_minute=15000", "hosting.size=large")[0] == "large"


def test_an_accepted_warning_is_recorded_and_not_repeated(site: Path) -> None:
    stackwise("init", "--set", "needs.downtime=minutes", "--set", "accepted.single-server=a pilot", cwd=site)
    out = stackwise("advise", cwd=site).out
    assert "accepted [single-server] a pilot" in out
    assert "warning [single-server]" not in out
    assert json.loads(stackwise("plan", "--json", cwd=site).out)["advice"][-1]["id"]


def test_several_servers_are_judged_and_then_refused(site: Path) -> None:
    stackwise("init", "--set", "needs.requests_per_minute=40", cwd=site)
    ran = stackwise("advise", "--set", "hosting.servers.app=3", cwd=site)
    assert ran.code == 3
    assert "3 servers for 40 requests a minute are more than the need." in ran.out
    assert "this version sets up one" in ran.err
    assert stackwise("plan", "--set", "hosting.servers.app=3", cwd=site).code == 3
    assert stackwise("plan", "--set", "hosting.servers.app=0", cwd=site).code == 2


def test_nothing_is_said_of_a_provider_that_nobody_read(site: Path) -> None:
    stackwise("init", cwd=site)
    words = ("hosting.provider=upcloud", "hosting.size=starter-2xCPU-2GB", "hosting.region=de-fra1")
    ran = stackwise("advise", *(part for word in words for part in ("--set", word)), cwd=site)
    assert ran.code == 3
    assert "UpCloud cannot be installed" in ran.err
    assert "no region" not in ran.err
    assert "no image" not in ran.err


def test_plan_writes_a_page_for_the_team_and_replaces_none_unasked(site: Path) -> None:
    assert stackwise("init", cwd=site).code == 0
    done = stackwise("plan", "-o", "plan.md", cwd=site)
    assert (done.code, done.out) == (0, "")
    assert (site / "plan.md").read_text().startswith("# Plan for ")
    again = stackwise("plan", "-o", "plan.md", cwd=site)
    assert again.code == 2
    assert "stackwise plan -o plan.md --force" in again.err
    assert stackwise("plan", "-o", "plan.svg", "--force", cwd=site).code == 0
    assert (site / "plan.svg").read_text().startswith("<svg")
    other = stackwise("plan", "-o", "plan.pdf", cwd=site)
    assert other.code == 2
    assert "stackwise plan -o plan.md" in other.err
