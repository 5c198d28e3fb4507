"""The roles' interfaces, names and templates: what a reader of one file may rely on, for all of them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from jinja2 import Environment, meta

HERE = Path(__file__).parent
ROLES = HERE.parents[1] / "playbooks" / "roles"
NAMES = sorted(path.name for path in ROLES.iterdir() if path.is_dir())
TEMPLATES = sorted(path for path in ROLES.glob("*/templates/**/*") if path.is_file())
SAMPLE: dict[str, Any] = yaml.safe_load((HERE / "sample.yml").read_text())

# What Ansible itself gives, and the two facts that the role base leaves for those after it.
GIVEN = {"ansible_check_mode", "ansible_failed_result", "item", "lookup", "omit", "base_present", "base_apply"}
BLOCKS = ("block", "rescue", "always")
# Keywords whose value is an expression without braces.
EXPRESSIONS = ("when", "changed_when", "failed_when", "until", "that")


def load(role: str, path: str) -> Any:
    file = ROLES / role / path
    return yaml.safe_load(file.read_text()) if file.exists() else None


def options(role: str) -> dict[str, dict[str, Any]]:
    spec: dict[str, dict[str, Any]] = load(role, "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    return spec


def defaults(role: str) -> dict[str, Any]:
    return load(role, "defaults/main.yml") or {}


def tasks(role: str) -> list[dict[str, Any]]:
    files = sorted((ROLES / role / "tasks").glob("*.yml"))
    return list(flatten([task for file in files for task in yaml.safe_load(file.read_text())]))


def flatten(found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for task in found:
        yield task
        for block in BLOCKS:
            yield from flatten(task.get(block, []))


def module(task: dict[str, Any]) -> str | None:
    return next((key for key in task if "." in key), None)


def reader() -> Environment:
    """Make a Jinja that parses what Ansible adds to it."""
    jinja = Environment(autoescape=True)
    jinja.tests |= dict.fromkeys(("changed", "subset", "succeeded"), jinja.tests["defined"])
    ansibles = ("combine", "dict2items", "difference", "intersect", "quote", "regex_replace", "to_json")
    jinja.filters |= dict.fromkeys(ansibles, jinja.filters["string"])
    return jinja


JINJA = reader()


def of_jinja(text: str) -> set[str]:
    return meta.find_undeclared_variables(JINJA.parse(text))


def of_value(value: object, *, expression: bool = False) -> set[str]:
    """Find the variables in a value of YAML; an expression has no braces around it."""
    if isinstance(value, dict):
        return set().union(*(of_value(entry, expression=key in EXPRESSIONS) for key, entry in value.items()), set())
    if isinstance(value, list):
        return set().union(*(of_value(entry, expression=expression) for entry in value), set())
    if isinstance(value, str):
        return of_jinja("{{ " + value + " }}" if expression else value)
    return set()


def used(role: str) -> set[str]:
    shallow = [{key: value for key, value in task.items() if key not in BLOCKS} for task in tasks(role)]
    files = [path.read_text() for path in TEMPLATES if path.is_relative_to(ROLES / role)]
    return of_value(shallow).union(of_value(load(role, "vars/main.yml") or {}), *map(of_jinja, files))


def made(role: str) -> set[str]:
    """Name what a role gives itself: results of tasks, variables of tasks, facts and constants."""
    names = set(load(role, "vars/main.yml") or {})
    for task in tasks(role):
        names |= {task["register"]} if "register" in task else set()
        names |= set(task.get("vars", {})) | set(task.get("ansible.builtin.set_fact", {}))
    return names


EVERY_RESULT = set().union(*(made(role) for role in NAMES))


@pytest.mark.parametrize("role", NAMES)
def test_defaults_are_said_alike_in_both_files(role: str) -> None:
    said = {name: option["default"] for name, option in options(role).items() if "default" in option}
    assert said == defaults(role)


@pytest.mark.parametrize("role", NAMES)
def test_an_option_is_either_required_or_has_a_default(role: str) -> None:
    assert [
        name for name, option in options(role).items() if option.get("required", False) == ("default" in option)
    ] == []


@pytest.mark.parametrize("role", NAMES)
def test_every_option_has_a_type_and_a_sentence(role: str) -> None:
    assert [name for name, option in options(role).items() if not option["description"].strip().endswith(".")] == []
    assert [name for name, option in options(role).items() if "type" not in option] == []
    lists = {name: option for name, option in options(role).items() if option["type"] == "list"}
    assert [name for name, option in lists.items() if "elements" not in option] == []


@pytest.mark.parametrize("role", NAMES)
def test_options_are_named_after_their_role(role: str) -> None:
    assert [name for name in options(role) if not name.startswith(f"{role}_")] == []


@pytest.mark.parametrize("role", NAMES)
def test_every_variable_in_use_is_an_option(role: str) -> None:
    assert used(role) - options(role).keys() - GIVEN - EVERY_RESULT == set()


@pytest.mark.parametrize("role", NAMES)
def test_every_option_is_in_use(role: str) -> None:
    assert options(role).keys() - used(role) == set()


@pytest.mark.parametrize("role", NAMES)
def test_every_task_has_a_name_that_reads_as_a_sentence(role: str) -> None:
    assert [task for task in tasks(role) if not re.match(r"[A-Z].* .*[^.]$", task.get("name", ""))] == []


@pytest.mark.parametrize("role", NAMES)
def test_every_module_comes_with_ansible_core(role: str) -> None:
    plain = [task for task in tasks(role) if not any(block in task for block in BLOCKS)]
    assert [task["name"] for task in plain if not (module(task) or "").startswith("ansible.builtin.")] == []


@pytest.mark.parametrize("role", NAMES)
def test_no_failure_is_passed_over(role: str) -> None:
    assert [task["name"] for task in tasks(role) if "ignore_errors" in task or "failed_when" in task] == []


@pytest.mark.parametrize("role", NAMES)
def test_packages_are_named_for_the_one_transaction(role: str) -> None:
    description = " ".join(load(role, "meta/argument_specs.yml")["argument_specs"]["main"]["description"])
    assert role == "base" or "Packages: " in description


def test_secrets_are_not_logged() -> None:
    for task in tasks("site"):
        if "site_secrets" in of_value(task.get("vars", {})):
            assert task["no_log"] is True


def test_the_sample_has_a_value_for_whatever_is_required() -> None:
    required = {name for role in NAMES for name, option in options(role).items() if option.get("required")}
    assert required - SAMPLE.keys() == set()


def render(path: Path, **values: Any) -> str:
    """Render as ansible.builtin.template does: its templar, undefined is an error, blocks take their line end along."""
    role = path.relative_to(ROLES).parts[0]
    variables = defaults(role) | SAMPLE | values
    constants = {name: trust_as_template(value) for name, value in (load(role, "vars/main.yml") or {}).items()}
    templar = Templar(loader=DataLoader(), variables=variables | constants)
    text: str = templar.template(
        trust_as_template(path.read_text()), escape_backslashes=False, overrides={"trim_blocks": True}
    )
    return text


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROLES)))
def test_every_template_renders_and_says_whose_it_is(path: Path) -> None:
    text = render(path)
    assert f"Written by Ansible, role {path.relative_to(ROLES).parts[0]}" in text
    assert "{{" not in text
    assert "{%" not in text
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


@pytest.mark.parametrize(
    "path", [path for path in TEMPLATES if path.read_text().startswith("#!/bin/")], ids=lambda path: path.name
)
def test_every_script_is_one(path: Path) -> None:
    text = render(path)
    shell = text.splitlines()[0].removeprefix("#!")
    subprocess.run([shell, "-n"], input=text, text=True, check=True)


def test_the_settings_of_gunicorn_are_python() -> None:
    text = render(ROLES / "gunicorn/templates/etc/site/gunicorn.conf.py")
    settings: dict[str, Any] = {}
    exec(compile(text, "gunicorn.conf.py", "exec"), settings)  # noqa: S102 - it is our own file, and this is how Gunicorn reads it
    assert settings["wsgi_app"] == SAMPLE["gunicorn_application"]
    assert settings["pythonpath"] == "/srv/superbook/current/settings"


def test_sh_reads_every_variable_as_it_was_given(tmp_path: Path) -> None:
    file = tmp_path / "environment"
    file.write_text(render(ROLES / "site/templates/etc/site/environment"))
    for name, value in SAMPLE["site_variables"].items():
        said = subprocess.run(
            ["/bin/sh", "-c", f'. {file}; printf %s "${name}"'], capture_output=True, text=True, check=True
        ).stdout
        assert said == str(value)


def test_the_site_may_do_little() -> None:
    unit = render(ROLES / "systemd/templates/etc/systemd/system/site.service")
    for line in ("ProtectSystem=strict", "NoNewPrivileges=true", "CapabilityBoundingSet=", "MemoryMax=512M"):
        assert line in unit.splitlines()


def test_without_tls_nothing_of_tls_is_left() -> None:
    for name in ("nginx.conf", "sites-enabled/site.conf"):
        text = render(ROLES / "nginx/templates/etc/nginx" / name, nginx_tls=False)
        assert "443" not in text
        assert "ssl_certificate" not in text
        assert text.count("{") == text.count("}")


def apply(tmp_path: Path, *arguments: str, active: bool) -> list[str]:
    """Run the script in its check mode, with a systemctl that answers what it is told."""
    fake = tmp_path / "systemctl"
    fake.write_text(f'#!/bin/sh\n[ "$1" != is-active ] || exit {0 if active else 3}\n')
    fake.chmod(0o755)
    script = (ROLES / "base/files/apply.sh").read_text()
    done = subprocess.run(
        ["/bin/sh", "-s", "--", "True", *arguments],
        input=script,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_a_service_is_started_reloaded_or_restarted_as_its_files_ask(tmp_path: Path) -> None:
    file = tmp_path / "settings"
    file.touch()
    unit = "stackwise-test.service"
    assert apply(tmp_path, "reload", unit, str(file), active=False) == [f"systemctl start {unit}"]
    assert apply(tmp_path, "reload", unit, str(file), active=True) == [f"systemctl reload {unit}"]
    assert apply(tmp_path, "reload-only", unit, str(file), active=False) == []
    assert apply(tmp_path, "reload", unit, str(tmp_path / "missing"), active=True) == []
    drop_in = tmp_path / "etc/systemd/system/x.conf"
    drop_in.parent.mkdir(parents=True)
    drop_in.touch()
    assert apply(tmp_path, "reload", unit, str(drop_in), active=True) == [f"systemctl restart {unit}"]
