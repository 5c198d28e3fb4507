"""Starting a machine: systemd-nspawn's arguments, and who keeps it alive when we are gone."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from stackwise.provision.sandbox.commands import attempt, detach, run
from stackwise.provision.sandbox.limits import Groups
from stackwise.provision.sandbox.network import namespace_path
from stackwise.provision.sandbox.processes import machine_name

# The network part of /proc/sys belongs to the machine's own namespace; the rest is the host's and stays read-only.
ENVIRONMENT = {"SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network"}
NSPAWN_FOLDERS = (Path("/run/systemd/nspawn/propagate"), Path("/run/systemd/nspawn/unix-export"))
REBOOT = 133  # systemd-nspawn's exit code for "start me again"
LXCFS = Path("/var/lib/lxcfs")
LOG_BYTES = 1024 * 1024

# Joins the control groups, then starts the machine again as often as it reboots. What the machine prints on its console
# is kept up to a size: the reader reads on, so that a talkative machine neither fills the host's disk nor is blocked.
KEEPER = f"""
log=$1 inner=$2 count=$3; shift 3
while [ "$count" -gt 0 ]; do echo $$ > "$1"; shift; count=$((count - 1)); done
{{
  while :; do
    ( [ -z "$inner" ] || sh -c 'echo $PPID > "$1"' sh "$inner"; exec "$@" )
    code=$?
    [ "$code" -eq {REBOOT} ] || exit "$code"
  done
}} 2>&1 < /dev/null | {{ head -c {LOG_BYTES} > "$log"; cat > /dev/null; }}
"""


def nspawn_argv(machine_id: str, hostname: str, root: Path, *, lxcfs: bool = False) -> list[str]:
    """Give the command line that boots the machine in `root`, with the host's `lxcfs` in its reach or not."""
    return [
        "systemd-nspawn",
        "--quiet",
        "--boot",
        f"--directory={root}",
        f"--machine={machine_name(machine_id)}",
        f"--hostname={hostname}",
        f"--network-namespace-path={namespace_path(machine_id)}",
        "--capability=CAP_NET_ADMIN",
        "--resolv-conf=off",
        "--timezone=off",
        "--link-journal=no",
        "--console=read-only",
        "--register=no",
        "--keep-unit",
        *([f"--bind-ro={LXCFS}"] if lxcfs else []),
    ]


def has_lxcfs() -> bool:
    """Tell whether the host's lxcfs runs: it shows each machine its own memory and uptime instead of the host's."""
    return (LXCFS / "proc/meminfo").exists()


def booted_with_systemd() -> bool:
    """Tell whether systemd runs this host (sd_booted(3))."""
    return Path("/run/systemd/system").is_dir()


def launch_detached(machine_id: str, argv: Sequence[str], groups: Groups, log: Path) -> None:
    """Start the machine on a host that systemd does not run: in a session and in control groups of its own."""
    inner = str(groups.machine[0]) if groups.machine else ""
    keepers = [str(path) for path in groups.keeper]
    detach(
        ["sh", "-c", KEEPER, machine_name(machine_id), str(log), inner, str(len(keepers)), *keepers, *argv],
        extra=ENVIRONMENT,
    )


def launch_unit(machine_id: str, argv: Sequence[str], properties: Sequence[str]) -> None:
    """Start the machine as a transient unit of the host's systemd, which keeps it, limits it and starts it again."""
    options = [
        "--slice=machine.slice",
        f"--description=stackwise sandbox {machine_id}",
        "--property=Type=exec",
        "--property=KillMode=mixed",
        f"--property=RestartForceExitStatus={REBOOT}",
        f"--property=SuccessExitStatus={REBOOT}",
        *(f"--property={each}" for each in properties),
        *(f"--setenv={name}={value}" for name, value in ENVIRONMENT.items()),
    ]
    run(["systemd-run", "--quiet", "--collect", f"--unit={unit(machine_id)}", *options, "--", *argv])


def unit(machine_id: str) -> str:
    """Give the name of the machine's unit on a host that systemd runs."""
    return f"{machine_name(machine_id)}.service"


def control_group(machine_id: str) -> str:
    """Give the control group of the machine's unit, as systemd names it."""
    return run(["systemctl", "show", "--property=ControlGroup", "--value", unit(machine_id)]).strip()


def forget(machine_id: str) -> None:
    """Remove what the host's systemd and a killed systemd-nspawn remember of a machine that is not running."""
    if booted_with_systemd():
        attempt(["systemctl", "stop", unit(machine_id)], deadline=120)
        attempt(["systemctl", "reset-failed", unit(machine_id)])
    for folder in NSPAWN_FOLDERS:
        with suppress(OSError):
            (folder / machine_name(machine_id)).rmdir()


def console_tail(machine_id: str, log: Path, lines: int = 8) -> str:
    """Give the last lines that the machine or systemd-nspawn printed."""
    if booted_with_systemd():
        _, text, _ = attempt(
            ["journalctl", "--output=cat", "--no-pager", f"--lines={lines}", f"--unit={unit(machine_id)}"]
        )
        return text.strip()
    if not log.exists():
        return ""
    return "\n".join(log.read_text(errors="replace").replace("\r", "").splitlines()[-lines:]).strip()
