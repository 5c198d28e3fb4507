"""What touches the world: up, verify, status, runs, destroy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stackwise import events
from stackwise.cli.design import print_json
from stackwise.cli.options import answers_options, confirmed, json_option, program, yes_option
from stackwise.events import Event

if TYPE_CHECKING:
    from stackwise.job import Job
    from stackwise.journal import Journal
    from stackwise.operate.standing import Standing
    from stackwise.run import Runner


@click.command("up")
@answers_options
@yes_option
@json_option
def up_command(answers: Path, overrides: dict[str, Any], yes: bool, as_json: bool) -> None:
    """Plan, ask, provision, configure, deploy, verify. Run again: goes on where it stopped, or changes nothing."""
    from stackwise.advice.facts import is_found
    from stackwise.job import load_job
    from stackwise.render import file_names
    from stackwise.render.documents import plan_document, plan_text

    job = load_job(answers, overrides)
    if is_found(job.choices) and not job.is_shared:
        from stackwise.cli.look import met

        job = met(job, overrides, yes=yes)
    plan = job.outline()
    job.admin_keys()  # a key that cannot be read is better known before anybody says yes
    document = plan_document(plan, file_names(plan))
    if not yes:
        click.echo(plan_text(document), err=True)
        confirmed("Shall it be made?", yes=yes)
    seen = _carry_out(job, lambda runner: runner.up(), as_json=as_json)
    if not as_json:
        headline, *rest = report_lines(seen, answers)
        click.echo()
        click.secho(headline, bold=True)
        for line in rest:
            click.echo(line)


@click.command("verify")
@answers_options
@json_option
def verify_command(answers: Path, overrides: dict[str, Any], as_json: bool) -> None:
    """Prove that the site works: what a visitor sees from outside, and what the server says from inside."""
    from stackwise.errors import VerifyError
    from stackwise.job import load_job

    job = load_job(answers, overrides)
    if not as_json:
        _carry_out(job, lambda runner: runner.verify(), as_json=False)
        return
    checks: list[dict[str, str]] = []
    error: VerifyError | None = None
    with runner_of(job, lambda _: None) as runner:
        try:
            # One by one, so that those before a fault are kept.
            checks.extend(_check(event) for event in runner.verify() if isinstance(event, events.CheckFinished))
        except VerifyError as exc:
            error = exc
    print_json({"checks": checks})
    if error is not None:
        raise error


@click.command("destroy")
@answers_options
@yes_option
@json_option
def destroy_command(answers: Path, overrides: dict[str, Any], yes: bool, as_json: bool) -> None:
    """Remove everything that this name and environment made, by id. What the site kept is gone with it."""
    from stackwise.job import load_standing
    from stackwise.operate.removal import what_goes

    job = load_standing(answers, overrides)
    goes = what_goes(job.identity)
    if not goes:
        click.echo(f"{job.identity} has nothing to remove", err=True)
        return
    for line in goes:
        click.echo(line, err=True)
    confirmed(f"Shall everything of {job.identity} go?", yes=yes)
    _carry_out(job, lambda runner: runner.destroy(), as_json=as_json)


@click.command("status")
@answers_options
@json_option
def status_command(answers: Path, overrides: dict[str, Any], as_json: bool) -> None:
    """Show what exists: servers as the record and as the provider know them, the URL, the last run."""
    from stackwise.job import load_standing
    from stackwise.journal import Journal

    job = load_standing(answers, overrides)
    document = _status(job, Journal.of(job.identity))
    if as_json:
        print_json(document)
        return
    click.secho(f"{document['name']} ({document['environment']})", bold=True)
    for server in document["servers"]:
        where = server["address"] or "no address yet"
        click.echo(f"  {server['name']}: {server['state']}, {where}, {server['provider']} {server['id']}")
        if server["remark"]:
            click.echo(f"    {server['remark']}")
    if not document["servers"]:
        click.echo("  no server; make one: stackwise up")
    if shares := document["shares"]:
        click.echo(f"  the server is that of {shares['server_of']}; on it too: {', '.join(shares['with'])}")
    if document["url"]:
        click.echo(f"  site: {document['url']}")
    if run := document["last_run"]:
        click.echo(f"  last run: {run['number']} ({run['command']}) at {run['at']}, {run['ended']}")


@click.group("runs", invoke_without_command=True)
@answers_options
@json_option
@click.pass_context
def runs_command(ctx: click.Context, answers: Path, overrides: dict[str, Any], as_json: bool) -> None:  # noqa: ARG001 - click passes flags so; --set is accepted everywhere
    """Show the record of every run."""
    from stackwise.journal.record import records

    ctx.obj = {"folder": answers.resolve().parent, "as_json": as_json}
    if ctx.invoked_subcommand is not None:
        return
    rows = [_run_row(record.number, record.command, record.events()) for record in records(answers.resolve().parent)]
    if as_json:
        print_json({"runs": rows})
        return
    for row in rows:
        click.echo(f"{row['number']:>4}  {row['at']}  {row['command']:<8} {row['ended']}")
    if not rows:
        click.echo("no run yet; begin with: stackwise up")


@runs_command.command("show")
@click.argument("number", type=int)
@click.pass_obj
def runs_show_command(obj: dict[str, Any], number: int) -> None:
    """Show run NUMBER: what it made, how long each phase took, what each check saw."""
    from stackwise.errors import UsageError
    from stackwise.journal.record import records, report

    record = next((record for record in records(obj["folder"]) if record.number == number), None)
    if record is None:
        raise UsageError(f"there is no run {number} on record", hint="see them all: stackwise runs")
    if obj["as_json"]:
        for event in record.events():
            click.echo(events.to_json(event))
    else:
        click.echo(report(record.events()), nl=False)


@contextmanager
def runner_of(job: Job, progress: Callable[[str], None]) -> Iterator[Runner]:
    """Give the runner of a job, which ctrl-c stops; `progress` is told the remarks of long calls."""
    from stackwise.cli.show import stoppable
    from stackwise.configure import AnsibleRun
    from stackwise.run import Runner, cloud_of

    with stoppable() as stop:
        yield Runner(job, partial(cloud_of, job, progress, stop), AnsibleRun(), stop)


def _check(event: events.CheckFinished) -> dict[str, str]:
    return {"name": event.name, "status": event.status, "saw": event.saw, "hint": event.hint}


def _carry_out(job: Job, steps: Callable[[Runner], Iterator[Event]], *, as_json: bool) -> list[Event]:
    from stackwise.cli.show import showing, watch

    with showing(as_json=as_json) as show, runner_of(job, show.say) as runner:
        return watch(steps(runner), show)


def report_lines(seen: Iterable[Event], answers: Path) -> Iterator[str]:
    """Yield where the site is, what was made, how long it took and what to type next; the headline comes first."""
    from stackwise.render.report import make_report

    report = make_report(seen, answers, program())
    yield report.headline
    for section in report.sections:
        yield f"{section.title}:" + (f" {section.sum}" if section.sum else "")
        # What has a sum was shown row by row while it happened.
        for row in () if section.sum else section.rows:
            yield f"  {row.name:<34} {row.text}" + (f"; {row.more}" if row.more else "")


def _status(job: Job, journal: Journal) -> dict[str, Any]:
    from stackwise.journal import Journal
    from stackwise.operate.http import Site
    from stackwise.operate.standing import standing
    from stackwise.provision.sharing import guests, shared_with

    stands = not job.is_shared or bool(shared_with(journal))
    home = Journal.of(job.host) if job.is_shared else journal
    servers = [_server(one) for one in standing(home, job.catalog)] if stands else []
    ready = next((server for server in servers if server["ready"]), None)
    access = job.outline().access
    runs = journal.entries("run")
    last = None
    if runs:
        ended = any(entry["number"] == runs[-1]["number"] for entry in journal.entries("ended"))
        last = {
            "number": runs[-1]["number"],
            "command": runs[-1]["command"],
            "at": runs[-1]["at"],
            "ended": "ended well" if ended else "did not end well; go on: stackwise up",
        }
    return {
        "name": job.identity.name,
        "environment": job.identity.environment,
        "servers": servers,
        "url": Site(str(ready["address"]), access.domain, access.tls, by_name=job.is_shared).url if ready else "",
        "shares": {"server_of": str(job.host), "with": list(guests(job.host))} if guests(job.host) else None,
        "last_run": last,
    }


def _server(standing: Standing) -> dict[str, Any]:
    record = standing.record
    return {
        "name": record.name,
        "id": record.id,
        "provider": record.provider,
        "address": standing.address,
        "state": standing.state,
        "remark": standing.remark,
        "ready": record.ready,
    }


def _run_row(number: int, command: str, happened: Iterator[Event]) -> dict[str, Any]:
    seen = list(happened)
    last = seen[-1] if seen else None
    ended = "did not end"
    if isinstance(last, events.RunFinished):
        ended = f"done in {last.seconds:.1f} s, {last.changed} changed"
    elif isinstance(last, events.RunFailed):
        ended = f"failed after {last.seconds:.1f} s: {last.message}"
    return {
        "number": number,
        "command": command,
        "at": seen[0].at.isoformat(timespec="seconds") if seen else "",
        "ended": ended,
    }
