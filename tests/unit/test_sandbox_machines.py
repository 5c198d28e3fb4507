from __future__ import annotations

import json
from datetime import UTC, datetime
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from stackwise.errors import DeadlineError, ProvisionError, ServerLostError, UsageError
from stackwise.provision.sandbox import disks, limits, nspawn, processes, requirements, seed
from stackwise.provision.sandbox.driver import SandboxNodeDriver
from stackwise.provision.sandbox.locks import is_locked, locked
from stackwise.provision.sandbox.machines import SIZES
from stackwise.provision.sandbox.places import CACHE, NETWORK, STATE, places_from
from stackwise.provision.sandbox.store import Machine, Store, new_id


def machine(machine_id: str = "0123abcd", **changes: object) -> Machine:
    fields = {
        "id": machine_id,
        "name": "web-1",
        "size": "small",
        "image": "debian-13",
        "subnet": IPv4Network("198.18.0.4/30"),
        "created": datetime(2026, 11, 20, 11, 20, tzinfo=UTC),
        "tags": {"run": "one"},
    }
    return Machine.model_validate(fields | changes)


def store(tmp_path: Path) -> Store:
    return Store(places_from({"STACKWISE_SANDBOX_DIR": str(tmp_path)}))


def test_a_machine_is_started_with_these_words() -> None:
    argv = nspawn.nspawn_argv("0123abcd", "web-1", Path("/state/machines/0123abcd/root"))
    assert argv[0] == "systemd-nspawn"
    assert set(argv[1:]) >= {
        "--boot",
        "--directory=/state/machines/0123abcd/root",
        "--machine=stackwise-0123abcd",
        "--hostname=web-1",
        "--network-namespace-path=/run/netns/stackwise-0123abcd",
        "--capability=CAP_NET_ADMIN",
        "--register=no",
        "--keep-unit",
    }
    assert nspawn.ENVIRONMENT == {"SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network"}


@pytest.mark.parametrize(
    ("arguments", "leads"),
    [
        (["systemd-nspawn", "--machine=stackwise-0123abcd"], True),
        (["/usr/bin/systemd-nspawn", "--boot", "--machine=stackwise-0123abcd"], True),
        (["sh", "-c", "...", "systemd-nspawn", "--machine=stackwise-0123abcd"], True),
        (["systemd-nspawn", "--machine=stackwise-0123abcde"], False),
        (["systemd-nspawn", "--machine=other"], False),
        (["grep", "--machine=stackwise-0123abcd"], False),
        (["vim", "notes on --machine=stackwise-0123abcd"], False),
        ([""], False),
        ([], False),
    ],
)
def test_a_leader_is_known_by_program_and_exact_name(arguments: list[str], leads: bool) -> None:
    assert processes.is_leader(arguments, "0123abcd") is leads


def test_mounts_below_a_folder_come_in_order_and_unescaped() -> None:
    text = (
        "proc /proc proc rw 0 0\n"
        "/dev/vda /s/machines/1 ext4 rw 0 0\n"
        "/dev/loop0 /s/machines/1/disk ext4 rw 0 0\n"
        "overlay /s/machines/1/a\\040b overlay rw 0 0\n"
        "/dev/loop1 /s/machines/12/disk ext4 rw 0 0\n"
    )
    assert disks.mounted_below(Path("/s/machines/1"), text) == [
        "/s/machines/1",
        "/s/machines/1/disk",
        "/s/machines/1/a b",
    ]


def test_hierarchies_of_an_old_host() -> None:
    host = limits.hierarchies(
        "cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,nosuid,cpu,cpuacct 0 0\n"
        "cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n"
        "cgroup /sys/fs/cgroup/cpuset cgroup rw,cpuset 0 0\n"
        "cgroup /sys/fs/cgroup/systemd cgroup rw,xattr,name=systemd 0 0\n"
        "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n"
    )
    assert host.first["cpu"] == host.first["cpuacct"] == Path("/sys/fs/cgroup/cpu,cpuacct")
    assert {path.name for path in host.roots} == {"cpu,cpuacct", "memory", "systemd", "unified"}
    assert host.second == Path("/sys/fs/cgroup/unified")


def test_hierarchy_of_a_new_host() -> None:
    host = limits.hierarchies("cgroup2 /sys/fs/cgroup cgroup2 rw,nsdelegate 0 0\n")
    assert (host.first, host.second) == ({}, Path("/sys/fs/cgroup"))


def test_where_systemd_runs_the_host_it_sets_the_limits() -> None:
    properties = limits.unit_properties(cpus=2, memory_mib=2048)
    assert {"CPUQuota=200%", "MemoryMax=2048M", "DevicePolicy=closed", "Delegate=yes"} <= set(properties)


@pytest.mark.parametrize(
    ("value", "none"),
    [
        ("max\n", True),
        ("max 100000\n", True),
        ("-1\n", True),
        ("9223372036854771712\n", True),
        ("100000 100000", False),
    ],
)
def test_no_limit_is_told_from_a_limit(value: str, none: bool) -> None:
    assert limits.is_unlimited(value) is none


def test_a_seed_names_the_machine_and_its_keys() -> None:
    assert json.loads(seed.meta_data(machine(), ["ssh-ed25519 AAAA me"])) == {
        "instance-id": "0123abcd",
        "local-hostname": "web-1",
        "public-keys": ["ssh-ed25519 AAAA me"],
    }
    assert "public-keys" not in seed.meta_data(machine(), [])
    assert "127.0.1.1 web-1\n" in seed.hosts("web-1")


def planted(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "root/etc").mkdir(parents=True)
    seed.plant(tmp_path, machine(), "#cloud-config\n{}\n", [])
    return tmp_path / "root/etc/resolv.conf", tmp_path / "root" / seed.SEED / "user-data"


def test_a_seed_is_for_root_alone(tmp_path: Path) -> None:
    _, user_data = planted(tmp_path)
    assert user_data.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "root/etc/hosts").stat().st_mode & 0o777 == 0o644


def test_name_servers_are_renewed_unless_the_machine_chose_its_own(tmp_path: Path) -> None:
    resolver, _ = planted(tmp_path)
    written = resolver.read_text()
    (tmp_path / "resolv.conf").write_text("nameserver 192.0.2.1\n")
    seed.refresh_resolver(tmp_path)
    assert resolver.read_text() == written
    resolver.write_text("nameserver 192.0.2.1\n")
    seed.refresh_resolver(tmp_path)
    assert resolver.read_text() == written


@pytest.mark.parametrize("part", ["etc", "etc/resolv.conf"])
def test_no_link_in_a_machine_leads_a_write_out_of_it(tmp_path: Path, part: str) -> None:
    planted(tmp_path)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "resolv.conf").write_text((tmp_path / "resolv.conf").read_text())
    before = (outside / "resolv.conf").stat().st_ino
    (tmp_path / "root" / part).rename(tmp_path / "moved")
    (tmp_path / "root" / part).symlink_to(outside if part == "etc" else outside / "resolv.conf")
    seed.refresh_resolver(tmp_path)
    assert (outside / "resolv.conf").stat().st_ino == before


def test_a_record_is_there_at_once_and_for_the_owner_alone(tmp_path: Path) -> None:
    kept = store(tmp_path)
    assert kept.machines() == []
    kept.add(machine("00000002", created=datetime(2026, 1, 2, tzinfo=UTC)))
    kept.add(machine("00000001", created=datetime(2026, 1, 3, tzinfo=UTC)))
    assert [each.id for each in store(tmp_path).machines()] == ["00000002", "00000001"]
    assert kept.load("00000001") == machine("00000001", created=datetime(2026, 1, 3, tzinfo=UTC))
    assert (kept.folder("00000001") / "machine.json").stat().st_mode & 0o777 == 0o600
    assert kept.folder("00000001").stat().st_mode & 0o777 == 0o700
    with pytest.raises(ServerLostError, match="00000003"):
        kept.get("00000003")


def test_a_spoilt_record_is_not_overlooked(tmp_path: Path) -> None:
    kept = store(tmp_path)
    kept.add(machine())
    (kept.folder("0123abcd") / "machine.json").write_text("{")
    with pytest.raises(ProvisionError) as caught:
        kept.machines()
    assert caught.value.hint.endswith("machines/0123abcd/machine.json")


def test_ids_fit_into_a_devices_name() -> None:
    assert len("sw-" + new_id()) <= 15
    assert new_id() != new_id()


def test_a_lock_is_seen_waited_for_and_gone_with_its_folder(tmp_path: Path) -> None:
    waited = []
    with locked(tmp_path, deadline=1):
        assert is_locked(tmp_path)
        with pytest.raises(DeadlineError), locked(tmp_path, deadline=0.2, waiting=lambda: waited.append(1)):
            pass
    assert waited == [1]
    assert not is_locked(tmp_path)
    assert not is_locked(tmp_path / "absent")
    with store(tmp_path).held("absent00", deadline=1) as found:
        assert found is None


def test_places_have_defaults_and_can_be_moved() -> None:
    usual = places_from({})
    assert (str(usual.state), str(usual.cache), str(usual.network), usual.mirrors) == (STATE, CACHE, NETWORK, ())
    moved = places_from({"STACKWISE_SANDBOX_NETWORK": "10.9.0.0/24", "STACKWISE_SANDBOX_MIRROR": "http://a http://b"})
    assert (str(moved.network), moved.mirrors) == ("10.9.0.0/24", ("http://a", "http://b"))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("STACKWISE_SANDBOX_DIR", "relative"),
        ("STACKWISE_SANDBOX_CACHE", "/with:colon"),
        ("STACKWISE_SANDBOX_NETWORK", "nonsense"),
        ("STACKWISE_SANDBOX_NETWORK", "10.0.0.0/31"),
    ],
)
def test_a_wrong_setting_says_which_and_what_to_type(variable: str, value: str) -> None:
    with pytest.raises(UsageError, match=variable) as caught:
        places_from({variable: value})
    assert f"export {variable}=" in caught.value.hint


def test_what_is_missing_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(requirements, "COMMANDS", {"no-such-command": "its-package", "sh": "dash"})
    monkeypatch.setattr(requirements, "KEYRING", tmp_path / "absent.gpg")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert requirements.missing_requirements() == [
        "it needs root, and this is an ordinary user",
        "the command no-such-command is missing (package its-package)",
        f"{tmp_path / 'absent.gpg'} is missing (package debian-archive-keyring)",
    ]
    with pytest.raises(ProvisionError) as caught:
        requirements.require()
    assert "apt-get install debian-archive-keyring its-package" in caught.value.hint
    assert caught.value.hint.endswith("type: sudo -E stackwise up")


def test_the_driver_offers_sizes_images_and_one_place(tmp_path: Path) -> None:
    driver = SandboxNodeDriver(ex_environ={"STACKWISE_SANDBOX_DIR": str(tmp_path)})
    assert [(size.id, size.extra["cpus"], size.ram, size.disk, size.price) for size in driver.list_sizes()] == [
        ("small", 1, 1024, 10, 0.0),
        ("medium", 2, 2048, 20, 0.0),
        ("large", 4, 4096, 40, 0.0),
    ]
    assert len(SIZES) == 3
    assert [image.id for image in driver.list_images()] == ["debian-12", "debian-13"]
    assert [place.id for place in driver.list_locations()] == ["local"]
    assert driver.list_nodes() == []


@pytest.mark.parametrize("name", ["Web", "-web", "web.example", "", "a" * 64, "a_b"])
def test_a_name_that_is_no_hostname_is_refused_before_anything_is_made(tmp_path: Path, name: str) -> None:
    driver = SandboxNodeDriver(ex_environ={"STACKWISE_SANDBOX_DIR": str(tmp_path / "state")})
    with pytest.raises(UsageError):
        driver.create_node(name, driver.list_sizes()[0], driver.list_images()[0])
    assert not (tmp_path / "state").exists()
