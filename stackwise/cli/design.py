"""Everything before the world is touched: scan, init, check, advise, plan, render, schema."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stackwise.cli.options import answers_options, json_option
from stackwise.errors import AnswersError, Fault, StackwiseError, UsageError
from stackwise.paths import DEFAULT_FILE, answers_flag

if TYPE_CHECKING:
    from stackwise.job import Job


@click.command("scan")
@click.argument("directory", type=click.Path(path_type=Path), default=".")
@json_option
def scan_command(directory: Path, as_json: bool) -> None:
    """Read the project in DIRECTORY (this folder) without running it, and say what it needs."""
    from stackwise.project import scan

    project = scan(directory)
    if as_json:
        print_json(asdict(project))
        return
    python = project.requires_python or "not said"
    rows = {
        "Project": f"{project.name} ({project.framework})",
        "Django": project.django_version,
        "Settings": project.settings,
        "WSGI": project.wsgi,
        "ASGI": project.asgi,
        "Python": python,
        "Requirements": project.requirements.source or "none found",
        "Database": ", ".join(f"{d.alias}: {d.engine}" for d in project.databases if d.engine),
        "Uses": ", ".join(project.uses),
        "Reads": ", ".join(variable.name for variable in project.environment),
        "Front end": project.frontend_build,
        "Tests": "yes" if project.has_tests else "none found",
    }
    for name, value in rows.items():
        if value:
            click.echo(f"{click.style(f'{name:<13}', bold=True)} {value}")
    for finding in project.findings:
        click.echo(f"  - {finding}")


@click.command("init")
@click.argument("directory", type=click.Path(path_type=Path), default=".")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help=f"Where to write it; {DEFAULT_FILE} in DIRECTORY if not said, - for stdout.",
)
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Answer something: --set access.domain=www.example.org",
)
@click.option("--force", is_flag=True, help="Replace an answers file that is there.")
@click.option("--explain", is_flag=True, help="Say what the team should move into its own settings.")
def init_command(directory: Path, output: Path | None, overrides: tuple[str, ...], force: bool, explain: bool) -> None:
    """Write a commented answers file for the project in DIRECTORY (this folder), asking nothing."""
    from stackwise.catalog import load_catalog
    from stackwise.cli.options import _override
    from stackwise.job import first_file
    from stackwise.project import scan

    target = output or directory / DEFAULT_FILE
    to_stdout = str(target) == "-"
    if not to_stdout and target.exists() and not force:
        raise UsageError(
            f"{target} is there already", hint="look at it: stackwise check, or replace it: stackwise init --force"
        )
    context = click.get_current_context()
    given = dict(_override(context, context.command.params[2], text) for text in overrides)
    project = scan(directory)
    base = Path.cwd() if to_stdout else target.resolve().parent
    text = first_file(project, load_catalog(), given, _relative(directory.resolve(), base), base)
    if to_stdout:
        click.echo(text, nl=False)
    else:
        _write(target, text)
        click.echo(f"wrote {target}; look at it, then: stackwise plan{answers_flag(target)}", err=True)
    if explain:
        click.echo(_explained(text, target if not to_stdout else base / DEFAULT_FILE))


@click.command("check")
@answers_options
@json_option
def check_command(answers: Path, overrides: dict[str, Any], as_json: bool) -> None:
    """Find every fault of the answers at once, each with its place and the nearest right word."""
    from stackwise.job import load_job

    faults: tuple[Fault, ...] = ()
    error: StackwiseError | None = None
    try:
        load_job(answers, overrides).outline()
    except AnswersError as exc:
        faults, error = exc.faults, exc
    except StackwiseError as exc:
        faults, error = (Fault(str(answers), 0, 0, exc.message, exc.hint),), exc
    if as_json:
        keys = ("file", "line", "column", "message", "hint")
        print_json({"faults": [{key: getattr(fault, key) for key in keys} for fault in faults]})
    if error is not None:
        raise error
    if not as_json:
        click.echo(f"{answers}: no fault found")


@click.command("advise")
@answers_options
@click.option("--explain", is_flag=True, help="Show every sum: what each fit, limit and price is made of.")
@click.option("--diff", is_flag=True, help="Show only what the --set answers change of the advice.")
@json_option
def advise_command(answers: Path, overrides: dict[str, Any], explain: bool, diff: bool, as_json: bool) -> None:
    """Say what fits this team and why, what it carries and costs, what would tip it and what is wrong with it."""
    from stackwise.advice import conflicts_of
    from stackwise.advice.report import report
    from stackwise.errors import ImpossibleError
    from stackwise.job import load_job
    from stackwise.render.advice_text import changes, report_document, report_lines

    job = load_job(answers, overrides)
    found = report(job.choices, job.project, job.catalog)
    document = report_document(found)
    if diff:
        if not overrides:
            raise UsageError(
                "--diff compares with what is in the file", hint="say what to change: --set KEY=VALUE --diff"
            )
        plain = load_job(answers, {})
        lines = list(changes(report_document(report(plain.choices, plain.project, plain.catalog)), document))
        document = {"changes": lines}
        shown = iter(lines or ["nothing changes"])
    else:
        shown = report_lines(document, str(found.facts["budget.currency"]), explain=explain)
    if as_json:
        print_json(document)
    else:
        click.echo("\n".join(shown).lstrip("\n"))
    if conflicts := conflicts_of(found.advice):
        raise ImpossibleError(conflicts)


@click.command("plan")
@answers_options
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write it for the team, with costs, reasons and risks: to a file ending in .md or .svg.",
)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@json_option
def plan_command(answers: Path, overrides: dict[str, Any], output: Path | None, force: bool, as_json: bool) -> None:
    """Show what will exist: servers, cost, roles, packages, ports, users, settings, files."""
    from stackwise.job import load_job
    from stackwise.render import file_names
    from stackwise.render.documents import plan_document, plan_text

    job = load_job(answers, overrides)
    if output is not None:
        _write_plan(job, output, force=force)
        if not as_json:
            return
    plan = job.outline()
    document = plan_document(plan, file_names(plan))
    if as_json:
        print_json(document)
    else:
        click.echo(plan_text(document), nl=False)


def _write_plan(job: Job, output: Path, *, force: bool) -> None:
    from stackwise.walk.export import team_page, write_text

    page = team_page(job, output.suffix)
    if output.exists() and not force:
        raise UsageError(
            f"{output} is there already", hint=f"replace it: stackwise plan -o {output} --force, or name another file"
        )
    try:
        write_text(output, page)
    except OSError as exc:
        raise UsageError(
            f"cannot write {output}: {exc.strerror}", hint="choose another place: stackwise plan -o plan.md"
        ) from exc
    click.echo(f"wrote {output}", err=True)


@click.command("render")
@answers_options
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, file_okay=False), required=True, help="The folder to write to."
)
@click.option("--force", is_flag=True, help="Write into a folder that is not empty.")
def render_command(answers: Path, overrides: dict[str, Any], output: Path, force: bool) -> None:
    """Write the Ansible project, which runs by plain ansible-playbook. Same answers, same bytes."""
    from stackwise.job import load_job
    from stackwise.render import write_project

    files = load_job(answers, overrides).rendered()
    if output.exists() and any(output.iterdir()) and not force:
        raise UsageError(
            f"{output} is not empty", hint="choose another folder, or write into it: stackwise render --force"
        )
    try:
        write_project(files, output)
    except OSError as exc:
        raise UsageError(
            f"cannot write to {output}: {exc.strerror}", hint="choose another folder: stackwise render -o DIR"
        ) from exc
    click.echo(f"wrote {len(files)} files to {output}; begin with {output}/README.md", err=True)


@click.command("schema")
@click.argument("what", type=click.Choice(["answers", "component"]))
def schema_command(what: str) -> None:
    """Print the JSON Schema of an answers file or of a catalog component, for editors."""
    from stackwise.shapes import json_schema

    if what == "answers":
        from stackwise.answers.model import AnswersFile

        print_json(json_schema(AnswersFile))
        return
    from stackwise.catalog.model import Component

    print_json(json_schema(Component))


def print_json(document: object) -> None:
    """Print one JSON document on stdout."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False, default=str))


def _relative(directory: Path, base: Path) -> str:
    import os

    return os.path.relpath(directory, base)


def _write(target: Path, text: str) -> None:
    from stackwise.answers.document import write_whole

    try:
        write_whole(target, text)
    except OSError as exc:
        raise UsageError(
            f"cannot write {target}: {exc.strerror}", hint="choose another place: stackwise init -o FILE"
        ) from exc


def _explained(text: str, target: Path) -> str:
    from stackwise.answers import parse_answers
    from stackwise.catalog import load_catalog
    from stackwise.job import make_job
    from stackwise.plan.settings import explain

    catalog = load_catalog()
    settings = make_job(parse_answers(text, target, catalog), catalog).outline().settings
    return explain(settings) if settings else "The project is not Django's; it is configured by its environment alone."
