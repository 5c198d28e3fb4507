from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from stackwise.catalog import Catalog
from stackwise.plan.model import ADDRESS, Plan, Variable
from stackwise.project import Snapshot
from stackwise.render import count_tasks, render_project, write_project
from stackwise.render.yaml_text import comment, dump, variables_text
from tests.unit.test_plan import plan_for

SNAPSHOT = Snapshot("abc123", b"archive", ("manage.py",))


class _Loader(yaml.SafeLoader):
    """Reads what Ansible would read, `!unsafe` included."""


def _unsafe(loader: yaml.SafeLoader, node: yaml.Node) -> tuple[str, str]:
    assert isinstance(node, yaml.ScalarNode)
    return "unsafe", str(loader.construct_scalar(node))


_Loader.add_constructor("!unsafe", _unsafe)


def loaded(text: bytes | str) -> Any:
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader with one more tag


def rendered(plan: Plan, **addresses: str) -> dict[str, bytes]:
    return render_project(plan, SNAPSHOT, "schema: 1\n", addresses, ["ssh-ed25519 AAAA me"])


def test_same_answers_same_bytes(catalog: Catalog) -> None:
    assert rendered(plan_for(catalog)) == rendered(plan_for(catalog))


def test_an_ansible_user_recognises_every_file(catalog: Catalog) -> None:
    files = rendered(plan_for(catalog))
    assert {
        "site.yml",
        "ansible.cfg",
        "README.md",
        "inventory/hosts.yml",
        "group_vars/all.yml",
        "stackwise.yml",
    } <= set(files)
    assert "roles/nginx/meta/argument_specs.yml" in files
    assert files["files/release.tar.gz"] == b"archive"
    assert "files/settings/stackwise_settings.py" in files


def test_site_is_a_table_of_contents(catalog: Catalog) -> None:
    plays = loaded(rendered(plan_for(catalog))["site.yml"])
    assert plays[0]["name"] == "Prepare every server"
    assert [role["role"] for role in plays[0]["roles"]] == ["base", "ssh", "firewall"]
    assert all(play["become"] for play in plays)


def test_inventory_has_the_address_or_says_where_to_write_it(catalog: Catalog) -> None:
    plan = plan_for(catalog)
    with_address = loaded(rendered(plan, **{plan.servers[0].name: "192.0.2.7"})["inventory/hosts.yml"])
    assert with_address["all"]["hosts"] == {"superbook-production-1": {"ansible_host": "192.0.2.7"}}
    assert set(with_address["all"]["children"]) == {"web", "app", "database", "cache"}
    without = rendered(plan)["inventory/hosts.yml"].decode()
    assert "Give each server its address" in without


def test_every_variable_is_declared_by_its_role(catalog: Catalog) -> None:
    files = rendered(plan_for(catalog))
    declared: set[str] = set()
    for path, content in files.items():
        if path.endswith("argument_specs.yml"):
            declared |= set(loaded(content)["argument_specs"]["main"]["options"])
    assert set(loaded(files["group_vars/all.yml"])) <= declared


def test_every_required_variable_is_given(catalog: Catalog) -> None:
    files = rendered(plan_for(catalog))
    given = set(loaded(files["group_vars/all.yml"]))
    for path, content in files.items():
        if path.endswith("argument_specs.yml"):
            options = loaded(content)["argument_specs"]["main"]["options"]
            assert {name for name, option in options.items() if option.get("required")} <= given, path


def test_no_secret_is_rendered(catalog: Catalog) -> None:
    plan = plan_for(catalog, secrets__API_KEY="env:API_KEY")
    text = b"".join(rendered(plan).values()).decode(errors="replace")
    assert "site_secrets:" not in rendered(plan)["group_vars/all.yml"].decode()
    assert "API_KEY" not in text.replace("env:API_KEY", "") or "site_generated_secrets" in text


@pytest.mark.parametrize(
    "nasty",
    [
        "{{ lookup('pipe', 'id') }}",
        "{% raw %}",
        "{# x #}",
        "a: b",
        "- x",
        "yes",
        "0x10",
        "'",
        '"',
        "\\",
        "é\n\nx",
        "!unsafe y",
        "*a",
        "&a",
    ],
)
def test_strings_stay_data_whatever_signs_they_have(nasty: str) -> None:
    value = loaded(dump({"key": nasty}))["key"]
    assert value in (nasty, ("unsafe", nasty))
    if "{" in nasty:
        assert value[0] == "unsafe"


def test_only_our_own_references_are_templates() -> None:
    assert loaded(dump({"key": [ADDRESS, "x"]})) == {"key": ["{{ ansible_host }}", "x"]}


def test_reasons_stand_above_their_values() -> None:
    assert variables_text([Variable("a_b", 1, "Because.")]) == "# Because.\na_b: 1\n"
    assert comment("word " * 40).count("\n") == 2


def test_tasks_are_counted_from_the_roles(catalog: Catalog) -> None:
    assert count_tasks(plan_for(catalog)) > 30


def test_files_are_written_below_the_folder(tmp_path: Path) -> None:
    write_project({"a/b.yml": b"x"}, tmp_path / "out")
    assert (tmp_path / "out" / "a" / "b.yml").read_bytes() == b"x"


def test_planning_loads_no_cloud_no_ansible_no_terminal(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("from flask import Flask\napp = Flask(__name__)\n")
    (tmp_path / "requirements.txt").write_text("flask\n")
    code = (
        "import sys\nfrom stackwise.cli import app\n"
        "app.main(['init', '-o', 'stackwise.yml'], standalone_mode=False)\n"
        "app.main(['plan'], standalone_mode=False)\n"
        "heavy = {'textual', 'libcloud', 'ansible', 'ansible_runner'} & {name.split('.')[0] for name in sys.modules}\n"
        "sys.exit(', '.join(heavy) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Plan for" in done.stdout
