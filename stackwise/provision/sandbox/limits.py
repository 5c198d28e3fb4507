"""CPU, memory and devices: what the machine may take of the host, through control groups of version 1, 2 or both.

Where systemd runs the host, it makes the groups itself (unit_properties). Elsewhere we make `stackwise/ID` in every
hierarchy that is mounted, and systemd-nspawn, started in it, divides it further.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from stackwise.errors import DeadlineError
from stackwise.provision.sandbox.locks import host_locked
from stackwise.provision.sandbox.processes import wait_until
from stackwise.provision.sandbox.store import Limit

MOUNTS = Path("/proc/self/mounts")
PARENT = "stackwise"
PERIOD = 100_000  # microseconds
EMPTIED = 10.0
NO_MEMORY_LIMIT = 2**60
LIMIT_FILES = {"memory": ("memory.limit_in_bytes", "memory.max"), "cpu": ("cpu.cfs_quota_us", "cpu.max")}
# The devices that systemd-nspawn puts into /dev; every other one of the host stays out of reach, disks first.
DEVICES = (
    "c *:* m",
    "b *:* m",
    *(f"c 1:{minor} rwm" for minor in (3, 5, 7, 8, 9)),  # null, zero, full, random, urandom
    *(f"c 5:{minor} rwm" for minor in (0, 1, 2)),  # tty, console, ptmx
    "c 136:* rwm",  # terminals
    "c 10:200 rwm",  # net/tun
)


@dataclass(frozen=True, slots=True)
class Hierarchies:
    """The control group hierarchies of a host: where each is mounted. `second` is the one of version 2, if any."""

    first: dict[str, Path] = field(default_factory=dict)
    second: Path | None = None

    @property
    def roots(self) -> set[Path]:
        """All mount points; `cpu,cpuacct` is one."""
        return {*self.first.values(), *([self.second] if self.second else [])}


@dataclass(frozen=True, slots=True)
class Groups:
    """What a leader must write its pid to before it starts: `keeper` at once, `machine` in the last moment.

    They differ in version 2 alone, where a group that is divided further must hold no process itself.
    """

    keeper: tuple[Path, ...]
    machine: tuple[Path, ...]
    limits: dict[str, Limit]


def hierarchies(mounts: str) -> Hierarchies:
    """Read the hierarchies from the text of /proc/self/mounts. cpuset is left alone: an empty one takes no process."""
    found: dict[str, Path] = {}
    second = None
    for line in mounts.splitlines():
        _, target, kind, options, *_ = line.split(" ")
        if kind == "cgroup2":
            second = second or Path(target)
        elif kind == "cgroup":
            names = [Path(target).name, *options.split(",")]
            found |= dict.fromkeys([name for name in names if name not in found], Path(target))
    return Hierarchies({name: path for name, path in found.items() if path != found.get("cpuset")}, second)


def unit_properties(cpus: int, memory_mib: int) -> list[str]:
    """Give the properties of the machine's unit, for a host that systemd runs."""
    return [
        "Delegate=yes",
        f"CPUQuota={cpus * 100}%",
        f"MemoryMax={memory_mib}M",
        "MemorySwapMax=0",
        "DevicePolicy=closed",
        "DeviceAllow=/dev/net/tun rwm",
        "DeviceAllow=char-pts rw",
    ]


def unit_limits(group: str) -> dict[str, Limit]:
    """Look whether the unit's control group `group` (systemd's ControlGroup) really has what was asked for it.

    systemd takes a property without a word where the kernel has no controller for it.
    """
    host = hierarchies(MOUNTS.read_text())
    found = {controller: _limited(host, group, controller) for controller in LIMIT_FILES}
    # Devices are limited by a program in the kernel (version 2), which nothing shows.
    return found | {"devices": Limit(enforced=True)}


def make_groups(machine_id: str, cpus: int, memory_mib: int) -> Groups:
    """Make the machine's control groups, `cpus` processors and `memory_mib` MiB wide, and say what is enforced."""
    host = hierarchies(MOUNTS.read_text())
    with host_locked():
        for root in host.roots:
            with suppress(OSError):  # a hierarchy that can't be written: the limit that misses it says so
                (root / PARENT / machine_id).mkdir(parents=True, exist_ok=True)
    limits = {
        "memory": _set(host, machine_id, "memory", _memory(memory_mib)),
        "cpu": _set(host, machine_id, "cpu", _cpu(cpus)),
        "devices": _limit_devices(host, machine_id),
    }
    return _groups(host, machine_id, limits)


def remove_groups(machine_id: str) -> None:
    """Remove the machine's control groups; raise DeadlineError when one is still in use after ten seconds."""
    if not wait_until(lambda: not _try_removing(machine_id), EMPTIED):
        busy = ", ".join(map(str, _group_folders(machine_id)))
        raise DeadlineError(f"control groups are still in use: {busy}", hint=f"type: cat {busy}/cgroup.procs")


def pids_in_groups(machine_id: str) -> set[int]:
    """Give the pids of all processes in the machine's control groups."""
    pids: set[int] = set()
    for folder in _group_folders(machine_id):
        for file in folder.rglob("cgroup.procs"):
            with suppress(OSError):
                pids |= {int(pid) for pid in file.read_text().split()}
    return pids - {0}


def _limited(host: Hierarchies, group: str, controller: str) -> Limit:
    roots = [*([host.first[controller]] if controller in host.first else []), *([host.second] if host.second else [])]
    for root in roots:
        for name in LIMIT_FILES[controller]:
            file = root / group.lstrip("/") / name
            if file.exists() and not is_unlimited(file.read_text()):
                return Limit(enforced=True)
    return Limit(enforced=False, reason=f"the kernel shows no limit for {controller} in {group}")


def is_unlimited(value: str) -> bool:
    """Tell whether the text of a limit's file means none: max, -1, or (memory, version 1) all that can be counted."""
    first = value.split()[0]
    return first == "max" or not 0 <= int(first) < NO_MEMORY_LIMIT


def _memory(mib: int) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    size = str(mib * 1024**2)
    return [("memory.limit_in_bytes", size), ("memory.memsw.limit_in_bytes", size)], [
        ("memory.max", size),
        ("memory.swap.max", "0"),
    ]


def _cpu(cpus: int) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    quota = str(cpus * PERIOD)
    return [("cpu.cfs_period_us", str(PERIOD)), ("cpu.cfs_quota_us", quota)], [("cpu.max", f"{quota} {PERIOD}")]


def _set(
    host: Hierarchies,
    machine_id: str,
    controller: str,
    settings: tuple[list[tuple[str, str]], list[tuple[str, str]]],
) -> Limit:
    """Write the first or the second version's settings of a controller. What isn't there (swap) is no loss."""
    first, second = settings
    try:
        if controller in host.first:
            _write(host.first[controller] / PARENT / machine_id, first)
        elif host.second and controller in (host.second / "cgroup.controllers").read_text().split():
            for group in (host.second, host.second / PARENT):
                (group / "cgroup.subtree_control").write_text(f"+{controller}")
            _write(host.second / PARENT / machine_id, second)
        else:
            return Limit(enforced=False, reason=f"this host has no control group for {controller}")
    except OSError as fault:
        return Limit(enforced=False, reason=f"the control group for {controller} can't be set: {fault}")
    return Limit(enforced=True)


def _write(group: Path, settings: Iterable[tuple[str, str]]) -> None:
    for number, (name, value) in enumerate(settings):
        if number == 0 or (group / name).exists():
            (group / name).write_text(value)


def _limit_devices(host: Hierarchies, machine_id: str) -> Limit:
    if "devices" not in host.first:
        return Limit(
            enforced=False, reason="only systemd can limit devices on this host, and it was not booted with it"
        )
    group = host.first["devices"] / PARENT / machine_id
    try:
        (group / "devices.deny").write_text("a")
        for rule in DEVICES:
            (group / "devices.allow").write_text(rule)
    except OSError as fault:
        return Limit(enforced=False, reason=f"the control group for devices can't be set: {fault}")
    return Limit(enforced=True)


def _groups(host: Hierarchies, machine_id: str, limits: dict[str, Limit]) -> Groups:
    first = [root / PARENT / machine_id for root in sorted(set(host.first.values()))]
    machine: list[Path] = []
    if host.second and (host.second / PARENT / machine_id).is_dir():
        for name, group in (("keeper", first), ("machine", machine)):
            folder = host.second / PARENT / machine_id / name
            folder.mkdir(exist_ok=True)
            group.append(folder)
    joinable = [group / "cgroup.procs" for group in first if group.is_dir()]
    return Groups(tuple(joinable), tuple(group / "cgroup.procs" for group in machine), limits)


def _group_folders(machine_id: str) -> list[Path]:
    roots = hierarchies(MOUNTS.read_text()).roots
    return [root / PARENT / machine_id for root in roots if (root / PARENT / machine_id).is_dir()]


def _try_removing(machine_id: str) -> list[Path]:
    """Remove what can be removed, and give what is left."""
    with host_locked():
        for folder in _group_folders(machine_id):
            inner = sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True)
            for path in [*inner, folder, folder.parent]:
                with suppress(OSError):  # still in use, or (the parent) another machine's too
                    path.rmdir()
    return _group_folders(machine_id)
