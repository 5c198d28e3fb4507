"""The one door to other programs: every call of the sandbox goes through here, as a list, without a shell."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from stackwise.errors import DeadlineError, ProvisionError

# Answers are read by us, so they must not be translated; sbin is not in every root's PATH (su without a dash).
ENVIRONMENT = {"LC_ALL": "C.UTF-8"}
SBIN = ("/usr/local/sbin", "/usr/sbin", "/sbin")
DEADLINE = 60.0


def run(argv: Sequence[str], *, text: str = "", deadline: float = DEADLINE) -> str:
    """Run `argv` with `text` on its standard input and give back what it printed.

    Raises ProvisionError with the program's own words, or DeadlineError after `deadline` seconds.
    """
    code, output, complaint = attempt(argv, text=text, deadline=deadline)
    if code != 0:
        raise ProvisionError(
            f"`{shlex.join(argv)}` failed: {last_line(complaint or output) or f'exit code {code}'}",
            hint=f"to see it again, type: {shlex.join(argv)}",
        )
    return output


def attempt(argv: Sequence[str], *, text: str = "", deadline: float = DEADLINE) -> tuple[int, str, str]:
    """Run `argv` and give back exit code, output and complaints: for calls that may well fail."""
    try:
        done = subprocess.run(  # noqa: S603 - an argument list of ours, no shell
            argv, input=text, capture_output=True, text=True, timeout=deadline, check=False, env=_environment()
        )
    except FileNotFoundError as fault:
        raise ProvisionError(
            f"the command {argv[0]} is not installed", hint=f"type: apt-get install {argv[0]}"
        ) from fault
    except subprocess.TimeoutExpired as fault:
        raise DeadlineError(
            f"`{shlex.join(argv)}` was not done after {deadline:.0f} s", hint=f"type: {shlex.join(argv)}"
        ) from fault
    return done.returncode, done.stdout, done.stderr


def follow(argv: Sequence[str], log: Path, heard: Callable[[str], None], *, keep_open: tuple[int, ...] = ()) -> int:
    """Run `argv`, give each line it says to `heard` and to the file `log`, and give back its exit code.

    `keep_open` are file descriptors that live as long as the program does, even when we are killed: a lock, for one.
    """
    with (
        log.open("w", encoding="utf-8", errors="replace") as copy,
        subprocess.Popen(  # noqa: S603 - an argument list of ours, no shell
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            pass_fds=keep_open,
            umask=0o022,
            env=_environment(),
        ) as process,
    ):
        for line in process.stdout or ():
            copy.write(line)
            heard(line.rstrip())
    return process.returncode


def detach(argv: Sequence[str], *, extra: Mapping[str, str]) -> None:
    """Start `argv` in a session of its own, child of nobody here: it lives on when we end, and leaves us no zombie."""
    subprocess.run(  # noqa: S603 - an argument list of ours, no shell
        ["setsid", "--fork", *argv],  # noqa: S607 - looked up in the PATH set below
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
        env=_environment() | dict(extra),
    )


def search_path() -> str:
    """PATH, with the folders of the system administrator's programs."""
    here = os.environ.get("PATH", "/usr/bin:/bin").split(":")
    return ":".join([*here, *(folder for folder in SBIN if folder not in here)])


def last_line(text: str) -> str:
    """Give back the last line that says something: where most programs put their reason."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _environment() -> dict[str, str]:
    return {**os.environ, **ENVIRONMENT, "PATH": search_path()}
