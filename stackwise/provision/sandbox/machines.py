"""The life of a machine: made, started, stopped, destroyed. Every step can be cut off at any instant and be done again.

What a start makes (mounts, cable, control groups, processes) is what a host's reboot takes away. A stop takes away the
same, so a machine after a reboot of the host, one stopped, and one whose start was killed half-way are one case.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from stackwise.errors import ProvisionError, UsageError
from stackwise.provision.sandbox import disks, limits, network, nspawn, processes, seed
from stackwise.provision.sandbox.base import Progress, ensure_base
from stackwise.provision.sandbox.locks import host_locked
from stackwise.provision.sandbox.places import Places
from stackwise.provision.sandbox.requirements import require
from stackwise.provision.sandbox.store import Limit, Machine, Store, new_id

HOSTNAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
BOOTED = 30.0
POWERED_OFF = 90.0
# Longer than a base takes, which a create holds the machine's lock for.
BUSY = 300.0

State = Literal["running", "stopped", "pending", "stopping", "error"]


@dataclass(frozen=True, slots=True)
class Size:
    """What a machine may take of the host."""

    id: str
    cpus: int
    memory_mib: int
    disk_gib: int


SIZES = {
    size.id: size for size in (Size("small", 1, 1024, 10), Size("medium", 2, 2048, 20), Size("large", 4, 4096, 40))
}


@dataclass(frozen=True, slots=True)
class Order:
    """A machine as it was asked for."""

    name: str
    size: str
    image: str
    user_data: str
    public_keys: tuple[str, ...]
    tags: Mapping[str, str]


class Sandbox:
    """All machines of one state folder."""

    def __init__(self, places: Places, progress: Progress) -> None:
        """Work in `places`, and tell `progress` what takes longer than a moment."""
        self._places = places
        self._progress = progress
        self.store = Store(places)

    def states(self) -> list[tuple[Machine, State]]:
        """Give every machine with its state, the oldest first."""
        running = processes.running_ids()
        return [(machine, self._state(machine, running)) for machine in self.store.machines()]

    def state(self, machine: Machine) -> State:
        """Give the state of one machine, as the kernel sees it now."""
        return self._state(machine, processes.running_ids())

    def create(self, order: Order) -> Machine:
        """Make a machine and start it; it is recorded before anything of it is made.

        When it fails, everything is taken away again and the error raised; when we are killed, the record stays,
        and destroy() takes away what there is.
        """
        _require_hostname(order.name)
        require()
        disks.require_room(self._places.state)
        machine = self._record(order)
        with self.store.held(machine.id, deadline=BUSY), ExitStack() as undo:
            undo.callback(self._remove, machine)
            made = self._make(machine, order)
            undo.pop_all()
        return made

    def start(self, machine_id: str) -> Machine:
        """Start a machine that does not run, at the address that it had; nothing happens to one that runs."""
        self.store.get(machine_id)
        require()
        with self.store.held(machine_id, deadline=BUSY) as found:
            machine = _existing(found, machine_id)
            if processes.leaders(machine_id):
                return machine
            if machine.phase != "made":
                raise ProvisionError(
                    f"the sandbox machine {machine.name} ({machine_id}) is not whole: {machine.phase} it was cut off",
                    hint="destroy it and make it anew, type: stackwise destroy",
                )
            self._clear(machine)
            return self._boot(machine)

    def stop(self, machine_id: str) -> None:
        """Shut a machine down in good order, by force after 90 s; its disk and its address stay."""
        self.store.get(machine_id)
        with self.store.held(machine_id, deadline=BUSY) as found:
            machine = _existing(found, machine_id)
            self._power_off(machine)
            self._clear(machine)

    def reboot(self, machine_id: str) -> None:
        """Stop a machine and start it again."""
        self.stop(machine_id)
        self.start(machine_id)

    def destroy(self, machine_id: str) -> None:
        """Take away all of a machine; nothing happens when it is gone already."""
        with self.store.held(machine_id, deadline=BUSY) as machine:
            if machine is not None:
                self._remove(machine)

    def _record(self, order: Order) -> Machine:
        """Choose id and address and write them down, so that nobody else takes them."""
        machine_id = new_id()
        with host_locked():
            taken = [machine.subnet for machine in self.store.machines()]
            machine = Machine(
                id=machine_id,
                name=order.name,
                size=order.size,
                image=order.image,
                subnet=network.free_subnet(self._places.network, taken, seed=int(machine_id, 16)),
                created=datetime.now(UTC),
                tags=dict(order.tags),
            )
            self.store.add(machine)
        return machine

    def _make(self, machine: Machine, order: Order) -> Machine:
        folder = self.store.folder(machine.id)
        base = ensure_base(machine.image, self._places, self._progress)
        disk = disks.make_disk(folder, SIZES[machine.size].disk_gib)
        machine = machine.model_copy(update={"base": str(base), "limits": {"disk": disk}})
        disks.mount(folder, base)
        seed.plant(folder, machine, order.user_data, list(order.public_keys))
        disks.unmount(folder)
        machine = machine.model_copy(update={"phase": "made"})
        self.store.save(machine)
        return self._boot(machine)

    def _boot(self, machine: Machine) -> Machine:
        """Make what a running machine needs, start it, and wait for its systemd."""
        folder = self.store.folder(machine.id)
        self._require_base(machine)
        disks.mount(folder, Path(machine.base))
        seed.refresh_resolver(folder)
        network.connect(machine.id, machine.subnet)
        self._warn_of_firewall()
        enforced = self._launch(machine, folder)
        if not processes.boots(machine.id, BOOTED):
            raise self._did_not_boot(machine)
        machine = machine.model_copy(update={"limits": machine.limits | enforced})
        self.store.save(machine)
        self._progress(f"{machine.name} has booted at {machine.address}")
        return machine

    def _launch(self, machine: Machine, folder: Path) -> dict[str, Limit]:
        size = SIZES[machine.size]
        argv = nspawn.nspawn_argv(machine.id, machine.name, folder / "root", lxcfs=nspawn.has_lxcfs())
        if nspawn.booted_with_systemd():
            nspawn.launch_unit(machine.id, argv, limits.unit_properties(size.cpus, size.memory_mib))
            return limits.unit_limits(nspawn.control_group(machine.id))
        groups = limits.make_groups(machine.id, size.cpus, size.memory_mib)
        nspawn.launch_detached(machine.id, argv, groups, folder / "console.log")
        return groups.limits

    def _did_not_boot(self, machine: Machine) -> ProvisionError:
        said = nspawn.console_tail(machine.id, self.store.folder(machine.id) / "console.log")
        self._clear(machine)
        return ProvisionError(
            f"the sandbox machine {machine.name} ({machine.id}) did not boot; it said last: {said or 'nothing'}",
            hint="to see what this host lacks, type: stackwise providers",
        )

    def _power_off(self, machine: Machine) -> None:
        if processes.nspawn_pids(machine.id):
            self._progress(f"{machine.name} is shutting down")
        processes.ask_to_power_off(machine.id)
        processes.wait_until(lambda: not processes.leaders(machine.id), POWERED_OFF)

    def _clear(self, machine: Machine) -> None:
        """Take away what a start makes, or as much of it as there is."""
        processes.kill_all(machine.id, lambda: limits.pids_in_groups(machine.id))
        nspawn.forget(machine.id)
        limits.remove_groups(machine.id)
        disks.unmount(self.store.folder(machine.id))
        network.disconnect(machine.id, machine.subnet)

    def _remove(self, machine: Machine) -> None:
        self.store.save(machine.model_copy(update={"phase": "destroying"}))
        self._clear(machine)
        self.store.erase(machine.id)

    def _state(self, machine: Machine, running: set[str]) -> State:
        if machine.phase == "made":
            if machine.id in running:
                return "running"
            return "pending" if self.store.busy(machine.id) else "stopped"
        if not self.store.busy(machine.id):
            return "error"
        return "pending" if machine.phase == "creating" else "stopping"

    def _require_base(self, machine: Machine) -> None:
        if not Path(machine.base).is_dir():
            raise ProvisionError(
                f"the base image of {machine.name} ({machine.id}) is gone: {machine.base}",
                hint="its own files need it; destroy the machine and make it anew, type: stackwise destroy",
            )

    def _warn_of_firewall(self) -> None:
        chain = network.forwarding_refused()
        if chain:
            self._progress(
                f"this host's firewall drops forwarded packets ({chain}), so machines may not reach the internet: "
                "docs/explanation/sandbox.md says how to let them"
            )


def _existing(machine: Machine | None, machine_id: str) -> Machine:
    if machine is None:
        raise ProvisionError(
            f"the sandbox machine {machine_id} was destroyed meanwhile",
            hint="to see what there is, type: stackwise status",
        )
    return machine


def _require_hostname(name: str) -> None:
    if not HOSTNAME.fullmatch(name):
        raise UsageError(
            f"{name!r} can't be the name of a machine: small letters, digits and dashes, 63 at the most",
            hint="give it another name, for example: web-1",
        )
