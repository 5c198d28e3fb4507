"""Whether a provider can be used from here: tried at once, with what the environment has and what was typed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from stackwise.catalog.model import Component, Credential
from stackwise.errors import CredentialsRefusedError, StackwiseError
from stackwise.provision.accounts import can_be_asked, credentials_of, try_out


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
    known = {**os.environ, **typed}
    return tuple(found for found in credentials_of(provider) if not known.get(found.variable))


def trial_of(provider: Component, typed: Mapping[str, str]) -> Trial | None:
    """Ask the provider whether servers can be made. None where there is no way to ask."""
    if not can_be_asked(provider):
        return None
    try:
        return Trial(provider.id, ok=True, says=try_out(provider, {**os.environ, **typed}))
    except StackwiseError as exc:
        refused = isinstance(exc, CredentialsRefusedError)
        return Trial(provider.id, ok=False, says=exc.message, hint=exc.hint, refused=refused)
