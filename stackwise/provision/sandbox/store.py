"""The record of each machine: a folder with machine.json, there before anything else and gone after everything else.

    STATE/machines/.new-ID/     being written; holds nothing but a record
    STATE/machines/ID/          machine.json, disk.img, disk/, root/, console.log
    STATE/machines/.gone-ID/    emptied; holds nothing but a record
    STATE/keys/NAME.pub

A record says what was intended; whether the machine runs is asked of the kernel (processes.py), so that no crash can
make it lie.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stackwise.errors import ProvisionError, ServerLostError
from stackwise.provision.sandbox import addresses
from stackwise.provision.sandbox.commands import run
from stackwise.provision.sandbox.locks import host_locked, is_locked, locked
from stackwise.provision.sandbox.places import Places

RECORD = "machine.json"
Phase = Literal["creating", "made", "destroying"]


class Limit(BaseModel):
    """Whether a limit of the size is really enforced, and if not, why."""

    model_config = ConfigDict(frozen=True)

    enforced: bool
    reason: str = ""


class Machine(BaseModel):
    """What is written down of a machine. `base` is the folder that its root file system lies over."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    size: str
    image: str
    subnet: IPv4Network
    created: datetime
    tags: dict[str, str] = Field(default_factory=dict)
    base: str = ""
    phase: Phase = "creating"
    limits: dict[str, Limit] = Field(default_factory=dict)

    @property
    def address(self) -> IPv4Address:
        """The address that the machine answers at."""
        return addresses.machine_address(self.subnet)


class Store:
    """The machines of one state folder."""

    def __init__(self, places: Places) -> None:
        """Use the folders of `places`; they are made at the first write."""
        self._root = places.machines

    def folder(self, machine_id: str) -> Path:
        """Give the folder of a machine, whether it is there or not."""
        return self._root / machine_id

    def machines(self) -> list[Machine]:
        """Give the record of every machine, the oldest first.

        Raises ProvisionError for a record that can't be read: what it stands for must not be lost from sight.
        """
        found = [self.load(path.parent.name) for path in sorted(self._root.glob(f"[!.]*/{RECORD}"))]
        return sorted((machine for machine in found if machine), key=lambda machine: machine.created)

    def load(self, machine_id: str) -> Machine | None:
        """Give the record of a machine, or None when there is none."""
        path = self.folder(machine_id) / RECORD
        try:
            return Machine.model_validate_json(path.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except ValidationError as fault:
            raise ProvisionError(
                f"the record {path} of a sandbox machine can't be read ({fault.error_count()} faults)",
                hint=f"mend it by hand, type: editor {path}",
            ) from fault

    def get(self, machine_id: str) -> Machine:
        """Give the record of a machine; raise ServerLostError when there is none."""
        machine = self.load(machine_id)
        if machine is None:
            raise ServerLostError(
                f"there is no sandbox machine {machine_id}", hint="to see what there is, type: stackwise status"
            )
        return machine

    def add(self, machine: Machine) -> None:
        """Write the first record of a machine; it appears with its folder at once, or not at all.

        Call it with the host's lock held, as it was when the machine's subnet was chosen.
        """
        self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = self._root / f".new-{machine.id}"
        new.mkdir(mode=0o700)
        _write(new / RECORD, machine)
        new.rename(self.folder(machine.id))
        _sync(self._root)

    def save(self, machine: Machine) -> None:
        """Replace the record of a machine."""
        _write(self.folder(machine.id) / RECORD, machine)

    @contextmanager
    def held(self, machine_id: str, *, deadline: float) -> Iterator[Machine | None]:
        """Hold the lock of a machine and give its record, read under the lock; None when there is no such machine."""
        with ExitStack() as stack:
            with suppress(FileNotFoundError):
                stack.enter_context(locked(self.folder(machine_id), deadline=deadline))
            yield self.load(machine_id)

    def busy(self, machine_id: str) -> bool:
        """Tell whether a living process is at work on the machine."""
        return is_locked(self.folder(machine_id))

    def erase(self, machine_id: str) -> None:
        """Remove the folder of a machine: the big things first, the record last, so that a crash leaves it in sight."""
        folder = self.folder(machine_id)
        for path in folder.iterdir() if folder.is_dir() else ():
            if path.name != RECORD:
                run(["rm", "-rf", "--one-file-system", "--", str(path)], deadline=300)
        with host_locked():
            if folder.is_dir():
                folder.rename(self._root / f".gone-{machine_id}")
            self.sweep()

    def sweep(self) -> None:
        """Remove the remains of records that were being written or removed when their process was killed.

        Call it with the host's lock held.
        """
        for leftover in [*self._root.glob(".new-*"), *self._root.glob(".gone-*")]:
            run(["rm", "-rf", "--one-file-system", "--", str(leftover)])


def new_id() -> str:
    """Make the id of a machine: eight hexadecimal digits, fit for a network device's name."""
    return secrets.token_hex(4)


def _write(path: Path, machine: Machine) -> None:
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as stream:
        os.fchmod(stream.fileno(), 0o600)
        stream.write(machine.model_dump_json(indent=2).encode() + b"\n")
        stream.flush()
        os.fsync(stream.fileno())
    temporary.rename(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
