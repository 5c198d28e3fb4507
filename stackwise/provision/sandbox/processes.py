"""The processes of a machine, found in the kernel's own list rather than in a file of ours.

A pid in a file goes stale: the process that wrote it may be killed before it writes, and the number is used again by
another one. So a machine's processes are found by what can't be anybody else's: the machine's unique name as an
argument of a root process of the host, its control groups, its network namespace. A signal goes through a pidfd, opened
first and looked at again after, so that it can't hit a process that was given the same pid meanwhile.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from stackwise.errors import DeadlineError
from stackwise.provision.sandbox.network import namespace_path

PROC = Path("/proc")
PAUSE = 0.05
LOOKS = 20
LEAVES = 3.0
KILLED = 20.0
PREFIX = "stackwise-"


def machine_name(machine_id: str) -> str:
    """Give the name of the machine as systemd-nspawn is told: unique on this host."""
    return PREFIX + machine_id


def running_ids() -> set[str]:
    """Give the ids of all machines of this host that have a leader, in one pass over /proc."""
    names = (argument.removeprefix("--machine=" + PREFIX) for pid in _pids() for argument in _leader_arguments(pid))
    return set(names)


def leaders(machine_id: str) -> list[int]:
    """Give the pids of the machine's systemd-nspawn and of the shell that starts it anew when the machine reboots."""
    return [pid for pid in _pids() if _leads(pid, machine_id)]


def nspawn_pids(machine_id: str) -> list[int]:
    """Give the pids of the machine's systemd-nspawn alone: the one that a polite signal goes to."""
    return [pid for pid in leaders(machine_id) if _arguments(pid)[0].endswith("systemd-nspawn")]


def init_pid(machine_id: str) -> int | None:
    """Give the host's pid of the machine's own process 1, once it has become systemd."""
    return next((pid for pid in _inside(machine_id) if _is_first(pid) and _status(pid).get("Name") == "systemd"), None)


def boots(machine_id: str, deadline: float) -> bool:
    """Wait until the machine's systemd runs, and tell whether it does; give up when its leaders have gone.

    A process that is just becoming another program has no arguments for a moment, so one look proves nothing.
    """
    absent = 0

    def decided() -> bool:
        nonlocal absent
        absent = 0 if leaders(machine_id) else absent + 1
        return init_pid(machine_id) is not None or absent > LOOKS

    return wait_until(decided, deadline) and init_pid(machine_id) is not None


def ask_to_power_off(machine_id: str) -> None:
    """Ask the machine to shut down in good order; systemd-nspawn hands SIGTERM on to the machine's systemd."""
    for pid in nspawn_pids(machine_id):
        _signal(pid, signal.SIGTERM, lambda pid: _leads(pid, machine_id))


def kill_all(machine_id: str, in_groups: Callable[[], set[int]]) -> None:
    """Kill every process of the machine: the leaders, who is in its control groups, who is inside it.

    First the keepers, and process 1, so that systemd-nspawn cleans up after itself; then whoever is left. `in_groups`
    gives the pids in the machine's control groups. Raises DeadlineError when one is still there after 20 s.
    """
    nspawn = set(nspawn_pids(machine_id))
    _kill(set(leaders(machine_id)) - nspawn, lambda pid: _leads(pid, machine_id))
    _kill({pid for pid in _inside(machine_id) if _is_first(pid)}, lambda pid: _is_inside(pid, machine_id))
    if nspawn:
        wait_until(lambda: not nspawn_pids(machine_id), LEAVES)

    def of_the_machine(pid: int) -> bool:
        return _leads(pid, machine_id) or pid in in_groups() or _is_inside(pid, machine_id)

    until = time.monotonic() + KILLED
    while remaining := {*leaders(machine_id), *in_groups(), *_inside(machine_id)}:
        _kill(remaining, of_the_machine)
        if time.monotonic() > until:
            raise DeadlineError(
                f"processes of the sandbox machine {machine_id} can't be ended: {sorted(remaining)}",
                hint=f"to see what they wait for, type: ps -o pid,stat,wchan,args {' '.join(map(str, remaining))}",
            )
        time.sleep(PAUSE)


def wait_until(claim: Callable[[], bool], deadline: float) -> bool:
    """Look until `claim` is true, and tell whether it became so within `deadline` seconds."""
    until = time.monotonic() + deadline
    while not claim():
        if time.monotonic() > until:
            return False
        time.sleep(PAUSE)
    return True


def is_leader(arguments: list[str], machine_id: str) -> bool:
    """Tell whether this argument list is that of a leader of the machine: one of three programs, and the exact name."""
    program = Path(arguments[0]).name if arguments else ""
    return program in {"setsid", "sh", "systemd-nspawn"} and f"--machine={machine_name(machine_id)}" in arguments


def _leads(pid: int, machine_id: str) -> bool:
    return is_leader(_arguments(pid), machine_id) and _is_ours(pid)


def _leader_arguments(pid: int) -> Iterable[str]:
    arguments = _arguments(pid)
    names = [argument for argument in arguments if argument.startswith("--machine=" + PREFIX)]
    return (
        names if names and is_leader(arguments, names[0].removeprefix("--machine=" + PREFIX)) and _is_ours(pid) else ()
    )


def _is_ours(pid: int) -> bool:
    """Tell whether the process is root's and the host's: the same words said inside a machine mean nothing."""
    with suppress(OSError):
        return (PROC / str(pid)).stat().st_uid == 0 and _same_namespace(pid, "pid", PROC / "self/ns/pid")
    return False


def _inside(machine_id: str) -> list[int]:
    return [pid for pid in _pids() if _is_inside(pid, machine_id)]


def _is_inside(pid: int, machine_id: str) -> bool:
    """Tell whether the process is the machine's own: in its network, and not (as a visitor's) in the host's pids."""
    with suppress(OSError):
        return _same_namespace(pid, "net", namespace_path(machine_id)) and not _same_namespace(
            pid, "pid", PROC / "self/ns/pid"
        )
    return False


def _same_namespace(pid: int, kind: str, other: Path) -> bool:
    mine, theirs = (PROC / str(pid) / "ns" / kind).stat(), other.stat()
    return (mine.st_dev, mine.st_ino) == (theirs.st_dev, theirs.st_ino)


def _is_first(pid: int) -> bool:
    """Tell whether the process is number 1 in its own numbering."""
    return _status(pid).get("NSpid", "").split()[-1:] == ["1"]


def _status(pid: int) -> dict[str, str]:
    with suppress(OSError):
        lines = (PROC / str(pid) / "status").read_text().splitlines()
        return dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    return {}


def _signal(pid: int, number: signal.Signals, still_right: Callable[[int], bool]) -> None:
    with suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        try:
            if still_right(pid):
                signal.pidfd_send_signal(descriptor, number)
        finally:
            os.close(descriptor)


def _kill(pids: set[int], still_right: Callable[[int], bool]) -> None:
    for pid in pids:
        _signal(pid, signal.SIGKILL, still_right)


def _pids() -> list[int]:
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdecimal()]


def _arguments(pid: int) -> list[str]:
    """Give the argument list of a process; an ended one (a zombie, too) has none."""
    with suppress(OSError):
        return (PROC / str(pid) / "cmdline").read_text(errors="replace").rstrip("\0").split("\0")
    return [""]
