"""Servers are made once, found again, and never lost: against a cloud in memory and an ssh client of our own making."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from stackwise import events
from stackwise.catalog import load_catalog
from stackwise.catalog.model import Size
from stackwise.errors import HostKeyMismatchError, InterruptedRunError, ProvisionError, ServerLostError, UsageError
from stackwise.journal import Journal
from stackwise.plan.model import Identity, ServerSpec
from stackwise.provision.cloud import Node, Order
from stackwise.provision.keys import KeyPair, admin_key, make_key
from stackwise.provision.providers import open_cloud
from stackwise.provision.servers import Provisioner
from stackwise.provision.ssh import Shell
from stackwise.provision.user_data import user_data
from tests.fakes import FakeCloud

WEB = Identity("superbook", "production")
SPEC = ServerSpec(
    "web-1",
    ("web",),
    "sandbox",
    "local",
    Size(id="small", cpus=1, memory_mb=1024, disk_gb=10, price=0),
    "debian-13",
    "shared",
)

# An ssh client that answers as a fresh server does, and keeps what it was asked.
SSH = """#!/bin/sh
echo "$@" >> "$SSH_LOG"
script=$(cat)
case "$script" in
  *new_key.pub*cut*|*ssh-keygen*) echo "ssh-ed25519 AAAANEWKEY" ;;
  *cloud-init*) echo "${CLOUD_INIT:-done}"; echo free ;;
esac
exit 0
"""


@pytest.fixture
def ssh_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put our ssh client first on the path."""
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "ssh").write_text(SSH)
    (tools / "ssh").chmod(0o755)
    log = tmp_path / "ssh.log"
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setenv("SSH_LOG", str(log))
    return log


def provisioner(cloud: FakeCloud, stop: threading.Event | None = None) -> Provisioner:
    journal = Journal.of(WEB)
    admin = KeyPair("ssh-ed25519 AAAAADMIN me", "/nowhere/key")
    return Provisioner(cloud, journal, WEB, "deploy", admin, stop or threading.Event())


def kinds(happened: Iterator[events.Event]) -> list[str]:
    return [type(event).__name__ for event in happened]


def test_a_server_is_made_pinned_and_rotated(ssh_log: Path) -> None:
    cloud = FakeCloud()
    ours = provisioner(cloud)
    assert "ServerCreated" in kinds(ours.ensure(SPEC))
    record = ours.journal.servers()["web-1"]
    assert record.ready
    assert record.host_keys == ("ssh-ed25519 AAAANEWKEY",)
    assert ours.known_hosts("web-1").read_text() == "192.0.2.7 ssh-ed25519 AAAANEWKEY\n"
    assert "StrictHostKeyChecking=yes" in ssh_log.read_text()


def test_intent_stands_before_the_call_and_the_id_right_after(ssh_log: Path) -> None:
    seen: list[str] = []
    cloud = FakeCloud()
    ours = provisioner(cloud)
    cloud.before_create = lambda: seen.extend(str(entry["kind"]) for entry in Journal.of(WEB).entries())
    list(ours.ensure(SPEC))
    assert seen == ["started", "creating"]
    assert [entry["kind"] for entry in Journal.of(WEB).entries()][2] == "created"
    assert ssh_log.exists()


def test_the_second_time_it_is_found(ssh_log: Path) -> None:
    cloud = FakeCloud()
    list(provisioner(cloud).ensure(SPEC))
    assert kinds(provisioner(cloud).ensure(SPEC)) == ["ServerFound"]
    assert len(cloud.orders) == 1
    assert ssh_log.exists()


def test_an_answer_that_was_lost_is_no_second_server(ssh_log: Path) -> None:
    cloud = FakeCloud(faults=[ProvisionError("time-out after the server was made")])
    with pytest.raises(ProvisionError, match="time-out"):
        list(provisioner(cloud).ensure(SPEC))
    list(provisioner(cloud).ensure(SPEC))
    assert len(cloud.orders) == 1
    assert len(cloud.nodes) == 1
    assert ssh_log.exists()


def test_a_half_made_server_is_removed_first(ssh_log: Path) -> None:
    cloud = FakeCloud()
    ours = provisioner(cloud)
    ours.journal.begin()
    ours.journal.write("creating", server="web-1", provider="sandbox")
    cloud.nodes["broken"] = Node("broken", "web-1", "error", "", ours.tags("web-1"))
    list(ours.ensure(SPEC))
    assert list(cloud.nodes) == ["node-1"]
    assert ssh_log.exists()


def test_a_server_that_is_gone_is_said_to_be_gone(ssh_log: Path) -> None:
    cloud = FakeCloud()
    list(provisioner(cloud).ensure(SPEC))
    cloud.nodes.clear()
    with pytest.raises(ServerLostError) as caught:
        list(provisioner(cloud).ensure(SPEC))
    assert "stackwise destroy" in caught.value.hint
    assert ssh_log.exists()


def test_a_stopped_server_is_started(ssh_log: Path) -> None:
    cloud = FakeCloud()
    list(provisioner(cloud).ensure(SPEC))
    (node,) = cloud.nodes.values()
    cloud.nodes[node.id] = Node(node.id, node.name, "stopped", node.address, node.tags)
    assert "ServerFound" in kinds(provisioner(cloud).ensure(SPEC))
    assert cloud.nodes[node.id].state == "running"
    assert ssh_log.exists()


def test_stopping_while_waiting_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path) + ":/usr/bin:/bin")
    (tmp_path / "ssh").write_text("#!/bin/sh\necho 'Connection refused' >&2\nexit 255\n")
    (tmp_path / "ssh").chmod(0o755)
    stop = threading.Event()
    stop.set()
    with pytest.raises(InterruptedRunError) as caught:
        list(provisioner(FakeCloud(), stop).ensure(SPEC))
    assert "stackwise up" in caught.value.hint


def test_a_host_with_another_key_is_never_taken_for_a_slow_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path) + ":/usr/bin:/bin")
    (tmp_path / "ssh").write_text("#!/bin/sh\necho 'Host key verification failed.' >&2\nexit 255\n")
    (tmp_path / "ssh").chmod(0o755)
    with pytest.raises(HostKeyMismatchError):
        list(provisioner(FakeCloud()).ensure(SPEC))


def test_a_first_boot_that_failed_is_an_error_in_its_own_words(ssh_log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUD_INIT", "error")
    with pytest.raises(ProvisionError, match="cloud-init failed"):
        list(provisioner(FakeCloud()).ensure(SPEC))
    assert ssh_log.exists()


def test_destroying_removes_what_is_on_record_and_what_only_tags_remember(ssh_log: Path) -> None:
    cloud = FakeCloud()
    ours = provisioner(cloud)
    list(ours.ensure(SPEC))
    cloud.nodes["stray"] = Node("stray", "web-0", "running", "192.0.2.9", ours.tags("web-0"))
    cloud.nodes["foreign"] = Node("foreign", "other", "running", "192.0.2.10", {"stackwise-name": "other"})
    assert kinds(ours.destroy()) == ["ServerDestroyed", "ServerDestroyed"]
    assert list(cloud.nodes) == ["foreign"]
    assert ours.journal.servers() == {}
    assert ssh_log.exists()


def test_user_data_carries_both_keys_and_no_password(tmp_path: Path) -> None:
    host = make_key(tmp_path / "host", "host")
    text = user_data("deploy", KeyPair("ssh-ed25519 AAAA: {x} me", ""), host)
    assert text.startswith("#cloud-config\n")
    assert "ssh-ed25519 AAAA: {x} me" in text
    assert '"lock_passwd": true' in text
    assert '"disable_root": true' in text


def test_a_key_is_made_once(tmp_path: Path) -> None:
    first = make_key(tmp_path / "key", "me")
    assert make_key(tmp_path / "key", "me") == first
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_the_administrators_own_key(tmp_path: Path) -> None:
    made = make_key(tmp_path / "id", "me")
    assert admin_key("id.pub", tmp_path, tmp_path) == KeyPair(made.public, str(tmp_path / "id"))
    (tmp_path / "id").unlink()
    assert admin_key("id.pub", tmp_path, tmp_path).private == ""


@pytest.mark.parametrize("content", [None, "-----BEGIN OPENSSH PRIVATE KEY-----\n", "ssh-ed25519 A\nssh-ed25519 B\n"])
def test_what_is_no_public_key_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "id.pub").write_text(content)
    with pytest.raises(UsageError) as caught:
        admin_key("id.pub", tmp_path, tmp_path)
    assert "access.ssh_key=generate" in caught.value.hint


def test_ssh_never_learns_a_key_by_itself() -> None:
    argv = Shell("192.0.2.7", "deploy", Path("/k"), "/id").argv(["true"])
    assert "StrictHostKeyChecking=yes" in argv
    assert "UserKnownHostsFile=/k" in argv
    assert "GlobalKnownHostsFile=/dev/null" in argv
    assert "BatchMode=yes" in argv


def test_an_unknown_provider_is_named() -> None:
    with pytest.raises(UsageError, match="Scaleway"):
        open_cloud(load_catalog().component("scaleway"), lambda _: None)


def test_a_name_at_a_provider_says_once_whose_server_it_is() -> None:
    tags = {"stackwise-name": "superbook", "stackwise-environment": "testing", "stackwise-token": "t"}
    names = [Order(name, "ams3", "s", "debian-13", "", tags).label for name in ("web", "superbook-testing-1")]
    assert names == ["superbook-testing-web", "superbook-testing-1"]
