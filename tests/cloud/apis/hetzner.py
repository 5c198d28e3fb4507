"""Hetzner Cloud's API as its documentation describes it, with a few locations, server types and images.

https://docs.hetzner.cloud/reference/cloud, and the shapes that Hetzner's own clients read and test with:
https://github.com/hetznercloud/hcloud-go/tree/b8cfa39da974c46bac1288825f155591f63939ea/hcloud/schema
https://github.com/hetznercloud/hcloud-python/tree/48f3424b49ece33652cd8ca7163e857ca3fecbb9/tests/unit
A server has a `location` and no `datacenter`. Sold out is 412: https://github.com/jenkinsci/hetzner-cloud-plugin/issues/21
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from tests.cloud.apis.server import Answer, Api, Call, Machine, RefusalError, fingerprint_of, page_of

_CODES = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    412: "resource_unavailable",
    422: "invalid_input",
    423: "locked",
    429: "rate_limit_exceeded",
    500: "server_error",
    502: "bad_gateway",
    503: "unavailable",
    504: "timeout",
}
# Name: description, country, city, latitude, longitude, zone.
_LOCATIONS: dict[str, tuple[str, str, str, float, float, str]] = {
    "fsn1": ("Falkenstein DC Park 1", "DE", "Falkenstein", 50.47612, 12.370071, "eu-central"),
    "nbg1": ("Nuremberg DC Park 1", "DE", "Nuremberg", 49.452102, 11.076665, "eu-central"),
    "hel1": ("Helsinki DC Park 1", "FI", "Helsinki", 60.169855, 24.938379, "eu-central"),
    "ash": ("Ashburn, VA", "US", "Ashburn, VA", 39.045821, -77.487073, "us-east"),
}
_EUROPE = ("fsn1", "nbg1", "hel1")
# Name: category, cores, memory (GB), disk, kind of processor, architecture, net price a month, where it has a price.
_TYPES: dict[str, tuple[str, int, float, int, str, str, float, tuple[str, ...]]] = {
    "cx23": ("cost_optimized", 2, 4.0, 40, "shared", "x86", 5.99, _EUROPE),
    "cx33": ("cost_optimized", 4, 8.0, 80, "shared", "x86", 8.99, _EUROPE),
    "cax11": ("cost_optimized", 2, 4.0, 40, "shared", "arm", 6.49, _EUROPE),
    "cpx11": ("regular_purpose", 2, 2.0, 40, "shared", "x86", 6.99, ("ash",)),
    "ccx13": ("general_purpose", 2, 8.0, 80, "dedicated", "x86", 43.49, (*_EUROPE, "ash")),
}
# What has a price in a place and cannot be had there now.
_SOLD_OUT = {("cx33", "hel1")}
_HOURS = 730
_TRAFFIC = 21990232555520
# Name: flavour, version, description.
_IMAGES = {
    "debian-12": ("debian", "12", "Debian 12"),
    "debian-13": ("debian", "13", "Debian 13"),
    "ubuntu-24.04": ("ubuntu", "24.04", "Ubuntu 24.04"),
}
_ARCHITECTURES = ("x86", "arm")
_LABEL_KEY = re.compile(r"^([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$")
_LABEL_VALUE = re.compile(r"^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$")
_HOSTNAME = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$")
_USER_DATA = 32 * 1024
_PER_PAGE = 25


class HetznerApi(Api):
    """Servers, SSH keys and what is sold, of one project."""

    routes = (
        ("GET", "/v1/ssh_keys", "list_keys"),
        ("POST", "/v1/ssh_keys", "add_key"),
        ("DELETE", r"/v1/ssh_keys/(\d+)", "drop_key"),
        ("GET", "/v1/locations", "list_locations"),
        ("GET", "/v1/server_types", "list_types"),
        ("GET", "/v1/images", "list_images"),
        ("GET", "/v1/pricing", "show_pricing"),
        ("GET", "/v1/servers", "list_servers"),
        ("POST", "/v1/servers", "add_server"),
        ("GET", r"/v1/servers/(\d+)", "show_server"),
        ("DELETE", r"/v1/servers/(\d+)", "drop_server"),
        ("POST", r"/v1/servers/(\d+)/actions/(\w+)", "act"),
        ("GET", r"/v1/actions/(\d+)", "show_action"),
    )

    def refusal(self, code: int, words: str, kind: str = "") -> Answer:
        if code == 401:
            words = "unable to authenticate"
        error = {"code": kind or _CODES.get(code, "server_error"), "message": words, "details": None}
        return Answer(code, {"error": error})

    def budget(self) -> dict[str, str]:
        left = max(0, 3600 - len(self.calls))
        return {
            "RateLimit-Limit": "3600",
            "RateLimit-Remaining": str(left),
            "RateLimit-Reset": str(int(time.time()) + len(self.calls)),
            "X-Correlation-ID": f"{self.number():016x}",
        }

    def _page(self, call: Call, name: str, items: list[Any]) -> Answer:
        many = min(int(call.query.get("per_page", _PER_PAGE)), self.most)
        shown, page, last = page_of(items, call, many)
        pagination = {
            "page": page,
            "per_page": many,
            "previous_page": page - 1 if page > 1 else None,
            "next_page": page + 1 if page < last else None,
            "last_page": last,
            "total_entries": len(items),
        }
        return Answer(200, {name: shown, "meta": {"pagination": pagination}})

    # Keys

    def list_keys(self, call: Call) -> Answer:
        name = call.query.get("name")
        return self._page(
            call, "ssh_keys", [_key(key) for key in self.keys.values() if name is None or key["name"] == name]
        )

    def add_key(self, call: Call) -> Answer:
        name, public = call.body.get("name", ""), call.body.get("public_key", "")
        _check_labels(call.body.get("labels") or {})
        taken = any(
            key["name"] == name or _fingerprint(key["public_key"]) == _fingerprint(public) for key in self.keys.values()
        )
        if taken:
            raise RefusalError(409, "SSH key not unique", "uniqueness_error")
        number = self.number()
        self.keys[str(number)] = {
            "id": number,
            "name": name,
            "public_key": public,
            "labels": call.body.get("labels") or {},
        }
        return Answer(201, {"ssh_key": _key(self.keys[str(number)])})

    def drop_key(self, _: Call, number: str) -> Answer:
        if self.keys.pop(number, None) is None:
            raise RefusalError(404, f"ssh key with ID '{number}' not found")
        return Answer(204)

    # What is sold

    def list_locations(self, call: Call) -> Answer:
        return self._page(call, "locations", [_location(name) for name in _LOCATIONS])

    def list_types(self, call: Call) -> Answer:
        return self._page(call, "server_types", [_type(name) for name in _TYPES])

    def list_images(self, call: Call) -> Answer:
        wanted = call.query.get("architecture")
        found = [_image(name, each) for name in _IMAGES for each in _ARCHITECTURES if wanted in (None, each)]
        return self._page(call, "images", found)

    def show_pricing(self, _: Call) -> Answer:
        types = [{"id": _type(name)["id"], "name": name, "prices": _type(name)["prices"]} for name in _TYPES]
        address = [
            {"location": name, "price_hourly": _price(0.5 / _HOURS), "price_monthly": _price(0.5)}
            for name in _LOCATIONS
        ]
        pricing = {
            "currency": "EUR",
            "vat_rate": "0.00",
            "primary_ips": [{"type": "ipv4", "prices": address}],
            "server_backup": {"percentage": "20.00"},
            "server_types": types,
            "volume": {"price_per_gb_month": _price(0.0572)},
        }
        return Answer(200, {"pricing": pricing})

    # Servers

    def list_servers(self, call: Call) -> Answer:
        selector, name = call.query.get("label_selector", ""), call.query.get("name")
        found = [
            machine
            for machine in self.machines.values()
            if _selects(selector, dict(machine.tags)) and (name is None or name == machine.name)
        ]
        return self._page(call, "servers", [self._server(machine) for machine in found])

    def show_server(self, _: Call, number: str) -> Answer:
        return Answer(200, {"server": self._server(self._machine(number))})

    def add_server(self, call: Call) -> Answer:
        body = call.body
        self._check(body)
        machine = self.bill(
            Machine(
                str(self.number()),
                body["name"],
                body["server_type"],
                body["image"],
                body["location"],
                body.get("user_data") or "",
                dict(body.get("labels") or {}),
                tuple(self._known_key(key) for key in body.get("ssh_keys") or ()),
            )
        )
        answer = {
            "server": self._server(machine, made=True),
            "action": self._action(machine, "create_server"),
            "next_actions": [self._action(machine, "start_server")],
            "root_password": None if machine.keys else "YItygq1v3GYjjMomLaKc",
        }
        return Answer(201, answer)

    def _check(self, body: Mapping[str, Any]) -> None:
        _check_fields(body)
        size, place = body["server_type"], body["location"]
        if any(machine.name == body["name"] for machine in self.machines.values()):
            raise RefusalError(409, "server name is already used", "uniqueness_error")
        if place not in _TYPES[size][7]:
            raise RefusalError(422, "unsupported location for server type")
        if (size, place) in _SOLD_OUT:
            raise RefusalError(412, "error during placement")
        if len(self.machines) >= self.limit:
            raise RefusalError(403, "server limit reached", "resource_limit_exceeded")

    def _known_key(self, wanted: int | str) -> str:
        for number, key in self.keys.items():
            if str(wanted) in (number, key["name"]):
                return number
        raise RefusalError(422, f"SSH key with ID '{wanted}' not found")

    def drop_server(self, _: Call, number: str) -> Answer:
        machine = self._machine(number)
        self.remove(machine)
        return Answer(200, {"action": self._action(machine, "delete_server")})

    def act(self, call: Call, number: str, kind: str) -> Answer:
        machine = self._machine(number)
        if self.phase(machine) == "new":
            raise RefusalError(423, "server is locked")
        match kind:
            case "poweron":
                self.boots.start(machine)
            case "poweroff" | "shutdown":
                self.boots.stop(machine)
            case "reboot" | "reset":
                self.boots.stop(machine)
                self.boots.start(machine)
            case _:
                raise RefusalError(404, f"{call.path} not found")
        command = {"poweron": "start_server", "poweroff": "stop_server"}.get(kind, f"{kind}_server")
        return Answer(201, {"action": self._action(machine, command)})

    def show_action(self, _: Call, number: str) -> Answer:
        if number not in self.actions:
            raise RefusalError(404, f"action with ID '{number}' not found")
        done = {"status": "success", "progress": 100, "finished": _now()}
        return Answer(200, {"action": {**self.actions[number], **done}})

    def _machine(self, number: str) -> Machine:
        if number not in self.machines:
            raise RefusalError(404, f"server with ID '{number}' not found")
        return self.machines[number]

    def _action(self, machine: Machine, command: str) -> dict[str, Any]:
        action = {
            "id": self.number(),
            "command": command,
            "status": "running",
            "progress": 0,
            "started": _now(),
            "finished": None,
            "resources": [{"id": int(machine.id), "type": "server"}],
            "error": None,
        }
        self.actions[str(action["id"])] = action
        return action

    def _server(self, machine: Machine, *, made: bool = False) -> dict[str, Any]:
        phase = "new" if made else self.phase(machine)
        on_the_way = "initializing" if made or machine.looks * 2 <= self.looks else "starting"
        size = _type(machine.size)
        return {
            "id": int(machine.id),
            "name": machine.name,
            "status": machine.extra.get("status") or {"new": on_the_way, "up": "running", "off": "off"}[phase],
            "created": machine.extra.setdefault("created", _now()),
            "public_net": _public_net(machine),
            "private_net": [],
            "server_type": size,
            "location": _location(machine.location),
            "image": _image(machine.image, size["architecture"]),
            "iso": None,
            "rescue_enabled": False,
            "locked": phase == "new",
            "backup_window": None,
            "outgoing_traffic": 0,
            "ingoing_traffic": 0,
            "included_traffic": _TRAFFIC,
            "primary_disk_size": size["disk"],
            "protection": {"delete": False, "rebuild": False},
            "labels": dict(machine.tags),
            "volumes": [],
            "load_balancers": [],
            "placement_group": None,
        }


def _public_net(machine: Machine) -> dict[str, Any]:
    number = int(machine.id)
    ipv4 = {"id": number, "ip": machine.address, "blocked": False, "dns_ptr": f"static.{machine.address}.example.com"}
    ipv6 = {"id": number + 1, "ip": f"2001:db8:{number:x}::/64", "blocked": False, "dns_ptr": []}
    return {"ipv4": ipv4 if machine.address else None, "ipv6": ipv6, "floating_ips": [], "firewalls": []}


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())


def _price(net: float) -> dict[str, str]:
    return {"net": f"{net:.10f}", "gross": f"{net * 1.19:.16f}"}


def _location(name: str) -> dict[str, Any]:
    description, country, city, latitude, longitude, zone = _LOCATIONS[name]
    return {
        "id": list(_LOCATIONS).index(name) + 1,
        "name": name,
        "description": description,
        "country": country,
        "city": city,
        "latitude": latitude,
        "longitude": longitude,
        "network_zone": zone,
    }


def _type(name: str) -> dict[str, Any]:
    category, cores, memory, disk, cpu_type, architecture, month, places = _TYPES[name]
    prices = [
        {
            "location": place,
            "price_hourly": _price(month / _HOURS),
            "price_monthly": _price(month),
            "included_traffic": _TRAFFIC,
            "price_per_tb_traffic": _price(1.0),
        }
        for place in places
    ]
    locations = [
        {
            "id": _location(place)["id"],
            "name": place,
            "deprecation": None,
            "available": (name, place) not in _SOLD_OUT,
            "recommended": (name, place) not in _SOLD_OUT,
        }
        for place in places
    ]
    return {
        "id": 100 + list(_TYPES).index(name),
        "name": name,
        "description": name.upper(),
        "category": category,
        "cores": cores,
        "memory": memory,
        "disk": disk,
        "prices": prices,
        "storage_type": "local",
        "cpu_type": cpu_type,
        "architecture": architecture,
        "included_traffic": 0,
        "deprecated": False,
        "deprecation": None,
        "locations": locations,
    }


def _image(name: str, architecture: str) -> dict[str, Any]:
    flavour, version, description = _IMAGES[name]
    return {
        "id": 4000 + 2 * list(_IMAGES).index(name) + _ARCHITECTURES.index(architecture),
        "type": "system",
        "status": "available",
        "name": name,
        "description": description,
        "image_size": None,
        "disk_size": 10,
        "created": "2025-08-11T06:00:00+00:00",
        "created_from": None,
        "bound_to": None,
        "os_flavor": flavour,
        "os_version": version,
        "architecture": architecture,
        "rapid_deploy": True,
        "protection": {"delete": False},
        "deprecated": None,
        "deleted": None,
        "labels": {},
    }


def _check_fields(body: Mapping[str, Any]) -> None:
    for wanted, known in (("server_type", _TYPES), ("location", _LOCATIONS), ("image", _IMAGES)):
        if body.get(wanted) not in known:
            raise RefusalError(422, f"{wanted.replace('_', ' ')} {body.get(wanted)} not found")
    bad = {
        "datacenter": "datacenter" in body,
        "name": not _HOSTNAME.match(body.get("name", "")),
        "user_data": len((body.get("user_data") or "").encode()) > _USER_DATA,
    }
    for field in (field for field, is_bad in bad.items() if is_bad):
        raise RefusalError(422, f"invalid input in field '{field}'")
    _check_labels(body.get("labels") or {})


def _check_labels(labels: Mapping[str, str]) -> None:
    if not all(_LABEL_KEY.match(key) and _LABEL_VALUE.match(value) for key, value in labels.items()):
        raise RefusalError(422, "invalid input in field 'labels'")


def _selects(selector: str, labels: Mapping[str, str]) -> bool:
    """Whether labels fit all of a selector: k, !k, k=v, k==v, k!=v, k in (v,w), k notin (v,w)."""
    return all(_fits(each.strip(), labels) for each in re.split(r",(?![^(]*\))", selector) if each.strip())


def _fits(each: str, labels: Mapping[str, str]) -> bool:
    if found := re.fullmatch(r"(\S+) (in|notin) \(([^)]*)\)", each):
        values = [value.strip() for value in found[3].split(",")]
        return (labels.get(found[1]) in values) == (found[2] == "in")
    if found := re.fullmatch(r"([^=!]+)(==|=|!=)(.*)", each):
        return (labels.get(found[1]) == found[3]) == (found[2] != "!=")
    return each[1:] not in labels if each.startswith("!") else each in labels


def _key(key: Mapping[str, Any]) -> dict[str, Any]:
    return {"labels": {}, "created": _now(), **key, "fingerprint": _fingerprint(key["public_key"])}


def _fingerprint(public: str) -> str:
    return fingerprint_of(public, "invalid input in field 'public_key'")
