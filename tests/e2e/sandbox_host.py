"""What the end-to-end tests look at: the host itself, and a machine through ssh."""

from __future__ import annotations

import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

MACHINE_FOLDER = re.compile(r"/machines/([0-9a-f]{8})/")


def sh(*argv: str, text: str = "") -> str:
    return subprocess.run(argv, input=text, capture_output=True, text=True, check=True).stdout


def traces(state: Path) -> set[str]:
    """Give every line by which the host shows a machine of the folder `state`: there, or left over.

    Somebody else may use the sandbox at the same time: what belongs to a machine of another folder is left out.
    """
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    processes = sh("ps", "-eo", "args=").splitlines()
    lines = [
        *sh("ip", "netns").splitlines(),
        *sh("ip", "-brief", "link").splitlines(),
        *sh("nft", "list", "tables").splitlines(),
        *sh("losetup", "--all").splitlines(),
        *processes,
        *mounts,
        *map(str, Path("/sys/fs/cgroup").glob("**/stackwise/*/")),
        *map(str, Path("/run/systemd/nspawn").glob("*/*")),
        *map(str, (state / "machines").glob("*")),
        *map(str, (state / "machines").glob(".*")),
    ]
    others = {each for line in [*mounts, *processes] if str(state) not in line for each in MACHINE_FOLDER.findall(line)}
    ours = re.compile(rf"stackwise-[0-9a-f]{{8}}|/stackwise/[0-9a-f]{{8}}|sw-[0-9a-f]{{8}}|{re.escape(str(state))}")
    table = set() if others else {line for line in lines if line == "table ip stackwise"}
    return table | {line for line in lines if ours.search(line) and not any(each in line for each in others)}


def leftovers(state: Path, before: set[str]) -> set[str]:
    """Give the traces not there `before`; what somebody else's machine shows while it comes or goes will pass."""
    until = time.monotonic() + 15
    while (left := traces(state) - before) and time.monotonic() < until:
        time.sleep(0.5)
    return left


@dataclass(frozen=True)
class Login:
    """The first login of a user who knows the host key beforehand."""

    folder: Path

    def prepare(self) -> None:
        for name in ("user", "host"):
            sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / name))

    def user_data(self, extra: str = "") -> str:
        private = "".join(f"    {line}\n" for line in (self.folder / "host").read_text().splitlines())
        return (
            "#cloud-config\nssh_deletekeys: true\nssh_keys:\n  ed25519_private: |\n"
            + private
            + f"  ed25519_public: {(self.folder / 'host.pub').read_text().strip()}\n"
            + "disable_root: false\nusers:\n- name: root\n  ssh_authorized_keys:\n"
            + f"  - {(self.folder / 'user.pub').read_text().strip()}\n"
            + extra
        )

    def run(self, address: str, command: str, *, deadline: float = 60) -> str:
        """Run `command` as soon as sshd answers, with strict checking of the pinned key."""
        kind, key, *_ = (self.folder / "host.pub").read_text().split()
        (self.folder / "known_hosts").write_text(f"{address} {kind} {key}\n")
        options = ["StrictHostKeyChecking=yes", f"UserKnownHostsFile={self.folder / 'known_hosts'}", "BatchMode=yes"]
        options += ["ConnectTimeout=5", "LogLevel=ERROR", "GlobalKnownHostsFile=/dev/null"]
        argv = [
            "ssh",
            "-i",
            str(self.folder / "user"),
            *(f"-o{option}" for option in options),
            f"root@{address}",
            command,
        ]
        until = time.monotonic() + deadline
        while True:
            done = subprocess.run(argv, capture_output=True, text=True, check=False)
            silent = done.returncode == 255 and "verification failed" not in done.stderr  # ssh's own code: no answer
            if not silent or time.monotonic() > until:
                break
            time.sleep(0.1)
        assert done.returncode == 0, f"{command}: {done.returncode} {done.stdout} {done.stderr}"
        return done.stdout.strip()
