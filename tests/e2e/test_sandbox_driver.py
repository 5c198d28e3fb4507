"""Real machines. Run as root: `pytest tests/e2e -m e2e`; the base comes from the usual cache."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from libcloud.compute.base import Node
from libcloud.compute.providers import get_driver
from libcloud.compute.types import NodeState

from stackwise.errors import NothingLeftError, ProvisionError, ServerLostError
from stackwise.provision.sandbox import processes
from stackwise.provision.sandbox.driver import PROVIDER, SandboxNodeDriver, register
from stackwise.provision.sandbox.requirements import missing_requirements
from tests.e2e.sandbox_host import Login, leftovers, sh, traces

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(600),
    pytest.mark.skipif(bool(missing_requirements()), reason="; ".join(missing_requirements())),
]

SCRIPT = """
import sys
from stackwise.provision.sandbox.driver import SandboxNodeDriver
driver = SandboxNodeDriver(ex_progress=lambda word: print(word, flush=True))
{}
"""
CREATE = "driver.create_node('killed', driver.list_sizes()[0], driver.list_images()[-1], ex_tags={'run': 'killed'})"


LISTEN = """
import socket
_, caller = socket.create_server(("", 9)).accept()
print(caller[0], file=open("/root/peer", "w"))
"""
CALL = """
import socket, sys, time
for _ in range(100):
    try:
        socket.create_connection((sys.argv[1], 9))
        break
    except OSError:
        time.sleep(0.1)
"""
SPIN = """
import time
end = time.time() + 2
while time.time() < end:
    pass
print(time.process_time())
"""


def other_process(statement: str, state: Path, **extra: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(statement)],
        env={**os.environ, "STACKWISE_SANDBOX_DIR": str(state), **extra},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def create(driver: SandboxNodeDriver, name: str, user_data: str = "", **tags: str) -> Node:
    return driver.create_node(
        name, driver.list_sizes()[0], driver.list_images()[-1], ex_user_data=user_data, ex_tags=tags
    )


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """Give a state folder of its own, and see to it that the host is afterwards as it was before."""
    folder = tmp_path / "state"
    before = traces(folder)
    yield folder
    driver = SandboxNodeDriver(ex_environ={**os.environ, "STACKWISE_SANDBOX_DIR": str(folder)})
    for node in driver.list_nodes():
        driver.destroy_node(node)
    assert leftovers(folder, before) == set()


@pytest.fixture
def driver(state: Path) -> SandboxNodeDriver:
    register()
    register()  # a second time is nothing
    made = get_driver(PROVIDER)("", ex_environ={**os.environ, "STACKWISE_SANDBOX_DIR": str(state)}, ex_progress=print)
    assert isinstance(made, SandboxNodeDriver)
    return made


@pytest.fixture
def login(tmp_path: Path) -> Login:
    made = Login(tmp_path)
    made.prepare()
    return made


def the(driver: SandboxNodeDriver, node: Node) -> Node:
    return driver.ex_get_node(str(node.id))


def test_a_life(driver: SandboxNodeDriver, login: Login, state: Path) -> None:
    extra = 'write_files:\n- path: /etc/hello\n  content: "from the seed\\n"\n'
    node = create(driver, "web-1", login.user_data(extra), run="one", kind="app")
    address = node.public_ips[0]
    assert node.state == NodeState.RUNNING
    assert login.run(address, "cloud-init status --wait >&2; systemctl is-system-running --wait") == "running"
    assert login.run(address, "cat /etc/hello; hostname; sudo -n true; ls /etc/ssh/ssh_host_*_key") == (
        "from the seed\nweb-1\n/etc/ssh/ssh_host_ed25519_key"
    )

    # another process finds it by its tag, and no other one
    found, _ = other_process("print([n.id for n in driver.list_nodes({'run': 'one'})])", state).communicate()
    assert found.strip() == f"['{node.id}']"
    assert driver.list_nodes({"run": "two"}) == []
    assert the(driver, node).extra["limits"].keys() == {"cpu", "memory", "disk", "devices"}

    # it comes back from a reboot asked for inside, from one asked for outside, from a stop, with its files and address
    boot = "cat /proc/sys/kernel/random/boot_id"
    first = login.run(address, f"touch /root/mine; {boot}")
    login.run(address, "systemd-run --on-active=0 systemctl reboot")
    assert processes.wait_until(lambda: login.run(address, boot) not in {first, ""}, 60)
    second = login.run(address, boot)
    assert driver.reboot_node(node)
    assert login.run(address, f"ls /root/mine; {boot}") not in {f"/root/mine\n{first}", f"/root/mine\n{second}"}
    assert driver.stop_node(node)
    assert the(driver, node).state == NodeState.STOPPED
    assert {trace for trace in traces(state) if str(node.id) in trace} == {str(state / "machines" / str(node.id))}
    assert driver.start_node(node)
    assert driver.start_node(node)  # it runs already
    assert login.run(address, "ls /root/mine") == "/root/mine"

    # powered off from inside
    login.run(address, "systemd-run --on-active=0 systemctl poweroff")
    assert processes.wait_until(lambda: the(driver, node).state == NodeState.STOPPED, 60)
    assert driver.start_node(node)
    assert login.run(address, "ls /root/mine") == "/root/mine"

    assert driver.destroy_node(node)
    assert driver.destroy_node(node)  # it is gone already
    with pytest.raises(ServerLostError):
        the(driver, node)


def test_it_outlives_its_maker_and_a_reboot_of_the_host(driver: SandboxNodeDriver, login: Login, state: Path) -> None:
    order = f"'kept', driver.list_sizes()[0], driver.list_images()[-1], ex_user_data={login.user_data()!r}"
    maker = other_process(f"driver.create_node({order})", state)
    maker.communicate(timeout=300)
    (node,) = driver.list_nodes()
    address = node.public_ips[0]
    login.run(address, "touch /root/mine; sync")

    first = processes.init_pid(str(node.id))
    assert first
    for pid in [*processes.leaders(str(node.id)), first]:
        os.kill(pid, signal.SIGKILL)
    folder = state / "machines" / str(node.id)
    for mounted in (folder / "root", folder / "disk", folder):
        sh("umount", "--lazy", str(mounted))
    sh("ip", "netns", "delete", f"stackwise-{node.id}")
    sh("nft", "flush", "set", "ip", "stackwise", "machines")

    assert the(driver, node).state == NodeState.STOPPED
    assert driver.start_node(node)
    assert login.run(address, "ls /root/mine") == "/root/mine"


def test_what_lost_its_leader_can_be_started_and_destroyed(driver: SandboxNodeDriver, login: Login) -> None:
    node = create(driver, "orphan", login.user_data())
    login.run(node.public_ips[0], "true")
    for pid in processes.leaders(str(node.id)):
        os.kill(pid, signal.SIGKILL)
    assert processes.wait_until(lambda: the(driver, node).state == NodeState.STOPPED, 20)
    driver.start_node(node)
    assert login.run(node.public_ips[0], "hostname") == "orphan"
    for pid in processes.leaders(str(node.id)):
        os.kill(pid, signal.SIGKILL)
    driver.destroy_node(node)


def test_two_side_by_side(driver: SandboxNodeDriver, login: Login, state: Path) -> None:
    threads = [threading.Thread(target=create, args=(driver, name, login.user_data())) for name in ("a", "b", "a")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    nodes = driver.list_nodes()
    addresses = [node.public_ips[0] for node in nodes]
    assert sorted(node.name for node in nodes) == ["a", "a", "b"]
    assert len(set(addresses)) == len({node.id for node in nodes}) == 3
    first, second, third = addresses
    # they see each other's own address, not the host's
    assert " 0% packet loss" in login.run(first, f"ping -c 2 {second}")
    login.run(second, f"systemd-run --unit=peer python3 -c '{LISTEN}'")
    login.run(third, f"python3 -c '{CALL}' {second}")
    assert processes.wait_until(lambda: login.run(second, "cat /root/peer || true") == third, 10)
    # the first goes while the others, younger, run: nothing of it is left
    driver.destroy_node(nodes[0])
    assert not {trace for trace in traces(state) if str(nodes[0].id) in trace}
    assert " 0% packet loss" in login.run(second, f"ping -c 2 {third}")


def test_it_reaches_packages(driver: SandboxNodeDriver, login: Login) -> None:
    address = create(driver, "packages", login.user_data()).public_ips[0]
    login.run(address, "cloud-init status --wait")
    said = login.run(
        address, "apt-get update 2>&1 && DEBIAN_FRONTEND=noninteractive apt-get install -yq python3-venv 2>&1"
    )
    assert "Setting up python3-venv" in said
    assert "Successfully installed" in login.run(address, "python3 -m venv /tmp/v && /tmp/v/bin/pip install django")


def test_limits_hold_and_the_host_is_out_of_reach(driver: SandboxNodeDriver, login: Login) -> None:
    node = create(driver, "small", login.user_data())
    address = node.public_ips[0]
    limits = node.extra["limits"]
    kilobytes = int(login.run(address, "df --output=size / | tail -1"))
    if limits["disk"]["enforced"]:
        assert 9_000_000 < kilobytes < 10_500_000
    if limits["memory"]["enforced"]:
        eat = "python3 -c \"x = bytearray(1300 * 1024**2); print('ate')\" 2>&1; echo $?"
        assert login.run(address, eat).splitlines()[-1] == "137"
    if limits["cpu"]["enforced"]:
        used = login.run(address, f"for i in 1 2 3; do python3 -c '{SPIN}' & done; wait")
        assert sum(map(float, used.split())) < 1.25 * 2
    for path in ("/proc/sys/vm/swappiness", "/proc/sysrq-trigger", "/sys/kernel/mm/transparent_hugepage/enabled"):
        assert login.run(address, f"echo 1 > {path} 2>/dev/null || echo refused") == "refused"
    groups = "find /sys/fs/cgroup -maxdepth 1 -mindepth 1 -not -name systemd -not -name unified"
    assert login.run(address, f"for g in $({groups}); do mkdir $g/mine 2>/dev/null && echo $g; done; true") == ""
    if limits["devices"]["enforced"]:
        device = os.stat("/").st_dev  # noqa: PTH116 - its device number
        make = f"mknod /root/host b {os.major(device)} {os.minor(device)}"
        assert login.run(address, f"{make} && head -c 1 /root/host 2>/dev/null || echo refused") == "refused"
    assert (
        login.run(address, "sysctl -w net.core.somaxconn=1234 && apt-get --version >/dev/null")
        == "net.core.somaxconn = 1234"
    )


def test_a_full_disk_stays_in_the_machine(driver: SandboxNodeDriver, login: Login) -> None:
    node = create(driver, "full", login.user_data())
    address = node.public_ips[0]
    if not node.extra["limits"]["disk"]["enforced"]:
        pytest.skip("no bounded disk on this host")
    assert "No space left" in login.run(address, "fallocate -l 20G /root/big 2>&1 || true")
    assert login.run(address, "rm /root/big; touch /root/ok; ls /root/ok") == "/root/ok"


@pytest.mark.parametrize("delay", [0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.3, 0.5])
def test_a_create_that_is_killed_leaves_nothing_out_of_sight(
    driver: SandboxNodeDriver, state: Path, delay: float
) -> None:
    maker = other_process(CREATE, state)
    assert processes.wait_until(lambda: any((state / "machines").glob("[!.]*/machine.json")), 30)
    time.sleep(delay)
    maker.kill()
    said, _ = maker.communicate()
    ids = {str(node.id) for node in driver.list_nodes({"run": "killed"})}
    assert len(ids) == 1, said
    for node in driver.list_nodes():
        if node.state == NodeState.STOPPED:
            assert driver.start_node(node)  # what is whole can be used
        assert driver.destroy_node(node)
    assert {trace for trace in traces(state) if any(each in trace for each in ids)} == set()


def test_a_start_that_is_killed_can_be_done_again(driver: SandboxNodeDriver, login: Login, state: Path) -> None:
    node = create(driver, "again", login.user_data())
    login.run(node.public_ips[0], "true")
    for delay in (0.55, 0.6, 0.65, 0.7, 0.75):
        driver.stop_node(node)
        starter = other_process(f"driver.start_node(driver.ex_get_node('{node.id}'))", state)
        time.sleep(delay)
        starter.kill()
        starter.communicate()
        assert the(driver, node).state in {NodeState.STOPPED, NodeState.RUNNING}
        driver.start_node(node)
        assert login.run(node.public_ips[0], "hostname") == "again"


def test_a_base_that_is_killed_is_made_anew(driver: SandboxNodeDriver, state: Path, tmp_path: Path) -> None:
    cache = {"STACKWISE_SANDBOX_CACHE": str(tmp_path / "cache")}
    maker = other_process(CREATE, state, **cache)
    assert maker.stdout
    said = [next(maker.stdout)]
    while "essential" not in said[-1]:
        said.append(next(maker.stdout))
    assert [node.state for node in driver.list_nodes()] == [NodeState.PENDING]
    maker.kill()
    maker.communicate()
    assert [node.state for node in driver.list_nodes()] == [NodeState.ERROR]
    again = other_process(CREATE, state, **cache)
    output, _ = again.communicate(timeout=300)
    assert again.returncode == 0, output
    assert "waiting" in output  # for the mmdebstrap of the one killed
    assert {node.state for node in driver.list_nodes()} == {NodeState.ERROR, NodeState.RUNNING}
    assert len(list((tmp_path / "cache").glob("debian-13-*[!g]"))) == 1


def test_no_machine_when_its_base_cannot_be_made(state: Path, tmp_path: Path) -> None:
    extra = {"STACKWISE_SANDBOX_DIR": str(state), "STACKWISE_SANDBOX_CACHE": str(tmp_path / "cache")}
    nowhere = {"STACKWISE_SANDBOX_MIRROR": "http://127.0.0.1:9/debian"}
    driver = SandboxNodeDriver(ex_environ={**os.environ, **extra, **nowhere})
    with pytest.raises(ProvisionError, match="could not be made") as caught:
        create(driver, "never")
    assert "tail -n 40" in caught.value.hint
    assert driver.list_nodes() == []


def test_a_range_without_addresses(state: Path) -> None:
    taken = {"STACKWISE_SANDBOX_DIR": str(state), "STACKWISE_SANDBOX_NETWORK": "127.0.0.0/28"}
    driver = SandboxNodeDriver(ex_environ={**os.environ, **taken})
    with pytest.raises(NothingLeftError):
        create(driver, "never")
    assert driver.list_nodes() == []
