"""A server that is there already: met by its fingerprint, looked at, refused or prepared, and left as it was."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from stackwise import events
from stackwise.advice import advise
from stackwise.advice.facts import gather, size_of
from stackwise.advice.offers import sold
from stackwise.cli import app
from stackwise.errors import (
    HostKeyMismatchError,
    ImpossibleError,
    InterruptedRunError,
    ProviderUnreachableError,
    ProvisionError,
    UsageError,
)
from stackwise.job import Job, load_job
from stackwise.journal import Journal
from stackwise.operate.removal import what_goes
from stackwise.provision.cloud import Order
from stackwise.provision.existing.adapter import ExistingCloud
from stackwise.provision.existing.host_key import fingerprint_of, held_to, shown_by
from stackwise.provision.existing.judge import in_the_way, stays, touched
from stackwise.provision.existing.look import Listener, Seen, look
from stackwise.provision.existing.meeting import FirstLogin
from stackwise.provision.existing.prepare import Preparer
from stackwise.provision.existing.scripts import script
from stackwise.provision.keys import make_key
from stackwise.provision.servers import Provisioner
from stackwise.provision.sharing import admit, described
from stackwise.render import file_names, render_project
from stackwise.render.install import META_DATA, PRESEED, USER_DATA, install_files
from stackwise.run import Runner
from stackwise.walk.design import open_design
from tests.fakes import FakePlaybookRun

ADDRESS = "192.0.2.44"
# Says what a server says: its answers to the look are a file, and what it was asked is kept.
SSH = """#!/bin/sh
echo "$@" >> "$SSH_LOG"
script=$(cat)
[ -z "$SSH_DOWN" ] || { echo "Permission denied (publickey)." >&2; exit 255; }
case "$script" in
  *'id -u; sudo'*) echo "${SSH_UID:-0}" ;;
  *'say system'*) cat "$SSH_SEEN" ;;
  *stackwise/existing/before.tar*xpf*) : ;;
  *'apt-mark showauto'*) echo "clear" >> "$SSH_LOG"; printf 'nginx asked-for\\nlibfoo automatic\\nhtop asked-for\\n' ;;
  *'userdel --remove'*) echo "${SSH_DISMISSED:-gone}" ;;
  *useradd*) echo "prepare" >> "$SSH_LOG"; echo prepared ;;
esac
exit 0
"""
SEEN = """\
== system
debian-13
Debian GNU/Linux 13 (trixie)
x86_64
== manager
systemd
== container
none
== size
4
7960 6012
40000 31000
== listeners
LISTEN 0 128 127.0.0.1:22 0.0.0.0:* users:(("sshd",pid=1,fd=3))
LISTEN 0 128 127.0.0.1:9090 0.0.0.0:* users:(("prometheus",pid=2,fd=3))
LISTEN 0 128 [::]:22 [::]:* users:(("sshd",pid=1,fd=4))
== packages
apt
python3
sudo
== services
ssh.service
== firewall
== open
== containers
installed docker
docker wiki
== clusters
15/main 5432 online
== sites
/srv/photos
== cron
/etc/cron.d/backup
== logins
root 2 no
anna 1 yes
== sshd
permitrootlogin yes
== locked
== tools
/usr/bin/python3
/usr/bin/sudo
== ours
== kept
== before
== taken
== end
"""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a server of our own making: its ssh client, the key it shows, and what is seen on it; return its folder."""
    folder = tmp_path / "server"
    folder.mkdir()
    host = make_key(folder / "host", "host")
    for name, text in {
        "ssh": SSH,
        "ssh-keyscan": f"#!/bin/sh\necho '{ADDRESS} {host.public}'\n",
    }.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    (folder / "seen").write_text(SEEN)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("SSH_LOG", str(folder / "log"))
    monkeypatch.setenv("SSH_SEEN", str(folder / "seen"))
    return folder


@pytest.fixture
def job(tmp_path: Path, server: Path) -> Job:
    """Make a small project whose answers name the server."""
    folder = tmp_path / "hello"
    folder.mkdir()
    (folder / "app.py").write_text("from flask import Flask\napp = Flask(__name__)\n")
    (folder / "requirements.txt").write_text("flask\n")
    fingerprint = fingerprint_of((server / "host.pub").read_text())
    (folder / "stackwise.yml").write_text(
        "schema: 1\nname: hello\naccess: {domain: hello.test, tls: none}\nhosting:\n"
        f"  provider: existing\n  address: {ADDRESS}\n  fingerprint: {fingerprint}\n"
    )
    return load_job(folder / "stackwise.yml")


def changed(job: Job, **values: object) -> Job:
    return load_job(job.answers.path, {f"hosting.{key}": value for key, value in values.items()})


def seen_there() -> Seen:
    return look(FirstLogin(ADDRESS, "root", Path("/dev/null")), "hello")


def runner(job: Job) -> Runner:
    return Runner(job, lambda: ExistingCloud(lambda _: True), FakePlaybookRun(), threading.Event())


def preparer(job: Job) -> Preparer:
    made = runner(job)._preparer(Journal.of(job.identity))
    assert isinstance(made, Provisioner)
    return made


def prepared(job: Job) -> list[events.Event]:
    return list(preparer(job).ensure(job.outline().servers[0]))


def log(server: Path) -> str:
    return (server / "log").read_text() if (server / "log").exists() else ""


# The key


def test_a_fingerprint_is_the_one_that_openssh_shows(tmp_path: Path) -> None:
    key = make_key(tmp_path / "key", "me")
    shown = subprocess.run(["ssh-keygen", "-lf", f"{tmp_path}/key.pub"], capture_output=True, text=True, check=True)
    assert fingerprint_of(key.public) == shown.stdout.split()[1]
    with pytest.raises(ValueError, match="no public key"):
        fingerprint_of("ssh-ed25519")


def test_another_key_than_the_expected_one_is_refused_and_both_are_named(server: Path) -> None:
    found = fingerprint_of((server / "host.pub").read_text())
    assert fingerprint_of(held_to(ADDRESS, found)) == found
    wrong = f"SHA256:{'A' * 43}"
    with pytest.raises(HostKeyMismatchError) as caught:
        held_to(ADDRESS, wrong)
    assert found in caught.value.message
    assert wrong in caught.value.message


@pytest.mark.parametrize(
    ("says", "kind"),
    [("exit 1", ProviderUnreachableError), (f"echo '{ADDRESS} ssh-rsa AAAA'", ProvisionError)],
)
def test_who_shows_no_key_is_told_apart_from_who_has_no_such_key(server: Path, says: str, kind: type) -> None:
    (server / "ssh-keyscan").write_text(f"#!/bin/sh\n{says}\n")
    with pytest.raises(kind):
        shown_by(ADDRESS)


# The look


def test_the_look_reads_what_is_there(server: Path) -> None:
    seen = seen_there()
    assert (seen.system, seen.cpus, seen.memory_mb, seen.free_memory_mb, seen.kernel) == (
        "debian-13",
        4,
        7960,
        6012,
        "own",
    )
    assert seen.listeners == (Listener(22, "[::]", "sshd"), Listener(9090, "127.0.0.1", "prometheus"))
    assert [one.is_public for one in seen.listeners] == [True, False]
    assert (seen.containers, seen.container_tools) == (("docker wiki",), ("docker",))
    assert seen.clusters == ("15/main 5432 online",)
    assert [(one.name, one.keys, one.password) for one in seen.logins] == [("root", 2, False), ("anna", 1, True)]
    assert "prepare" not in log(server)


def test_the_questions_are_answered_by_a_real_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine that the tests run on is a server like any other."""
    ssh = tmp_path / "ssh"
    ssh.write_text('#!/bin/sh\ncase "$*" in *sudo*) shift $(($# - 2)) ;; esac\nexec sh -s\n')
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (tmp_path / "sudo").write_text('#!/bin/sh\nshift\nexec "$@"\n')
    (tmp_path / "sudo").chmod(0o755)
    seen = seen_there()
    assert seen.cpus >= 1
    assert seen.memory_mb >= seen.free_memory_mb > 0
    assert seen.manager
    assert seen.taken == ()


@pytest.mark.usefixtures("server")
def test_whoever_cannot_become_root_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_UID", "1000")
    with pytest.raises(ProvisionError) as caught:
        seen_there()
    assert caught.value.hint.endswith("--set hosting.login=root")


@pytest.mark.parametrize("name", ["look.sh", "prepare.sh", "clear.sh", "dismiss.sh", "keep.sh", "restore.sh"])
def test_every_script_is_one_that_a_shell_can_read(name: str) -> None:
    subprocess.run(["sh", "-n"], input=script(name), text=True, check=True)


# What stands in the way


def test_nothing_stands_in_the_way_of_a_plain_server(job: Job) -> None:
    assert list(in_the_way(job.outline(), seen_there(), "")) == []


WEB = Listener(80, "[::]", "apache2")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"system": "ubuntu-24.04", "system_name": "Ubuntu 24.04"}, "Ubuntu 24.04, and the plan is made for debian-13"),
        ({"manager": "init"}, "not booted by systemd"),
        ({"listeners": (WEB,)}, "Port 80, which the site needs, is held by apache2"),
        ({"listeners_known": False}, "who listens"),
        ({"packages": frozenset({"apt", "nginx"})}, "nginx is on the server already"),
        ({"locked": ("/var/lib/dpkg/lock",)}, "Another installation is under way"),
        ({"taken": ("/srv/hello",)}, "/srv/hello is there already"),
        ({"free_memory_mb": 100}, "MiB of memory, and 100 are there"),
        ({"memory_mb": 512}, "The answers say 1024 MiB of memory, and the server has 512"),
        ({"free_disk_mb": 900}, "900 MiB of its disk are free"),
        ({"firewalls": ("ufw",)}, "ufw keeps port 80"),
        ({"firewalls": ("nftables",)}, "nftables keeps port 80"),
        ({"ours": "shop-production 0123"}, "shop-production stands on the server already"),
        ({"ours": "hello-production 0123"}, "and its record is not here"),
    ],
)
def test_what_cannot_work_is_said_with_what_to_do(job: Job, change: dict[str, Any], words: str) -> None:
    found = list(in_the_way(job.outline(), replace(seen_there(), **change), "abcd"))
    assert any(words in reason for reason, _ in found), found
    assert all(hint for _, hint in found)


def test_a_firewall_that_lets_the_site_through_is_left_to_itself(job: Job) -> None:
    ports = frozenset(job.outline().ports)
    seen = replace(seen_there(), firewalls=("ufw",), open_ports=ports)
    assert list(in_the_way(job.outline(), seen, "")) == []
    whole = list(in_the_way(changed(job, whole=True).outline(), seen, ""))
    assert [hint for _, hint in whole] == ["leave it to it: --set hosting.whole=false"]


def test_rules_of_others_are_not_replaced(job: Job) -> None:
    seen = replace(seen_there(), tables=("ip docker",))
    assert list(in_the_way(job.outline(), seen, "")) == []
    assert "ip docker" in next(in_the_way(changed(job, whole=True).outline(), seen, ""))[0]


def test_what_is_ours_is_not_in_our_way(job: Job) -> None:
    ours: dict[str, Any] = {
        "ours": "hello-production abcd",
        "listeners": (replace(WEB, program="nginx"),),
        "taken": ("/srv/hello",),
    }
    seen = replace(seen_there(), **ours)
    assert list(in_the_way(job.outline(), seen, "abcd")) == []
    assert len(list(in_the_way(job.outline(), seen, "another"))) == 3
    assert not any("nginx" in line for line in stays(job.outline(), seen, "abcd"))


def test_what_is_touched_and_what_stays_is_said(job: Job) -> None:
    plan, seen = job.outline(), seen_there()
    made, left = " ".join(touched(plan, seen)), " ".join(stays(plan, seen, ""))
    assert "nginx" in made
    assert "the user deploy" in made
    assert "ssh shut" not in made
    for words in ("prometheus on 9090", "docker wiki", "15/main", "/srv/photos", "/etc/cron.d/backup", "ssh, firewall"):
        assert words in left
    assert "ssh shut to root" in " ".join(touched(changed(job, whole=True).outline(), seen))


# The plan


def test_a_server_that_others_use_keeps_what_is_its_own(job: Job) -> None:
    plan = job.outline()
    roles = [role for play in plan.plays for role in play.roles]
    assert not {"ssh", "firewall"} & set(roles)
    assert plan.variable("base_shared") is True
    assert plan.variable("base_forbidden_packages") == []
    assert not {"nftables", "unattended-upgrades", "systemd-timesyncd"} & set(plan.packages)
    assert plan.cost.amount is None
    assert not plan.whole
    assert plan.is_removable


def test_a_server_for_the_site_alone_is_settled_as_a_whole(job: Job) -> None:
    plan = changed(job, whole=True).outline()
    assert plan.plays[0].roles == ("base", "ssh", "firewall")
    assert plan.variable("base_forbidden_packages") == []
    assert {"nftables", "unattended-upgrades"} <= set(plan.packages)
    assert "systemd-timesyncd" not in plan.packages


def test_the_size_is_what_was_seen_and_nothing_is_claimed_before(job: Job) -> None:
    assert size_of(job.choices, job.catalog).id == "unseen"
    assert gather(job.choices, job.project, job.catalog)["provider.unseen"] is True
    assert "server-unseen" in {advice.id for advice in job.outline().advice}
    seen = changed(job, memory=8000, cpus=4, disk=39, kernel="shared")
    size = size_of(seen.choices, seen.catalog)
    assert (size.id, size.memory_mb, size.cpus, size.disk_gb, size.price) == ("as-found", 8000, 4, 39, None)
    assert seen.outline().servers[0].kernel == "shared"
    assert "server-unseen" not in {advice.id for advice in seen.outline().advice}


def test_it_is_one_of_the_servers_that_can_be_taken(job: Job) -> None:
    rows = [row for row in sold(job.choices, job.project, job.catalog) if not row.why_not]
    assert [(row.provider.id, row.size.id) for row in rows if row.chosen] == [("existing", "unseen")]
    elsewhere = load_job(job.answers.path, {"hosting.provider": "sandbox"})
    taken = [row for row in sold(elsewhere.choices, elsewhere.project, elsewhere.catalog) if not row.why_not]
    assert taken[-1].provider.id == "existing"
    assert not taken[-1].chosen


def test_the_walk_asks_for_it_where_it_is_wanted_and_leaves_it_folded_where_not(job: Job) -> None:
    keys = ("hosting.address", "hosting.login", "hosting.fingerprint", "hosting.whole")
    design = open_design(job.answers.path)
    assert [design.asked(key).question.more for key in keys] == [False] * 4
    design.change("hosting.provider", "sandbox")
    assert [design.asked(key).question.more for key in keys] == [True] * 4


def test_nobody_is_told_to_take_another_size_of_it(job: Job) -> None:
    small = changed(job, memory=300)
    (conflict,) = (
        advice for advice in advise(small.choices, small.project, small.catalog) if advice.kind == "conflict"
    )
    assert (conflict.id, conflict.settle) == ("memory-too-small", "")


# Preparing it


def test_intent_is_on_record_before_anything_is_changed(job: Job, server: Path) -> None:
    said = [event.message for event in prepared(job) if isinstance(event, events.StepFinished)]
    assert any("nothing was closed" in words for words in said)
    kinds = [entry["kind"] for entry in Journal.of(job.identity).entries()]
    assert kinds == ["started", "looked", "creating", "created", "host-keys", "ready"]
    record = Journal.of(job.identity).servers()["hello-production-1"]
    assert (record.id, record.address, record.provider, record.ready) == (ADDRESS, ADDRESS, "existing", True)
    assert [fingerprint_of(key) for key in record.host_keys] == [job.choices["hosting.fingerprint"]]
    lines = log(server).splitlines()
    first, then = lines[: lines.index("prepare")], lines[lines.index("prepare") + 1 :]
    assert all(f"root@{ADDRESS}" in line for line in first)
    assert all(f"deploy@{ADDRESS}" in line for line in then)
    assert all("StrictHostKeyChecking=yes" in line for line in first + then if "@" in line)


def test_the_second_time_it_is_found_and_nothing_is_done(job: Job, server: Path) -> None:
    prepared(job)
    (server / "log").unlink()
    assert [type(event).__name__ for event in prepared(job)] == ["ServerFound"]
    assert "prepare" not in log(server)


def test_what_is_in_the_way_is_found_before_anything_is_changed(job: Job, server: Path) -> None:
    (server / "seen").write_text(SEEN.replace("== system\ndebian-13", "== system\ndebian-12"))
    with pytest.raises(ImpossibleError) as caught:
        prepared(job)
    assert caught.value.hint.startswith("nothing was changed there")
    assert "prepare" not in log(server)
    assert Journal.of(job.identity).servers() == {}


def test_a_run_that_was_cut_off_is_taken_up(job: Job, server: Path) -> None:
    """The first one is killed between the intent and the administrator."""
    begun = preparer(job)
    begun.journal.begin()
    for kind, more in {"creating": {"provider": "existing"}, "created": {"id": ADDRESS, "address": ADDRESS}}.items():
        begun.journal.write(kind, server="hello-production-1", **more)
    prepared(job)
    assert Journal.of(job.identity).servers()["hello-production-1"].ready
    assert log(server).count("prepare\n") == 1


def test_an_administrator_who_does_not_get_in_stops_it(job: Job, server: Path) -> None:
    stop = threading.Event()
    made = replace(preparer(job), stop=stop)
    steps: Iterator[events.Event] = made.ensure(job.outline().servers[0])
    assert isinstance(next(steps), events.StepFinished)
    (server / "ssh").write_text(SSH.replace('[ -z "$SSH_DOWN" ]', 'case "$*" in *deploy@*) false ;; esac'))
    stop.set()
    with pytest.raises(InterruptedRunError):
        list(steps)
    assert not Journal.of(job.identity).servers()["hello-production-1"].ready


def test_a_site_stays_where_it_stands(job: Job) -> None:
    prepared(job)
    with pytest.raises(UsageError, match=ADDRESS):
        prepared(changed(job, address="192.0.2.99"))
    with pytest.raises(HostKeyMismatchError):
        prepared(changed(job, fingerprint=f"SHA256:{'B' * 43}"))


def test_a_whole_server_is_kept_before_it_is_settled_and_only_once(job: Job) -> None:
    whole = changed(job, whole=True)
    prepared(whole)
    prepared(whole)
    assert [entry["kind"] for entry in Journal.of(job.identity).entries()].count("kept") == 1


def test_a_firewall_that_came_up_meanwhile_is_seen_before_the_server_is_taken_whole(job: Job, server: Path) -> None:
    prepared(job)
    token = Journal.of(job.identity).token
    text = SEEN.replace("== ours\n", f"== ours\nhello-production {token}\n")
    (server / "seen").write_text(text.replace("== firewall\n", "== firewall\nufw\n"))
    with pytest.raises(ImpossibleError, match="ufw looks after the firewall"):
        prepared(changed(job, whole=True))


# Leaving it


def test_destroying_leaves_the_server(job: Job) -> None:
    prepared(job)
    (line,) = what_goes(job.identity)
    assert "the server and all else on it stay" in line
    made = runner(job)
    seen = list(made.destroy())
    said = " ".join(event.message for event in seen if isinstance(event, events.StepFinished))
    assert "stays, and all that was on it before" in said
    # What the owner asked for in the meantime is not ours to name.
    assert "sudo apt purge nginx libfoo;" in said
    assert "the user deploy, made for this, is gone again" in said
    assert not any(isinstance(event, events.ServerDestroyed) for event in seen)
    assert isinstance(made.ansible, FakePlaybookRun)
    assert [asked.playbook for asked in made.ansible.asked] == ["remove.yml"]
    assert not Journal.of(job.identity).exists


def test_the_key_that_still_opens_the_server_is_not_lost(job: Job) -> None:
    """With hosting.login the administrator himself, nobody is left who could remove him."""
    as_admin = changed(job, login="deploy")
    prepared(as_admin)
    key = Path(preparer(as_admin).admin.private).read_text()
    said = [event.message for event in runner(as_admin).destroy() if isinstance(event, events.StepFinished)]
    kept = Path(next(words for words in said if "is kept as" in words).rpartition(" ")[2])
    assert kept.read_text() == key
    assert kept.stat().st_mode & 0o777 == 0o600


def test_one_that_was_never_prepared_is_left_too(job: Job, server: Path) -> None:
    journal = Journal.of(job.identity)
    journal.begin()
    journal.write("creating", server="hello-production-1", provider="existing")
    journal.write("created", server="hello-production-1", id=ADDRESS, address=ADDRESS)
    made = runner(job)
    list(made.destroy())
    assert isinstance(made.ansible, FakePlaybookRun)
    assert made.ansible.asked == []
    assert "clear" in log(server)


def test_a_server_that_does_not_answer_keeps_its_record_and_says_how_to_drop_it(job: Job) -> None:
    prepared(job)
    away = replace(runner(job), cloud=lambda: ExistingCloud(lambda _: False))
    with pytest.raises(ProviderUnreachableError) as caught:
        list(away.destroy())
    assert caught.value.hint.endswith(f"rm -r {Journal.of(job.identity).folder}")
    assert Journal.of(job.identity).servers()["hello-production-1"].ready


def test_as_a_cloud_it_makes_and_removes_nothing() -> None:
    cloud = ExistingCloud(lambda address: address == ADDRESS)
    assert (cloud.find({}), cloud.sweep({})) == ((), ())
    assert (cloud.get(ADDRESS).state, cloud.get("192.0.2.1").state) == ("running", "stopped")
    with pytest.raises(ProviderUnreachableError):
        cloud.start("192.0.2.1")
    with pytest.raises(UsageError, match="not ours to remove"):
        cloud.destroy(ADDRESS)
    with pytest.raises(UsageError, match="not made"):
        cloud.create(Order("web-1", "local", "small", "debian-13", "", {}))


def test_who_moves_in_counts_with_the_same_server(job: Job) -> None:
    host = changed(job, memory=8000, cpus=4, disk=39, sites=2)
    prepared(host)
    journal = Journal.of(host.identity)
    journal.write("stands", **described(host.outline()))
    moving = {"name": "guest", "hosting.share": "hello", "hosting.sites": 2, "access.domain": "guest.test"}
    guest = load_job(job.answers.path, moving)
    with pytest.raises(UsageError) as caught:
        admit(guest.outline(), journal)
    assert caught.value.hint.endswith("--set hosting.cpus=4")
    same = load_job(job.answers.path, {**moving, "hosting.cpus": 4, "hosting.memory": 8000, "hosting.disk": 39})
    admit(same.outline(), journal)
    assert install_files(same.outline(), KEYS) == {}
    assert not isinstance(runner(same)._provisioner(journal), Preparer)


# A blank machine

KEYS = ("ssh-ed25519 AAAAC3Nz me's key; rm -rf $HOME",)


@pytest.mark.parametrize("disks", [["/dev/sda"], ["/dev/sda", "/dev/nvme0n1"]])
def test_the_installers_files_make_the_administrator_and_no_password(job: Job, disks: list[str]) -> None:
    plan = changed(job, disks=disks).outline()
    files = install_files(plan, KEYS)
    assert set(files) == {PRESEED, USER_DATA, META_DATA}
    for text in (files[PRESEED], files[USER_DATA]):
        assert "ssh-ed25519 AAAAC3Nz" in text
        assert "rm -rf" not in text
        assert all(disk in text for disk in disks)
    assert "passwd/user-password-crypted password !" in files[PRESEED]
    assert "passwd/root-login boolean false" in files[PRESEED]
    assert ("partman-auto-raid/recipe string 1 2 0 ext4 /" in files[PRESEED]) == (len(disks) == 2)
    assert files[USER_DATA].startswith("#cloud-config\n")
    wishes = yaml.safe_load(files[USER_DATA])["autoinstall"]
    assert wishes["version"] == 1
    assert wishes["ssh"] == {"install-server": True, "allow-pw": False}
    (user,) = wishes["user-data"]["users"]
    assert user["lock_passwd"] is True
    assert "identity" not in wishes


@pytest.mark.skipif(not shutil.which("debconf-set-selections"), reason="debconf is Debian's own")
@pytest.mark.parametrize("disks", [["/dev/sda"], ["/dev/sda", "/dev/sdb"]])
def test_debconf_reads_the_preseed(job: Job, disks: list[str]) -> None:
    text = install_files(changed(job, disks=disks).outline(), KEYS)[PRESEED]
    checked = subprocess.run(["debconf-set-selections", "-c"], input=text, text=True, capture_output=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_every_disk_of_a_mirror_can_boot_and_every_name_in_it_exists(job: Job) -> None:
    plan = changed(job, disks=["/dev/sda", "/dev/sdb"]).outline()
    config = yaml.safe_load(install_files(plan, KEYS)[USER_DATA])["autoinstall"]["storage"]["config"]
    ids = [part["id"] for part in config]
    named = [part[key] for part in config for key in ("device", "volume") if key in part]
    named += [name for part in config for name in part.get("devices", ())]
    assert set(named) <= set(ids)
    assert len(ids) == len(set(ids))
    assert [part["device"] for part in config if part.get("grub_device")] == ["disk-0", "disk-1"]


def test_the_rendered_project_has_them_and_the_way_back(job: Job) -> None:
    plan = job.outline()
    files = render_project(plan, job.files, job.answers_text(), {}, KEYS)
    assert set(files) == set(file_names(plan))
    assert {"remove.yml", PRESEED, USER_DATA, META_DATA} <= set(files)
    assert install_files(plan, ()) == {}
    elsewhere = load_job(job.answers.path, {"hosting.provider": "sandbox"}).outline()
    assert install_files(elsewhere, KEYS) == {}
    assert "remove.yml" not in file_names(elsewhere)


# The commands


def command(job: Job, *words: str) -> tuple[int, str]:
    """Call the program in a process of its own, without a terminal."""
    done = subprocess.run(
        [sys.executable, "-m", "stackwise", *words, "-a", str(job.answers.path)],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_key_that_nobody_confirmed_is_shown_and_not_taken(job: Job, server: Path) -> None:
    text = job.answers.path.read_text()
    fingerprint = job.choices["hosting.fingerprint"]
    job.answers.path.write_text(text.replace(f"  fingerprint: {fingerprint}\n", ""))
    code, said = command(job, "up", "--yes")
    assert code == 2
    assert said.rstrip().endswith(f"--set hosting.fingerprint={fingerprint}")
    assert log(server) == ""


def test_the_look_writes_the_size_and_changes_nothing_there(job: Job, server: Path) -> None:
    code, said = command(job, "look")
    assert code == 0, said
    assert "Stays as it is:" in said
    written = load_job(job.answers.path).choices
    assert (written["hosting.cpus"], written["hosting.memory"], written["hosting.disk"]) == (4, 6012, 39)
    assert "prepare" not in log(server)
    again = job.answers.path.read_text()
    assert command(job, "look")[0] == 0
    assert job.answers.path.read_text() == again


def test_a_look_that_finds_something_in_the_way_says_so(job: Job, server: Path) -> None:
    held = 'LISTEN 0 128 0.0.0.0:80 0.0.0.0:* users:(("apache2",pid=9,fd=3))\n== packages\n'
    (server / "seen").write_text(SEEN.replace("== packages\n", held))
    code, said = command(job, "look")
    assert code == 3
    assert "impossible: Port 80, which the site needs, is held by apache2." in said
    assert command(job, "up", "--yes")[0] == 3


@pytest.mark.parametrize(
    ("sets", "words"),
    [
        (("hosting.provider=sandbox",), "is not for a server that is there already"),
        (("hosting.address=",), "hosting.address"),
        (("hosting.share=shop",), "is looked at with that site's answers"),
    ],
)
def test_a_look_at_nothing_says_what_is_missing(job: Job, sets: tuple[str, ...], words: str) -> None:
    arguments = ["look", "-a", str(job.answers.path), *(word for pair in sets for word in ("--set", pair))]
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, UsageError)
    assert words in str(result.exception)
