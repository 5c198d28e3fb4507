"""Hetzner Cloud as a libcloud driver, which libcloud lacks. Nothing here knows of stackwise: it can be offered there.

register()
Driver = libcloud.compute.providers.get_driver("hetzner")
node = Driver("token").create_node("web-1", size, image, location, ex_user_data="#cloud-config ...")

https://docs.hetzner.cloud/reference/cloud - a token belongs to one project, in which a server's name is unique.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any, ClassVar

from libcloud.common.base import ConnectionKey, JsonResponse
from libcloud.common.types import InvalidCredsError
from libcloud.compute.base import KeyPair, Node, NodeDriver, NodeImage, NodeLocation, NodeSize
from libcloud.compute.providers import DRIVERS, set_driver
from libcloud.compute.types import KeyPairDoesNotExistError, NodeState

PROVIDER = "hetzner"
BASE_URL = "https://api.hetzner.cloud/v1"
# As many as a page may have.
PER_PAGE = 50
_MIB = 1024


def register() -> None:
    """Make libcloud know the driver as `hetzner`; a second call does nothing."""
    if PROVIDER not in DRIVERS:
        # libcloud imports the module when it is asked for the driver: it wants names, whatever its annotations say.
        set_driver(PROVIDER, __name__, HetznerNodeDriver.__name__)  # type: ignore[arg-type]


class HetznerResponse(JsonResponse):
    """An answer: JSON, or nothing where something was deleted."""

    valid_response_codes: ClassVar = [HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED, HTTPStatus.NO_CONTENT]

    def parse_error(self) -> str:
        """Return the API's own words and its code: server name is already used (uniqueness_error)."""
        body: Any = self.parse_body()  # type: ignore[no-untyped-call] # libcloud has no annotations there
        error = body.get("error") if isinstance(body, dict) else None
        words = f"{error['message']} ({error['code']})" if error else str(body)
        if self.status == HTTPStatus.UNAUTHORIZED:
            raise InvalidCredsError(words, driver=self.connection.driver)  # type: ignore[union-attr] # a driver is set
        return words

    def success(self) -> bool:
        """Whether the API did as it was told."""
        return self.status in self.valid_response_codes


class HetznerConnection(ConnectionKey):
    """The way to the API, with the token in a header."""

    host = "api.hetzner.cloud"
    responseCls = HetznerResponse  # noqa: N815 - libcloud's name

    def add_default_headers(self, headers: dict[str, str]) -> dict[str, str]:
        """Add the token."""
        headers["Authorization"] = f"Bearer {self.key}"
        headers["Content-Type"] = "application/json"
        return headers


class HetznerNodeDriver(NodeDriver):
    """Servers of one project.

    Sizes cost what they cost in one location, net: `price` is an hour's, `extra["price_monthly"]` a month's. The price
    of an IPv4 address comes on top; `ex_get_pricing` has it, and the currency.
    """

    type = PROVIDER
    name = "Hetzner Cloud"
    api_name = "hetzner"
    website = "https://www.hetzner.com/cloud"
    connectionCls = HetznerConnection  # noqa: N815 - libcloud's name
    features: dict[str, list[str]] = {"create_node": ["ssh_key"]}  # noqa: RUF012 - libcloud reads it from the class

    NODE_STATE_MAP: dict[str, NodeState] = {  # noqa: RUF012 - as above
        "initializing": NodeState.PENDING,
        "starting": NodeState.STARTING,
        "running": NodeState.RUNNING,
        "stopping": NodeState.STOPPING,
        "off": NodeState.STOPPED,
        "deleting": NodeState.TERMINATED,
        "migrating": NodeState.MIGRATING,
        "rebuilding": NodeState.RECONFIGURING,
    }

    def __init__(
        self,
        key: str,
        secret: str | None = None,
        *,
        ex_base_url: str = BASE_URL,
        host: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Use the API token `key` at `ex_base_url` (with the version), or at libcloud's `host`, `port` and `secure`."""
        if host is not None:
            scheme, port = ("https" if kwargs.get("secure", True) else "http"), kwargs.get("port")
            ex_base_url = f"{scheme}://{host}{f':{port}' if port else ''}/v1"
        self._ex_base_url = ex_base_url.rstrip("/")
        super().__init__(key, secret, host=host, **kwargs)  # type: ignore[no-untyped-call] # libcloud has no annotations there

    def _ex_connection_class_kwargs(self) -> dict[str, object]:
        return {"url": self._ex_base_url}

    # Servers

    def list_nodes(self, ex_label_selector: str = "", ex_name: str = "") -> list[Node]:
        """Return the servers; those whose labels fit a selector, such as `environment==production,!temporary`."""
        wanted = {"label_selector": ex_label_selector, "name": ex_name}
        return [self._to_node(data) for data in self._all("/servers", "servers", wanted)]

    def ex_get_node(self, node_id: str) -> Node:
        """Return a server by its id."""
        return self._to_node(self._ask(f"/servers/{node_id}")["server"])

    def create_node(  # type: ignore[override] # noqa: PLR0913 - as all drivers: ex_ in place of auth
        self,
        name: str,
        size: NodeSize,
        image: NodeImage,
        location: NodeLocation | None = None,
        *,
        ex_user_data: str = "",
        ex_labels: Mapping[str, str] | None = None,
        ex_ssh_keys: Sequence[int | str] = (),
        ex_start_after_create: bool = True,
    ) -> Node:
        """Make a server. A name that another server has is refused: 409, `uniqueness_error`.

        `ex_ssh_keys` are ids or names of registered keys of root's; without one there is a password, in
        `extra["root_password"]`.
        """
        wishes = {
            "name": name,
            "server_type": size.id,
            "image": image.id,
            "location": location.id if location else None,
            "user_data": ex_user_data,
            "labels": dict(ex_labels or {}),
            "ssh_keys": list(ex_ssh_keys),
            "start_after_create": ex_start_after_create,
        }
        answer = self._ask("/servers", "POST", {key: value for key, value in wishes.items() if value not in (None, "")})
        node = self._to_node(answer["server"])
        node.extra["root_password"] = answer.get("root_password")
        return node

    def destroy_node(self, node: Node) -> bool:
        """Delete a server, its disk, and the addresses that were made with it."""
        self._ask(f"/servers/{node.id}", "DELETE")
        return True

    def start_node(self, node: Node) -> bool:
        """Switch a server on."""
        return self._act(node, "poweron")

    def stop_node(self, node: Node) -> bool:
        """Ask a server to shut down; `ex_power_off` pulls the plug."""
        return self._act(node, "shutdown")

    def reboot_node(self, node: Node) -> bool:
        """Ask a server to restart."""
        return self._act(node, "reboot")

    def ex_power_off(self, node: Node) -> bool:
        """Switch a server off at once."""
        return self._act(node, "poweroff")

    def _act(self, node: Node, action: str) -> bool:
        status: str = self._ask(f"/servers/{node.id}/actions/{action}", "POST")["action"]["status"]
        return status != "error"

    # What is sold

    def list_locations(self) -> list[NodeLocation]:
        """Return the locations."""
        return [
            NodeLocation(data["name"], f"{data['city']}, {data['country']}", data["country"], self, extra=data)
            for data in self._all("/locations", "locations")
        ]

    def list_sizes(self, location: NodeLocation | None = None) -> list[NodeSize]:
        """Return the server types; with a location, those that can be had there now, at its price."""
        place = location.id if location else ""
        found = self._all("/server_types", "server_types")
        return [self._to_size(data, place) for data in found if not place or _is_sold(data, place)]

    def list_images(self, location: NodeLocation | None = None, ex_architecture: str = "") -> list[NodeImage]:  # noqa: ARG002 - the same everywhere
        """Return the images that can be used: those of the provider by name, snapshots by number."""
        wanted = {"architecture": ex_architecture, "status": "available"}
        return [
            NodeImage(data["name"] or str(data["id"]), data["description"], self, extra=data)
            for data in self._all("/images", "images", wanted)
        ]

    def ex_get_pricing(self) -> dict[str, Any]:
        """Return the price list: its currency, and what is no size, such as addresses, volumes and traffic."""
        pricing: dict[str, Any] = self._ask("/pricing")["pricing"]
        return pricing

    # Keys

    def list_key_pairs(self) -> list[KeyPair]:
        """Return the public keys of the project."""
        return [self._to_key_pair(data) for data in self._all("/ssh_keys", "ssh_keys")]

    def get_key_pair(self, name: str) -> KeyPair:
        """Return a public key by its name; raise libcloud's KeyPairDoesNotExistError when there is none."""
        found = self._all("/ssh_keys", "ssh_keys", {"name": name})
        if not found:
            raise KeyPairDoesNotExistError(name, self)  # type: ignore[no-untyped-call] # libcloud has no annotations there
        return self._to_key_pair(found[0])

    def import_key_pair_from_string(
        self, name: str, key_material: str, ex_labels: Mapping[str, str] | None = None
    ) -> KeyPair:
        """Register a public key. One that is registered or a name that is taken is refused: 409, `uniqueness_error`."""
        wishes = {"name": name, "public_key": key_material, "labels": dict(ex_labels or {})}
        return self._to_key_pair(self._ask("/ssh_keys", "POST", wishes)["ssh_key"])

    def delete_key_pair(self, key_pair: KeyPair) -> bool:
        """Forget a public key. Servers that have it keep it."""
        self._ask(f"/ssh_keys/{key_pair.extra['id']}", "DELETE")
        return True

    # The API

    def _ask(self, path: str, method: str = "GET", data: object = None, params: object = None) -> Any:
        body = None if data is None else json.dumps(data)
        answer = self.connection.request(path, params=params, data=body, method=method)  # type: ignore[no-untyped-call] # libcloud has no annotations there
        return answer.object

    def _all(self, path: str, name: str, wanted: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
        """Return the items of all pages."""
        params: dict[str, object] = {key: value for key, value in (wanted or {}).items() if value}
        found: list[dict[str, Any]] = []
        page: int | None = 1
        while page:
            answer = self._ask(path, params={**params, "page": page, "per_page": PER_PAGE})
            found += answer[name]
            page = answer["meta"]["pagination"]["next_page"]
        return found

    def _to_node(self, data: Mapping[str, Any]) -> Node:
        public, private = data["public_net"], data.get("private_net") or []
        ipv4 = [public["ipv4"]["ip"]] if public.get("ipv4") else []
        ipv6 = [public["ipv6"]["ip"]] if public.get("ipv6") else []
        return Node(
            id=str(data["id"]),
            name=data["name"],
            state=self.NODE_STATE_MAP.get(data["status"], NodeState.UNKNOWN),
            public_ips=ipv4 + ipv6,
            private_ips=[network["ip"] for network in private],
            driver=self,
            created_at=datetime.fromisoformat(data["created"]),
            extra={
                "labels": dict(data.get("labels") or {}),
                "location": (data.get("location") or {}).get("name", ""),
                "size": data["server_type"]["name"],
                "status": data["status"],
                "locked": data.get("locked", False),
            },
        )

    def _to_size(self, data: Mapping[str, Any], place: str) -> NodeSize:
        price = next((each for each in data["prices"] if not place or each["location"] == place), None)
        month = float(price["price_monthly"]["net"]) if price else 0.0
        return NodeSize(
            id=data["name"],
            name=data["name"],
            ram=int(data["memory"] * _MIB),
            disk=data["disk"],
            bandwidth=price.get("included_traffic") if price else None,
            price=float(price["price_hourly"]["net"]) if price else 0.0,
            driver=self,
            extra={
                "cores": data["cores"],
                "cpu_type": data["cpu_type"],
                "architecture": data.get("architecture", "x86"),
                "price_monthly": month,
                "prices": data["prices"],
                "locations": data.get("locations") or [],
            },
        )

    def _to_key_pair(self, data: Mapping[str, Any]) -> KeyPair:
        extra = {"id": data["id"], "labels": dict(data.get("labels") or {})}
        return KeyPair(data["name"], data["public_key"], data["fingerprint"], self, extra=extra)


def _is_sold(data: Mapping[str, Any], place: str) -> bool:
    """Whether a server type can be had in a place: it has a price there, and is not said to be sold out."""
    if not any(price["location"] == place for price in data["prices"]):
        return False
    # Answers of before September 2025 do not say.
    said = next((each for each in data.get("locations") or () if each["name"] == place), None)
    return bool(said["available"]) if said else "locations" not in data
