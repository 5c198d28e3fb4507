"""The record and the provider's tags mend each other, and what nobody has on record is listed with its price."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from stackwise.catalog import Catalog, load_catalog
from stackwise.catalog.model import Size
from stackwise.cli.clouds import orphans_command, providers_command
from stackwise.errors import NameTakenError, UsageError
from stackwise.journal import Journal
from stackwise.operate.standing import adopt, adoptable, standing
from stackwise.plan.model import Identity, ServerSpec
from stackwise.provision.keys import KeyPair
from stackwise.provision.servers import Provisioner
from tests.cloud.apis.digitalocean import DigitalOceanApi
from tests.cloud.contract import ADMIN, PROVIDERS, TAGS

SITE = Identity("superbook", "testing")
DIGITALOCEAN = PROVIDERS["digitalocean"]
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGhvc3Rob3N0aG9zdGhvc3Rob3N0aG9zdGhvc3Q="


@pytest.fixture
def catalog() -> Catalog:
    return load_catalog()


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[DigitalOceanApi]:
    api = DigitalOceanApi()
    with api.serving() as url:
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
        monkeypatch.setenv("STACKWISE_SANDBOX_DIR", str(tmp_path / "sandbox"))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv("DIGITALOCEAN_ACCESS_TOKEN", api.token)
        monkeypatch.setenv("DIGITALOCEAN_API_URL", url)
        yield api


@pytest.fixture
def journal(api: DigitalOceanApi) -> Journal:
    assert api.url
    return Journal.of(SITE)


def _ordered(journal: Journal) -> None:
    journal.write("started", token=TAGS["stackwise-token"])
    journal.write("creating", server="web-1", provider="digitalocean", location=DIGITALOCEAN.place)


def test_a_server_whose_id_was_lost_is_on_record_again(
    api: DigitalOceanApi, journal: Journal, catalog: Catalog
) -> None:
    _ordered(journal)
    node = DIGITALOCEAN.opened(api).create(DIGITALOCEAN.order())
    (seen,) = standing(journal, catalog)
    assert seen.record.id == node.id
    assert "found by its tags" in seen.remark
    (again,) = standing(Journal.of(SITE), catalog)
    assert (again.record.id, again.state, again.remark) == (node.id, "running", "")


def test_an_order_that_came_to_nothing_is_told_as_half_made(
    api: DigitalOceanApi, journal: Journal, catalog: Catalog
) -> None:
    _ordered(journal)
    (seen,) = standing(journal, catalog)
    assert (seen.state, api.machines) == ("half made", {})


def test_a_server_that_somebody_removed_is_told_as_gone(
    api: DigitalOceanApi, journal: Journal, catalog: Catalog
) -> None:
    _ordered(journal)
    node = DIGITALOCEAN.opened(api).create(DIGITALOCEAN.order())
    journal.write("created", server="web-1", id=node.id, address=node.address)
    api.remove(api.machines[node.id])
    (seen,) = standing(journal, catalog)
    assert seen.state == "gone at the provider"
    assert seen.remark.startswith("make it anew")


def test_a_provider_that_refuses_us_leaves_the_record_to_be_shown(
    api: DigitalOceanApi, journal: Journal, catalog: Catalog
) -> None:
    _ordered(journal)
    api.token = "another"  # noqa: S105 - no real one
    (seen,) = standing(journal, catalog)
    assert seen.state == "cannot be asked"
    assert "refuses the credentials" in seen.remark


def test_what_no_record_owns_is_listed_with_what_it_costs(api: DigitalOceanApi) -> None:
    node = DIGITALOCEAN.opened(api).create(DIGITALOCEAN.order())
    done = CliRunner().invoke(orphans_command, ["--json"])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    (row,) = [row for row in document["orphans"] if row["provider"] == "digitalocean"]
    assert (row["id"], row["site"], row["cost"], row["currency"]) == (node.id, "superbook (testing)", 12.0, "USD")
    assert "digitalocean" in document["asked"]


def test_a_lost_record_is_written_anew_from_the_tags(api: DigitalOceanApi, journal: Journal, catalog: Catalog) -> None:
    cloud = DIGITALOCEAN.opened(api)
    node = cloud.create(DIGITALOCEAN.order())
    provider = catalog.component("digitalocean")
    # What a run leaves that was refused because of this very server.
    journal.begin()
    found = cloud.get(adoptable(SITE, provider, cloud).id)
    assert found is not None
    adopt(journal, provider, DIGITALOCEAN.place, found, HOST_KEY)
    record = Journal.of(SITE).servers()["web-1"]
    assert (record.id, record.ready, record.location) == (node.id, True, DIGITALOCEAN.place)
    assert record.host_keys == (HOST_KEY,)
    assert (journal.folder / "known_hosts" / "web-1").read_text() == f"{found.address} {HOST_KEY}\n"
    assert journal.token == TAGS["stackwise-token"]
    with pytest.raises(UsageError, match="has a server on record already: web-1"):
        adopt(journal, provider, DIGITALOCEAN.place, found, HOST_KEY)


def test_two_who_run_the_same_name_from_two_places_make_one_server(api: DigitalOceanApi, tmp_path: Path) -> None:
    size = Size(id=DIGITALOCEAN.size, cpus=1, memory_mb=2048, disk_gb=50, price=12)
    spec = ServerSpec("web-1", ("app",), "digitalocean", DIGITALOCEAN.place, size, "debian-13", "own")
    key = tmp_path / "key"
    key.touch()

    def up(home: str) -> None:
        journal = Journal(tmp_path / home)
        maker = Provisioner(
            DIGITALOCEAN.opened(api), journal, SITE, "deploy", KeyPair(ADMIN, str(key)), threading.Event(), pause=0.01
        )
        assert list(maker.made(spec))

    up("here")
    with pytest.raises(NameTakenError, match="has a server of superbook-testing already") as raised:
        up("there")
    assert raised.value.hint.startswith("take it, if it is yours: stackwise adopt")
    assert len(api.made) == 1


def test_which_of_two_is_meant_has_to_be_said(api: DigitalOceanApi, catalog: Catalog) -> None:
    cloud = DIGITALOCEAN.opened(api)
    provider = catalog.component("digitalocean")
    with pytest.raises(UsageError, match="no server that is tagged as superbook-testing"):
        adoptable(SITE, provider, cloud)
    first = cloud.create(DIGITALOCEAN.order("web-1"))
    cloud.create(DIGITALOCEAN.order("web-2"))
    with pytest.raises(UsageError, match="has 2 servers") as raised:
        adoptable(SITE, provider, cloud)
    assert raised.value.hint == f"say which: stackwise adopt {first.id}"


def test_providers_tell_what_they_want_and_what_is_for_sale_today(api: DigitalOceanApi) -> None:
    document = json.loads(CliRunner().invoke(providers_command, ["--json"]).stdout)
    rows = {row["id"]: row for row in document["providers"]}
    assert rows["digitalocean"]["credentials"][0]["given"]
    assert rows["digitalocean"]["tested"]
    live = CliRunner().invoke(providers_command, ["show", "digitalocean", "--live", "--region", "ams3", "--json"])
    assert live.exit_code == 0, live.output
    sold = {size["id"]: size["price"] for size in json.loads(live.stdout)["live"]["sizes"]["ams3"]}
    assert sold["s-1vcpu-2gb"] == 12.0
    assert "s-1vcpu-512mb-10gb" not in sold
    words = CliRunner().invoke(providers_command, ["show", "digitalocean"]).stdout
    assert "DIGITALOCEAN_ACCESS_TOKEN (given)" in words
    assert api.token not in words
