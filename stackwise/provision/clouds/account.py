"""A provider's credentials: from the environment, from a file that it names, or from the desktop's keyring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from stackwise.catalog.model import Component, Credential
from stackwise.errors import CredentialsRefusedError, UsageError
from stackwise.journal.secrets import in_keyring


@dataclass(frozen=True, slots=True)
class Account:
    """The way in to one provider: what it wants to see, by variable, and where its API is (empty: its usual place)."""

    provider: Component
    keys: Mapping[str, str] = field(repr=False)
    url: str = ""

    def where(self) -> dict[str, object]:
        """Return how libcloud's drivers are told another place of the API: host, port, secure."""
        if not self.url:
            return {}
        parts = urlsplit(self.url)
        secure = parts.scheme != "http"
        return {"host": parts.hostname, "port": parts.port or (443 if secure else 80), "secure": secure}


def credentials_of(provider: Component) -> tuple[Credential, ...]:
    """Return what a provider wants to see before it does anything, in the order its driver takes them."""
    return provider.offer.credentials if provider.offer else ()


def missing_of(provider: Component, environment: Mapping[str, str]) -> tuple[Credential, ...]:
    """Return the credentials that nobody gave: not in the environment, in no file that it names, not in the keyring."""
    keys = {each.variable: _found(each.variable, environment) for each in credentials_of(provider)}
    return tuple(each for each in credentials_of(provider) if not _is_settled(each, keys))


def _is_settled(wanted: Credential, keys: Mapping[str, str]) -> bool:
    return bool(wanted.optional or keys[wanted.variable] or keys.get(wanted.unless))


def account_of(provider: Component, environment: Mapping[str, str]) -> Account:
    """Return the way in to a provider. Raises CredentialsRefusedError where a credential is not given, UsageError."""
    keys = {wanted.variable: _found(wanted.variable, environment) for wanted in credentials_of(provider)}
    missing = [each.variable for each in credentials_of(provider) if not _is_settled(each, keys)]
    if missing:
        raise CredentialsRefusedError(f"{' and '.join(missing)} is not set", hint=f"type: export {missing[0]}=...")
    offer = provider.offer
    url = environment.get(offer.endpoint, "") if offer and offer.endpoint else ""
    return Account(provider, keys, _checked(url, offer.endpoint if offer else ""))


def _found(variable: str, environment: Mapping[str, str]) -> str:
    if value := environment.get(variable, "").strip():
        return value
    if path := environment.get(f"{variable}_FILE", ""):
        return _in_file(Path(path).expanduser(), variable)
    return in_keyring(variable) or ""


def _in_file(path: Path, variable: str) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is no text"
        raise UsageError(
            f"{variable}_FILE names {path}, which cannot be read: {reason}", hint=f"type: export {variable}_FILE=PATH"
        ) from exc


def _checked(url: str, variable: str) -> str:
    if url and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
        raise UsageError(f"{variable} is no address of an API: {url!r}", hint=f"type: export {variable}=https://HOST")
    return url.rstrip("/")
