"""What libcloud's drivers raise, in our errors: by the status that was answered where there was one, else by the class.

The drivers agree on little. A refusal is a LibcloudError with some, a BaseHTTPError with others, and a class of its own
with Linode and Vultr; a lost connection is whatever requests raises. A page of a proxy is a MalformedResponseError
without a status, and an answer of another shape than expected a KeyError.
"""

from __future__ import annotations

import json
import re
import ssl
from dataclasses import dataclass
from xml.etree.ElementTree import ParseError  # nosec - only the exception

from libcloud.common.exceptions import BaseHTTPError, RateLimitReachedError
from libcloud.common.linode import LinodeException, LinodeExceptionV4
from libcloud.common.types import (
    InvalidCredsError,
    LibcloudError,
    MalformedResponseError,
    ProviderError,
)
from libcloud.common.vultr import VultrException
from libcloud.utils.iso8601 import ParseError as NoDateError
from requests.exceptions import (
    ChunkedEncodingError,
    ConnectionError,  # noqa: A004 - requests calls it so
    ConnectTimeout,
    ContentDecodingError,
    InvalidURL,
    ProxyError,
    ReadTimeout,
    RequestException,
    SSLError,
)

from stackwise.catalog.model import Component
from stackwise.errors import (
    AnswerLostError,
    CredentialsRefusedError,
    NameTakenError,
    NothingLeftError,
    NotSoldError,
    ProviderUnreachableError,
    ProvisionError,
    RateLimitedError,
    ServerLostError,
)
from stackwise.provision.clouds.account import credentials_of

# Everything that a driver raises on its own; a test reads the drivers and fails on a class that is none of these.
RAISED: tuple[type[Exception], ...] = (
    BaseHTTPError,
    LibcloudError,
    LinodeException,
    LinodeExceptionV4,
    VultrException,
    RequestException,
    OSError,
    LookupError,
    AttributeError,
    TypeError,
    ValueError,
    NotImplementedError,
    AssertionError,
    ParseError,
    NoDateError,
)
_LEFT = re.compile(
    r"quota|limit (?:has been )?(?:reached|exceeded)|limitexceeded|exceed\w* (?:your|the) \w*\s*limit|capacity"
    r"|unavailable in|resource_unavailable|resource_limit|no valid host|maximum number",
    re.IGNORECASE,
)
_TAKEN = re.compile(r"already (?:used|exists|in use|taken)|must be unique|uniqueness|duplicate", re.IGNORECASE)
_BUSY = re.compile(
    r"\((?:conflict|locked)\)|is locked|while it is in|dependencyviolation|group \S+ in use", re.IGNORECASE
)
# Amazon signs calls with the time, and refuses one that is minutes off.
_CLOCK = re.compile(r"signature (?:expired|not yet current)|request has expired|time\w* skew|tooskewed", re.IGNORECASE)
_LONGEST = 300
_LOST_STATUS = 500


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back, where anything did: the HTTP status (0: nothing came) and what Retry-After said, in seconds."""

    status: int = 0
    retry_after: float = 0


def translated(provider: Component, exc: Exception, answered: Answered, *, makes: bool) -> ProvisionError:
    """Return our error for what a driver raised; `makes` says that the call makes something.

    An error that leaves open whether it was made is an AnswerLostError.
    """
    words, status = words_of(exc), _status(exc, answered)
    if isinstance(exc, RequestException | OSError) and not isinstance(exc, ValueError | TypeError) and not status:
        return _unreached(provider, exc, makes=makes)
    if isinstance(exc, InvalidCredsError):
        return _refused(provider, words)
    if 400 <= status < _LOST_STATUS:  # noqa: PLR2004 - HTTP's own number
        return _said_no(provider, status, words, _wait(exc, answered), makes=makes)
    if isinstance(exc, LibcloudError | LinodeExceptionV4 | LinodeException) and not status:
        # Said by the driver itself, before it asked anybody.
        return ProvisionError(f"{provider.name}: {words}", hint=_LATER)
    if status >= _LOST_STATUS and _LEFT.search(words):
        return _nothing_left(provider, words)
    trouble = f"has trouble of its own ({status})" if status >= _LOST_STATUS else "answered what nobody can read"
    message = f"{provider.name} {trouble}: {words}"
    return _lost(provider, message) if makes else ProviderUnreachableError(message, hint=_LATER)


_LATER = "try again in a minute"


def _unreached(provider: Component, exc: Exception, *, makes: bool) -> ProvisionError:
    if isinstance(exc, SSLError | ssl.SSLError):
        return ProviderUnreachableError(
            f"the certificate that answers for {provider.name} cannot be trusted",
            hint="is there a proxy in between, name its authority: export REQUESTS_CA_BUNDLE=/path/to/ca.pem",
        )
    if isinstance(exc, ProxyError):
        return ProviderUnreachableError(
            f"the proxy on the way to {provider.name} does not let us through",
            hint="look at what is set: env | grep -i proxy",
        )
    message = f"{provider.name} does not answer"
    if makes and not _never_sent(exc):
        return _lost(provider, message)
    return ProviderUnreachableError(message, hint="look at the network, a proxy or a firewall, then try again")


def _never_sent(exc: Exception) -> bool:
    """Whether the call cannot have reached the provider: no name, no connection."""
    if isinstance(exc, ConnectTimeout | InvalidURL):
        return True
    if isinstance(exc, ReadTimeout | ChunkedEncodingError | ContentDecodingError):
        return False
    words = str(exc)
    return isinstance(exc, ConnectionError) and ("NewConnectionError" in words or "NameResolution" in words)


def _said_no(provider: Component, status: int, words: str, wait: float, *, makes: bool) -> ProvisionError:
    if status == 429:  # noqa: PLR2004 - as above
        hint = f"wait {wait:.0f} s, then go on: stackwise up" if wait else "wait a minute, then go on: stackwise up"
        return RateLimitedError(f"{provider.name} was asked too often: {words}", hint=hint, retry_after=wait)
    # Some say of a quota that it is forbidden to go over it.
    if _LEFT.search(words):
        return _nothing_left(provider, words)
    if status in (401, 403) or _CLOCK.search(words):
        return _refused(provider, words if status == 401 else f"{words}; they may lack a right")  # noqa: PLR2004 - as above
    if status == 423 or _BUSY.search(words):  # noqa: PLR2004 - as above
        return ProviderUnreachableError(f"{provider.name} is still busy with it: {words}", hint=_LATER)
    return _will_not(provider, status, words, makes=makes)


def _will_not(provider: Component, status: int, words: str, *, makes: bool) -> ProvisionError:
    said = f"{provider.name} answered: {words}"
    if status == 409 or _TAKEN.search(words):  # noqa: PLR2004 - as above
        return NameTakenError(said, hint="see what exists: stackwise orphans")
    if makes:
        return NotSoldError(said, hint=f"see what is sold: stackwise providers show {provider.id}")
    if status == 404:  # noqa: PLR2004 - as above
        return ServerLostError(said, hint="see: stackwise status")
    return ProvisionError(said, hint="see what stands: stackwise status")


def _nothing_left(provider: Component, words: str) -> NothingLeftError:
    hint = "choose another region or size, or ask the provider to raise the limit of your account"
    return NothingLeftError(f"{provider.name} has nothing left: {words}", hint=hint)


def _refused(provider: Component, words: str) -> ProvisionError:
    if _CLOCK.search(words):
        said = f"the clock here differs from that of {provider.name}: {words}"
        return ProvisionError(said, hint="set it, and let it be kept: timedatectl set-ntp true")
    names = [credential.variable for credential in credentials_of(provider)]
    said = f"{provider.name} refuses the credentials: {words}"
    return CredentialsRefusedError(said, hint=f"make new ones there, then: export {names[0] if names else 'TOKEN'}=...")


def _lost(provider: Component, message: str) -> AnswerLostError:
    said = f"{message}; whether it was made is open"
    return AnswerLostError(said, hint=f"go on, which looks first what {provider.name} has: stackwise up")


def _status(exc: Exception, answered: Answered) -> int:
    if isinstance(exc, RequestException) and exc.response is None:
        return 0
    # The driver first: Amazon answers 400 or 503 for much that has a status of its own, which our subclass tells apart.
    code = getattr(exc, "code", None) or getattr(exc, "http_code", None) or 0
    if code and isinstance(code, int) and isinstance(exc, BaseHTTPError | ProviderError | VultrException):
        return code
    return answered.status


def _wait(exc: Exception, answered: Answered) -> float:
    return answered.retry_after or (exc.retry_after if isinstance(exc, RateLimitReachedError) else 0)


def words_of(exc: Exception) -> str:
    """Return what the provider said, as one short line: out of JSON, out of markup, out of libcloud's own wrapping."""
    if isinstance(exc, MalformedResponseError):
        said = f"no JSON ({_plain(str(exc.body or ''))})" if exc.body else "no JSON"
    elif isinstance(exc, KeyError):
        said = f"without {exc}"
    else:
        value = getattr(exc, "value", None) or getattr(exc, "message", None) or (exc.args[0] if exc.args else "")
        said = _unwrapped(value)
    return " ".join(said.split())[:_LONGEST] or type(exc).__name__


def _unwrapped(value: object) -> str:
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value)
        except ValueError:
            return str(value)
    if isinstance(value, dict):
        value = value.get("error") or value.get("errors") or value.get("message") or next(iter(value.values()), "")
        return _unwrapped(value)
    if isinstance(value, list):
        return ", ".join(_unwrapped(one) for one in value)
    return str(value)


def _plain(page: str) -> str:
    return re.sub(r"<[^>]*>", " ", page).strip()
