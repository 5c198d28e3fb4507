"""Whether a provider can be used from here: tried at once, with what the environment has and what was typed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from stackwise.catalog.model import Component, Credential
from stackwise.errors import CredentialsRefusedError, StackwiseError
from stackwise.provision.clouds.account import missing_of
from stackwise.provision.providers import driver_of, is_cloud, open_shop


@dataclass(frozen=True, slots=True)
class Trial:
    """What a provider said: whether it lets us in, in its words and ours, and what to do where it does not."""

    provider: str
    ok: bool
    says: str
    hint: str = ""
    refused: bool = False
    """Whether it was the credentials that it did not accept."""


def missing_credentials(provider: Component, typed: Mapping[str, str]) -> tuple[Credential, ...]:
    """Return what the provider wants to see and neither the environment nor `typed` has."""
    return missing_of(provider, {**os.environ, **typed})


def trial_of(provider: Component, typed: Mapping[str, str]) -> Trial | None:
    """Ask the provider whether servers can be made. None where there is no way to ask."""
    try:
        if driver_of(provider) == "stackwise-sandbox":
            return Trial(provider.id, ok=True, says=_sandbox())
        if not is_cloud(provider):
            return None
        open_shop(provider, lambda _: None, environment={**os.environ, **typed}).try_out()
        return Trial(provider.id, ok=True, says=f"{provider.name} answers, and knows the account")
    except StackwiseError as exc:
        refused = isinstance(exc, CredentialsRefusedError)
        return Trial(provider.id, ok=False, says=exc.message, hint=exc.hint, refused=refused)


def _sandbox() -> str:
    from stackwise.provision.sandbox.requirements import require  # noqa: PLC0415 - only where it is asked

    require()
    return "machines can be made on this host"
