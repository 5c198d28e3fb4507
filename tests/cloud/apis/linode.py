"""Linode's API, version 4, as its documentation describes it, with a few regions, types and images.

https://techdocs.akamai.com/linode-api/reference/api - pages of 25 to 500, errors as a list of reasons and fields,
labels that belong to one instance, tags of 3 to 50 characters; and the answers recorded in
libcloud/test/compute/fixtures/linode_v4, to which a test compares these.
"""

from __future__ import annotations

import base64
import binascii
import re
import time
from collections.abc import Mapping
from typing import Any

from tests.cloud.apis.server import Answer, Api, Call, Machine, RefusalError, page_of

_REASONS = {401: "Invalid Token", 429: "Too many requests"}
_ALL = ["Linodes", "Block Storage Encryption", "Backups", "NodeBalancers", "Block Storage", "Metadata"]
# Country, label, what it can do. The last one has no service that tells an instance anything.
_REGIONS: dict[str, tuple[str, str, list[str]]] = {
    "eu-central": ("de", "Frankfurt, DE", _ALL),
    "us-east": ("us", "Newark, NJ", _ALL),
    "br-gru": ("br", "Sao Paulo, BR", _ALL),
    "xx-old": ("us", "Nowhere, XX", ["Linodes", "Block Storage"]),
}
# Class, processors, memory, disk, dollars a month, dollars in Sao Paulo.
_TYPES: dict[str, tuple[str, int, int, int, float, float]] = {
    "g6-nanode-1": ("nanode", 1, 1024, 25600, 5.0, 7.0),
    "g6-standard-1": ("standard", 1, 2048, 51200, 12.0, 16.8),
    "g6-standard-2": ("standard", 2, 4096, 81920, 24.0, 33.6),
    "g6-dedicated-2": ("dedicated", 2, 4096, 81920, 36.0, 50.4),
    "g7-premium-2": ("premium", 2, 4096, 81920, 43.0, 60.2),
    "g1-gpu-rtx6000-1": ("gpu", 8, 32768, 655360, 1000.0, 1000.0),
}
_RUN_OUT = {("eu-central", "g7-premium-2")}
_IMAGES = {
    "linode/debian12": ("Debian", "Debian 12", ["cloud-init"]),
    "linode/debian13": ("Debian", "Debian 13", ["cloud-init"]),
    "linode/ubuntu24.04": ("Ubuntu", "Ubuntu 24.04 LTS", ["cloud-init"]),
    "linode/debian7": ("Debian", "Debian 7", []),
}
_LABEL = re.compile(r"^[a-zA-Z0-9](?:(?!--|__|\.\.)[a-zA-Z0-9\-_.]){1,62}[a-zA-Z0-9]$")
_STATUS = {"new": "provisioning", "up": "running", "off": "offline"}


class LinodeApi(Api):
    """Instances, and what is sold."""

    routes = (
        ("GET", "/v4/regions", "list_regions"),
        ("GET", "/v4/regions/([^/]+)/availability", "show_availability"),
        ("GET", "/v4/linode/types", "list_types"),
        ("GET", "/v4/images", "list_images"),
        ("GET", "/v4/linode/instances", "list_instances"),
        ("POST", "/v4/linode/instances", "add_instance"),
        ("GET", r"/v4/linode/instances/(\d+)", "show_instance"),
        ("DELETE", r"/v4/linode/instances/(\d+)", "drop_instance"),
        ("POST", r"/v4/linode/instances/(\d+)/boot", "boot_instance"),
        ("POST", r"/v4/linode/instances/(\d+)/shutdown", "shut_instance"),
    )
    most = 500
    limit = 25

    def is_let_in(self, call: Call) -> bool:
        # What is sold is told to everybody.
        return call.path in ("/v4/regions", "/v4/linode/types") or (
            call.headers.get("Authorization") == f"Bearer {self.token}"
        )

    def refusal(self, code: int, words: str, kind: str = "") -> Answer:
        error = {"reason": _REASONS.get(code, words)}
        return Answer(code, {"errors": [{**error, "field": kind} if kind else error]}, self._budget(code))

    def _budget(self, code: int) -> dict[str, str]:
        left = str(max(0, 1600 - len(self.calls)))
        budget = {"X-RateLimit-Limit": "1600", "X-RateLimit-Remaining": left, "X-RateLimit-Reset": "1784505600"}
        return {**budget, "Retry-After": "1"} if code == 429 else budget

    def _page(self, call: Call, items: list[Any]) -> Answer:
        if not 25 <= int(call.query.get("page_size", 100)) <= 500:
            raise RefusalError(400, "Must be 25-500", "page_size")
        shown, page, last = page_of(items, call, min(100, self.most), per_page="page_size")
        if page > last:
            raise RefusalError(404, "Not found")
        return Answer(200, {"data": shown, "page": page, "pages": last, "results": len(items)}, self._budget(200))

    # What is sold

    def list_regions(self, call: Call) -> Answer:
        return self._page(call, [_region(name) for name in _REGIONS])

    def show_availability(self, _: Call, region: str) -> Answer:
        if region not in _REGIONS:
            raise RefusalError(404, "Not found")
        plans = [name for name, (kind, *_) in _TYPES.items() if kind in ("premium", "gpu")]
        return Answer(
            200, [{"region": region, "plan": plan, "available": (region, plan) not in _RUN_OUT} for plan in plans]
        )

    def list_types(self, call: Call) -> Answer:
        return self._page(call, [_type(name) for name in _TYPES])

    def list_images(self, call: Call) -> Answer:
        return self._page(call, [_image(name) for name in _IMAGES])

    # Instances

    def list_instances(self, call: Call) -> Answer:
        return self._page(call, [self._instance(machine) for machine in self.machines.values()])

    def show_instance(self, _: Call, number: str) -> Answer:
        return Answer(200, self._instance(self._machine(number)), self._budget(200))

    def add_instance(self, call: Call) -> Answer:
        body = call.body
        told = self._checked(body)
        machine = self.bill(
            Machine(
                str(self.number()),
                body["label"],
                body["type"],
                body["image"],
                body["region"],
                told,
                tuple(body.get("tags") or ()),
                tuple(body.get("authorized_keys") or ()),
            )
        )
        return Answer(200, self._instance(machine, made=True), self._budget(200))

    def _checked(self, body: Mapping[str, Any]) -> str:
        """Return the user-data that is in an order, or refuse the order."""
        faults = (
            (body.get("region") not in _REGIONS, "region is not valid", "region"),
            (body.get("type") not in _TYPES, "A valid plan type by that ID was not found", "type"),
            (body.get("image") not in _IMAGES, "image is not valid", "image"),
            (len(body.get("root_pass") or "") < 11, "Password does not meet strength requirement.", "root_pass"),
            (not _LABEL.match(body.get("label", "")), "Label must be 3-64 characters", "label"),
            (
                body.get("label") in {machine.name for machine in self.machines.values()},
                "Label must be unique among your linodes",
                "label",
            ),
            (any(not 3 <= len(tag) <= 50 for tag in body.get("tags") or ()), "Length must be 3-50 characters", "tags"),
            (len(self.machines) >= self.limit, "Account Limit reached. Please open a support ticket.", ""),
        )
        for refused, words, field in faults:
            if refused:
                raise RefusalError(400, words, field)
        if (body["region"], body["type"]) in _RUN_OUT:
            raise RefusalError(400, "This plan is not available in the selected region", "type")
        return _told(body)

    def drop_instance(self, _: Call, number: str) -> Answer:
        self.remove(self._machine(number))
        return Answer(200, {})

    def boot_instance(self, _: Call, number: str) -> Answer:
        machine = self._machine(number)
        if machine.running:
            raise RefusalError(400, "Linode already booted.")
        self.boots.start(machine)
        return Answer(200, {})

    def shut_instance(self, _: Call, number: str) -> Answer:
        self.boots.stop(self._machine(number))
        return Answer(200, {})

    def _machine(self, number: str) -> Machine:
        if number not in self.machines:
            raise RefusalError(404, "Not found")
        return self.machines[number]

    def _instance(self, machine: Machine, *, made: bool = False) -> dict[str, Any]:
        phase = "new" if made else self.phase(machine)
        kind, vcpus, memory, disk, *_ = _TYPES[machine.size]
        made_at = machine.extra.setdefault("created", time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()))
        return {
            "id": int(machine.id),
            "label": machine.name,
            "group": "",
            "status": machine.extra.get("status") or _STATUS[phase],
            "created": made_at,
            "updated": made_at,
            "type": machine.size,
            "ipv4": [machine.address] if machine.address else [],
            "ipv6": "2001:db8::f03c:92ff:fe00:1/128",
            "image": machine.image,
            "region": machine.location,
            "specs": {"disk": disk, "memory": memory, "vcpus": vcpus, "gpus": int(kind == "gpu"), "transfer": 1000},
            "alerts": {"cpu": 90, "io": 10000, "network_in": 10, "network_out": 10, "transfer_quota": 80},
            "backups": {"enabled": False, "schedule": {"day": None, "window": None}, "last_successful": None},
            "hypervisor": "kvm",
            "watchdog_enabled": True,
            "tags": list(machine.tags),
            "host_uuid": "3a3ddd59d9a78bb8de041391075df44de62bfec8",
            "has_user_data": bool(machine.user_data),
            "lke_cluster_id": None,
        }


def _told(body: Mapping[str, Any]) -> str:
    data = (body.get("metadata") or {}).get("user_data")
    if not data:
        return ""
    if "Metadata" not in _REGIONS[body["region"]][2]:
        raise RefusalError(400, "Metadata is not supported in the selected region", "region")
    if not _IMAGES[body["image"]][2]:
        raise RefusalError(400, "The image does not support cloud-init", "image")
    try:
        return base64.b64decode(data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise RefusalError(400, "Must be a base64-encoded string", "metadata.user_data") from None


def _region(name: str) -> dict[str, Any]:
    country, label, capabilities = _REGIONS[name]
    return {
        "id": name,
        "label": label,
        "country": country,
        "capabilities": capabilities,
        "status": "ok",
        "resolvers": {"ipv4": "192.0.2.1,192.0.2.2", "ipv6": "2001:db8::1,2001:db8::2"},
        "placement_group_limits": {"maximum_pgs_per_customer": 100, "maximum_linodes_per_pg": 5},
        "site_type": "core",
    }


def _type(name: str) -> dict[str, Any]:
    kind, vcpus, memory, disk, month, elsewhere = _TYPES[name]
    backups = {"price": {"hourly": 0.003, "monthly": 2.0}, "region_prices": []}
    return {
        "id": name,
        "label": f"Linode {memory // 1024}GB",
        "class": kind,
        "vcpus": vcpus,
        "memory": memory,
        "disk": disk,
        "gpus": int(kind == "gpu"),
        "network_out": 1000,
        "transfer": 1000,
        "price": {"hourly": round(month / 672, 4), "monthly": month},
        "region_prices": [{"id": "br-gru", "hourly": round(elsewhere / 672, 4), "monthly": elsewhere}],
        "addons": {"backups": backups},
        "successor": None,
    }


def _image(name: str) -> dict[str, Any]:
    vendor, label, capabilities = _IMAGES[name]
    return {
        "id": name,
        "label": label,
        "vendor": vendor,
        "capabilities": capabilities,
        "created": "2025-08-13T17:17:11",
        "updated": "2025-08-13T17:17:11",
        "created_by": "linode",
        "deprecated": not capabilities,
        "description": "",
        "eol": "2030-06-30T04:00:00",
        "expiry": None,
        "is_public": True,
        "size": 1500,
        "status": "available",
        "type": "manual",
    }
