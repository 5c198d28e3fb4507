"""Files by which the installers of Debian and Ubuntu bring a blank machine to where `stackwise up` can take it up.

Each makes the administrator with the key and sudo, no password that opens anything, and the disks as the answers say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from stackwise.plan.model import Plan
from stackwise.render.yaml_text import comment, dump

PRESEED, USER_DATA, META_DATA = "install/debian/preseed.cfg", "install/ubuntu/user-data", "install/ubuntu/meta-data"
NAMES = (PRESEED, USER_DATA, META_DATA)
# Of a mirror, in the order of the disk: what firmware of either kind boots from, then all the rest. Sizes in MB.
_MIRRORED = (
    "mirror ::",
    "1 1 1 free $iflabel{ gpt } $reusemethod{ } method{ biosgrub } .",
    "538 538 1075 free $iflabel{ gpt } $reusemethod{ } method{ efi } format{ } .",
    "4000 10000 -1 raid $lvmignore{ } $primary{ } method{ raid } raidid{ 1 } .",
)


def install_files(plan: Plan, admin_keys: Sequence[str]) -> dict[str, str]:
    """Return the files for a server that is there already, or shall be soon; none without a key to put in."""
    if not plan.found or plan.is_shared or not admin_keys:
        return {}
    # A comment may have any sign; these files pass through several readers before they are shell.
    keys = [" ".join(key.split()[:2]) for key in admin_keys]
    return {PRESEED: _preseed(plan, keys), USER_DATA: _autoinstall(plan, keys), META_DATA: _meta_data(plan)}


def _preseed(plan: Plan, keys: Sequence[str]) -> str:
    system = plan.servers[0].image
    head = comment(
        f"Installs {system} on a blank machine by its own installer, asking nothing. All that is on "
        f"{' and '.join(plan.disks)} is lost. Boot the installer with: auto=true priority=critical url=ADDRESS, which "
        "is where this file can be fetched."
    )
    return head + "\n".join([*_system(plan), *_disks(plan.disks), *_login(plan.access.admin_user, keys), ""])


def _system(plan: Plan) -> Iterator[str]:
    yield "d-i debian-installer/locale string en_US.UTF-8"
    yield "d-i keyboard-configuration/xkb-keymap select us"
    yield "d-i netcfg/choose_interface select auto"
    yield f"d-i netcfg/get_hostname string {plan.servers[0].name}"
    yield "d-i netcfg/get_domain string unassigned-domain"
    yield "d-i clock-setup/utc boolean true"
    yield "d-i time/zone string Etc/UTC"
    yield "tasksel tasksel/first multiselect ssh-server"
    yield "d-i pkgsel/include string openssh-server sudo python3"
    yield "d-i pkgsel/upgrade select full-upgrade"
    yield "popularity-contest popularity-contest/participate boolean false"


def _disks(disks: Sequence[str]) -> Iterator[str]:
    yield f"d-i partman-auto/disk string {' '.join(disks)}"
    if len(disks) == 1:
        yield "d-i partman-auto/method string regular"
        yield "d-i partman-auto/choose_recipe select atomic"
    else:
        yield "d-i partman-auto/method string raid"
        yield f"d-i partman-auto-raid/recipe string 1 {len(disks)} 0 ext4 / raidid=1 ."
        yield f"d-i partman-auto/expert_recipe string {' '.join(_MIRRORED)}"
        yield "d-i partman-md/device_remove_md boolean true"
        yield "d-i partman-md/confirm boolean true"
        yield "d-i partman-md/confirm_nooverwrite boolean true"
        yield "d-i partman-basicfilesystems/no_swap boolean false"
    yield "d-i partman-lvm/device_remove_lvm boolean true"
    yield "d-i partman-partitioning/confirm_write_new_label boolean true"
    yield "d-i partman/choose_partition select finish"
    yield "d-i partman/confirm boolean true"
    yield "d-i partman/confirm_nooverwrite boolean true"
    yield "d-i grub-installer/only_debian boolean true"
    yield f"d-i grub-installer/bootdev string {' '.join(disks)}"


def _login(admin: str, keys: Sequence[str]) -> Iterator[str]:
    yield "d-i passwd/root-login boolean false"
    yield f"d-i passwd/user-fullname string {admin}"
    yield f"d-i passwd/username string {admin}"
    # No password opens an account whose hash is no hash.
    yield "d-i passwd/user-password-crypted password !"
    home, ssh = f"/home/{admin}", "/target/etc/ssh/sshd_config.d/10-keys-only.conf"
    written = " ".join(f"'{key}'" for key in keys)
    steps = (
        f"mkdir -p /target{home}/.ssh",
        f"printf '%s\\n' {written} > /target{home}/.ssh/authorized_keys",
        f"in-target chown -R {admin}:{admin} {home}/.ssh",
        f"in-target chmod -R u=rwX,go= {home}/.ssh",
        f"printf '%s\\n' '{admin} ALL=(ALL:ALL) NOPASSWD: ALL' > /target/etc/sudoers.d/stackwise",
        "in-target chmod 0440 /etc/sudoers.d/stackwise",
        f"printf '%s\\n' 'PermitRootLogin no' 'PasswordAuthentication no' > {ssh}",
    )
    yield f"d-i preseed/late_command string {'; '.join(steps)}"
    yield "d-i finish-install/reboot_in_progress note"


def _autoinstall(plan: Plan, keys: Sequence[str]) -> str:
    admin = plan.access.admin_user
    user = {
        "name": admin,
        "lock_passwd": True,
        "shell": "/bin/bash",
        "sudo": "ALL=(ALL:ALL) NOPASSWD: ALL",
        "ssh_authorized_keys": list(keys),
    }
    wishes = {
        "version": 1,
        "locale": "en_US.UTF-8",
        "keyboard": {"layout": "us"},
        "timezone": "Etc/UTC",
        "storage": _storage(plan.disks),
        "ssh": {"install-server": True, "allow-pw": False},
        "packages": ["python3", "sudo"],
        "user-data": {"hostname": plan.servers[0].name, "users": [user], "disable_root": True},
        "shutdown": "reboot",
    }
    head = comment(
        f"Installs Ubuntu Server on a blank machine by its own installer, asking nothing. All that is on "
        f"{' and '.join(plan.disks)} is lost. Give it as cloud-init's user-data, with meta-data beside it, and boot "
        f"the installer with: autoinstall. The plan beside it is for {plan.servers[0].image}: stackwise up takes a "
        "server with another system only once stack.os names it."
    )
    return f"#cloud-config\n{head}{dump({'autoinstall': wishes})}"


def _storage(disks: Sequence[str]) -> dict[str, Any]:
    if len(disks) == 1:
        return {"layout": {"name": "direct", "match": {"path": disks[0]}}}
    config = [part for number, disk in enumerate(disks) for part in _mirrored(number, disk)]
    members = [f"rest-{number}" for number in range(len(disks))]
    config += [
        {"id": "mirror", "type": "raid", "name": "md0", "raidlevel": "raid1", "devices": members, "preserve": False},
        {"id": "root", "type": "format", "fstype": "ext4", "volume": "mirror", "preserve": False},
        {"id": "root-mount", "type": "mount", "device": "root", "path": "/"},
        {"id": "boot-mount", "type": "mount", "device": "efi-0", "path": "/boot/efi"},
    ]
    return {"swap": {"size": 0}, "config": config}


def _mirrored(number: int, disk: str) -> Iterator[dict[str, Any]]:
    """Yield a disk of a mirror: the firmware's part, from which each of them boots, and the rest."""
    name = f"disk-{number}"
    part = {"type": "partition", "device": name, "preserve": False}
    yield {"id": name, "type": "disk", "path": disk, "ptable": "gpt", "wipe": "superblock", "preserve": False}
    yield {**part, "id": f"boot-{number}", "number": 1, "size": "512M", "flag": "boot", "grub_device": True}
    yield {"id": f"efi-{number}", "type": "format", "fstype": "fat32", "volume": f"boot-{number}", "preserve": False}
    yield {**part, "id": f"rest-{number}", "number": 2, "size": -1}


def _meta_data(plan: Plan) -> str:
    name = plan.servers[0].name
    return dump({"instance-id": name, "local-hostname": name})
