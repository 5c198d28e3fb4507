"""Two sites on one server: the second moves in, shares nothing but the machine, and leaves without a trace."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
from collections.abc import Iterator

import pytest

from tests.conftest import EXAMPLES
from tests.e2e.conftest import Program, make_program
from tests.e2e.test_spine import changed

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

OK, NOT_FOUND = 200, 404
# The folder of the database's sockets, and the socket of the cache.
SOCKETS = {
    "superbook": ("/run/postgresql", "/run/redis/redis-server.sock"),
    "note-book": ("/run/postgresql-note-book", "/run/redis-note-book/redis-server.sock"),
}


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Program, Program]]:
    """Give a site that makes a server, and one that moves in to it; both are removed at the end."""
    first = make_program(tmp_path_factory.mktemp("shared"), "superbook")
    folder = first.folder.parent / "second"
    shutil.copytree(EXAMPLES / "superbook", folder, ignore=shutil.ignore_patterns(".stackwise", "__pycache__"))
    second = Program(folder, first.home)
    say(first, "  size: small", "  size: small\n  sites: 2")
    say(second, "  size: small", "  size: small\n  sites: 2\n  share: superbook")
    say(second, "name: superbook\n", "name: note-book\n")
    say(second, "domain: superbook.test", "domain: notes.test")
    yield first, second
    second.run("destroy", "--yes", code=None)
    first.run("destroy", "--yes", code=None)


def say(program: Program, old: str, new: str) -> None:
    answers = program.folder / "stackwise.yml"
    assert answers.read_text().count(old) == 1
    answers.write_text(answers.read_text().replace(old, new))


def page(address: str, domain: str, path: str = "/") -> tuple[int, str]:
    """Ask for a page in the name of a domain, as a visitor who knows where it leads."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    wire = socket.create_connection((address, 443), timeout=20)
    with context.wrap_socket(wire, server_hostname=domain) as tls:
        tls.sendall(f"GET {path} HTTP/1.1\r\nHost: {domain}\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: tls.recv(65536), b"")).decode()
    return int(answer.split()[1]), answer


def refused(program: Program, *arguments: str, code: int) -> str:
    return program.run(*arguments, code=code).stderr


def test_there_is_nothing_to_move_in_to_yet(sites: tuple[Program, Program]) -> None:
    said = refused(sites[1], "up", "--yes", code=1)
    assert "superbook-production has no server yet" in said
    assert "stackwise up -a FILE" in said


def test_the_first_makes_the_server_and_keeps_a_part_of_it(sites: tuple[Program, Program]) -> None:
    first, _ = sites
    plan = json.loads(first.run("plan", "--json").stdout)
    assert plan["memory_mb"] < plan["servers"][0]["size"]["memory_mb"] * 0.6
    assert sum(share["memory_mb"] for share in plan["memory"]) <= plan["memory_mb"]
    happened = first.events("up", "--yes")
    assert [event for event in happened if event["event"] == "CheckFinished" and event["status"] == "fault"] == []


def test_answers_that_do_not_agree_are_refused(sites: tuple[Program, Program]) -> None:
    _, second = sites
    said = refused(second, "up", "--yes", "--set", "hosting.size=large", code=2)
    assert "hosting.size is large here, and small for superbook-production" in said
    assert "--set hosting.size=small" in said
    assert "superbook.test on this server already" in refused(
        second, "up", "--yes", "--set", "access.domain=superbook.test", code=3
    )


def test_the_second_moves_in(sites: tuple[Program, Program]) -> None:
    first, second = sites
    happened = second.events("up", "--yes")
    assert [event for event in happened if event["event"] == "CheckFinished" and event["status"] == "fault"] == []
    assert "ServerCreated" not in {event["event"] for event in happened}
    assert happened[-1]["url"] == "https://notes.test/"
    assert second.address() == first.address()
    assert [page(first.address(), name)[0] for name in ("superbook.test", "notes.test")] == [OK, OK]
    shares = json.loads(second.run("status", "--json").stdout)["shares"]
    assert shares == {"server_of": "superbook-production", "with": ["note-book-production"]}


def test_both_again_change_nothing(sites: tuple[Program, Program]) -> None:
    assert [changed(program.events("up", "--yes")) for program in sites] == [0, 0]


def test_each_has_its_own_data(sites: tuple[Program, Program]) -> None:
    first, _ = sites
    first.run("manage", "--", "seed")
    post = "/posts/how-i-learned-to-fly/"
    assert page(first.address(), "superbook.test", post)[0] == OK
    assert page(first.address(), "notes.test", post)[0] == NOT_FOUND


@pytest.mark.parametrize(("user", "other"), [("superbook", "note-book"), ("note-book", "superbook")])
def test_neither_gets_at_what_is_the_others(sites: tuple[Program, Program], user: str, other: str) -> None:
    first, _ = sites
    own, foreign = (SOCKETS[name] for name in (user, other))
    as_user = f"sudo setpriv --reuid={user} --regid={user} --init-groups --"
    ask = "--no-align --tuples-only --command='select 40 + 2'"
    assert first.on_server(f"{as_user} psql --host={own[0]} {ask} {user}") == "42\n"
    assert "FATAL" in first.on_server(f"{as_user} psql --host={foreign[0]} {ask} {other} 2>&1 || true")
    assert first.on_server(f"{as_user} redis-cli -s {own[1]} ping") == "PONG\n"
    assert "Permission denied" in first.on_server(f"{as_user} redis-cli -s {foreign[1]} ping 2>&1 || true")
    # Of the sites of the server, a service sees itself alone.
    process = f"$(systemctl show --property=MainPID --value {user}.service)"
    assert first.on_server(f"sudo nsenter --target={process} --mount ls /srv") == f"{user}\n"


def test_a_reboot_brings_both_back(sites: tuple[Program, Program]) -> None:
    first, second = sites
    first.run("ssh", "--", "sudo systemctl reboot", code=None)
    assert [program.events("up", "--yes")[-1]["event"] for program in (first, second)] == ["RunFinished", "RunFinished"]
    assert [page(first.address(), name)[0] for name in ("superbook.test", "notes.test")] == [OK, OK]


def test_the_server_stays_while_a_guest_stands_on_it(sites: tuple[Program, Program]) -> None:
    said = refused(sites[0], "destroy", "--yes", code=2)
    assert "note-book-production stand on the server of superbook-production too" in said
    assert page(sites[0].address(), "superbook.test")[0] == OK


def test_there_is_no_place_for_a_third(sites: tuple[Program, Program]) -> None:
    said = refused(sites[1], "up", "--yes", "--set", "name=third", "--set", "access.domain=third.test", code=3)
    assert "planned for 2 sites" in said


def test_the_second_leaves_and_the_first_notices_nothing(sites: tuple[Program, Program]) -> None:
    first, second = sites
    second.kill_when("Remove the site's user", "destroy", "--yes")
    assert page(first.address(), "superbook.test")[0] == OK
    second.run("destroy", "--yes")
    assert page(first.address(), "superbook.test")[0] == OK
    names = "-name '*note-book*' -o -name '*note_book*'"
    files = first.on_server(f"sudo find / /run /dev/shm -xdev \\( {names} \\) -print").splitlines()
    assert files == []
    assert first.on_server("getent passwd note-book; systemctl list-units --all --no-legend '*note?book*'; true") == ""
    assert changed(first.events("up", "--yes")) == 0
    assert first.run("verify", code=0)


def test_then_the_server_goes(sites: tuple[Program, Program]) -> None:
    first, _ = sites
    ours = json.loads(first.run("status", "--json").stdout)["servers"][0]["id"]
    first.run("destroy", "--yes")
    assert ours not in first.run("orphans", "--json").stdout
