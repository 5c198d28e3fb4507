"""Some server that answers ssh, with other people's things on it: looked at, used, and left as it was."""

from __future__ import annotations

import json
import os
import shlex
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from stackwise.provision.existing.adapter import answers_ssh
from stackwise.provision.existing.host_key import fingerprint_of
from stackwise.provision.sandbox.driver import SandboxNodeDriver
from tests.e2e.conftest import Program, fetched, make_program
from tests.e2e.sandbox_host import Login
from tests.e2e.test_spine import changed

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

# What is somebody else's: files, a user, a cron job, and a program that listens.
FOREIGN = """\
set -e
echo 'keep me' > /etc/foreign.conf
mkdir -p /etc/cron.d
echo '17 3 * * * root true' > /etc/cron.d/foreign
useradd --create-home anna
echo 'her notes' > /home/anna/notes
printf '%s\\n' '[Service]' 'ExecStart=/usr/bin/python3 -m http.server 9123 --directory /home/anna' \
  '[Install]' 'WantedBy=multi-user.target' > /etc/systemd/system/foreign.service
systemctl enable --now --quiet foreign.service
"""
# All that is set on a server, in a word, and who is known there.
STATE = "find /etc /home /usr/local -type f -exec md5sum {} + | sort | md5sum; getent passwd | md5sum; dpkg -l | md5sum"
NOTES = "python3 -c \"import urllib.request as u; print(u.urlopen('http://127.0.0.1:9123/notes').read().decode())\""
SETTINGS = "sshd -T | grep -E '^(permitrootlogin|passwordauthentication) '; hostname; readlink /etc/localtime"
PORTS = "ss -Hltn | awk '{print $4}' | sed 's/.*://' | sort -nu"
OURS = "getent passwd deploy shop; ls -d /srv/shop /etc/shop /etc/sudoers.d/stackwise 2>/dev/null; true"


@dataclass(frozen=True)
class Owner:
    """Whose server it is: logs in as root with a key of his own, whatever stackwise does."""

    login: Login
    address: str

    def run(self, command: str) -> str:
        return self.login.run(self.address, command)


@pytest.fixture(scope="module")
def owner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owner]:
    """Give a server with foreign things on it, which nobody but this test knows to be a machine of the sandbox."""
    login = Login(tmp_path_factory.mktemp("owner"))
    login.prepare()
    driver = SandboxNodeDriver(ex_environ=dict(os.environ))
    size, image = driver.list_sizes()[1], driver.list_images()[-1]
    tags = {"whose": "test_existing"}
    node = driver.create_node("somebodys", size, image, ex_user_data=login.user_data(), ex_tags=tags)
    try:
        found = Owner(login, node.public_ips[0])
        found.run("cloud-init status --wait >&2; systemctl is-system-running --wait")
        found.run(FOREIGN)
        yield found
    finally:
        driver.destroy_node(node)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory, owner: Owner) -> Iterator[Program]:
    """Give the smallest project, with answers that name the server, the owner's key, and the host's fingerprint."""
    made = make_program(tmp_path_factory.mktemp("existing"), "startproject", "shop")
    answers = {
        "name": "shop",
        "hosting.provider": "existing",
        "hosting.address": owner.address,
        "hosting.fingerprint": fingerprint_of((owner.login.folder / "host.pub").read_text()),
        "access.ssh_key": str(owner.login.folder / "user.pub"),
    }
    made.run("init", "--force", *(word for key, value in answers.items() for word in ("--set", f"{key}={value}")))
    yield made
    made.run("destroy", "--yes", code=None)


def looked(program: Program) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(program.run("look", "--json").stdout)
    return document


def faults(happened: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for event in happened if event["event"] == "CheckFinished" and event["status"] == "fault"]


def test_the_look_finds_what_is_there_and_changes_nothing(program: Program, owner: Owner) -> None:
    before = owner.run(STATE)
    seen = looked(program)
    assert owner.run(STATE) == before
    assert seen["system"] == "debian-13"
    assert (9123, "python3", True) in [(one["port"], one["program"], one["public"]) for one in seen["listens"]]
    assert seen["cron"] == ["/etc/cron.d/foreign"]
    assert "anna" in [one["name"] for one in seen["logins"]]
    assert seen["in_the_way"] == []
    written = (program.folder / "stackwise.yml").read_text()
    assert f"cpus: {seen['cpus']}" in written
    assert "kernel: shared" in written


def test_nobody_is_taken_for_the_server_who_is_not(program: Program, owner: Owner) -> None:
    before = owner.run(STATE)
    said = program.run("up", "--yes", "--set", f"hosting.fingerprint=SHA256:{'A' * 43}", code=1).stderr
    assert f"the host at {owner.address} shows the key SHA256:" in said
    assert owner.run(STATE) == before


def test_a_port_that_somebody_holds_is_refused_before_anything_is_changed(program: Program, owner: Owner) -> None:
    before = owner.run(STATE)
    owner.run("systemd-run --quiet --unit=foreign80 python3 -m http.server 80 --directory /var/empty")
    owner.run("for i in $(seq 50); do ss -Hltn 'sport = :80' | grep -q . && break; sleep 0.1; done")
    said = program.run("up", "--yes", code=3).stderr
    assert "Port 80, which the site needs, is held by python3." in said
    assert "nothing was changed there" in said
    assert owner.run(STATE) == before
    owner.run("systemctl stop foreign80")


def test_a_preview_names_what_would_be_done_and_does_nothing(program: Program, owner: Owner) -> None:
    before = owner.run(STATE)
    assert changed(program.events("look", "--preview")) > 20
    assert owner.run(STATE) == before


def test_what_ubuntus_installer_is_given_is_what_cloud_init_takes(program: Program, owner: Owner) -> None:
    """The installer hands the whole to cloud-init's reader, and its part for the new system to cloud-init there."""
    program.run("render", "-o", "../rendered")
    text = (program.folder.parent / "rendered" / "install" / "ubuntu" / "user-data").read_text()
    inner = "#cloud-config\n" + json.dumps(yaml.safe_load(text)["autoinstall"]["user-data"])
    for config in (text, inner):
        said = owner.run(
            f"printf %s {shlex.quote(config)} > /tmp/config; cloud-init schema --config-file /tmp/config 2>&1"
        )
        assert "Valid schema" in said
    owner.run("rm /tmp/config")


def test_the_site_stands_beside_what_was_there(program: Program, owner: Owner) -> None:
    happened = program.events("up", "--yes")
    assert happened[-1]["event"] == "RunFinished"
    assert faults(happened) == []
    assert "Django" in fetched(program, "/admin/login/")
    assert "her notes" in owner.run(NOTES)
    assert "permitrootlogin without-password" in owner.run(SETTINGS)
    assert looked(program)["in_the_way"] == []


def test_again_changes_nothing(program: Program) -> None:
    assert changed(program.events("up", "--yes")) == 0
    assert changed(program.events("look", "--preview")) == 0


def test_the_ways_to_it_are_there(program: Program) -> None:
    assert program.on_server("id -un") == "deploy\n"
    assert "0 silenced" in program.run("manage", "--", "check").stdout
    status = json.loads(program.run("status", "--json").stdout)
    assert [(one["provider"], one["state"]) for one in status["servers"]] == [("existing", "running")]
    program.run("verify")


def test_a_reboot_brings_back_the_site_and_starts_nothing_else(program: Program, owner: Owner) -> None:
    program.run("ssh", "--", "sudo systemctl reboot", code=None)
    until = time.monotonic() + 60
    while answers_ssh(owner.address) and time.monotonic() < until:
        time.sleep(0.2)
    while not answers_ssh(owner.address) and time.monotonic() < until:
        time.sleep(0.2)
    assert changed(program.events("up", "--yes")) == 0
    assert "Django" in fetched(program, "/admin/login/")
    # The site has a cache and a database of its own; the ones that their packages bring stay down.
    assert owner.run(PORTS).split() == ["22", "80", "443", "9123"]


def test_destroying_leaves_the_server_and_what_was_on_it(program: Program, owner: Owner) -> None:
    said = " ".join(str(event.get("message", "")) for event in program.events("destroy", "--yes"))
    assert "packages that came with the site stay; to remove them there: sudo apt purge" in said
    assert "the user deploy, made for this, is gone again" in said
    assert owner.run("cat /etc/foreign.conf /etc/cron.d/foreign") == "keep me\n17 3 * * * root true"
    assert "her notes" in owner.run(NOTES)
    assert owner.run(OURS) == ""
    assert owner.run(PORTS).split() == ["22", "9123"]
    assert owner.run("systemctl --failed --no-legend") == ""


def test_a_server_taken_whole_gets_back_what_it_was_like(program: Program, owner: Owner) -> None:
    """What came with the site the first time is not in its way now."""
    settings, whole = owner.run(SETTINGS), ("--set", "hosting.whole=true")
    happened = program.events("up", "--yes", *whole)
    assert faults(happened) == []
    assert "its owner decides" not in str(happened)
    assert "permitrootlogin no" in program.on_server("sudo sshd -T")
    program.run("destroy", "--yes", *whole)
    # Root gets in again, or there would be no answer.
    assert owner.run(SETTINGS) == settings
    assert owner.run(OURS) == ""
    assert "her notes" in owner.run(NOTES)
