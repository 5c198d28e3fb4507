"""Public clouds that run OpenStack, of which OVHcloud is one: servers by libcloud's driver, found by their metadata.

https://docs.openstack.org/api-ref/compute/ and the references beside it for identity, image and network. Names are not
unique, and nothing makes a second call the same as the first. A server is put straight into the network whose addresses
everybody reaches; clouds that lend addresses to servers of a private network are not served.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import chain
from typing import Any

from libcloud.common.exceptions import BaseHTTPError
from libcloud.common.openstack import OpenStackBaseConnection
from libcloud.common.openstack_identity import (
    OpenStackIdentity_3_0_Connection,
    OpenStackIdentityTokenScope,
    OpenStackServiceCatalog,
)
from libcloud.common.types import InvalidCredsError
from libcloud.compute.drivers.openstack import (
    OpenStack_2_Connection,
    OpenStack_2_ImageConnection,
    OpenStack_2_NetworkConnection,
    OpenStack_2_NodeDriver,
)

from stackwise.errors import NameTakenError, NotSoldError, ServerLostError
from stackwise.provision.cloud import Node, NodeState, OnSale, Order, Place
from stackwise.provision.clouds.account import Account
from stackwise.provision.clouds.line import Line
from stackwise.provision.clouds.marks import carrying, from_words, material, not_sold, own_name
from stackwise.provision.clouds.regions import Regions

# Where a provider's identity service is, unless OS_AUTH_URL says another place.
_AUTH = {"ovh": "https://auth.cloud.ovh.net/v3"}
_STATES: dict[str, NodeState] = {"ACTIVE": "running", "SHUTOFF": "stopped", "ERROR": "error"}
_GONE = ("DELETED", "SOFT_DELETED")
# Each cloud names its images itself, with the version after the name; the plain one has the shortest name.
_IMAGES = {
    "debian-12": re.compile(r"debian[ _-]?12\b", re.IGNORECASE),
    "debian-13": re.compile(r"debian[ _-]?13\b", re.IGNORECASE),
    "ubuntu-24-04": re.compile(r"ubuntu[ _-](?:server[ _-])?24\.04\b", re.IGNORECASE),
    "ubuntu-26-04": re.compile(r"ubuntu[ _-](?:server[ _-])?26\.04\b", re.IGNORECASE),
}
_VERSION = re.compile(r"/v[23](?:\.\d+)?/?$")
_WINDOWS = "win-"
_ENDED = 300.0


class Identity(OpenStackIdentity_3_0_Connection):
    """libcloud's, which takes a project by its id too, and domains by their names, as every file from a panel has them.

    https://github.com/apache/libcloud/blob/v3.9.1/libcloud/common/openstack_identity.py
    """

    keys: Mapping[str, str] = {}

    def _get_auth_data(self) -> dict[str, Any]:
        auth: dict[str, Any] = {"identity": _who(self.keys)}
        if scope := _project(self.keys):
            auth["scope"] = scope
        return {"auth": auth}

    def authenticate(self, force: bool = False) -> Any:
        """Get a token. Raises InvalidCredsError for one that is for no project."""
        super().authenticate(force)  # type: ignore[no-untyped-call] # libcloud has no annotations there
        if not self.urls:
            raise InvalidCredsError("they are for no project, say which: OS_PROJECT_ID")
        return self


class _Asks(OpenStackBaseConnection):
    """What our three connections have in common: services found by type alone, and a token that ran out is renewed.

    libcloud looks for services under the names that a developers' installation gives them, and hands a token that was
    revoked early to the caller as wrong credentials.
    """

    _osa: Any

    def get_auth_class(self) -> Identity:
        """Return the way to a token."""
        if not self._osa:
            self._osa = Identity(
                self._get_auth_url(),  # type: ignore[no-untyped-call] # as above
                user_id="",
                key="",
                token_scope=OpenStackIdentityTokenScope.UNSCOPED,
                timeout=self.timeout,
                parent_conn=self,
            )
            self._osa.keys = self.driver.keys  # type: ignore[attr-defined] # our own driver
        identity: Identity = self._osa
        return identity

    def everything(self) -> OpenStackServiceCatalog:
        """Return what the project has, in all regions; no service is asked."""
        token = self.get_auth_class().authenticate()
        self.auth_token = token.auth_token
        self.service_catalog = OpenStackServiceCatalog(token.urls, auth_version="3.x_password")  # type: ignore[no-untyped-call] # as above
        catalog: OpenStackServiceCatalog = self.service_catalog
        return catalog

    def get_endpoint(self) -> str:
        """Return where a service is; the version that its address may end in is said with each call."""
        where = self.service_catalog.get_endpoint(  # type: ignore[union-attr] # as above
            service_type=self.service_type, region=self._ex_force_service_region
        )
        return str(where.url) if self.service_type == "compute" else _VERSION.sub("", str(where.url))

    def request(self, *args: Any, **kwargs: Any) -> Any:
        """Ask, and once more with a new token where the old one was refused: nothing was done then."""
        try:
            return super().request(*args, **kwargs)  # type: ignore[no-untyped-call] # as above
        except BaseHTTPError as exc:
            if exc.code != 401:  # noqa: PLR2004 - HTTP's own number
                raise
            return super().request(*args, **kwargs)  # type: ignore[no-untyped-call] # as above


class Compute(_Asks, OpenStack_2_Connection):
    """Servers, sizes and keys."""


class Images(_Asks, OpenStack_2_ImageConnection):
    """Images."""


class Networks(_Asks, OpenStack_2_NetworkConnection):
    """Networks and security groups."""


class Driver(OpenStack_2_NodeDriver):
    """libcloud's driver of one region."""

    connectionCls = Compute  # noqa: N815 - libcloud's own name
    image_connectionCls = Images  # noqa: N815 - as above
    network_connectionCls = Networks  # noqa: N815 - as above

    def __init__(self, region: str, keys: Mapping[str, str], auth_url: str) -> None:
        """Use the credentials in `keys`, at the identity service `auth_url`."""
        self.keys = keys
        super().__init__(  # type: ignore[no-untyped-call] # libcloud has no annotations there
            keys.get("OS_USERNAME") or "application",
            keys.get("OS_PASSWORD") or "secret",
            ex_force_auth_url=_VERSION.sub("", auth_url),
            ex_force_auth_version="3.x_password",
            ex_token_scope=OpenStackIdentityTokenScope.UNSCOPED,
            ex_force_service_region=region or None,
        )

    def regions(self) -> list[str]:
        """Return the regions that have servers."""
        return sorted(self.connection.everything().get_regions("compute"))  # type: ignore[attr-defined] # our own

    def pages(self, path: str, name: str, connection: Any = None) -> list[dict[str, Any]]:
        """Return everything that a list has, as the API says it."""
        return list(self._paginated_request(path, name, connection or self.connection)[name])  # type: ignore[no-untyped-call] # as above

    def images(self) -> list[dict[str, Any]]:
        """Return the images that can be used now."""
        ask = self.image_connection.request  # type: ignore[union-attr] # as above
        found = self._paginated_request_next("/v2/images", ask, "images")  # type: ignore[no-untyped-call] # as above
        return [image for image in found if image["status"] == "active"]

    def networks(self, path: str, name: str) -> list[dict[str, Any]]:
        """Return a list of the network service."""
        return self.pages(path, name, self.network_connection)

    def change(self, path: str, method: str = "POST", data: object = None) -> Any:
        """Let something be done with servers."""
        return self.connection.request(path, method=method, data=data or "").object  # type: ignore[no-untyped-call] # as above

    def change_network(self, path: str, method: str = "POST", data: object = None) -> Any:
        """Let something be done with networks."""
        return self.network_connection.request(path, method=method, data=data or "").object  # type: ignore[union-attr] # as above


def open_cloud(account: Account, location: str, **line: Any) -> OpenStackCloud:
    """Return the adapter on an account; `location` is the region that is looked at, empty: all. `line`: see Line."""
    auth_url = account.url or _AUTH.get(account.provider.id, "")

    def opened(region: str) -> Line[Any]:
        return Line(account, lambda: Driver(region, account.keys, auth_url), **line)

    return OpenStackCloud(Regions(opened, location, ""))


class OpenStackCloud:
    """Servers, as a `Cloud` and a `Shop`."""

    shows_up_within = 60.0
    shared = True

    def __init__(self, regions: Regions) -> None:
        """Ask through a line for each region."""
        self._regions = regions

    def try_out(self) -> None:
        """List the keys of the first region, which wants a token for a project."""
        region = self._regions.there()[0]
        self._regions.line(region).read("the account", lambda driver: driver.list_key_pairs())

    def places(self) -> tuple[Place, ...]:
        """Return the regions that have servers."""
        return tuple(Place(region, region) for region in self._regions.there())

    def on_sale(self, place: str) -> tuple[OnSale, ...]:
        """Return the sizes of a region by their names; the API tells no price."""
        return tuple(
            OnSale(each["name"], each["vcpus"], each["ram"], each["disk"], None, "EUR")
            for each in self._flavours(place)
            if _is_for_sites(each)
        )

    def find(self, tags: Mapping[str, str]) -> tuple[Node, ...]:
        """Return the servers that carry all of `tags`, in the region or in all."""
        return carrying(chain(*self._regions.everywhere(self._listed)), tags)

    def get(self, node_id: str) -> Node | None:
        """Return a server by its id."""
        return next(filter(None, self._regions.everywhere(partial(self._look, node_id=node_id))), None)

    def create(self, order: Order) -> Node:
        """Make a server with a security group of its own. It has no address yet."""
        line = self._regions.line(order.location)
        wishes = {
            "name": order.label,
            "flavorRef": self._size(line, order),
            "imageRef": self._image(line, order),
            "networks": [{"uuid": _network(line)}],
            "key_name": self._key(line, order),
            "security_groups": [{"name": self._group(line, order)}],
            "metadata": dict(order.tags),
            "user_data": base64.b64encode(order.user_data.encode()).decode(),
        }
        # libcloud's own method asks for the new server before it returns, and that may fail when it is made already.
        made = line.once("the new server", lambda driver: driver.change("/servers", data={"server": wishes}))
        tags = from_words(f"{name}:{value}" for name, value in order.tags.items())
        number = made["server"]["id"]
        return Node(number, order.label, "pending", "", tags, size=order.size, location=order.location)

    def start(self, node_id: str) -> Node:
        """Switch a server on."""
        node = self.get(node_id)
        if node is None:
            raise ServerLostError(f"there is no server {node_id}", hint="see: stackwise status")
        path = f"/servers/{node_id}/action"
        self._regions.line(node.location).read(
            "the server to start", lambda driver: driver.change(path, data={"os-start": None})
        )
        return self._look(node.location, node_id=node_id) or node

    def destroy(self, node_id: str) -> None:
        """Remove a server, and wait until it is gone: until then its group cannot go."""
        if (node := self.get(node_id)) is None:
            return
        line = self._regions.line(node.location)
        try:
            line.read("the server to go", lambda driver: driver.change(f"/servers/{node_id}", "DELETE"))
        except ServerLostError:
            return
        line.until("the server to be gone", lambda: self._look(node.location, node_id=node_id) is None, _ENDED)

    def sweep(self, tags: Mapping[str, str]) -> tuple[str, ...]:
        """Remove the security groups and the key that we made."""
        return tuple(chain(*self._regions.everywhere(partial(self._swept, tags=tags))))

    def _listed(self, region: str) -> list[Node]:
        found = self._regions.line(region).read(
            "the servers", lambda driver: driver.pages("/servers/detail", "servers")
        )
        names = self._names(region) if found else {}
        return [_node(data, region, names) for data in found if data["status"] not in _GONE]

    def _look(self, region: str, *, node_id: str) -> Node | None:
        path = f"/servers/{node_id}"
        try:
            found = self._regions.line(region).read(f"server {node_id}", lambda driver: driver.change(path, "GET"))
        except ServerLostError:
            return None
        data = found["server"]
        return None if data["status"] in _GONE else _node(data, region, self._names(region))

    def _flavours(self, region: str) -> list[dict[str, Any]]:
        line = self._regions.line(region)
        return list(line.read("the sizes", lambda driver: driver.pages("/flavors/detail", "flavors")))

    def _names(self, region: str) -> dict[str, str]:
        return {str(each["id"]): each["name"] for each in self._flavours(region)}

    def _size(self, line: Line[Any], order: Order) -> str:
        sold = {each["name"]: str(each["id"]) for each in self._flavours(order.location) if _is_for_sites(each)}
        if order.size not in sold:
            raise not_sold(line.provider, "size", order.size, sold)
        return sold[order.size]

    def _image(self, line: Line[Any], order: Order) -> str:
        known = line.read("the images", lambda driver: driver.images())
        wanted = _IMAGES.get(order.image)
        found = [image for image in known if wanted and wanted.match(image["name"])]
        if not found:
            sold = [own for own, name in _IMAGES.items() if any(name.match(image["name"]) for image in known)]
            raise not_sold(line.provider, "image", order.image, sold)
        newest = sorted(found, key=lambda image: str(image["created_at"]), reverse=True)
        return str(min(newest, key=lambda image: len(image["name"]))["id"])

    def _key(self, line: Line[Any], order: Order) -> str:
        """Return the name of the administrator's key, registered now if it is not."""
        known = line.read("the keys", lambda driver: driver.list_key_pairs())
        same = [key.name for key in known if material(key.public_key) == material(order.admin_key)]
        if same:
            return str(same[0])
        name = own_name(order.tags)
        for old in (key for key in known if key.name == name):
            line.read("the old key to go", partial(Driver.delete_key_pair, key_pair=old))
        line.once("the key", lambda driver: driver.import_key_pair_from_string(name, order.admin_key))
        return name

    def _group(self, line: Line[Any], order: Order) -> str:
        """Return the id of the server's security group, made now if it is not, open for the ports of the order."""
        name = f"{own_name(order.tags)}-{order.name}"
        found = [group for group in _groups(line) if group["name"] == name]
        group = found[0] if found else line.once("the group", partial(_made_group, name=name))
        rules = {int(rule["port_range_min"]): rule["id"] for rule in group["security_group_rules"] if _opens(rule)}
        for port in sorted(set(order.ports) - rules.keys()):
            line.once("the port", partial(_opened, group=group["id"], port=port))
        for port in sorted(rules.keys() - set(order.ports)):
            path = f"/v2.0/security-group-rules/{rules[port]}"
            line.read("the port", partial(Driver.change_network, path=path, method="DELETE"))
        return str(group["id"])

    def _swept(self, region: str, *, tags: Mapping[str, str]) -> Iterator[str]:
        line, name = self._regions.line(region), own_name(tags)
        for group in _groups(line):
            if group["name"].startswith(f"{name}-"):
                line.until("the group to be free", partial(_is_removed, line, group), _ENDED)
                yield f"the security group {group['name']}"
        for key in line.read("the keys", lambda driver: driver.list_key_pairs()):
            if key.name == name:
                line.read("the key to go", partial(Driver.delete_key_pair, key_pair=key))
                yield f"the key {name}"


def _who(keys: Mapping[str, str]) -> dict[str, Any]:
    """Return who asks, as Keystone wants to be told: an application, or a user with a password."""
    if number := keys.get("OS_APPLICATION_CREDENTIAL_ID"):
        credential = {"id": number, "secret": keys.get("OS_APPLICATION_CREDENTIAL_SECRET", "")}
        return {"methods": ["application_credential"], "application_credential": credential}
    domain = {"name": keys.get("OS_USER_DOMAIN_NAME") or "Default"}
    user = {"name": keys.get("OS_USERNAME", ""), "password": keys.get("OS_PASSWORD", ""), "domain": domain}
    return {"methods": ["password"], "password": {"user": user}}


def _project(keys: Mapping[str, str]) -> dict[str, Any]:
    """Return the project that is asked for; an application has its own, and a user may have a usual one."""
    if keys.get("OS_APPLICATION_CREDENTIAL_ID"):
        return {}
    if number := keys.get("OS_PROJECT_ID") or keys.get("OS_TENANT_ID"):
        return {"project": {"id": number}}
    if name := keys.get("OS_PROJECT_NAME") or keys.get("OS_TENANT_NAME"):
        return {"project": {"name": name, "domain": {"name": keys.get("OS_PROJECT_DOMAIN_NAME") or "Default"}}}
    return {}


def _network(line: Line[Any]) -> str:
    """Return the network whose addresses everybody reaches, where a server may be put into it."""
    known = line.read("the networks", lambda driver: driver.networks("/v2.0/networks", "networks"))
    found = [network["id"] for network in known if network.get("router:external") and network.get("shared")]
    if not found:
        message = f"{line.provider.name} has no network there whose addresses a server is given for good"
        raise NotSoldError(message, hint="take another region: stackwise providers show " + line.provider.id)
    return str(found[0])


def _groups(line: Line[Any]) -> list[dict[str, Any]]:
    return list(line.read("the groups", lambda driver: driver.networks("/v2.0/security-groups", "security_groups")))


def _made_group(driver: Any, *, name: str) -> dict[str, Any]:
    wishes = {"name": name, "description": "What strangers reach on a server of stackwise"}
    made = driver.change_network("/v2.0/security-groups", data={"security_group": wishes})
    return dict(made["security_group"])


def _opens(rule: Mapping[str, Any]) -> bool:
    return bool(rule["direction"] == "ingress" and rule.get("port_range_min"))


def _opened(driver: Any, *, group: str, port: int) -> None:
    rule = {
        "security_group_id": group,
        "direction": "ingress",
        "ethertype": "IPv4",
        "protocol": "tcp",
        "port_range_min": port,
        "port_range_max": port,
        "remote_ip_prefix": "0.0.0.0/0",
    }
    driver.change_network("/v2.0/security-group-rules", data={"security_group_rule": rule})


def _is_removed(line: Line[Any], group: Mapping[str, Any]) -> bool:
    """Remove a group; whether it could go. For a while a server that is gone still holds it."""
    path = f"/v2.0/security-groups/{group['id']}"
    try:
        line.read("the group to go", lambda driver: driver.change_network(path, "DELETE"))
    except NameTakenError:
        return False
    except ServerLostError:
        return True
    return True


def _is_for_sites(flavour: Mapping[str, Any]) -> bool:
    return not flavour.get("OS-FLV-DISABLED:disabled") and not flavour["name"].startswith(_WINDOWS)


def _node(data: Mapping[str, Any], region: str, names: Mapping[str, str]) -> Node:
    flavour = data.get("flavor") or {}
    size = flavour.get("original_name") or names.get(str(flavour.get("id", "")), "")
    given = [each for network in data["addresses"].values() for each in network if each["version"] == 4]  # noqa: PLR2004 - IP's own number
    # An address that is lent comes before one that is reached from its own network alone.
    given.sort(key=lambda each: each.get("OS-EXT-IPS:type") != "floating")
    return Node(
        data["id"],
        data["name"],
        _STATES.get(data["status"], "pending"),
        given[0]["addr"] if given else "",
        from_words(f"{name}:{value}" for name, value in (data.get("metadata") or {}).items()),
        size=size,
        location=region,
    )
