"""Who passes the contract: each provider's API on loopback, and the adapter that asks it through libcloud's driver.

A provider is one entry of `PROVIDERS`; test_contract.py and test_faults.py run for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from stackwise.catalog import load_catalog
from stackwise.provision.cloud import Cloud, Order, Shop
from stackwise.provision.clouds import digitalocean, ec2, hetzner, linode, openstack, vultr
from stackwise.provision.clouds.account import Account, credentials_of
from stackwise.provision.clouds.line import Patience
from tests.cloud.apis.digitalocean import DigitalOceanApi
from tests.cloud.apis.ec2 import Ec2Api
from tests.cloud.apis.hetzner import HetznerApi
from tests.cloud.apis.linode import LinodeApi
from tests.cloud.apis.openstack import OpenStackApi
from tests.cloud.apis.server import Api
from tests.cloud.apis.vultr import VultrApi

# Long enough for an answer of loopback on a busy machine, short enough for those that never come.
QUICK = Patience(tries=3, first=0.01, longest=0.02, most=2, deadline=20)
ADMIN = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGV4YW1wbGUtZXhhbXBsZS1leGFtcGxlLWV4YW1wbGUx me@here"
ANOTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGV4YW1wbGUtZXhhbXBsZS1leGFtcGxlLWV4YW1wbGUy you@there"
TAGS = {
    "stackwise-name": "superbook",
    "stackwise-environment": "testing",
    "stackwise-token": "2f1c1c3e7c1b4c6e9f0a5d2f6f0b9b11",
}
USER_DATA = '#cloud-config\n{"users": []}\n'


class Adapter(Cloud, Shop, Protocol):
    """What stands behind the seam of a real provider."""


@dataclass(frozen=True)
class Provider:
    """A provider as its tests see it.

    `size` is sold at `place`, `elsewhere` is a size that is not. `makes` and `lists` are patterns of the calls that
    make a server and list the servers. Set `has_keys` to False where keys are no things of their own, `says_price`
    where the API tells none, `address_at_once` where the answer that makes a server has its address already.
    """

    id: str
    api: Callable[..., Api]
    open_cloud: Callable[..., Adapter]
    place: str
    size: str
    elsewhere: str
    makes: str
    lists: str
    path: str = ""
    image: str = "debian-13"
    currency: str = "USD"
    has_keys: bool = True
    says_price: bool = True
    address_at_once: bool = False

    def order(self, server: str = "web-1", **changes: Any) -> Order:
        wanted: dict[str, Any] = {
            "name": server,
            "location": self.place,
            "size": self.size,
            "image": self.image,
            "user_data": USER_DATA,
            "tags": {**TAGS, "stackwise-server": server},
            "admin_key": ADMIN,
        }
        return Order(**{**wanted, **changes})

    def keys(self, api: Api) -> dict[str, str]:
        """Return the credentials that the API lets in, by variable."""
        wanted = credentials_of(load_catalog().component(self.id))
        return {one.variable: api.token for one in wanted if not one.optional}

    def opened(self, api: Api, patience: Patience = QUICK, **more: Any) -> Adapter:
        """Return the adapter with the credentials that the API lets in."""
        account = Account(load_catalog().component(self.id), self.keys(api), f"{api.url}{self.path}")
        return self.open_cloud(account, self.place, patience=patience, **more)

    @contextmanager
    def standing(self, looks: int = 0) -> Iterator[tuple[Api, Adapter]]:
        """Serve the API and yield it with its adapter; a new server shows itself after `looks` looks."""
        api = self.api(looks=looks)
        with api.serving():
            yield api, self.opened(api)


PROVIDERS = {
    "digitalocean": Provider(
        "digitalocean",
        DigitalOceanApi,
        digitalocean.open_cloud,
        place="ams3",
        size="s-1vcpu-2gb",
        elsewhere="s-1vcpu-512mb-10gb",
        makes="^POST /v2/droplets$",
        lists="^GET /v2/droplets$",
    ),
    "hetzner": Provider(
        "hetzner",
        HetznerApi,
        hetzner.open_cloud,
        place="hel1",
        size="cx23",
        elsewhere="cx33",
        makes="^POST /v1/servers$",
        lists="^GET /v1/servers$",
        path="/v1",
        currency="EUR",
        address_at_once=True,
    ),
    "ec2": Provider(
        "ec2",
        Ec2Api,
        ec2.open_cloud,
        place="eu-central-1",
        size="t4g.small",
        elsewhere="c7gn.large",
        makes="^GET /RunInstances$",
        lists="^GET /DescribeInstances$",
        says_price=False,
    ),
    "linode": Provider(
        "linode",
        LinodeApi,
        linode.open_cloud,
        place="eu-central",
        size="g6-standard-1",
        elsewhere="g7-premium-2",
        makes="^POST /v4/linode/instances$",
        lists="^GET /v4/linode/instances$",
        has_keys=False,
        address_at_once=True,
    ),
    "vultr": Provider(
        "vultr",
        VultrApi,
        vultr.open_cloud,
        place="ams",
        size="vc2-1c-2gb",
        elsewhere="vhp-2c-4gb-amd",
        makes="^POST /v2/instances$",
        lists="^GET /v2/instances$",
    ),
    "ovh": Provider(
        "ovh",
        OpenStackApi,
        openstack.open_cloud,
        place="GRA11",
        size="d2-2",
        elsewhere="b3-8",
        makes="^POST /GRA11/compute/v2.1/servers$",
        lists="^GET /GRA11/compute/v2.1/servers/detail$",
        path="/v3",
        currency="EUR",
        says_price=False,
    ),
}
