"""libcloud's driver of OpenStack, made to take what clouds and the files from their panels really have."""

from __future__ import annotations

import re
from collections.abc import Mapping
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

_VERSION = re.compile(r"/v[23](?:\.\d+)?/?$")


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
