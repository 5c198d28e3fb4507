"""An OpenStack cloud with two regions, as its API references describe it: identity, compute, image and network.

https://docs.openstack.org/api-ref/ - a token with a catalog of services and an end, lists with links or a "next",
errors in an object of their kind, groups that cannot go while they are used; and the answers recorded in
libcloud/test/compute/fixtures/openstack_v1_1 and openstack, to which a test compares these.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import time
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.cloud.apis.server import Answer, Api, Boots, Call, Machine, RefusalError

REGIONS = ("GRA11", "SBG5")
PROJECT = "4fd44f30292945e481c7b8a0c8908869"
_EXTERNAL = {"GRA11": "b347ed75-8603-4ce0-a40c-c6c98a8820fc", "SBG5": "581fad02-158d-4dc6-81f0-c1ec2794bbec"}
_PRIVATE = "54d6f61d-db07-451c-9ab3-b9609b6b6f0b"
# Processors, memory, disk, whether it is switched off, where.
_FLAVOURS: dict[str, tuple[int, int, int, bool, tuple[str, ...]]] = {
    "d2-2": (1, 2048, 25, False, REGIONS),
    "d2-4": (2, 4096, 50, False, REGIONS),
    "b3-8": (2, 8192, 50, False, ("SBG5",)),
    "s1-2": (1, 2048, 10, True, REGIONS),
    "win-b3-8": (2, 8192, 50, False, REGIONS),
}
_IMAGES = (
    ("Debian 12", "2026-03-02"),
    ("Debian 13", "2025-09-01"),
    ("Debian 13", "2026-10-20"),
    ("Debian 13 - Docker", "2026-11-01"),
    ("Ubuntu 24.04", "2026-05-01"),
    ("Windows Server 2022 Standard (Desktop)", "2026-01-01"),
)
_KINDS = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "itemNotFound",
    409: "conflictingRequest",
    413: "overLimit",
    429: "overLimit",
}
_STATUS = {"new": "BUILD", "up": "ACTIVE", "off": "SHUTOFF"}
_ANSWER = Mapping[str, Any]


class OpenStackApi(Api):
    """Servers, key pairs, security groups, images, and tokens that run out."""

    routes = (
        ("POST", "/v3/auth/tokens", "add_token"),
        ("GET", "/([A-Z0-9]+)/compute/v2.1/servers/detail", "list_servers"),
        ("POST", "/([A-Z0-9]+)/compute/v2.1/servers", "add_server"),
        ("GET", "/([A-Z0-9]+)/compute/v2.1/servers/([^/]+)", "show_server"),
        ("DELETE", "/([A-Z0-9]+)/compute/v2.1/servers/([^/]+)", "drop_server"),
        ("POST", "/([A-Z0-9]+)/compute/v2.1/servers/([^/]+)/action", "act"),
        ("GET", "/([A-Z0-9]+)/compute/v2.1/flavors/detail", "list_flavours"),
        ("GET", "/([A-Z0-9]+)/compute/v2.1/os-keypairs", "list_keys"),
        ("POST", "/([A-Z0-9]+)/compute/v2.1/os-keypairs", "add_key"),
        ("DELETE", "/([A-Z0-9]+)/compute/v2.1/os-keypairs/([^/]+)", "drop_key"),
        ("GET", "/([A-Z0-9]+)/image/v2/images", "list_images"),
        ("GET", "/([A-Z0-9]+)/network/v2.0/networks", "list_networks"),
        ("GET", "/([A-Z0-9]+)/network/v2.0/security-groups", "list_groups"),
        ("POST", "/([A-Z0-9]+)/network/v2.0/security-groups", "add_group"),
        ("DELETE", "/([A-Z0-9]+)/network/v2.0/security-groups/([^/]+)", "drop_group"),
        ("POST", "/([A-Z0-9]+)/network/v2.0/security-group-rules", "add_rule"),
        ("DELETE", "/([A-Z0-9]+)/network/v2.0/security-group-rules/([^/]+)", "drop_rule"),
    )
    most = 1000
    cores = 20

    def __init__(self, boots: Boots | None = None, looks: int = 0) -> None:
        """Begin with no token, no group, and an application that is known."""
        super().__init__(boots, looks)
        self.tokens: dict[str, str] = {}
        self.logins: list[_ANSWER] = []
        self.groups: dict[str, dict[str, Any]] = {}
        self.application = ("app-1", "app-secret")
        # Whether addresses are only lent to servers, and whether a user has a usual project.
        self.lent, self.usual = False, True

    def is_let_in(self, call: Call) -> bool:
        token = next((value for name, value in call.headers.items() if name.lower() == "x-auth-token"), "")
        return call.path == "/v3/auth/tokens" or self.tokens.get(token) == self.token

    def refusal(self, code: int, words: str, kind: str = "") -> Answer:
        if code == 401:
            words = "The request you have made requires authentication."
            return Answer(401, {"error": {"code": 401, "message": words, "title": "Unauthorized"}})
        return Answer(code, {kind or _KINDS.get(code, "computeFault"): {"code": code, "message": words}})

    def register(self, name: str, public_key: str) -> None:
        self.keys[name] = {"name": name, "public_key": public_key}

    # Identity

    def add_token(self, call: Call) -> Answer:
        auth = call.body["auth"]
        self.logins.append(auth)
        self._let_in(auth["identity"])
        token = uuid.uuid4().hex
        self.tokens[token] = self.token
        scoped = self.usual or "scope" in auth or "application_credential" in auth["identity"]["methods"]
        project = (auth.get("scope") or {}).get("project", {})
        if project and project.get("id", PROJECT) != PROJECT:
            raise RefusalError(401, "no such project")
        ends = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S.000000Z")
        said: dict[str, Any] = {
            "methods": auth["identity"]["methods"],
            "user": {"domain": {"id": "default", "name": "Default"}, "id": "u-1", "name": "user"},
            "audit_ids": ["3T2dc1CGQxyJsHdDu1xkcw"],
            "expires_at": ends,
            "issued_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000000Z"),
        }
        if scoped:
            said["catalog"] = self._catalog()
            said["project"] = {"domain": {"id": "default", "name": "Default"}, "id": PROJECT, "name": "site"}
            said["roles"] = [{"id": "9fe2ff9ee4384b1894a90878d3e92bab", "name": "member"}]
        return Answer(201, {"token": said}, {"X-Subject-Token": token})

    def _let_in(self, identity: _ANSWER) -> None:
        if identity["methods"] == ["application_credential"]:
            given = identity["application_credential"]
            right = (given["id"], given["secret"]) == self.application
        else:
            user = identity["password"]["user"]
            right = user["name"] == user["password"] == self.token and user["domain"] == {"name": "Default"}
        if not right:
            raise RefusalError(401, "")

    def _catalog(self) -> list[dict[str, Any]]:
        services = {"compute": ("nova", "/v2.1"), "image": ("glance", "/"), "network": ("neutron", "/v2.0/")}
        return [
            {
                "id": uuid.uuid4().hex,
                "type": service,
                # Clouds name their services as they like.
                "name": f"Our {name}",
                "endpoints": [
                    {
                        "id": uuid.uuid4().hex,
                        "interface": interface,
                        "region": region,
                        "region_id": region,
                        "url": f"{self.url}/{region}/{service}{path}",
                    }
                    for region in REGIONS
                    for interface in ("public", "internal")
                ],
            }
            for service, (name, path) in services.items()
        ]

    # What is sold

    def list_flavours(self, call: Call, region: str) -> Answer:
        found = [_flavour(name) for name, (*_, regions) in _FLAVOURS.items() if region in regions]
        return self._linked(call, "flavors", found)

    def list_images(self, call: Call, _: str) -> Answer:
        found = [_image(name, day) for name, day in _IMAGES]
        first = int(call.query.get("marker", 0))
        many = min(4, self.most)
        shown: dict[str, Any] = {"images": found[first : first + many], "schema": "/v2/schemas/images"}
        shown["first"] = "/v2/images"
        if first + many < len(found):
            shown["next"] = f"/v2/images?marker={first + many}"
        return Answer(200, shown)

    def list_networks(self, call: Call, region: str) -> Answer:
        lent = {**_network(_EXTERNAL[region], "Ext-Net", external=True), "shared": not self.lent}
        return self._linked(call, "networks", [_network(_PRIVATE, "inside", external=False), lent])

    def _linked(self, call: Call, name: str, found: list[Any]) -> Answer:
        """Return a page, and a link to the next one where there is more."""
        first = next((at + 1 for at, each in enumerate(found) if str(each["id"]) == call.query.get("marker")), 0)
        shown = found[first : first + self.most]
        if first + self.most >= len(found):
            return Answer(200, {name: shown})
        link = {"rel": "next", "href": f"{self.url}{call.path}?marker={shown[-1]['id']}"}
        return Answer(200, {name: shown, f"{name}_links": [link]})

    # Keys

    def list_keys(self, _: Call, __: str) -> Answer:
        return Answer(200, {"keypairs": [{"keypair": _key(key)} for key in self.keys.values()]})

    def add_key(self, call: Call, _: str) -> Answer:
        wished = call.body["keypair"]
        if wished["name"] in self.keys:
            raise RefusalError(409, f"Key pair '{wished['name']}' already exists.")
        if len(wished["public_key"].split()) < 2:
            raise RefusalError(400, "Keypair data is invalid: failed to generate fingerprint")
        self.register(wished["name"], wished["public_key"])
        return Answer(200, {"keypair": {**_key(self.keys[wished["name"]]), "user_id": "u-1"}})

    def drop_key(self, _: Call, __: str, name: str) -> Answer:
        if self.keys.pop(name, None) is None:
            raise RefusalError(404, f"Keypair {name} not found for user u-1")
        return Answer(202)

    # Security groups

    def list_groups(self, call: Call, region: str) -> Answer:
        return self._linked(call, "security_groups", [each for each in self.groups.values() if each["at"] == region])

    def add_group(self, call: Call, region: str) -> Answer:
        wished = call.body["security_group"]
        number = str(uuid.uuid4())
        out = {"id": str(uuid.uuid4()), "direction": "egress", "ethertype": "IPv4", "protocol": None}
        out |= {"port_range_min": None, "port_range_max": None, "remote_ip_prefix": None, "security_group_id": number}
        self.groups[number] = {
            "id": number,
            "name": wished["name"],
            "description": wished.get("description", ""),
            "project_id": PROJECT,
            "tenant_id": PROJECT,
            "security_group_rules": [out],
            "at": region,
        }
        return Answer(201, {"security_group": self.groups[number]})

    def drop_group(self, _: Call, __: str, number: str) -> Answer:
        if number not in self.groups:
            raise RefusalError(404, f"Security group {number} does not exist", "NeutronError")
        if any(number in machine.extra["groups"] for machine in self.machines.values()):
            raise RefusalError(409, f"Security Group {number} in use.", "NeutronError")
        del self.groups[number]
        return Answer(204)

    def add_rule(self, call: Call, _: str) -> Answer:
        rule = call.body["security_group_rule"]
        if rule["security_group_id"] not in self.groups:
            raise RefusalError(404, "Security group does not exist", "NeutronError")
        rules = self.groups[rule["security_group_id"]]["security_group_rules"]
        if any({**rule, "id": each["id"]} == each for each in rules):
            raise RefusalError(409, "Security group rule already exists.", "NeutronError")
        made = {**rule, "id": str(uuid.uuid4())}
        rules.append(made)
        return Answer(201, {"security_group_rule": made})

    def drop_rule(self, _: Call, __: str, number: str) -> Answer:
        for group in self.groups.values():
            kept = [rule for rule in group["security_group_rules"] if rule["id"] != number]
            if len(kept) < len(group["security_group_rules"]):
                group["security_group_rules"] = kept
                return Answer(204)
        raise RefusalError(404, "Security group rule does not exist", "NeutronError")

    # Servers

    def list_servers(self, call: Call, region: str) -> Answer:
        found = [self._server(machine) for machine in self.machines.values() if machine.location == region]
        return self._linked(call, "servers", found)

    def show_server(self, _: Call, region: str, number: str) -> Answer:
        return Answer(200, {"server": self._server(self._machine(region, number))})

    def add_server(self, call: Call, region: str) -> Answer:
        body = call.body["server"]
        size, image, told = self._checked(body, region)
        groups = [each["name"] for each in body.get("security_groups") or ()]
        machine = Machine(
            str(uuid.uuid4()),
            body["name"],
            size,
            image,
            region,
            told,
            body.get("metadata") or {},
            (body["key_name"],) if body.get("key_name") else (),
            extra={"groups": groups},
        )
        self.bill(machine)
        link = {"rel": "self", "href": f"{self.url}/{region}/compute/v2.1/servers/{machine.id}"}
        made = {"id": machine.id, "links": [link], "OS-DCF:diskConfig": "MANUAL", "adminPass": "canary-Pass1"}
        return Answer(202, {"server": {**made, "security_groups": body.get("security_groups")}})

    def _checked(self, body: _ANSWER, region: str) -> tuple[str, str, str]:
        """Return the names of size and image and the user-data that are in an order, or refuse the order."""
        sizes = {_flavour(name)["id"]: name for name, (*_, regions) in _FLAVOURS.items() if region in regions}
        images = {_image(name, day)["id"]: f"{name} {day}" for name, day in _IMAGES}
        networks = [network["uuid"] for network in body.get("networks") or ()]
        groups = [each["name"] for each in body.get("security_groups") or ()]
        faults = (
            (400, body.get("flavorRef") not in sizes, f"Flavor {body.get('flavorRef')} could not be found."),
            (400, body.get("imageRef") not in images, f"Image {body.get('imageRef')} could not be found."),
            (409, not networks, "Multiple possible networks found, use a Network ID to be more specific."),
            (400, networks != [_EXTERNAL[region]], "Network could not be found."),
            (400, body.get("key_name", "") not in {*self.keys, ""}, "Invalid key_name provided."),
            (400, any(group not in self.groups for group in groups), "Security group not found for project."),
        )
        for code, refused, words in faults:
            if refused:
                raise RefusalError(code, words)
        used = sum(_FLAVOURS[machine.size][0] for machine in self.machines.values())
        if used + _FLAVOURS[sizes[body["flavorRef"]]][0] > self.cores:
            words = f"Quota exceeded for cores: Requested 1, but already used {used} of {self.cores} cores"
            raise RefusalError(403, words)
        try:
            told = base64.b64decode(body.get("user_data", ""), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise RefusalError(400, "Userdata content cannot be decoded") from None
        return sizes[body["flavorRef"]], images[body["imageRef"]], told

    def drop_server(self, _: Call, region: str, number: str) -> Answer:
        self.remove(self._machine(region, number))
        return Answer(204)

    def act(self, call: Call, region: str, number: str) -> Answer:
        machine = self._machine(region, number)
        if "os-start" in call.body:
            if machine.running:
                words = f"Cannot 'os-start' instance {number} while it is in vm_state active"
                raise RefusalError(409, words)
            self.boots.start(machine)
        elif "os-stop" in call.body:
            self.boots.stop(machine)
        else:
            raise RefusalError(400, "There is no such action")
        return Answer(202)

    def _machine(self, region: str, number: str) -> Machine:
        machine = self.machines.get(number)
        if machine is None or machine.location != region:
            raise RefusalError(404, f"Instance {number} could not be found.")
        return machine

    def _server(self, machine: Machine) -> dict[str, Any]:
        phase = self.phase(machine)
        made = machine.extra.setdefault("made", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
        here = f"{self.url}/{machine.location}/compute/v2.1/servers/{machine.id}"
        given = {"version": 4, "addr": machine.address, "OS-EXT-IPS:type": "fixed"}
        other = {"version": 6, "addr": "2001:db8::1", "OS-EXT-IPS:type": "fixed"}
        return {
            "id": machine.id,
            "name": machine.name,
            "status": machine.extra.get("status") or _STATUS[phase],
            "tenant_id": PROJECT,
            "user_id": "u-1",
            "metadata": dict(machine.tags) if machine.tags else {},
            "hostId": hashlib.sha224(machine.id.encode()).hexdigest(),
            "image": {"id": "1", "links": []},
            "flavor": {"id": _flavour(machine.size)["id"], "links": []},
            "created": made,
            "updated": made,
            "addresses": {} if phase == "new" else {"Ext-Net": [other, given]},
            "accessIPv4": "",
            "accessIPv6": "",
            "links": [{"rel": "self", "href": here}, {"rel": "bookmark", "href": here}],
            "progress": 0,
            "key_name": next(iter(machine.keys), None),
            "OS-EXT-STS:task_state": "spawning" if phase == "new" else None,
            "OS-EXT-STS:vm_state": {"new": "building", "up": "active", "off": "stopped"}[phase],
            "config_drive": "",
        }


def revoked(api: OpenStackApi) -> None:
    """Let every token that was given out be worth nothing, as when it ran out early."""
    api.tokens = dict.fromkeys(api.tokens, "")


def elsewhere(call: Call, region: str) -> Call:
    """Return the same call in another region."""
    return replace(call, path=call.path.replace(call.path.split("/")[1], region, 1))


def _flavour(name: str) -> dict[str, Any]:
    vcpus, ram, disk, off, _ = _FLAVOURS[name]
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_DNS, name)),
        "name": name,
        "vcpus": vcpus,
        "ram": ram,
        "disk": disk,
        "swap": "",
        "rxtx_factor": 1.0,
        "OS-FLV-DISABLED:disabled": off,
        "OS-FLV-EXT-DATA:ephemeral": 0,
        "os-flavor-access:is_public": True,
        "links": [],
    }


def _image(name: str, day: str) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{name} {day}")),
        "name": name,
        "status": "active",
        "visibility": "public",
        "created_at": f"{day}T09:00:00Z",
        "updated_at": f"{day}T09:00:00Z",
        "min_disk": 0,
        "min_ram": 0,
        "size": 1256259584,
        "container_format": "bare",
        "disk_format": "raw",
        "protected": False,
        "tags": [],
        "schema": "/v2/schemas/image",
    }


def _network(number: str, name: str, *, external: bool) -> dict[str, Any]:
    return {
        "id": number,
        "name": name,
        "admin_state_up": True,
        "status": "ACTIVE",
        "subnets": [],
        "shared": False,
        "router:external": external,
        "project_id": PROJECT,
        "tenant_id": PROJECT,
        "mtu": 1500,
    }


def _key(key: _ANSWER) -> dict[str, Any]:
    raw = key["public_key"].split()[1].encode()
    digest = hashlib.md5(raw, usedforsecurity=False).hexdigest()
    fingerprint = ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))
    return {"name": key["name"], "public_key": key["public_key"], "fingerprint": fingerprint}
