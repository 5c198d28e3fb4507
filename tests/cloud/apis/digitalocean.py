"""DigitalOcean's API as its specification describes it, with a few regions, sizes and images.

https://github.com/digitalocean/openapi/tree/7c1300c479fed9c353cda9fc21cd968619552304/specification - what the answers
look like, the patterns of names and tags, the pages (20 items, 200 at most), the headers of the rate limit; and the
answers recorded in libcloud/test/compute/fixtures/digitalocean_v2, to which a test compares these.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from tests.cloud.apis.server import Answer, Api, Call, Machine, RefusalError, fingerprint_of, page_of

_IDS = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    422: "unprocessable_entity",
    429: "too_many_requests",
}
_FEATURES = ["backups", "ipv6", "metadata", "install_agent", "storage", "image_transfer"]
_REGIONS = {"nyc3": "New York 3", "ams3": "Amsterdam 3", "fra1": "Frankfurt 1", "nyc2": "New York 2"}
# Droplets can no longer be made here.
_FULL = "nyc2"
# Slug: processors, memory, disk, transfer, dollars a month, where.
_SIZES: dict[str, tuple[int, int, int, float, float, tuple[str, ...]]] = {
    "s-1vcpu-512mb-10gb": (1, 512, 10, 0.5, 4.0, ("nyc3",)),
    "s-1vcpu-1gb": (1, 1024, 25, 1.0, 6.0, ("nyc3", "ams3", "fra1", "nyc2")),
    "s-1vcpu-2gb": (1, 2048, 50, 2.0, 12.0, ("nyc3", "ams3", "fra1", "nyc2")),
    "s-2vcpu-2gb": (2, 2048, 60, 3.0, 18.0, ("nyc3", "ams3", "fra1", "nyc2")),
    "s-2vcpu-4gb": (2, 4096, 80, 4.0, 24.0, ("nyc3", "ams3", "fra1", "nyc2")),
    "s-4vcpu-8gb": (4, 8192, 160, 5.0, 48.0, ("nyc3", "ams3", "fra1")),
}
_HOURS = 672
# Slug: distribution, name.
_IMAGES = {
    "debian-12-x64": ("Debian", "12 x64"),
    "debian-13-x64": ("Debian", "13 x64"),
    "ubuntu-22-04-x64": ("Ubuntu", "22.04 (LTS) x64"),
    "ubuntu-24-04-x64": ("Ubuntu", "24.04 (LTS) x64"),
}
_NAME = re.compile(r"^[a-zA-Z0-9]?[a-z0-9A-Z.\-]*[a-z0-9A-Z]$")
_TAG = re.compile(r"^[a-zA-Z0-9_\-:]{1,255}$")
_USER_DATA = 64 * 1024
_STATUS = {"new": "new", "up": "active", "off": "off"}


class DigitalOceanApi(Api):
    """Droplets, SSH keys, and what is sold."""

    routes = (
        ("GET", "/v2/account/keys", "list_keys"),
        ("POST", "/v2/account/keys", "add_key"),
        ("DELETE", "/v2/account/keys/([^/]+)", "drop_key"),
        ("GET", "/v2/regions", "list_regions"),
        ("GET", "/v2/sizes", "list_sizes"),
        ("GET", "/v2/images", "list_images"),
        ("GET", "/v2/droplets", "list_droplets"),
        ("POST", "/v2/droplets", "add_droplet"),
        ("GET", r"/v2/droplets/(\d+)", "show_droplet"),
        ("DELETE", r"/v2/droplets/(\d+)", "drop_droplet"),
        ("POST", r"/v2/droplets/(\d+)/actions", "act"),
        ("GET", r"/v2/actions/(\d+)", "show_action"),
    )
    most = 200

    def refusal(self, code: int, words: str, kind: str = "") -> Answer:
        return Answer(code, {"id": kind or _IDS.get(code, "server_error"), "message": words})

    def budget(self) -> dict[str, str]:
        left = max(0, 5000 - len(self.calls))
        reset = str(int(time.time()) + 3600)
        return {"ratelimit-limit": "5000", "ratelimit-remaining": str(left), "ratelimit-reset": reset}

    def _page(self, call: Call, name: str, items: list[Any]) -> Answer:
        many = min(int(call.query.get("per_page", 20)), self.most)
        shown, page, last = page_of(items, call, many)

        def link(number: int) -> str:
            return f"{self.url}{call.path}?page={number}&per_page={many}"

        back = {"first": link(1), "prev": link(page - 1)} if page > 1 else {}
        ahead = {"next": link(page + 1), "last": link(last)} if page < last else {}
        links = {"pages": {**back, **ahead}} if back or ahead else {}
        return Answer(200, {name: shown, "links": links, "meta": {"total": len(items)}})

    # Keys

    def list_keys(self, call: Call) -> Answer:
        return self._page(call, "ssh_keys", [_key(key) for key in self.keys.values()])

    def add_key(self, call: Call) -> Answer:
        name, public = call.body.get("name", ""), call.body.get("public_key", "")
        if not name:
            raise RefusalError(422, "Name can't be blank")
        if any(_fingerprint(key["public_key"]) == _fingerprint(public) for key in self.keys.values()):
            raise RefusalError(422, "SSH Key is already in use on your account")
        number = self.number()
        self.keys[str(number)] = {"id": number, "name": name, "public_key": public}
        return Answer(201, {"ssh_key": _key(self.keys[str(number)])})

    def drop_key(self, _: Call, wanted: str) -> Answer:
        found = [number for number, key in self.keys.items() if wanted in (number, _fingerprint(key["public_key"]))]
        if not found:
            raise RefusalError(404, "The resource you were accessing could not be found.")
        del self.keys[found[0]]
        return Answer(204)

    # What is sold

    def list_regions(self, call: Call) -> Answer:
        return self._page(call, "regions", [_region(slug) for slug in _REGIONS])

    def list_sizes(self, call: Call) -> Answer:
        return self._page(call, "sizes", [_size(slug) for slug in _SIZES])

    def list_images(self, call: Call) -> Answer:
        return self._page(call, "images", [_image(slug) for slug in _IMAGES])

    # Droplets

    def list_droplets(self, call: Call) -> Answer:
        tag, name = call.query.get("tag_name"), call.query.get("name")
        found = [
            machine
            for machine in self.machines.values()
            if (tag is None or tag in machine.tags) and (name is None or name == machine.name)
        ]
        return self._page(call, "droplets", [self._droplet(machine) for machine in found])

    def show_droplet(self, _: Call, number: str) -> Answer:
        return Answer(200, {"droplet": self._droplet(self._machine(number))})

    def add_droplet(self, call: Call) -> Answer:
        body = call.body
        self._check(body)
        machine = self.bill(
            Machine(
                str(self.number()),
                body["name"],
                body["size"],
                body["image"],
                body["region"],
                body.get("user_data") or "",
                tuple(body.get("tags") or ()),
                tuple(str(key) for key in body.get("ssh_keys") or ()),
            )
        )
        action = self._action(machine, "create")
        link = {"id": action["id"], "rel": "create", "href": f"{self.url}/v2/actions/{action['id']}"}
        return Answer(202, {"droplet": self._droplet(machine, made=True), "links": {"actions": [link]}})

    def _check(self, body: Mapping[str, Any]) -> None:
        if not _NAME.match(body.get("name", "")):
            raise RefusalError(422, "Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)")
        if body.get("region") not in _REGIONS:
            raise RefusalError(422, "You specified an invalid region for Droplet creation.")
        if body.get("size") not in _SIZES:
            raise RefusalError(422, "You specified an invalid size for Droplet creation.")
        if body["region"] not in _SIZES[body["size"]][5] or body["region"] == _FULL:
            raise RefusalError(422, "Size is not available in this region.")
        if body.get("image") not in _IMAGES:
            raise RefusalError(422, "You specified an invalid image for Droplet creation.")
        unknown = [key for key in body.get("ssh_keys") or () if str(key) not in self.keys]
        if unknown:
            raise RefusalError(422, f"{', '.join(map(str, unknown))} are invalid key identifiers for Droplet creation.")
        if any(not _TAG.match(tag) for tag in body.get("tags") or ()):
            raise RefusalError(422, "Tag name is invalid. Only letters, numbers, -, _, and : are allowed.")
        if len((body.get("user_data") or "").encode()) > _USER_DATA:
            raise RefusalError(422, "User data is too long (maximum is 64 KiB).")
        if len(self.machines) >= self.limit:
            raise RefusalError(422, "creating this/these droplet(s) will exceed your droplet limit")

    def drop_droplet(self, _: Call, number: str) -> Answer:
        self.remove(self._machine(number))
        return Answer(204)

    def act(self, call: Call, number: str) -> Answer:
        machine = self._machine(number)
        match kind := call.body.get("type"):
            case "power_on":
                self.boots.start(machine)
            case "power_off" | "shutdown":
                self.boots.stop(machine)
            case "reboot" | "power_cycle":
                self.boots.stop(machine)
                self.boots.start(machine)
            case _:
                raise RefusalError(422, "The action type you specified is invalid.")
        return Answer(201, {"action": self._action(machine, kind)})

    def show_action(self, _: Call, number: str) -> Answer:
        if number not in self.actions:
            raise RefusalError(404, "The resource you were accessing could not be found.")
        return Answer(200, {"action": {**self.actions[number], "status": "completed", "completed_at": _now()}})

    def _machine(self, number: str) -> Machine:
        if number not in self.machines:
            raise RefusalError(404, "The resource you were accessing could not be found.")
        return self.machines[number]

    def _action(self, machine: Machine, kind: str) -> dict[str, Any]:
        action = {
            "id": self.number(),
            "status": "in-progress",
            "type": kind,
            "started_at": _now(),
            "completed_at": None,
            "resource_id": int(machine.id),
            "resource_type": "droplet",
            "region": _region(machine.location),
            "region_slug": machine.location,
        }
        self.actions[str(action["id"])] = action
        return action

    def _droplet(self, machine: Machine, *, made: bool = False) -> dict[str, Any]:
        phase = "new" if made else self.phase(machine)
        size = _size(machine.size)
        return {
            "id": int(machine.id),
            "name": machine.name,
            "memory": size["memory"],
            "vcpus": size["vcpus"],
            "disk": size["disk"],
            "locked": phase == "new",
            "status": machine.extra.get("status") or _STATUS[phase],
            "kernel": None,
            "created_at": machine.extra.setdefault("created_at", _now()),
            "features": ["private_networking"],
            "backup_ids": [],
            "next_backup_window": None,
            "snapshot_ids": [],
            "image": _image(machine.image),
            "volume_ids": [],
            "size": size,
            "size_slug": machine.size,
            "networks": {"v4": [] if phase == "new" else _networks(machine), "v6": []},
            "region": _region(machine.location),
            "tags": list(machine.tags),
        }


def _networks(machine: Machine) -> list[dict[str, str]]:
    # In this order: the private one first.
    return [
        {"ip_address": "10.124.0.2", "netmask": "255.255.240.0", "gateway": "<nil>", "type": "private"},
        {"ip_address": machine.address, "netmask": "255.255.240.0", "gateway": "198.51.100.1", "type": "public"},
    ]


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _region(slug: str) -> dict[str, Any]:
    sizes = [size for size, (*_, regions) in _SIZES.items() if slug in regions]
    return {
        "name": _REGIONS[slug],
        "slug": slug,
        "features": _FEATURES,
        "available": slug != _FULL,
        "sizes": [] if slug == _FULL else sizes,
    }


def _size(slug: str) -> dict[str, Any]:
    vcpus, memory, disk, transfer, month, regions = _SIZES[slug]
    return {
        "slug": slug,
        "memory": memory,
        "vcpus": vcpus,
        "disk": disk,
        "transfer": transfer,
        "price_monthly": month,
        "price_hourly": round(month / _HOURS, 5),
        "regions": [region for region in regions if region != _FULL],
        "available": True,
        "description": "Basic",
    }


def _image(slug: str) -> dict[str, Any]:
    distribution, name = _IMAGES[slug]
    return {
        "id": 100_000_000 + list(_IMAGES).index(slug),
        "name": name,
        "distribution": distribution,
        "slug": slug,
        "public": True,
        "regions": list(_REGIONS),
        "created_at": "2026-03-02T09:12:01Z",
        "min_disk_size": 10,
        "type": "base",
        "size_gigabytes": 1.17,
        "description": f"{distribution} {name}",
        "tags": [],
        "status": "available",
    }


def _key(key: Mapping[str, Any]) -> dict[str, Any]:
    return {**key, "fingerprint": _fingerprint(key["public_key"])}


def _fingerprint(public: str) -> str:
    return fingerprint_of(public, "Key invalid, key should be of the format `type key [comment]`")
