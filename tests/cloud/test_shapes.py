"""The APIs on loopback answer in the shapes of the real ones: of recorded answers, and of what their clients read."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import libcloud
import pytest

from tests.cloud.apis.server import Api, Machine
from tests.cloud.contract import ADMIN, ANOTHER, PROVIDERS, USER_DATA, Provider

RECORDED = Path(libcloud.__file__).parent / "test" / "compute" / "fixtures"
Differences = Iterator[str]


def kind(value: object) -> str:
    """Return the type as JSON names it."""
    if isinstance(value, bool):
        return "boolean"
    names = {dict: "object", list: "array", str: "string", int: "number", float: "number", type(None): "null"}
    return names[type(value)]


def merged(items: list[Any]) -> Any:
    """Return one item with the keys of all."""
    if all(isinstance(item, dict) for item in items):
        known = {key: value for item in items for key, value in item.items() if value is not None}
        return {key: known.get(key) for item in items for key in item}
    return items[0]


def clashes(ours: Any, theirs: Any, place: str) -> Differences:
    """Yield where ours has a value of another type than theirs. Nothing is also a value: null fits all."""
    if ours is None or theirs is None:
        return
    if kind(ours) != kind(theirs):
        yield f"{place}: {kind(ours)}, and {kind(theirs)} there"
    elif isinstance(ours, dict):
        for key in ours.keys() & theirs.keys():
            yield from clashes(ours[key], theirs[key], f"{place}.{key}")
    elif isinstance(ours, list) and ours and theirs:
        yield from clashes(merged(ours), merged(theirs), f"{place}[]")


def missing(ours: Any, theirs: Any, place: str) -> Differences:
    """Yield the keys that theirs has and ours lacks."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        yield from (f"{place}.{key}" for key in theirs.keys() - ours.keys())
        for key in ours.keys() & theirs.keys():
            yield from missing(ours[key], theirs[key], f"{place}.{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and ours and theirs:
        yield from missing(merged(ours), merged(theirs), f"{place}[]")


def asked(api: Api, method: str, path: str, body: object = None, token: str = "") -> Any:
    """Return what an API answers."""
    request = urllib.request.Request(  # noqa: S310 - our own server
        f"{api.url}{path}", None if body is None else json.dumps(body).encode(), method=method
    )
    request.add_header("Authorization", f"Bearer {token or api.token}")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - as above
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as refusal:
        with refusal:
            return json.loads(refusal.read())


def standing(provider: Provider, machines: int = 2) -> Api:
    """Return an API with a key and a few machines, to be served."""
    api = provider.api()
    api.register("mine", ADMIN)
    for number in range(machines):
        tags: Any = ["a:b"] if provider.id == "digitalocean" else {"a": "b"}
        image = "debian-13-x64" if provider.id == "digitalocean" else "debian-13"
        api.bill(Machine(str(api.number()), f"web-{number}", provider.size, image, provider.place, USER_DATA, tags))
    return api


DIGITALOCEAN = PROVIDERS["digitalocean"]
DROPLET = {
    "name": "web-9",
    "region": DIGITALOCEAN.place,
    "size": DIGITALOCEAN.size,
    "image": "debian-13-x64",
    "user_data": USER_DATA,
}
# The call, the recorded answer, and what of it ours leaves out. Recordings are of many years: what newer ones have in
# another shape is named in `CHANGED`.
ANSWERS: dict[str, tuple[str, str, object, set[str]]] = {
    "list_key_pairs": ("GET", "/v2/account/keys", None, set()),
    "create_key_pair": ("POST", "/v2/account/keys", {"name": "hers", "public_key": ANOTHER}, set()),
    "list_locations": ("GET", "/v2/regions", None, set()),
    "list_sizes": ("GET", "/v2/sizes", None, set()),
    "list_images": ("GET", "/v2/images", None, set()),
    "list_nodes": ("GET", "/v2/droplets", None, {"answer.droplets[].vpc_uuid"}),
    "list_nodes_page_1": ("GET", "/v2/droplets?page=1&per_page=1", None, set()),
    "list_nodes_empty": ("GET", "/v2/droplets?tag_name=nobody", None, set()),
    "list_node": ("GET", "/v2/droplets/{machine}", None, set()),
    "ex_power_on_node": ("POST", "/v2/droplets/{machine}/actions", {"type": "power_on"}, set()),
    "ex_shutdown_node": ("POST", "/v2/droplets/{machine}/actions", {"type": "shutdown"}, set()),
    "reboot_node": ("POST", "/v2/droplets/{machine}/actions", {"type": "reboot"}, set()),
    "error_invalid_image": ("POST", "/v2/droplets", {**DROPLET, "image": "debian-1"}, set()),
}
# The actions of 2014 have a region's slug, those since 2016 (attach_volume.json) the region and its slug.
CHANGED = {"answer.action.region: object, and string there"}


@pytest.mark.parametrize("name", ANSWERS)
def test_digitalocean_answers_as_it_was_recorded(name: str) -> None:
    method, path, body, left_out = ANSWERS[name]
    theirs = json.loads((RECORDED / "digitalocean_v2" / f"{name}.json").read_text())
    api = standing(DIGITALOCEAN)
    with api.serving():
        ours = asked(api, method, path.format(machine=next(iter(api.machines))), body)
    assert set(clashes(ours, theirs, "answer")) - CHANGED == set()
    assert set(missing(ours, theirs, "answer")) == left_out


def test_digitalocean_refuses_a_token_as_it_was_recorded() -> None:
    theirs = json.loads((RECORDED / "digitalocean_v2" / "error.json").read_text())
    api = DIGITALOCEAN.api()
    with api.serving():
        ours = asked(api, "GET", "/v2/droplets", token="wrong")  # noqa: S106 - no real one
    assert ours["message"].rstrip(".") == theirs["message"].rstrip(".")
    assert {key: kind(value) for key, value in ours.items()} == {key: kind(value) for key, value in theirs.items()}


# What Hetzner's own clients read, by name and type; ? is a type that may be null. The names are those of
# https://github.com/hetznercloud/hcloud-go/tree/b8cfa39da974c46bac1288825f155591f63939ea/hcloud/schema
HETZNER = PROVIDERS["hetzner"]
NUMBER, STRING, BOOLEAN, LIST = 0, "", False, [None]
PRICE = {"net": STRING, "gross": STRING}
LOCATION: dict[str, Any] = {
    **dict.fromkeys(("id", "latitude", "longitude"), NUMBER),
    **dict.fromkeys(("name", "description", "country", "city", "network_zone"), STRING),
}
SIZE: dict[str, Any] = {
    **dict.fromkeys(("id", "cores", "memory", "disk", "included_traffic"), NUMBER),
    **dict.fromkeys(("name", "description", "category", "storage_type", "cpu_type", "architecture"), STRING),
    "deprecated": BOOLEAN,
    "deprecation": None,
    "prices": [
        {
            "location": STRING,
            "price_hourly": PRICE,
            "price_monthly": PRICE,
            "included_traffic": NUMBER,
            "price_per_tb_traffic": PRICE,
        }
    ],
    "locations": [
        {"id": NUMBER, "name": STRING, "recommended": BOOLEAN, "available": BOOLEAN, "deprecation": None},
    ],
}
IMAGE: dict[str, Any] = {
    **dict.fromkeys(("id", "disk_size"), NUMBER),
    **dict.fromkeys(("status", "type", "name", "description", "os_flavor", "os_version", "architecture"), STRING),
    **dict.fromkeys(("image_size", "created_from", "bound_to", "deprecated", "deleted")),
    "created": STRING,
    "rapid_deploy": BOOLEAN,
    "protection": {"delete": BOOLEAN},
    "labels": {},
}
ADDRESS: dict[str, Any] = {"id": NUMBER, "ip": STRING, "blocked": BOOLEAN}
SERVER: dict[str, Any] = {
    **dict.fromkeys(("id", "included_traffic", "outgoing_traffic", "ingoing_traffic", "primary_disk_size"), NUMBER),
    **dict.fromkeys(("name", "status", "created"), STRING),
    **dict.fromkeys(("rescue_enabled", "locked"), BOOLEAN),
    **dict.fromkeys(("backup_window", "iso", "placement_group")),
    **dict.fromkeys(("private_net", "volumes", "load_balancers"), LIST),
    "public_net": {
        "ipv4": {**ADDRESS, "dns_ptr": STRING},
        "ipv6": {**ADDRESS, "dns_ptr": LIST},
        "floating_ips": LIST,
        "firewalls": LIST,
    },
    "server_type": SIZE,
    "location": LOCATION,
    "image": IMAGE,
    "protection": {"delete": BOOLEAN, "rebuild": BOOLEAN},
    "labels": {},
}
ACTION: dict[str, Any] = {
    **dict.fromkeys(("id", "progress"), NUMBER),
    **dict.fromkeys(("status", "command", "started"), STRING),
    **dict.fromkeys(("finished", "error")),
    "resources": [{"id": NUMBER, "type": STRING}],
}
KEY: dict[str, Any] = {
    **dict.fromkeys(("name", "fingerprint", "public_key", "created"), STRING),
    "id": NUMBER,
    "labels": {},
}
PAGES: dict[str, Any] = {
    "pagination": {
        **dict.fromkeys(("page", "per_page", "last_page", "total_entries"), NUMBER),
        **dict.fromkeys(("previous_page", "next_page")),
    }
}
ERROR: dict[str, Any] = {"error": {"code": STRING, "message": STRING, "details": None}}
ORDER: dict[str, Any] = {
    "name": "web-9",
    "location": HETZNER.place,
    "server_type": HETZNER.size,
    "image": "debian-13",
    "user_data": USER_DATA,
}
READ: dict[str, tuple[str, str, object, Any]] = {
    "keys": ("GET", "/v1/ssh_keys", None, {"ssh_keys": [KEY], "meta": PAGES}),
    "a key": ("POST", "/v1/ssh_keys", {"name": "hers", "public_key": ANOTHER}, {"ssh_key": KEY}),
    "locations": ("GET", "/v1/locations", None, {"locations": [LOCATION], "meta": PAGES}),
    "sizes": ("GET", "/v1/server_types", None, {"server_types": [SIZE], "meta": PAGES}),
    "images": ("GET", "/v1/images", None, {"images": [IMAGE], "meta": PAGES}),
    "servers": ("GET", "/v1/servers", None, {"servers": [SERVER], "meta": PAGES}),
    "a server": ("GET", "/v1/servers/{machine}", None, {"server": SERVER}),
    "an order": (
        "POST",
        "/v1/servers",
        ORDER,
        {"server": SERVER, "action": ACTION, "next_actions": [ACTION], "root_password": STRING},
    ),
    "an action": ("POST", "/v1/servers/{machine}/actions/poweron", None, {"action": ACTION}),
    "an end": ("DELETE", "/v1/servers/{machine}", None, {"action": ACTION}),
    "a refusal": ("POST", "/v1/servers", {**ORDER, "name": "web-0"}, ERROR),
    "an old field": ("POST", "/v1/servers", {**ORDER, "datacenter": "fsn1-dc14"}, ERROR),
}


@pytest.mark.parametrize("name", READ)
def test_hetzner_answers_what_its_own_clients_read(name: str) -> None:
    method, path, body, theirs = READ[name]
    api = standing(HETZNER)
    with api.serving():
        ours = asked(api, method, path.format(machine=next(iter(api.machines))), body)
    assert set(clashes(ours, theirs, "answer")) == set()
    assert set(missing(ours, theirs, "answer")) == set()
    # Nor is there anything that the clients do not know.
    assert set(missing(theirs, ours, "answer")) - {"answer.server.labels.a", "answer.servers[].labels.a"} == set()


def test_the_pages_of_hetzner_say_which_is_next() -> None:
    api = standing(HETZNER, machines=5)
    with api.serving():
        pages = [asked(api, "GET", f"/v1/servers?per_page=2&page={page}")["meta"]["pagination"] for page in (1, 3)]
    assert pages[0] == {
        "page": 1,
        "per_page": 2,
        "previous_page": None,
        "next_page": 2,
        "last_page": 3,
        "total_entries": 5,
    }
    assert (pages[1]["previous_page"], pages[1]["next_page"]) == (2, None)


@pytest.mark.parametrize(
    ("selector", "found"),
    [("a", 2), ("!a", 0), ("a==b", 2), ("a=b", 2), ("a!=b", 0), ("a in (b,c)", 2), ("a notin (b)", 0), ("a,!z", 2)],
)
def test_hetzner_selects_by_labels(selector: str, found: int) -> None:
    api = standing(HETZNER)
    with api.serving():
        servers = asked(api, "GET", f"/v1/servers?label_selector={urllib.parse.quote(selector)}")["servers"]
    assert len(servers) == found
