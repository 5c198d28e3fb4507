"""Whether a provider lets us in: one harmless call with the user's credentials. Nothing is made, nothing is kept.

The calls list what an account has (keys, volumes): they need a valid credential, and change nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stackwise.errors import CredentialsRefusedError, ProviderUnreachableError, ProvisionError, UsageError

if TYPE_CHECKING:
    from stackwise.catalog.model import Component, Credential

# Seconds that a provider has to answer.
DEADLINE = 15
_REFUSED = frozenset({401, 403})


@dataclass(frozen=True, slots=True)
class _Account:
    """How to ask: libcloud's name of the provider, and the call. Its driver takes the credentials in their order."""

    driver: str
    call: Callable[[Any], Any]


_ACCOUNTS = {
    "digitalocean": _Account("digitalocean", lambda driver: driver.list_key_pairs()),
    "linode": _Account("linode", lambda driver: driver.list_volumes()),
    "vultr": _Account("vultr", lambda driver: driver.list_key_pairs()),
    "ec2": _Account("ec2", lambda driver: driver.list_key_pairs()),
}


def credentials_of(provider: Component) -> tuple[Credential, ...]:
    """Return what a provider wants to see before it does anything, in the order its driver takes them."""
    return provider.offer.credentials if provider.offer else ()


def can_be_asked(provider: Component) -> bool:
    """Whether there is a way to ask the provider."""
    return provider.id == "sandbox" or provider.id in _ACCOUNTS


def try_out(provider: Component, environment: Mapping[str, str], **connection: object) -> str:
    """Ask whether servers can be made, and return in a sentence what was seen.

    The `connection` goes to libcloud's driver: another host, a proxy. Raises ProvisionError, or one of its kinds;
    UsageError where there is no way to ask.
    """
    if provider.id == "sandbox":
        from stackwise.provision.sandbox.requirements import require  # noqa: PLC0415 - only where it is asked

        require()
        return "machines can be made on this host"
    account = _ACCOUNTS.get(provider.id)
    if account is None:
        raise UsageError(
            f"{provider.name} cannot be asked by stackwise", hint="see: stackwise catalog list -c provider"
        )
    variables = [credential.variable for credential in credentials_of(provider)]
    missing = [variable for variable in variables if not environment.get(variable)]
    if missing:
        raise CredentialsRefusedError(f"{' and '.join(missing)} is not set", hint=f"type: export {missing[0]}=...")
    _ask(provider, account, [environment[variable] for variable in variables], connection)
    return f"{provider.name} answers, and knows the account"


def _ask(provider: Component, account: _Account, keys: list[str], connection: Mapping[str, object]) -> None:
    from libcloud.common.exceptions import BaseHTTPError  # noqa: PLC0415 - libcloud takes its time to load
    from libcloud.common.linode import LinodeExceptionV4  # noqa: PLC0415 - as above
    from libcloud.common.types import InvalidCredsError, LibcloudError  # noqa: PLC0415 - as above
    from libcloud.common.vultr import VultrException  # noqa: PLC0415 - as above
    from libcloud.compute.providers import get_driver  # noqa: PLC0415 - as above
    from requests.exceptions import RequestException  # noqa: PLC0415 - as above

    try:
        driver: Any = get_driver(account.driver)(*keys, **connection)
        driver.connection.timeout = DEADLINE
        account.call(driver)
    except RequestException as exc:
        raise ProviderUnreachableError(
            f"{provider.name} does not answer", hint="look at the network, a proxy or a firewall, then try again"
        ) from exc
    except InvalidCredsError as exc:
        raise _refused(provider, str(exc)) from exc
    except (BaseHTTPError, VultrException) as exc:
        raise _refused(provider, str(exc)) if exc.code in _REFUSED else _answered(provider, str(exc)) from exc
    except (LibcloudError, LinodeExceptionV4) as exc:
        raise _answered(provider, str(exc)) from exc
    except (KeyError, TypeError, ValueError) as exc:
        raise ProvisionError(f"{provider.name} answered something that stackwise does not understand") from exc


def _refused(provider: Component, words: str) -> CredentialsRefusedError:
    names = " and ".join(credential.variable for credential in credentials_of(provider))
    return CredentialsRefusedError(
        f"{provider.name} refuses the credentials: {words}", hint=f"make new ones there, then: export {names}=..."
    )


def _answered(provider: Component, words: str) -> ProvisionError:
    return ProvisionError(f"{provider.name} answered: {words}", hint="try again in a minute")
