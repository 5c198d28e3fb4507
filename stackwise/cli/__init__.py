"""The command line: the only code that prints or exits, together with the TUI.

Commands are loaded when they are called, so that `--help` costs no more than click itself.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
from typing import NoReturn

import click

from stackwise import __version__
from stackwise.errors import (
    AnswersError,
    ConfigureError,
    ImpossibleError,
    InterruptedRunError,
    StackwiseError,
    UsageError,
    VerifyError,
)

# Command -> the module that has it, and its one line of help.
_COMMANDS = {
    "scan": ("stackwise.cli.design", "Read a project without running it."),
    "init": ("stackwise.cli.design", "Write a commented answers file for a project."),
    "catalog": ("stackwise.cli.catalog", "Browse what can be chosen, with its trade-offs."),
    "check": ("stackwise.cli.design", "Find every fault of the answers at once."),
    "advise": ("stackwise.cli.design", "Say what speaks for and against the choices."),
    "plan": ("stackwise.cli.design", "Show what will exist, and what it costs."),
    "render": ("stackwise.cli.design", "Write the Ansible project, which works without stackwise."),
    "look": ("stackwise.cli.look", "Look at a server that you have; change nothing."),
    "up": ("stackwise.cli.work", "Make the site stand; again: go on, or change nothing."),
    "verify": ("stackwise.cli.work", "Prove that the site works, from outside and inside."),
    "status": ("stackwise.cli.work", "Show what exists."),
    "open": ("stackwise.cli.server", "Open the site in a browser."),
    "ssh": ("stackwise.cli.server", "Open a shell on the server."),
    "manage": ("stackwise.cli.server", "Run a management command of the site."),
    "logs": ("stackwise.cli.server", "Show what a service says."),
    "runs": ("stackwise.cli.work", "Show the record of runs."),
    "destroy": ("stackwise.cli.work", "Remove all that this name made."),
    "providers": ("stackwise.cli.clouds", "Show where servers can be made."),
    "orphans": ("stackwise.cli.clouds", "List servers of ours that no record owns."),
    "adopt": ("stackwise.cli.clouds", "Take a server of ours whose record is lost."),
    "schema": ("stackwise.cli.design", "Print the JSON Schema of a file."),
}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the base class decides the signature
        """Return the commands in the order of a first day."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """Load a command."""
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(_COMMANDS[cmd_name][0])
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest command for one that does not exist."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as exc:
            from stackwise.catalog import nearest

            raise click.UsageError(f"there is no command {args[0]!r}; {nearest(args[0], _COMMANDS)}", ctx) from exc

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        """List the commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in _COMMANDS.items()])


@click.group(cls=_LazyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", message="stackwise %(version)s")
@click.option("-a", "--answers", metavar="FILE", help="Open the walk on this answers file.")
@click.option("--plain", is_flag=True, help="The walk as plain questions, for screen readers and scripts.")
@click.option("--debug", is_flag=True, help="Show a traceback where something goes wrong that should not.")
@click.option("--no-color", is_flag=True, help="No colours; NO_COLOR does the same.")
@click.pass_context
def app(ctx: click.Context, answers: str | None, plain: bool, debug: bool, no_color: bool) -> None:
    """Pick a stack you can defend, then stand it up.

    Without a command it opens the walk through all the choices. Everything there can be done here as well.
    """
    ctx.ensure_object(dict)["debug"] = debug
    if no_color or plain:
        os.environ["NO_COLOR"] = "1"
    if _without_colours():
        ctx.color = False
    if ctx.invoked_subcommand is None:
        _walk(ctx, answers, plain=plain)


def _walk(ctx: click.Context, answers: str | None, *, plain: bool) -> None:
    """Open the walk in the way that is asked for and that the terminal can show."""
    if not plain and not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        click.echo(ctx.get_help())
        click.echo(
            "\nThe walk needs a terminal. Without one: stackwise --plain asks the same in plain questions, and "
            "stackwise init asks nothing",
            err=True,
        )
        ctx.exit(2)
    if plain or _is_dumb():
        from stackwise.cli.plain import walk_plain

        ctx.exit(walk_plain(answers))
    from stackwise.tui.splash import splash

    with splash():
        from stackwise.tui.app import make_walk

        walk = make_walk(answers)
    walk.run()
    walk.raise_crash()


def _is_dumb() -> bool:
    """Whether the terminal can neither move its cursor nor show colours."""
    return os.environ.get("TERM", "") in {"", "dumb"}


def _without_colours() -> bool:
    return bool(os.environ.get("NO_COLOR")) or _is_dumb()


# pydantic looks through every installed package for plugins of its own; none is wanted here, and the look takes long.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


def calm_the_collector() -> None:
    """Look for garbage less often: loading modules makes many objects and none of it.

    Looking all the time costs a tenth of a short command, and a key in the walk a tenth of a second now and then.
    """
    gc.set_threshold(50_000, 20, 100)


def main() -> NoReturn:
    """Run the program and exit with the code of the contract."""
    context_debug = "--debug" in sys.argv
    calm_the_collector()
    try:
        code = app.main(standalone_mode=False, prog_name="stackwise")
    except Exception as exc:  # noqa: BLE001 - the one place where everything ends in words and an exit code
        code = _explain(exc, debug=context_debug)
    except KeyboardInterrupt:
        click.echo("stopped", err=True)
        code = 130
    # Nothing is taken apart that goes away with the process anyhow: another tenth.
    gc.freeze()
    sys.exit(code if isinstance(code, int) else 0)


def _explain(exc: Exception, *, debug: bool) -> int:
    """Say on stderr what went wrong and what to type, and return the exit code."""
    if isinstance(exc, click.exceptions.Exit):
        return exc.exit_code
    if isinstance(exc, click.Abort):
        click.echo("stopped", err=True)
        return 130
    if isinstance(exc, click.ClickException):
        exc.show()
        return exc.exit_code
    if isinstance(exc, BrokenPipeError):
        # Whoever read our output has seen enough. Point stdout elsewhere, so that the interpreter's last flush is
        # silent too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    if debug:
        import traceback

        traceback.print_exception(exc)
    if isinstance(exc, StackwiseError):
        _say(exc)
        return exit_code(exc)
    _say(
        StackwiseError(
            f"something went wrong that should not: {type(exc).__name__}: {exc}",
            hint="see more with: stackwise --debug ...",
        )
    )
    return 1


def exit_code(exc: StackwiseError) -> int:
    """Return the exit code that the contract gives an error."""
    codes: dict[type[StackwiseError], int] = {
        InterruptedRunError: 130,
        UsageError: 2,
        ImpossibleError: 3,
        VerifyError: 4,
    }
    return next((code for kind, code in codes.items() if isinstance(exc, kind)), 1)


def _say(exc: StackwiseError) -> None:
    if isinstance(exc, AnswersError):
        for fault in exc.faults:
            _lines(f"{fault.place}: {fault.message}", fault.hint)
        return
    if isinstance(exc, ImpossibleError):
        for conflict in exc.conflicts:
            _to_stderr(click.style("impossible: ", fg="red", bold=True) + conflict)
        _lines("", exc.hint)
        return
    _lines(exc.message, exc.hint, exc.said if isinstance(exc, ConfigureError) else "")


def _lines(message: str, hint: str, said: str = "") -> None:
    if message:
        _to_stderr(click.style("error: ", fg="red", bold=True) + message)
    for line in said.splitlines()[-20:]:
        _to_stderr(click.style("  | ", dim=True) + line)
    if hint:
        _to_stderr(f"  {hint}")


def _to_stderr(line: str) -> None:
    click.echo(line, err=True, color=False if _without_colours() else None)
