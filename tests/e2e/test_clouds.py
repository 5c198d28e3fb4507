"""From an API call to a served page and back: providers' APIs on loopback, whose machines really boot."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import stackwise
from stackwise.catalog import load_catalog
from stackwise.paths import data_dir
from tests.cloud.apis.boots import SandboxBoots
from tests.cloud.apis.server import Api
from tests.cloud.contract import PROVIDERS, Provider
from tests.e2e.conftest import Program, fetched, make_program
from tests.e2e.test_spine import changed

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

# Those whose machines are made to boot here; what the others answer is held in tests/cloud.
BOOTING = ("digitalocean", "hetzner", "ec2")
# `make test` takes one of them, and `make matrix` says that it wants all.
ASKED = os.environ.get("STACKWISE_TEST_PROVIDERS", BOOTING[0]).split()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the program as it is, with a catalog that says of the providers what is true of their machines here.

    A machine of the sandbox has the host's kernel; a rented one has its own, which is what our catalog says.
    """
    folder = tmp_path_factory.mktemp("program")
    package = folder / "stackwise"
    shutil.copytree(Path(stackwise.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("catalog", "playbooks"):
        shutil.copytree(data_dir() / name, package / "_data" / name, dirs_exist_ok=True)
    for name in BOOTING:
        component = package / "_data" / "catalog" / "components" / "provider" / f"{name}.yml"
        words = component.read_text()
        assert words.count("  kind: vps\n") == 1
        component.write_text(words.replace("  kind: vps\n", "  kind: vps\n  kernel: shared\n"))
    return folder


@pytest.fixture(params=ASKED)
def provider(request: pytest.FixtureRequest) -> Provider:
    return PROVIDERS[request.param]


@pytest.fixture
def standing(provider: Provider) -> Iterator[tuple[Api, SandboxBoots]]:
    """Give an API whose machines boot; what a failed test leaves there is removed with it."""
    boots = SandboxBoots()
    api = provider.api(boots)
    with api.serving():
        yield api, boots


@pytest.fixture
def program(
    provider: Provider,
    standing: tuple[Api, SandboxBoots],
    installed: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Program:
    """Give the example site, with the answers that put it at the provider."""
    api, _ = standing
    program = make_program(tmp_path_factory.mktemp(provider.id), "superbook")
    offer = load_catalog().component(provider.id).offer
    assert offer
    program.environment |= {
        **provider.keys(api),
        offer.endpoint: f"{api.url}{provider.path}",
        "PYTHONPATH": str(installed),
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }
    key = program.home / "id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    answers = program.folder / "stackwise.yml"
    words = answers.read_text()
    for old, new in (
        ("provider: sandbox", f"provider: {provider.id}"),
        ("region: local", f"region: {provider.place}"),
        ("size: small", f"size: {provider.size}"),
        # A key that was made for the site would be lost with its record.
        ("ssh_key: generate", f"ssh_key: {key}.pub"),
    ):
        assert words.count(old) == 1
        words = words.replace(old, new)
    answers.write_text(words)
    return program


def test_a_site_stands_at_a_provider_and_goes_again(
    provider: Provider, standing: tuple[Api, SandboxBoots], program: Program
) -> None:
    api, boots = standing
    happened = program.events("up", "--yes")
    assert boots.failed == []
    (machine,) = api.machines.values()
    (created,) = [event for event in happened if event["event"] == "ServerCreated"]
    assert (created["id"], created["address"]) == (machine.id, machine.address)
    assert machine.tags
    assert program.address() == machine.address
    assert "<html" in fetched(program, "/")

    # The host's key is the one that it made for itself after the first login, and is known before any other.
    known = next(program.state.glob("*/known_hosts/*")).read_text()
    assert known.startswith(f"{machine.address} ssh-ed25519 ")
    assert program.on_server("cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub").strip() in known
    assert known.split()[2] not in machine.user_data

    again = program.events("up", "--yes")
    assert changed(again) == 0
    assert api.made == [machine.id]

    (server,) = json.loads(program.run("status", "--json").stdout)["servers"]
    assert (server["id"], server["provider"]) == (machine.id, provider.id)

    _lost_and_taken_again(api, program, machine.id)

    program.run("destroy", "--yes")
    assert api.machines == {}
    assert api.keys == {}
    assert api.made == [machine.id]
    left = b"".join(path.read_bytes() for path in program.folder.parent.rglob("*") if path.is_file())
    assert api.token.encode() not in left


def _lost_and_taken_again(api: Api, program: Program, node_id: str) -> None:
    """Lose the record as a stolen laptop does: the server is listed, makes no second one, and is taken again."""
    shutil.rmtree(next(program.state.glob("superbook-*")))
    orphans = json.loads(program.run("orphans", "--json").stdout)["orphans"]
    assert node_id in [orphan["id"] for orphan in orphans]
    refused = program.run("up", "--yes", code=1)
    assert "stackwise adopt" in refused.stderr
    program.run("adopt", "--yes")
    program.events("up", "--yes")
    assert "<html" in fetched(program, "/")
    assert api.made == [node_id]
