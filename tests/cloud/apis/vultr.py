"""Vultr's API, version 2, as its documentation describes it, with a few regions, plans and systems.

https://www.vultr.com/api/ - a cursor, errors as one sentence with its status, an address of zeros until there is
one, "active" before the installation is over; and the answers recorded in libcloud/test/compute/fixtures/vultr_v2, to
which a test compares these.
"""

from __future__ import annotations

import base64
import binascii
import time
import uuid
from collections.abc import Mapping
from typing import Any

from tests.cloud.apis.server import Answer, Api, Call, Machine, RefusalError

_REGIONS = {"ams": ("Amsterdam", "NL", "Europe"), "ewr": ("New Jersey", "US", "North America")}
# Processors, memory, disk, dollars a month, line.
_PLANS: dict[str, tuple[int, int, int, float, str]] = {
    "vc2-1c-0.5gb-v6": (1, 512, 10, 2.5, "vc2"),
    "vc2-1c-1gb": (1, 1024, 25, 5, "vc2"),
    "vc2-1c-2gb": (1, 2048, 55, 10, "vc2"),
    "vc2-2c-4gb": (2, 4096, 80, 20, "vc2"),
    "vhp-2c-4gb-amd": (2, 4096, 100, 24, "vhp"),
    "vcg-a16-2c-8g-2vram": (2, 8192, 50, 43, "vcg"),
}
_RUN_OUT = {("ams", "vhp-2c-4gb-amd")}
_NOWHERE = "0.0.0.0"  # noqa: S104 - nothing is bound
_SYSTEMS = {
    159: ("Custom", "iso"),
    2136: ("Debian 12 x64 (bookworm)", "debian"),
    2284: ("Ubuntu 24.04 LTS x64", "ubuntu"),
    2625: ("Debian 13 x64 (trixie)", "debian"),
}


class VultrApi(Api):
    """Instances, SSH keys, and what is sold."""

    routes = (
        ("GET", "/v2/ssh-keys", "list_keys"),
        ("POST", "/v2/ssh-keys", "add_key"),
        ("DELETE", "/v2/ssh-keys/([^/]+)", "drop_key"),
        ("GET", "/v2/regions", "list_regions"),
        ("GET", "/v2/regions/([^/]+)/availability", "show_availability"),
        ("GET", "/v2/plans", "list_plans"),
        ("GET", "/v2/os", "list_systems"),
        ("GET", "/v2/instances", "list_instances"),
        ("POST", "/v2/instances", "add_instance"),
        ("GET", "/v2/instances/([^/]+)", "show_instance"),
        ("DELETE", "/v2/instances/([^/]+)", "drop_instance"),
        ("POST", "/v2/instances/([^/]+)/start", "start_instance"),
        ("POST", "/v2/instances/([^/]+)/halt", "halt_instance"),
    )
    most = 500
    limit = 25

    def is_let_in(self, call: Call) -> bool:
        # What is sold is told to everybody.
        return call.path in ("/v2/regions", "/v2/plans", "/v2/os") or (
            call.headers.get("Authorization") == f"Bearer {self.token}"
        )

    def refusal(self, code: int, words: str, kind: str = "") -> Answer:  # noqa: ARG002 - it has none
        words = {401: "Invalid API token.", 429: "Rate limit exceeded"}.get(code, words)
        return Answer(code, {"error": words, "status": code})

    def register(self, name: str, public_key: str) -> None:
        number = str(uuid.uuid4())
        made = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
        self.keys[number] = {"id": number, "date_created": made, "name": name, "public_key": public_key}

    def _page(self, call: Call, name: str, items: list[Any]) -> Answer:
        """Return the items from where the cursor points, and the next cursor where there are more."""
        many = min(int(call.query.get("per_page", 100)), self.most)
        try:
            first = int(base64.b64decode(call.query.get("cursor", "")).decode().removeprefix("next__") or 0)
        except (binascii.Error, ValueError):
            raise RefusalError(400, "Invalid cursor.") from None
        ahead = base64.b64encode(f"next__{first + many}".encode()).decode() if first + many < len(items) else ""
        meta = {"total": len(items), "links": {"next": ahead, "prev": ""}}
        return Answer(200, {name: items[first : first + many], "meta": meta})

    # Keys

    def list_keys(self, call: Call) -> Answer:
        return self._page(call, "ssh_keys", [_key(key) for key in self.keys.values()])

    def add_key(self, call: Call) -> Answer:
        name, public = call.body.get("name", ""), call.body.get("ssh_key", "")
        if not name or len(public.split()) < 2:
            raise RefusalError(400, "Invalid SSH key. Please verify your ssh_key.")
        self.register(name, public)
        return Answer(201, {"ssh_key": _key(list(self.keys.values())[-1])})

    def drop_key(self, _: Call, number: str) -> Answer:
        if self.keys.pop(number, None) is None:
            raise RefusalError(404, "Invalid SSH Key ID.")
        return Answer(204)

    # What is sold

    def list_regions(self, call: Call) -> Answer:
        return self._page(call, "regions", [_region(name) for name in _REGIONS])

    def show_availability(self, _: Call, region: str) -> Answer:
        if region not in _REGIONS:
            raise RefusalError(404, "Invalid region.")
        return Answer(200, {"available_plans": [plan for plan in _PLANS if (region, plan) not in _RUN_OUT]})

    def list_plans(self, call: Call) -> Answer:
        return self._page(call, "plans", [_plan(name) for name in _PLANS])

    def list_systems(self, call: Call) -> Answer:
        found = [{"id": i, "name": n, "arch": "x64", "family": family} for i, (n, family) in _SYSTEMS.items()]
        return self._page(call, "os", found)

    # Instances

    def list_instances(self, call: Call) -> Answer:
        return self._page(call, "instances", [self._instance(machine) for machine in self.machines.values()])

    def show_instance(self, _: Call, number: str) -> Answer:
        return Answer(200, {"instance": self._instance(self._machine(number))})

    def add_instance(self, call: Call) -> Answer:
        body = call.body
        told = self._checked(body)
        machine = self.bill(
            Machine(
                str(uuid.uuid4()),
                body.get("label", ""),
                body["plan"],
                _SYSTEMS[body["os_id"]][0],
                body["region"],
                told,
                tuple(body.get("tags") or ()),
                tuple(body.get("sshkey_id") or ()),
            )
        )
        return Answer(202, {"instance": {**self._instance(machine, made=True), "default_password": "kB1?canary"}})

    def _checked(self, body: Mapping[str, Any]) -> str:
        """Return the user-data that is in an order, or refuse the order."""
        faults = (
            (body.get("region") not in _REGIONS, "Invalid region."),
            (body.get("plan") not in _PLANS, "Invalid plan chosen."),
            ((body.get("region"), body.get("plan")) in _RUN_OUT, "Plan is not available in the selected region."),
            (body.get("os_id") not in _SYSTEMS, "Invalid OS ID."),
            (any(key not in self.keys for key in body.get("sshkey_id") or ()), "Invalid SSH key ID."),
            (len(self.machines) >= self.limit, "Maximum number of instances reached. Please open a support ticket."),
        )
        for refused, words in faults:
            if refused:
                raise RefusalError(400, words)
        try:
            return base64.b64decode(body.get("user_data", ""), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise RefusalError(400, "user_data must be base64 encoded.") from None

    def drop_instance(self, _: Call, number: str) -> Answer:
        self.remove(self._machine(number))
        return Answer(204)

    def start_instance(self, _: Call, number: str) -> Answer:
        self.boots.start(self._machine(number))
        return Answer(204)

    def halt_instance(self, _: Call, number: str) -> Answer:
        self.boots.stop(self._machine(number))
        return Answer(204)

    def _machine(self, number: str) -> Machine:
        if number not in self.machines:
            raise RefusalError(404, "Invalid instance.")
        return self.machines[number]

    def _instance(self, machine: Machine, *, made: bool = False) -> dict[str, Any]:
        phase = "new" if made else self.phase(machine)
        vcpus, memory, disk, *_ = _PLANS[machine.size]
        # In the second half of its way it is active already, has its address, and is being installed.
        installed = phase == "new" and not made and machine.looks * 2 > self.looks and bool(machine.address)
        shown = phase != "new" or installed
        system = next(number for number, (name, _) in _SYSTEMS.items() if name == machine.image)
        made_at = machine.extra.setdefault("made", time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime()))
        return {
            "id": machine.id,
            "os": machine.image,
            "ram": memory,
            "disk": disk,
            "main_ip": machine.address if shown else _NOWHERE,
            "vcpu_count": vcpus,
            "region": machine.location,
            "plan": machine.size,
            "date_created": made_at,
            "status": machine.extra.get("status") or ("active" if shown else "pending"),
            "allowed_bandwidth": 1000,
            "netmask_v4": "255.255.254.0" if shown else "",
            "gateway_v4": "198.51.100.1" if shown else _NOWHERE,
            "power_status": "stopped" if phase == "off" else "running",
            "server_status": "installingbooting" if installed else "none" if phase == "new" else "ok",
            "v6_network": "",
            "v6_main_ip": "",
            "v6_network_size": 0,
            "label": machine.name,
            "internal_ip": "",
            "kvm": "",
            "hostname": machine.name,
            "tags": list(machine.tags),
            "os_id": system,
            "app_id": 0,
            "image_id": "",
            "firewall_group_id": "",
            "features": [],
            "user_scheme": "root",
        }


def _key(key: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": key["id"],
        "date_created": key["date_created"],
        "name": key["name"],
        "ssh_key": key["public_key"],
    }


def _region(name: str) -> dict[str, Any]:
    city, country, continent = _REGIONS[name]
    return {"id": name, "city": city, "country": country, "continent": continent, "options": ["ddos_protection"]}


def _plan(name: str) -> dict[str, Any]:
    vcpus, memory, disk, month, line = _PLANS[name]
    return {
        "id": name,
        "vcpu_count": vcpus,
        "ram": memory,
        "disk": disk,
        "disk_count": 1,
        "bandwidth": 1024,
        "monthly_cost": month,
        "type": line,
        "locations": [region for region in _REGIONS if (region, name) not in _RUN_OUT],
    }
