"""Meeting a server that is there already: its fingerprint, a look at it, and what was seen put into the answers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stackwise.cli.design import print_json
from stackwise.cli.options import answers_options, confirmed, json_option

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stackwise.job import Job
    from stackwise.provision.existing.look import Seen


@click.command("look")
@answers_options
@click.option("--preview", is_flag=True, help="Also let Ansible say, task by task, what it would change (--check).")
@json_option
def look_command(answers: Path, overrides: dict[str, Any], preview: bool, as_json: bool) -> None:
    """Look at a server that is there already, say what would be touched and what stays; change nothing there.

    How large it is, and its fingerprint once you have confirmed it, are written into the answers. With --preview,
    --json gives the events of the preview.
    """
    from stackwise.job import load_job
    from stackwise.provision.existing.prepare import refuse
    from stackwise.provision.existing.told import look_document, look_lines

    job = known(load_job(answers, overrides), overrides, yes=not _has_terminal())
    seen = _seen(job)
    job = _written(job, overrides, _sizes(job, seen))
    plan, token = job.outline(), _token(job)
    document = look_document(plan, seen, token)
    if not as_json:
        click.echo("\n".join(look_lines(document)))
    elif not preview:
        print_json(document)
    refuse(plan, seen, token)
    if preview:
        _preview(job, as_json=as_json)


def met(job: Job, overrides: Mapping[str, Any], *, yes: bool) -> Job:
    """Look at the server that `up` shall use, show it, and return the job with what was seen in its answers.

    Raises ImpossibleError where something is in the way, UsageError where nobody can confirm the fingerprint.
    """
    from stackwise.provision.existing.prepare import refuse
    from stackwise.provision.existing.told import look_document, look_lines

    if _stands(job):
        return job
    job = known(job, overrides, yes=yes)
    seen = _seen(job)
    job = _written(job, overrides, _sizes(job, seen))
    plan, token = job.outline(), _token(job)
    for line in look_lines(look_document(plan, seen, token)):
        click.echo(line, err=True)
    refuse(plan, seen, token)
    return job


def known(job: Job, overrides: Mapping[str, Any], *, yes: bool) -> Job:
    """Return the job with a fingerprint in its answers, asked for where nobody has confirmed one yet."""
    from stackwise.advice.facts import is_found
    from stackwise.errors import UsageError
    from stackwise.provision.existing.host_key import fingerprint_of, shown_by

    if not is_found(job.choices):
        raise UsageError(
            f"{job.identity} is not for a server that is there already",
            hint="say so: --set hosting.provider=existing --set hosting.address=203.0.113.10",
        )
    if job.is_shared:
        raise UsageError(
            f"the server is that of {job.host}, and is looked at with that site's answers",
            hint="say which file has them: stackwise look -a FILE",
        )
    address = job.meeting().address
    if not address:
        raise UsageError("nobody has said where the server is", hint="say it: --set hosting.address=203.0.113.10")
    if job.meeting().fingerprint or _stands(job):
        return job
    found = fingerprint_of(shown_by(address))
    click.echo(f"{address} shows an ed25519 key with the fingerprint {found}", err=True)
    click.echo("Compare it on its console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub", err=True)
    if yes:
        raise UsageError(
            f"nobody has confirmed the key of {address}",
            hint=f"where it is right: --set hosting.fingerprint={found}",
        )
    confirmed("Is it the same?", yes=False)
    return _written(job, overrides, {"hosting.fingerprint": found})


def _stands(job: Job) -> bool:
    """Whether the server was prepared already: then its key is pinned, and the administrator logs in."""
    from stackwise.journal import Journal

    return any(record.ready for record in Journal.of(job.identity).servers().values())


def _seen(job: Job) -> Seen:
    """Look at the server as whoever can log in: the administrator where he is there already."""
    from stackwise.cli.work import runner_of

    with runner_of(job, lambda _: None) as runner:
        return runner.look()


def _sizes(job: Job, seen: Seen) -> dict[str, Any]:
    """Return what the answers do not say yet of the server's size."""
    memory = seen.memory_mb if job.choices["hosting.whole"] else min(seen.memory_mb, seen.free_memory_mb)
    values = {
        "hosting.cpus": seen.cpus,
        "hosting.memory": memory,
        "hosting.disk": max(1, seen.disk_mb // 1024),
        "hosting.kernel": seen.kernel,
    }
    return {key: value for key, value in values.items() if job.choices.origins.get(key, "default") == "default"}


def _written(job: Job, overrides: Mapping[str, Any], values: Mapping[str, Any]) -> Job:
    """Return the job with more answers, which stand in its file from now on. Raises UsageError."""
    from stackwise.answers.document import Document
    from stackwise.errors import UsageError
    from stackwise.job import load_job

    if not values:
        return job
    path = job.answers.path
    document = Document.read(path)
    for key, value in values.items():
        document.change(key, value)
    try:
        document.write(path)
    except OSError as exc:
        raise UsageError(
            f"what was seen cannot be written to {path}: {exc.strerror}", hint="make it yours to write, then try again"
        ) from exc
    click.echo(f"written to {path}: {', '.join(f'{key}: {value}' for key, value in values.items())}", err=True)
    return load_job(path, overrides)


def _token(job: Job) -> str:
    from stackwise.journal import Journal

    return Journal.of(job.identity).token


def _preview(job: Job, *, as_json: bool) -> None:
    from stackwise.cli.show import showing, watch
    from stackwise.cli.work import runner_of

    with showing(as_json=as_json) as show, runner_of(job, show.say) as runner:
        watch(runner.preview(), show)


def _has_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()
