"""Runs rendered Ansible projects through ansible_runner, as a stream of events.

The run is a child process of ours with a clean environment; `child.py` says why.
"""

from __future__ import annotations

import fcntl
import json
import os
import queue
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Protocol

from stackwise.configure.translate import Translator
from stackwise.errors import ConfigureError, InterruptedRunError
from stackwise.events import Event
from stackwise.journal.secrets import write_private

__all__ = ["AnsibleRun", "Playbook", "PlaybookRun", "is_running"]

# Longer than any single task without output: an apt transaction on a slow line, a large requirements file.
_IDLE_SECONDS = 1800
# After this long without a word the reader is told what is being waited for.
_QUIET_SECONDS = 5.0
# What the child may know of our environment. Everything else stays here, tokens of cloud providers first.
_KEPT = ("HOME", "LANG", "LC_ALL", "TMPDIR", "USER", "LOGNAME", "SSH_AUTH_SOCK", "TERM", "TZ")


@dataclass(frozen=True, slots=True)
class Playbook:
    """A rendered project on disk, and how its servers are reached; `again` is what to type to go on with it."""

    project: Path
    playbook: str
    ssh_options: tuple[str, ...]
    secrets: Mapping[str, str]
    tasks: int
    check: bool = False
    again: str = "stackwise up"


class PlaybookRun(Protocol):
    """The seam to Ansible."""

    def run(self, playbook: Playbook, stop: threading.Event) -> Iterator[Event]:
        """Run a playbook; yield what happens. Raises ConfigureError, InterruptedRunError."""


class AnsibleRun:
    """Runs playbooks by ansible_runner."""

    def run(self, playbook: Playbook, stop: threading.Event) -> Iterator[Event]:
        """Run a playbook; yield what happens.

        Raises ConfigureError with the failed task and the server's own words, InterruptedRunError when `stop` is set
        on the way.
        """
        translator = Translator(playbook.tasks, playbook.secrets.values())
        with (
            _secrets_file(playbook.secrets) as secrets,
            TemporaryFile("w+") as complaints,
            _held(playbook.project) as lock,
            _child(lock, complaints) as child,
        ):
            _order(child, playbook, secrets)
            threading.Thread(target=_close_on, args=(stop, child), daemon=True).start()
            for message in _messages(child):
                if message is None:
                    yield translator.still_waiting(_IDLE_SECONDS)
                    continue
                if message["event"] == "playbook_on_play_start":
                    # Ansible has read its variables by now.
                    secrets.unlink(missing_ok=True)
                yield from translator.translate(message)
            child.wait()
            errors = _tail(complaints)
        shutil.rmtree(playbook.project / "artifacts", ignore_errors=True)
        _judge(translator, stop, errors, playbook.again)


def _messages(child: subprocess.Popen[str]) -> Iterator[dict[str, Any] | None]:
    """Yield what the child says, and None each time that it has said nothing for a while."""
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def read() -> None:
        for line in child.stdout or ():
            lines.put(line)
        lines.put("")

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=_QUIET_SECONDS)
        except queue.Empty:
            yield None
            continue
        if not line:
            return
        yield json.loads(line)


def _judge(translator: Translator, stop: threading.Event, errors: str, again: str) -> None:
    """Raise where the run did not end well."""
    if stop.is_set() or translator.status == "canceled":
        raise InterruptedRunError("the Ansible run was stopped", hint=f"go on with: {again}")
    if failure := translator.failure:
        message = f"{failure.role} : {failure.name} failed on {failure.host}"
        hint = f"mend the cause, then go on: {again}"
        if failure.result == "unreachable":
            message, hint = (
                f"{failure.host} cannot be reached any more",
                f"see: stackwise status, then go on: {again}",
            )
        raise ConfigureError(message, task=failure.name, host=failure.host, said=failure.said, hint=hint)
    if translator.status != "successful":
        said = "\n".join(translator.words) or errors
        raise ConfigureError(
            "Ansible could not start the run", said=said, hint="run it by hand to see more: stackwise render -o DIR"
        )
    if not translator.hosts:
        # Ansible calls a run that found no host successful.
        raise ConfigureError("no server matched the playbook", hint="see: stackwise status")


@contextmanager
def _secrets_file(secrets: Mapping[str, str]) -> Iterator[Path]:
    """Write the secrets where Ansible can read them: in memory, for this user alone, gone when the run has begun."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder in memory is the point; the folder below it is ours alone
    folder = Path(tempfile.mkdtemp(prefix="stackwise-", dir=memory if os.access(memory, os.W_OK) else None))
    path = folder / "secrets.yml"
    try:
        # `!unsafe` keeps Ansible from reading a secret as a template; JSON strings are YAML strings.
        lines = [f"  {name}: !unsafe {json.dumps(value)}\n" for name, value in secrets.items()]
        write_private(path, "site_secrets:\n" + "".join(lines) if lines else "site_secrets: {}\n")
        yield path
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _lock_of(project: Path) -> Path:
    return project.with_name(f"{project.name}.lock")


def is_running(project: Path) -> bool:
    """Whether a child of ours, perhaps one whose parent was killed, is still at work in a project's folder."""
    try:
        handle = os.open(_lock_of(project), os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


@contextmanager
def _held(project: Path) -> Iterator[int]:
    """Hold the lock that the child inherits: it lasts as long as the child, also when we are killed."""
    handle = os.open(_lock_of(project), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
    finally:
        os.close(handle)


@contextmanager
def _child(lock: int, complaints: IO[str]) -> Iterator[subprocess.Popen[str]]:
    """Start the child, in a session of its own so that ctrl-c reaches us alone; end it in any case."""
    child = subprocess.Popen(
        [sys.executable, "-m", "stackwise.configure.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=complaints,
        text=True,
        env=_environment(),
        start_new_session=True,
        pass_fds=(lock,),
    )
    try:
        yield child
    finally:
        _close(child.stdin)
        try:
            child.wait(timeout=20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        _close(child.stdout)


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    # ansible_runner looks for ansible-playbook on PATH; ours is the one beside our interpreter.
    return {
        **kept,
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "PYTHONUNBUFFERED": "1",
    }


def _order(child: subprocess.Popen[str], playbook: Playbook, secrets: Path) -> None:
    order = {
        "private_data_dir": str(playbook.project),
        "playbook": playbook.playbook,
        "cmdline": shlex.join(["-e", f"@{secrets}", *(["--check", "--diff"] if playbook.check else [])]),
        "ident": "run",
        "idle_seconds": _IDLE_SECONDS,
        "environment": ansible_environment(playbook),
    }
    if child.stdin is None:
        return
    child.stdin.write(json.dumps(order) + "\n")
    child.stdin.flush()


def ansible_environment(playbook: Playbook) -> dict[str, str]:
    """Return Ansible's configuration for our own runs; a plain user's is the project's ansible.cfg."""
    environment = {
        "ANSIBLE_CONFIG": str(playbook.project / "project" / "ansible.cfg"),
        # ansible_runner turns this off unless it is said.
        "ANSIBLE_HOST_KEY_CHECKING": "True",
        "ANSIBLE_SSH_ARGS": shlex.join(["-o", "ControlMaster=auto", "-o", "ControlPersist=60s", *playbook.ssh_options]),
        "ANSIBLE_RETRY_FILES_ENABLED": "False",
        "ANSIBLE_NOCOLOR": "True",
    }
    if not playbook.check:
        environment.update(_mitogen())
    return environment


def _mitogen() -> dict[str, str]:
    """Keep one interpreter on the server for the whole run, which takes a task from about 0.6 s to 0.13 s.

    https://mitogen.networkgenomics.com/ansible_detailed.html
    """
    from importlib.util import find_spec  # noqa: PLC0415 - needed for a run only

    spec = find_spec("ansible_mitogen")
    if spec is None or not spec.submodule_search_locations:
        return {}
    plugins = Path(next(iter(spec.submodule_search_locations))) / "plugins" / "strategy"
    return {"ANSIBLE_STRATEGY_PLUGINS": str(plugins), "ANSIBLE_STRATEGY": "mitogen_linear"}


def _close_on(stop: threading.Event, child: subprocess.Popen[str]) -> None:
    """Ask the child to end its run when `stop` is set, by closing its stdin."""
    while child.poll() is None:
        if stop.wait(0.2):
            _close(child.stdin)
            return


def _close(stream: IO[str] | None) -> None:
    if stream is not None and not stream.closed:
        try:
            stream.close()
        except BrokenPipeError:
            return


def _tail(stream: IO[str]) -> str:
    stream.seek(0)
    return "\n".join(stream.read().strip().splitlines()[-5:])
