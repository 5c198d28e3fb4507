"""Options that several commands share."""

from __future__ import annotations

import functools
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from stackwise.paths import DEFAULT_FILE

_F = TypeVar("_F", bound=Callable[..., Any])


def program() -> str:
    """Return what the user types to call us again: the bare name where the shell finds it, else the path."""
    called = Path(sys.argv[0])
    found = shutil.which("stackwise")
    name = "stackwise"
    if called.name == name and (found is None or Path(found).resolve() != called.resolve()):
        relative = os.path.relpath(called)
        name = str(called) if relative.startswith("..") else relative
    return f"sudo {name}" if os.environ.get("SUDO_USER") and os.geteuid() == 0 else name


def answers_options(command: _F) -> _F:
    """Add `-a/--answers` and `--set`; the command gets `answers: Path` and `overrides: dict`."""
    command = click.option(
        "--set",
        "overrides",
        multiple=True,
        metavar="KEY=VALUE",
        callback=_overrides,
        help="Override one answer: --set hosting.size=medium",
    )(command)
    return click.option(
        "-a",
        "--answers",
        "answers",
        type=click.Path(path_type=Path, dir_okay=False),
        default=DEFAULT_FILE,
        show_default=True,
        help="The answers file.",
    )(command)


def json_option(command: _F) -> _F:
    """Add `--json`; the command gets `as_json: bool`."""
    return click.option(
        "--json", "as_json", is_flag=True, help="One JSON document (or one event a line) on stdout, and nothing else."
    )(command)


def yes_option(command: _F) -> _F:
    """Add `--yes`; the command gets `yes: bool`."""
    return click.option("-y", "--yes", is_flag=True, help="Ask nothing.")(command)


def confirmed(question: str, *, yes: bool) -> None:
    """Ask, unless `--yes` was given. Raises click.UsageError without a terminal, click.Abort where the answer is no."""
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise click.UsageError(f"{question} There is no terminal to ask at; say --yes to go on without asking.")
    click.confirm(question, abort=True, err=True)


def _overrides(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, Any]:
    return dict(functools.partial(_override, ctx, param)(value) for value in values)


def _override(ctx: click.Context, param: click.Parameter, text: str) -> tuple[str, Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    key, equals, value = text.partition("=")
    if not equals or not key or not all(part for part in key.split(".")):
        raise click.BadParameter(
            f"{text!r} is not KEY=VALUE; for example --set hosting.size=medium", ctx=ctx, param=param
        )
    try:
        # The same YAML as in the file, so that numbers, lists and quotes mean the same.
        return key, YAML(typ="safe", pure=True).load(value) if value.strip() else value
    except (YAMLError, ValueError) as exc:
        raise click.BadParameter(f"the value of {key} is not YAML; put quotes around it", ctx=ctx, param=param) from exc
