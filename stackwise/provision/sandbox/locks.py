"""Locks that end with the process that holds them, however it ends (flock on a file or a folder)."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from stackwise.errors import DeadlineError

PAUSE = 0.1
# Addresses, network rules and control groups are the host's, whichever folder a machine lives in.
HOST_LOCK = Path("/run/stackwise-sandbox.lock")


@contextmanager
def locked(path: Path, *, deadline: float, waiting: Callable[[], None] | None = None) -> Iterator[int]:
    """Hold the lock of the file or folder `path`; give its file descriptor.

    `waiting` is called once when somebody else holds it. Raises DeadlineError after `deadline` seconds,
    and FileNotFoundError when there is no such path.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _acquire(descriptor, path, deadline, waiting)
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def host_locked() -> Iterator[None]:
    """Hold the lock for what all machines of this host share. Keep it for moments only."""
    HOST_LOCK.touch(mode=0o600)
    with locked(HOST_LOCK, deadline=60):
        yield


def is_locked(path: Path) -> bool:
    """Tell whether a living process holds the lock of `path`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _try(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: Path, deadline: float, waiting: Callable[[], None] | None) -> None:
    until = time.monotonic() + deadline
    if _try(descriptor, fcntl.LOCK_EX):
        return
    if waiting:
        waiting()
    while not _try(descriptor, fcntl.LOCK_EX):
        if time.monotonic() > until:
            raise DeadlineError(
                f"another process has been at work on {path} for {deadline:.0f} s", hint=f"type: fuser -v {path}"
            )
        time.sleep(PAUSE)


def _try(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
