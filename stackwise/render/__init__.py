"""A plan as an Ansible project: `{path: bytes}`, the same bytes for the same answers.

Pure; whoever calls it writes the files.

What comes out is a folder that an Ansible user recognises, with nothing in it that needs stackwise.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from stackwise import paths
from stackwise.plan.model import Plan, Variable
from stackwise.project import Snapshot
from stackwise.render.install import NAMES, install_files
from stackwise.render.overlay import render_overlay
from stackwise.render.yaml_text import comment, document, dump, variables_text

__all__ = ["count_removals", "count_tasks", "file_names", "render_project", "write_project"]

Files = dict[str, bytes]

_ANSIBLE_CFG = """\
[defaults]
inventory = inventory
roles_path = roles
interpreter_python = /usr/bin/python3
# A server whose key is not known is not the server that was made.
host_key_checking = True
gathering = explicit
retry_files_enabled = False

[ssh_connection]
# One round trip a task instead of three.
pipelining = True
"""


def render_project(
    plan: Plan, snapshot: Snapshot, answers_text: str, addresses: Mapping[str, str], admin_keys: Sequence[str] = ()
) -> Files:
    """Return the Ansible project. A server that has no address yet gets a place to write it down.

    `admin_keys` are the administrator's public keys; without any, whoever can log in already stays the one who can.
    """
    made = {
        "site.yml": _site(plan),
        **({"remove.yml": _removal(plan)} if plan.is_removable else {}),
        "ansible.cfg": _ANSIBLE_CFG,
        "inventory/hosts.yml": _inventory(plan, addresses),
        "group_vars/all.yml": _group_vars(plan, admin_keys),
        "stackwise.yml": answers_text,
        "README.md": _readme(plan, addresses),
        **install_files(plan, admin_keys),
    }
    rendered = {path: text.encode() for path, text in made.items()}
    rendered |= {f"files/settings/{name}": text.encode() for name, text in _settings_files(plan).items()}
    rendered[f"files/{plan.variable('site_archive')}"] = snapshot.archive
    rendered |= {path: file.read_bytes() for path, file in _role_files(plan)}
    return dict(sorted(rendered.items()))


def file_names(plan: Plan) -> tuple[str, ...]:
    """Return the names of the files that `render_project` makes, which takes a fraction of the time."""
    removal = ("remove.yml",) if plan.is_removable else ()
    made = ("site.yml", "ansible.cfg", "inventory/hosts.yml", "group_vars/all.yml", "stackwise.yml", "README.md")
    installs = NAMES if plan.found and not plan.is_shared else ()
    settings = (f"files/settings/{name}" for name in _settings_files(plan))
    roles = (path for path, _ in _role_files(plan))
    return tuple(sorted((*made, *removal, *installs, *settings, f"files/{plan.variable('site_archive')}", *roles)))


def count_tasks(plan: Plan) -> int:
    """Return how many tasks a run of the plan starts, handlers left out."""
    # One more each: Ansible begins a role by holding its variables against its argument_specs.
    return sum(1 + _tasks_in(role, "main") for play in plan.plays for role in play.roles)


def count_removals(plan: Plan) -> int:
    """Return how many tasks it takes to remove a site from a server that stays."""
    return sum(1 + _tasks_in(role, "remove") for _, role in _removed(plan))


def _settings_files(plan: Plan) -> Mapping[str, str]:
    return render_overlay(plan.project, plan.settings) if plan.settings else {}


def _site(plan: Plan) -> str:
    plays = [
        {
            "name": play.name,
            "hosts": play.hosts,
            "become": True,
            "gather_facts": False,
            "roles": [{"role": role} for role in play.roles],
        }
        for play in plan.plays
    ]
    head = comment(
        f"The whole of {plan.identity}: from an unknown server to one that serves the site. Read it from top to bottom."
    )
    return document(head + "\n".join(dump([play]) for play in plays))


def _removed(plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield each role that has something to take away, with its group, from the last one to the first.

    The web server goes before all others: it serves other sites, and must name no file that is gone.
    """
    backwards = plan.plays[::-1]
    for play in sorted(backwards, key=lambda play: play.hosts != "web"):
        for role in reversed(play.roles):
            if (paths.roles_dir() / role / "tasks" / "remove.yml").exists():
                yield play.hosts, role


def _removal(plan: Plan) -> str:
    plays = [
        {
            "name": f"Take away what {role} made for {plan.identity.name}",
            "hosts": hosts,
            "become": True,
            "gather_facts": False,
            "tasks": [
                {
                    "name": f"Remove the part of {role}",
                    "ansible.builtin.import_role": {"name": role, "tasks_from": "remove"},
                }
            ],
        }
        for hosts, role in _removed(plan)
    ]
    server = f"the server of {plan.host}" if plan.is_shared else "its server"
    head = comment(f"Removes {plan.identity} from {server}, and nothing else of that server.")
    return document(head + "\n".join(dump([play]) for play in plays))


def _inventory(plan: Plan, addresses: Mapping[str, str]) -> str:
    hosts = {
        server.name: {"ansible_host": addresses[server.name]} if server.name in addresses else {}
        for server in plan.servers
    }
    children: dict[str, dict[str, dict[str, dict[str, str]]]] = {
        group: {"hosts": {name: {} for name in names}} for group, names in plan.group.items()
    }
    user = {"ansible_user": plan.access.admin_user}
    missing = [server.name for server in plan.servers if server.name not in addresses]
    head = comment("Give each server its address: `ansible_host: 203.0.113.10` below its name.") if missing else ""
    return document(head + dump({"all": {"hosts": hosts, "vars": user, "children": children}}))


def _group_vars(plan: Plan, admin_keys: Sequence[str]) -> str:
    keys = Variable("base_admin_keys", list(admin_keys))
    variables = [*plan.variables, keys, *_settings_variables(plan)]
    roles = [role for play in plan.plays for role in play.roles]
    by_role = groupby(
        sorted(variables, key=lambda v: roles.index(_role_of(v, roles))), key=lambda v: _role_of(v, roles)
    )
    parts = [variables_text(group) for _, group in by_role]
    head = comment(
        "The values that were decided, by role. What each one means stands in roles/<role>/meta/argument_specs.yml."
    )
    return document(head, *parts)


def _settings_variables(plan: Plan) -> Iterator[Variable]:
    files = {name: f"settings/{name}" for name in sorted(_settings_files(plan))}
    yield Variable("site_settings_files", files, "Modules beside the release that carry what the stack decides")


def _role_of(variable: Variable, roles: list[str]) -> str:
    return max((role for role in roles if variable.name.startswith(f"{role}_")), key=len)


def _role_files(plan: Plan) -> Iterator[tuple[str, Path]]:
    root = paths.roles_dir()
    for role in sorted({role for play in plan.plays for role in play.roles}):
        for folder, _, names in os.walk(root / role):
            if not folder.endswith("__pycache__"):
                yield from ((f"roles{folder.removeprefix(str(root))}/{name}", Path(folder, name)) for name in names)


_IMPORT = "ansible.builtin.import_tasks"


def _tasks_in(role: str, entry: str) -> int:
    import yaml  # noqa: PLC0415 - only a run counts tasks

    folder = paths.roles_dir() / role / "tasks"

    def started(tasks: list[dict[str, Any]]) -> int:
        return sum(
            started(task["block"]) if "block" in task else read(name) if (name := task.get(_IMPORT)) else 1
            for task in tasks
        )

    def read(name: str) -> int:
        return started(yaml.safe_load((folder / name).read_bytes()))

    return read(f"{entry}.yml")


def _readme(plan: Plan, addresses: Mapping[str, str]) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - a plan is shown without it

    environment = Environment(
        loader=PackageLoader("stackwise.render"),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Markdown, not HTML
    )
    return environment.get_template("README.md.j2").render(plan=plan, addresses=addresses)


def write_project(files: Mapping[str, bytes], directory: Path) -> None:
    """Write rendered files below `directory`. Raises OSError."""
    for path, content in files.items():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
