"""The base: a small Debian that every machine of an image shares and none can write to. Made once, kept in the cache.

CACHE/debian-13-0123456789ab/       a finished base; the digits are a hash of its recipe
CACHE/debian-13-0123456789ab.log    what mmdebstrap said
CACHE/.building/                    one being made; left there by an interrupted build, removed by the next
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from stackwise.errors import ProvisionError, UsageError
from stackwise.provision.sandbox import surroundings
from stackwise.provision.sandbox.commands import follow, run
from stackwise.provision.sandbox.disks import unmount
from stackwise.provision.sandbox.locks import locked
from stackwise.provision.sandbox.places import Places

SUITES = {"debian-12": "bookworm", "debian-13": "trixie"}
PACKAGES = (
    "systemd", "systemd-sysv", "dbus", "udev", "openssh-server", "python3", "python3-apt", "sudo", "ca-certificates",
    "iproute2", "iputils-ping", "procps", "cloud-init", "netbase", "ifupdown",
)  # fmt: skip
# The seed is the only source of a machine's first instructions, and its cable is laid from outside.
CLOUD_CONFIG = "datasource_list: [NoCloud]\nnetwork: {config: disabled}\n"
# On a host with lxcfs (see nspawn.py) the machine sees its own memory and uptime. systemd-nspawn itself can't mount
# these: lxcfs answers by who asks, and before the machine's process 1 is there nobody asks from inside.
PROC_UNIT = """\
[Unit]
Description=Memory and uptime of this machine instead of its host's
DefaultDependencies=no
ConditionPathExists=/var/lib/lxcfs/proc/meminfo
Before=sysinit.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=sh -c 'for each in meminfo uptime loadavg swaps; do mount --bind /var/lib/lxcfs/proc/$each /proc/$each; done'

[Install]
WantedBy=sysinit.target
"""
# Raise it when a change of this module makes other files out of the same recipe.
VERSION = 1
DEADLINE = 1800.0
SPOKEN_EVERY = 2.0
WAITING = "another process is making the base image: waiting for it"

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that a base depends upon; two equal recipes make the same base."""

    image: str
    mirrors: tuple[str, ...]
    apt_options: tuple[str, ...]
    pip_configuration: str
    certificates: tuple[tuple[str, str], ...]
    packages: tuple[str, ...] = PACKAGES
    cloud_config: str = CLOUD_CONFIG
    proc_unit: str = PROC_UNIT
    version: int = VERSION

    @property
    def name(self) -> str:
        """The folder's name: the image and a hash of everything else."""
        text = json.dumps(asdict(self), sort_keys=True)
        return f"{self.image}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def recipe_for(image: str, places: Places) -> Recipe:
    """Give today's recipe of `image` on this host; raise UsageError for an image that we don't make."""
    if image not in SUITES:
        raise UsageError(f"the sandbox has no image {image!r}", hint=f"take one of: {', '.join(SUITES)}")
    return Recipe(
        image=image,
        mirrors=places.mirrors,
        apt_options=tuple(surroundings.apt_options()),
        pip_configuration=surroundings.pip_configuration(),
        certificates=tuple(
            (name, data.decode(errors="replace")) for name, data in surroundings.extra_certificates().items()
        ),
    )


def ensure_base(image: str, places: Places, progress: Progress) -> Path:
    """Give the folder of the base of `image`; make it first when there is none. Takes about a minute then.

    One process builds, others wait for it. Raises ProvisionError with mmdebstrap's words when it can't be made.
    """
    recipe = recipe_for(image, places)
    finished = places.cache / recipe.name
    if not finished.is_dir():
        places.cache.mkdir(parents=True, exist_ok=True, mode=0o700)
        (places.cache / ".lock").touch(mode=0o600)
        with locked(places.cache / ".lock", deadline=DEADLINE, waiting=lambda: progress(WAITING)) as lock:
            if not finished.is_dir():
                _build(recipe, finished, lock, progress)
    return finished


def mmdebstrap_argv(recipe: Recipe, target: Path, mirrors: tuple[str, ...]) -> list[str]:
    """Give the command line that makes the base in `target`; without `mirrors` from mmdebstrap's own."""
    suite = SUITES[recipe.image]
    return [
        "unshare", "--mount", "--",  # what it mounts in there is gone with it, even when it is killed
        "mmdebstrap",
        "--verbose",
        "--variant=minbase",
        "--format=directory",
        f"--include={','.join(recipe.packages)}",
        *(f"--aptopt={line}" for line in recipe.apt_options),
        suite,
        str(target),
        *(surroundings.mirror_lines(mirrors, suite) if mirrors else ()),
    ]  # fmt: skip


def spoken(line: str) -> str:
    """Turn a line of mmdebstrap or apt into a word for the user; nothing for what would mean nothing to him."""
    if line.startswith("I: "):
        return line.removeprefix("I: ")
    head, _, rest = line.partition(" ")
    if head.startswith("Get:"):
        return f"fetching {' '.join(rest.split()[3:4])}"
    if head in {"Unpacking", "Setting"}:
        return line.partition("(")[0].strip().lower()
    return ""


def _build(recipe: Recipe, finished: Path, lock: int, progress: Progress) -> None:
    building = finished.parent / ".building"
    _clear(building)
    started = time.monotonic()
    progress(f"making the base image {recipe.image} (once; about a minute)")
    _bootstrap(recipe, building, finished.with_suffix(".log"), lock, progress)
    _finish(recipe, building)
    building.rename(finished)
    progress(f"the base image {recipe.image} is ready after {time.monotonic() - started:.0f} s")


def _bootstrap(recipe: Recipe, building: Path, log: Path, lock: int, progress: Progress) -> None:
    """Run mmdebstrap; where its own mirror can't be reached, once more with those that the host uses."""
    tries = [recipe.mirrors] if recipe.mirrors else [(), *filter(None, [surroundings.host_mirrors()])]
    for number, mirrors in enumerate(tries):
        if number:
            progress("the default mirror did not serve: trying the mirrors of this host")
            _clear(building)
        heard = _Herald(progress)
        # The lock goes along: should we be killed, nobody builds in the same folder until mmdebstrap is done, too.
        if follow(mmdebstrap_argv(recipe, building, mirrors), log, heard, keep_open=(lock,)) == 0:
            return
    raise ProvisionError(
        f"the base image {recipe.image} could not be made: {heard.complaint or 'mmdebstrap failed'}",
        hint="give a mirror (STACKWISE_SANDBOX_MIRROR='ARCHIVE-URL SECURITY-URL'), or to see why, type: "
        f"tail -n 40 {log}",
    )


class _Herald:
    """Hears every line of mmdebstrap, and says one now and then."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._next = 0.0
        self.complaint = ""

    def __call__(self, line: str) -> None:
        if line.startswith("E: "):
            self.complaint = self.complaint or line.removeprefix("E: ")
        word = spoken(line)
        if word and (line.startswith("I: ") or time.monotonic() >= self._next):
            self._next = time.monotonic() + SPOKEN_EVERY
            self._progress(f"base image: {word}")


def _finish(recipe: Recipe, root: Path) -> None:
    """Give the base what the host's surroundings ask for, and take away what each machine must have of its own."""
    for name, text in recipe.certificates:
        put(root, f"usr/local/share/ca-certificates/{name}", text)
    if recipe.certificates:
        run(["chroot", str(root), "update-ca-certificates"])
    if recipe.pip_configuration:
        put(root, "etc/pip.conf", recipe.pip_configuration)
    put(root, "etc/cloud/cloud.cfg.d/90-stackwise-sandbox.cfg", recipe.cloud_config)
    put(root, "etc/systemd/system/sandbox-proc.service", recipe.proc_unit)
    run(["systemctl", f"--root={root}", "enable", "--quiet", "sandbox-proc.service"])
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    put(root, "etc/machine-id", "")
    (root / "var/lib/dbus/machine-id").unlink(missing_ok=True)
    root.chmod(0o755)


def put(root: Path, name: str, text: str, mode: int = 0o644) -> None:
    """Write a file of a machine or a base, with its folders, readable as `mode` says whatever our umask is."""
    path = root / name
    for folder in reversed([folder for folder in path.parents if folder.is_relative_to(root) and not folder.exists()]):
        folder.mkdir()
        folder.chmod(0o755)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def _clear(building: Path) -> None:
    if building.exists():
        unmount(building)
        run(["rm", "-rf", "--one-file-system", "--", str(building)], deadline=300)
