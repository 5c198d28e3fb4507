"""The ways to a server that runs: ssh, manage, logs, open."""

from __future__ import annotations

import os
import shlex
import sys
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from stackwise.cli.options import answers_options

if TYPE_CHECKING:
    from stackwise.job import Job
    from stackwise.provision.ssh import Shell


@click.command("ssh", context_settings={"ignore_unknown_options": True})
@answers_options
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def ssh_command(answers: Path, overrides: dict[str, Any], command: tuple[str, ...]) -> None:
    """Open a shell on the server as its administrator, or run COMMAND there."""
    _, shell = _reach(answers, overrides)
    _become(shell.argv(command, terminal=sys.stdin.isatty()))


@click.command("manage", context_settings={"ignore_unknown_options": True})
@answers_options
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="-- ARGS...")
def manage_command(answers: Path, overrides: dict[str, Any], arguments: tuple[str, ...]) -> None:
    """Run a management command of the site, as the application's user: stackwise manage -- createsuperuser."""
    from stackwise.errors import UsageError

    job, shell = _reach(answers, overrides)
    if job.project.framework != "django":
        raise UsageError(
            "the project is not Django's, so it has no management commands", hint="open a shell instead: stackwise ssh"
        )
    words = ["sudo", f"/usr/local/bin/{job.identity.name}-manage", *(shlex.quote(argument) for argument in arguments)]
    _become(shell.argv(words, terminal=sys.stdin.isatty()))


@click.command("logs")
@answers_options
@click.option("-f", "--follow", is_flag=True, help="Go on as more is said.")
@click.option("-n", "--lines", default=100, show_default=True, type=click.IntRange(1, 100_000), help="How many lines.")
@click.argument("service", required=False)
def logs_command(answers: Path, overrides: dict[str, Any], follow: bool, lines: int, service: str | None) -> None:
    """Show what SERVICE says; without one, what the application says."""
    from stackwise.catalog import nearest
    from stackwise.errors import UsageError

    job, shell = _reach(answers, overrides)
    known = job.outline().services
    unit = (
        f"{job.identity.name}.service"
        if service is None
        else next((u for u in known if u in (service, f"{service}.service")), None)
    )
    if unit is None:
        raise UsageError(
            f"the server has no service {service!r}",
            hint=nearest(str(service), [u.removesuffix(".service") for u in known]),
        )
    words = [
        "sudo",
        "journalctl",
        "--no-pager",
        "-q",
        "-n",
        str(lines),
        "-u",
        shlex.quote(unit),
        *(["-f"] if follow else []),
    ]
    _become(shell.argv(words, terminal=follow and sys.stdin.isatty()))


@click.command("open")
@answers_options
def open_command(answers: Path, overrides: dict[str, Any]) -> None:
    """Open the site in a browser, and print its URL."""
    from stackwise.operate.http import Site

    job, shell = _reach(answers, overrides)
    access = job.outline().access
    url = Site(shell.address, access.domain, access.tls, by_name=job.is_shared).url
    click.echo(url)
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform == "darwin":
        click.launch(url)
    else:
        click.echo("there is no display here; open it where there is one", err=True)


def _reach(answers: Path, overrides: dict[str, Any]) -> tuple[Job, Shell]:
    """Return the job and the way to its server. Raises ProvisionError where there is none."""
    from stackwise.configure import AnsibleRun
    from stackwise.job import load_standing
    from stackwise.run import Runner, cloud_of

    job = load_standing(answers, overrides)
    return job, Runner(job, partial(cloud_of, job, lambda _: None), AnsibleRun(), threading.Event()).shell()


def _become(argv: list[str]) -> NoReturn:
    """Put ssh in our place, so that its terminal, signals and exit code are the user's own."""
    sys.stdout.flush()
    os.execvp(argv[0], argv)  # noqa: S606 - that is the point
