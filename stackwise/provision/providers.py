"""Which adapter stands for which provider. libcloud is loaded only when one is opened."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from importlib import import_module
from typing import Protocol, cast

from stackwise.catalog.model import Component
from stackwise.errors import UsageError
from stackwise.provision.cloud import Cloud, Progress, Shop
from stackwise.provision.clouds.account import account_of

# A module a provider, by the `driver` of its catalog entry. Each has `open_cloud(account, location, ...)`.
_CLOUDS = ("digitalocean", "ec2", "hetzner", "linode", "openstack", "vultr")
# libcloud repeats any call under the first, one that makes a server too, and prints every header under the second.
_NEVER = ("LIBCLOUD_RETRY_FAILED_HTTP_REQUESTS", "LIBCLOUD_DEBUG")


class CloudAndShop(Cloud, Shop, Protocol):
    """What the adapter of a real provider is."""


def open_cloud(
    provider: Component, progress: Progress, *, location: str = "", stop: threading.Event | None = None
) -> Cloud:
    """Return the adapter of a provider; `progress` is told what a long call is doing, `stop` ends one.

    `location` is where servers are looked for, at a provider that keeps its regions apart. Raises UsageError where
    stackwise makes no servers, CredentialsRefusedError where a credential is not given.
    """
    if driver_of(provider) == "stackwise-sandbox":
        from stackwise.provision.sandbox.adapter import SandboxCloud  # noqa: PLC0415 - libcloud takes its time to load

        return SandboxCloud(progress)
    if driver_of(provider) == "existing":
        from stackwise.provision.existing.adapter import ExistingCloud  # noqa: PLC0415 - as above

        return ExistingCloud()
    return open_shop(provider, progress, location=location, stop=stop)


def open_shop(
    provider: Component,
    progress: Progress,
    *,
    location: str = "",
    stop: threading.Event | None = None,
    environment: Mapping[str, str] | None = None,
) -> CloudAndShop:
    """Return the adapter of a real provider, which can tell what is sold; `environment` is where credentials are.

    Raises as `open_cloud`.
    """
    driver = driver_of(provider)
    if driver not in _CLOUDS:
        message = f"stackwise makes no servers at {provider.name}"
        raise UsageError(message, hint="see where it does: stackwise providers")
    account = account_of(provider, os.environ if environment is None else environment)
    for name in _NEVER:
        os.environ.pop(name, None)
    module = import_module(f"stackwise.provision.clouds.{driver}")
    return cast("CloudAndShop", module.open_cloud(account, location, progress=progress, stop=stop))


def driver_of(provider: Component) -> str:
    """Return the name of the adapter, empty where there is none."""
    return provider.offer.driver if provider.offer else ""


def is_cloud(provider: Component) -> bool:
    """Whether a provider has an API that can be asked with credentials."""
    return driver_of(provider) in _CLOUDS
