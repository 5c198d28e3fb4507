"""What goes wrong outside of us: one clear message with the place and what to type, and the next `up` goes on."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from stackwise.provision.sandbox.driver import SandboxNodeDriver
from tests.e2e.conftest import Program
from tests.e2e.sandbox_host import sh
from tests.e2e.test_kills import SMALL, machines, named

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def unlucky(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Give a site with SQLite and no cache server; its server is made by the first test, and kept until the last."""
    program = named(tmp_path_factory.mktemp("unlucky"), "unlucky")
    yield program
    program.run("destroy", "--yes", code=None)


def fails(program: Program, *arguments: str, code: int = 1) -> str:
    """Let a command fail; return its one message and its hint, and see that the journal is whole."""
    done = program.run(*arguments, code=code)
    words = done.stderr[done.stderr.index("error: ") :]
    assert words.count("error: ") == 1, words
    assert words.strip().splitlines()[-1].startswith("  "), f"no hint: {words}"
    for path in program.state.glob("*/journal.jsonl"):
        assert all(json.loads(line) for line in path.read_text().splitlines())
    return words


def up_again(program: Program) -> None:
    """See that after the cause is mended the next `up` goes on to the end, with the same one server."""
    before = machines(program.name)
    program.run("up", "--yes", *SMALL)
    assert machines(program.name) == before


def test_an_ordinary_user_is_told_that_it_needs_root(tmp_path: Path) -> None:
    program = named(tmp_path / "rootless", "rootless")
    shutil.chown(tmp_path / "rootless", "nobody")
    for path in (tmp_path / "rootless").rglob("*"):
        shutil.chown(path, "nobody")
    for above in [tmp_path, *tmp_path.parents][:3]:
        above.chmod(0o755)
    argv = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *program.argv, "up", "--yes"]
    done = subprocess.run(argv, cwd=program.folder, env=program.env, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert done.stderr.count("error: ") == 1
    assert "needs root" in done.stderr
    assert "sudo -E stackwise up" in done.stderr
    assert "Traceback" not in done.stderr
    assert machines(program.name) == []


def test_a_key_that_is_missing(unlucky: Program) -> None:
    words = fails(unlucky, "up", "--yes", "--set", "access.ssh_key=~/.ssh/none.pub", code=2)
    assert "none.pub cannot be read: No such file or directory" in words
    assert "--set access.ssh_key=generate" in words
    assert machines(unlucky.name) == []


def test_a_full_state_folder(unlucky: Program) -> None:
    state = unlucky.home / "tiny"
    state.mkdir()
    sh("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(state))
    unlucky.environment["XDG_STATE_HOME"] = str(state)
    try:
        # No room at all, then room for the journal and not for the rendered project.
        (state / "filler").write_bytes(b"x" * 65536)
        words = fails(unlucky, "up", "--yes", *SMALL)
        assert "No space left on device" in words
        assert str(state) in words
        assert "free some room" in words
        assert machines(unlucky.name) == []
        (state / "filler").write_bytes(b"x" * 16384)
        words = fails(unlucky, "up", "--yes", *SMALL)
        assert "No space left on device" in words
        assert "stackwise up" in words
        (before,) = machines(unlucky.name)
        # Room is made: it goes on with the same server, and removing it needs no more than that.
        (state / "filler").unlink()
        unlucky.run("destroy", "--yes")
        assert before not in machines(unlucky.name)
    finally:
        (state / "filler").unlink(missing_ok=True)
        unlucky.run("destroy", "--yes", code=None)
        del unlucky.environment["XDG_STATE_HOME"]
        sh("umount", str(state))


def test_no_network_on_the_server(unlucky: Program) -> None:
    unlucky.kill_when('"PhaseStarted".*"configure"', "up", "--yes", *SMALL)
    # The way out is gone; we are its neighbour, and still get in.
    way = unlucky.on_server("ip route show default").strip()
    unlucky.on_server("sudo ip route del default")
    try:
        words = fails(unlucky, "up", "--yes", *SMALL)
    finally:
        unlucky.on_server(f"sudo ip route add {way}")
    assert "Fetch the lists of packages" in words
    assert re.search(r"[Nn]etwork is unreachable|[Tt]emporary failure resolving|[Cc]onnection failed", words), words


def test_no_disk_on_the_server(unlucky: Program) -> None:
    unlucky.on_server("sudo sh -c 'fallocate -l $(($(df -B1 --output=avail / | tail -n1) - 8388608)) /filler'")
    try:
        words = fails(unlucky, "up", "--yes", *SMALL)
    finally:
        unlucky.on_server("sudo rm /filler")
    assert re.search(r"[Nn]o space left|disk is full|enough free space", words), words


@pytest.mark.parametrize("port", [80, 443])
def test_a_port_that_something_else_has(unlucky: Program, port: int) -> None:
    unlucky.on_server("sudo systemctl stop nginx 2>/dev/null || true")
    unlucky.on_server(f"sudo systemd-run --unit=squatter-{port} python3 -m http.server {port}")
    try:
        words = fails(unlucky, "up", "--yes", *SMALL)
    finally:
        unlucky.on_server(f"sudo systemctl stop squatter-{port}")
    assert f"port {port} is taken by python3" in words


def test_it_goes_on_when_all_that_is_mended(unlucky: Program) -> None:
    up_again(unlucky)
    assert "Run" in unlucky.run("up", "--yes", *SMALL).stderr


def test_an_application_that_answers_500(unlucky: Program) -> None:
    views = unlucky.folder / "posts" / "views.py"
    good = views.read_text()
    views.write_text(
        good.replace("def post_list(request):\n", "def post_list(request):\n    raise OSError('out of order')\n")
    )
    words = fails(unlucky, "up", "--yes", *SMALL)
    assert "500" in words
    assert "out of order" in words
    views.write_text(good)
    up_again(unlucky)


def test_a_server_that_is_gone_at_the_provider(unlucky: Program) -> None:
    driver = SandboxNodeDriver()
    if not machines(unlucky.name):
        unlucky.kill_when('"PhaseStarted".*"configure"', "up", "--yes", *SMALL)
    (gone,) = machines(unlucky.name)
    driver.destroy_node(driver.ex_get_node(gone))
    words = fails(unlucky, "up", "--yes", *SMALL)
    assert gone in words
    assert "is gone at sandbox" in words
    assert "stackwise destroy, then stackwise up" in words
    fails(unlucky, "verify")
    assert "gone" in unlucky.run("status").stdout
    unlucky.run("destroy", "--yes")
    unlucky.kill_when("ServerCreated", "up", "--yes", *SMALL)
    assert len(machines(unlucky.name)) == 1
