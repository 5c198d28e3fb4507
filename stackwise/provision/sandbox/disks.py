"""The disk of a machine: a sparse image of the size's disk, and over it the base's files, changed by the machine alone.

machines/ID/disk.img   ext4, as big as the size says, taking what was written
machines/ID/disk/      the image, mounted: upper/ (what the machine changed) and work/ (overlayfs's own)
machines/ID/root/      the base with upper/ over it: the machine's root
"""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

from stackwise.errors import DeadlineError, NothingLeftError
from stackwise.provision.sandbox.commands import attempt, run
from stackwise.provision.sandbox.store import Limit

LEAST_FREE = 2 * 1024**3
PAUSE = 0.05
RELEASED = 60.0
MOUNTS = Path("/proc/self/mounts")


def require_room(folder: Path) -> None:
    """Raise NothingLeftError when the file system of `folder` has under 2 GiB left."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if free < LEAST_FREE:
        raise NothingLeftError(
            f"{existing} has {free / 1024**3:.1f} GiB left, and a sandbox machine wants 2 at the least",
            hint=f"to see what takes the room, type: du -xh --max-depth=2 {existing} | sort -h | tail",
        )


def make_disk(folder: Path, gib: int) -> Limit:
    """Make the disk of the machine in `folder`, `gib` GiB big, and say whether it is really bounded."""
    image = folder / "disk.img"
    (folder / "root").mkdir(mode=0o700, exist_ok=True)
    (folder / "disk").mkdir(mode=0o700, exist_ok=True)
    with image.open("wb") as stream:
        stream.truncate(gib * 1024**3)
    run(["mkfs.ext4", "-q", "-m", "0", "-E", "lazy_itable_init=1,lazy_journal_init=1", str(image)])
    code, _, complaint = attempt(_mount_image(folder))
    unmount(folder)
    if code == 0:
        return Limit(enforced=True)
    image.unlink()
    return Limit(enforced=False, reason=f"no loop device here ({complaint.strip()}): a plain folder of the host")


def mount(folder: Path, base: Path) -> None:
    """Mount the disk of the machine in `folder`, and its root over `base`."""
    disk, root = folder / "disk", folder / "root"
    _share(folder)
    if (folder / "disk.img").exists():
        run(_mount_image(folder))
    for part in ("upper", "work"):
        (disk / part).mkdir(exist_ok=True)
    # It is the machine's "/": everybody in there must be able to enter it, whatever our umask is.
    (disk / "upper").chmod(0o755)
    options = f"lowerdir={base},upperdir={disk / 'upper'},workdir={disk / 'work'}"
    run(["mount", "-t", "overlay", "overlay", "-o", options, str(root)])


def _share(folder: Path) -> None:
    """Let what is unmounted below `folder` be unmounted in other machines' mount namespaces as well.

    A machine started later has a copy of every mount of the host. Without this, on a host whose mounts are private,
    that copy holds our disk as long as the other machine runs. Private first: on a host whose mounts are shared, the
    folder would stay in the group of what it lies on, and everything mounted below it be mounted twice.
    """
    if str(folder) not in mounted_below(folder, MOUNTS.read_text()):
        run(["mount", "--bind", str(folder), str(folder)])
    run(["mount", "--make-private", str(folder)])
    run(["mount", "--make-shared", str(folder)])


def unmount(folder: Path) -> None:
    """Unmount everything below `folder`, the last mounted first, and let its loop device go.

    Raises DeadlineError when the loop device is still held after ten seconds.
    """
    while targets := mounted_below(folder, MOUNTS.read_text()):
        code, _, _ = attempt(["umount", targets[-1]])
        if code != 0:
            # Somebody of the host stands in it (a shell, an editor): out of sight now, gone when he leaves.
            run(["umount", "--lazy", targets[-1]])
    _await_release(folder / "disk.img")


def mounted_below(folder: Path, mounts: str) -> list[str]:
    """Give the mount points at and below `folder`, in the order of `mounts` (/proc/self/mounts): oldest first."""
    targets = [_unescape(line.split(" ")[1]) for line in mounts.splitlines() if line.count(" ") > 1]
    return [target for target in targets if Path(target).is_relative_to(folder)]


def _mount_image(folder: Path) -> list[str]:
    # discard: what a machine deletes is given back to the host's disk.
    return ["mount", "-o", "loop,noatime,discard", str(folder / "disk.img"), str(folder / "disk")]


def _await_release(image: Path) -> None:
    until = time.monotonic() + RELEASED
    while image.exists() and run(["losetup", "--associated", str(image)]).strip():
        if time.monotonic() > until:
            raise DeadlineError(
                f"a loop device still holds {image}", hint=f"to see who uses it, type: fuser -vm {image.parent}"
            )
        time.sleep(PAUSE)


def _unescape(field: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), field)
