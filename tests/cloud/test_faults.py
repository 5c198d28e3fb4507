"""What goes wrong at a provider comes out as ours, is asked again where that is harmless, and makes no two servers."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from ipaddress import ip_address
from pathlib import Path

import libcloud.security
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from stackwise.catalog import load_catalog
from stackwise.errors import (
    AnswerLostError,
    CredentialsRefusedError,
    InterruptedRunError,
    NameTakenError,
    NothingLeftError,
    NotSoldError,
    ProviderUnreachableError,
    ProvisionError,
    RateLimitedError,
    ServerLostError,
)
from stackwise.provision.clouds.account import Account
from stackwise.provision.clouds.hetzner_driver import HetznerNodeDriver
from stackwise.provision.clouds.line import Line, Patience
from stackwise.provision.providers import open_shop
from tests.cloud.apis.server import Api, Fault
from tests.cloud.contract import ADMIN, PROVIDERS, QUICK, TAGS, Adapter, Provider

TRIES = 2
# Where silence is awaited: the other calls of a flow have to fit in as well. Where it is not, no test hurries.
SHORT = Patience(tries=TRIES, first=0.01, longest=0.02, most=5, deadline=0.25)
LONG = replace(SHORT, deadline=30)
ALWAYS = 999


@pytest.fixture(params=sorted(PROVIDERS))
def provider(request: pytest.FixtureRequest) -> Provider:
    return PROVIDERS[request.param]


@contextmanager
def harmed(
    provider: Provider, *faults: Fault, patience: Patience | None = None
) -> Iterator[tuple[Api, Adapter, list[str]]]:
    """Serve an API at which something goes wrong; yield it with the adapter and what the adapter told."""
    api = provider.api()
    if patience is None:
        patience = SHORT if any(fault.harm in ("hang", "slow") for fault in faults) else LONG
    told: list[str] = []
    with api.serving():
        api.faults += faults
        yield api, provider.opened(api, patience, progress=told.append), told


def asked(api: Api, pattern: str) -> int:
    return sum(re.search(pattern, str(call)) is not None for call in api.calls)


def is_ours(api: Api, error: ProvisionError) -> None:
    """Hold what every error of ours has: one line of words, what to do, and no secret."""
    said = f"{error.message} {error.hint}"
    assert error.message
    assert "\n" not in error.message
    assert error.hint
    assert api.token not in said
    assert "Traceback" not in said
    assert type(error).__module__ == "stackwise.errors"


# What ends a call for good, asked once and no more: the fault, and our error.
REFUSALS: dict[str, tuple[Fault, type[ProvisionError]]] = {
    "401": (Fault("code", code=401, words="no"), CredentialsRefusedError),
    "403": (Fault("code", code=403, words="you may not"), CredentialsRefusedError),
    "404": (Fault("code", code=404, words="nothing here"), ServerLostError),
    "409": (Fault("code", code=409, words="the name is already used", kind="uniqueness_error"), NameTakenError),
    "422": (Fault("code", code=422, words="it is not sold there"), ProvisionError),
}
# What may be better in a moment.
TROUBLE: dict[str, tuple[Fault, type[ProvisionError]]] = {
    "429": (Fault("code", code=429, words="too often"), RateLimitedError),
    "500": (Fault("code", code=500), ProviderUnreachableError),
    "503": (Fault("code", code=503, words="under maintenance"), ProviderUnreachableError),
    "a proxy's page": (Fault("html", code=502), ProviderUnreachableError),
    "a page that says that all is well": (Fault("html", code=200), ProviderUnreachableError),
    "half of the JSON": (Fault("cut"), ProviderUnreachableError),
    "a reset": (Fault("reset"), ProviderUnreachableError),
    "silence": (Fault("hang", seconds=2), ProviderUnreachableError),
    "a byte now and then": (Fault("slow", seconds=2), ProviderUnreachableError),
}

# What leaves open whether a call was carried out. A byte now and then ends as silence does, which takes its time too.
LOST = sorted(TROUBLE.keys() - {"429", "a byte now and then"})


def _at(fault: Fault, at: str, times: int = ALWAYS, *, after: bool = False) -> Fault:
    return replace(fault, at=at, times=times, after=after)


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_of_reading_is_told_in_the_providers_words_and_not_repeated(provider: Provider, name: str) -> None:
    fault, wanted = REFUSALS[name]
    with harmed(provider, _at(fault, provider.lists)) as (api, cloud, _):
        with pytest.raises(wanted) as raised:
            cloud.find(TAGS)
        is_ours(api, raised.value)
        # A token that was refused is renewed once, where tokens are given out for an hour.
        assert asked(api, provider.lists) == (2 if name == "401" and provider.renews else 1)
        # libcloud's drivers keep the words of most refusals.
        if name not in ("401", "404"):
            assert fault.words in raised.value.message


@pytest.mark.parametrize("name", TROUBLE)
def test_reading_is_asked_again_after_trouble(provider: Provider, name: str) -> None:
    fault, _ = TROUBLE[name]
    with harmed(provider, _at(fault, provider.lists, times=1)) as (api, cloud, told):
        assert cloud.find(TAGS) == ()
        assert asked(api, provider.lists) == 2
        (said,) = told
        assert "asking again for the servers" in said
        assert api.token not in said


@pytest.mark.parametrize("name", ["429", *LOST])
def test_trouble_that_stays_is_told_after_a_few_tries(provider: Provider, name: str) -> None:
    fault, wanted = TROUBLE[name]
    with harmed(provider, _at(fault, provider.lists)) as (api, cloud, _):
        with pytest.raises(wanted) as raised:
            cloud.find(TAGS)
        is_ours(api, raised.value)
        assert not isinstance(raised.value, AnswerLostError)
        assert asked(api, provider.lists) == TRIES


def _waited(provider: Provider, said: str) -> float:
    """Return how long a list was waited for that was first refused with a Retry-After."""
    fault = Fault("code", provider.lists, 429, headers={"Retry-After": said})
    with harmed(provider, fault) as (api, cloud, _):
        begun = time.monotonic()
        assert cloud.find(TAGS) == ()
        assert asked(api, provider.lists) == 2
        return time.monotonic() - begun


def test_what_the_provider_asks_us_to_wait_is_waited(provider: Provider) -> None:
    assert 1 <= _waited(provider, "1") < 3


def test_it_may_say_a_date_and_what_is_no_time_is_none() -> None:
    hetzner = PROVIDERS["hetzner"]
    assert 0.9 <= _waited(hetzner, formatdate(time.time() + 2, usegmt=True)) < 4
    assert _waited(hetzner, "soon") < 0.9


def test_nobody_waits_for_an_hour(provider: Provider) -> None:
    fault = Fault("code", provider.lists, 429, times=ALWAYS, headers={"Retry-After": "3600"})
    with harmed(provider, fault) as (api, cloud, _):
        with pytest.raises(RateLimitedError, match="too often") as raised:
            cloud.find(TAGS)
        assert raised.value.retry_after == 3600
        assert "3600 s" in raised.value.hint
        assert asked(api, provider.lists) == 1


def test_whoever_stops_the_run_waits_no_longer(provider: Provider) -> None:
    stop = threading.Event()
    api = provider.api()
    with api.serving():
        api.faults.append(Fault("hang", provider.lists, seconds=3))
        cloud = provider.opened(api, stop=stop)
        threading.Timer(0.2, stop.set).start()
        begun = time.monotonic()
        with pytest.raises(InterruptedRunError):
            cloud.find(TAGS)
        assert time.monotonic() - begun < 2


# The order


@pytest.mark.parametrize("name", REFUSALS)
def test_an_order_that_is_refused_made_nothing(provider: Provider, name: str) -> None:
    fault, wanted = REFUSALS[name]
    with harmed(provider, _at(fault, provider.makes)) as (api, cloud, _):
        with pytest.raises(NotSoldError if name in ("404", "422") else wanted) as raised:
            cloud.create(provider.order())
        is_ours(api, raised.value)
        assert not isinstance(raised.value, AnswerLostError)
        assert asked(api, provider.makes) == (2 if name == "401" and provider.renews else 1)
        assert api.made == []


def test_an_order_that_came_too_often_made_nothing_and_is_not_sent_again(provider: Provider) -> None:
    fault = Fault("code", provider.makes, 429, times=ALWAYS, headers={"Retry-After": "1"})
    with harmed(provider, fault) as (api, cloud, _):
        with pytest.raises(RateLimitedError) as raised:
            cloud.create(provider.order())
        assert raised.value.retry_after == 1
        assert asked(api, provider.makes) == 1
        assert api.made == []


@pytest.mark.parametrize("made", [False, True], ids=["before it was made", "after it was made"])
@pytest.mark.parametrize("name", LOST)
def test_an_order_whose_answer_is_lost_is_sent_once_and_found_by_its_tags(
    provider: Provider, name: str, made: bool
) -> None:
    fault, _ = TROUBLE[name]
    with harmed(provider, _at(fault, provider.makes, after=made)) as (api, cloud, _):
        with pytest.raises(AnswerLostError, match="whether it was made is open") as raised:
            cloud.create(provider.order())
        is_ours(api, raised.value)
        assert "stackwise up" in raised.value.hint
        assert asked(api, provider.makes) == 1
        assert len(api.made) == made
        assert [node.id for node in cloud.find(provider.order().tags)] == api.made


@pytest.mark.parametrize("name", LOST)
def test_destroying_after_a_lost_answer_is_no_error(provider: Provider, name: str) -> None:
    fault, _ = TROUBLE[name]
    with harmed(provider, patience=SHORT if fault.harm in ("hang", "slow") else LONG) as (api, cloud, _):
        node = cloud.create(provider.order())
        api.faults.append(_at(fault, r"^DELETE |/TerminateInstances", times=1, after=True))
        cloud.destroy(node.id)
        assert api.machines == {}
        if provider.has_keys:
            api.faults.append(_at(fault, r"^DELETE |/DeleteKeyPair", times=1, after=True))
            assert cloud.sweep(TAGS)
            assert api.keys == {}


def test_a_quota_is_told_as_one(provider: Provider) -> None:
    with harmed(provider) as (api, cloud, _):
        api.limit = 0
        with pytest.raises(NothingLeftError, match="has nothing left") as raised:
            cloud.create(provider.order())
        is_ours(api, raised.value)
        assert asked(api, provider.makes) == 1
        assert api.made == []


# The way there


@contextmanager
def at_address(provider: Provider, url: str) -> Iterator[Adapter]:
    """Yield the adapter, which looks for the API somewhere else."""
    api = provider.api()
    api.url = url
    yield provider.opened(api, LONG)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://nobody.invalid"], ids=["refused", "no such name"])
def test_who_is_not_reached_is_said_and_nothing_can_have_been_made(provider: Provider, url: str) -> None:
    with at_address(provider, url) as cloud:
        for step in (cloud.try_out, lambda: cloud.create(provider.order())):
            with pytest.raises(ProviderUnreachableError, match="does not answer") as raised:
                step()
            assert not isinstance(raised.value, AnswerLostError)
            assert "network" in raised.value.hint


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://nobody.invalid"], ids=["refused", "no such name"])
def test_an_order_that_cannot_have_left_is_not_lost(url: str) -> None:
    line = Line(
        Account(load_catalog().component("hetzner"), {"HCLOUD_TOKEN": "canary"}),
        lambda: HetznerNodeDriver("canary", ex_base_url=url),
        patience=LONG,
    )
    with pytest.raises(ProviderUnreachableError) as raised:
        line.once("the key", lambda driver: driver.import_key_pair_from_string("mine", ADMIN))
    assert not isinstance(raised.value, AnswerLostError)


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a certificate of an authority that nobody knows, its own, with its key."""
    # Whatever a test makes libcloud trust ends with it.
    monkeypatch.setattr(libcloud.security, "CA_CERTS_PATH", libcloud.security.CA_CERTS_PATH)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a private authority")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "authority.pem"
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + made.public_bytes(Encoding.PEM)
    )
    return path


def test_a_certificate_of_nobody_is_not_trusted_and_a_private_authority_is_where_it_is_named(
    provider: Provider, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = provider.api()
    with api.serving(certificate):
        with pytest.raises(ProviderUnreachableError, match="cannot be trusted") as raised:
            provider.opened(api, LONG).try_out()
        assert "REQUESTS_CA_BUNDLE" in raised.value.hint
        with pytest.raises(ProviderUnreachableError) as raised:
            provider.opened(api, LONG).create(provider.order())
        assert not isinstance(raised.value, AnswerLostError)
        assert api.calls == []
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        provider.opened(api).try_out()
        assert api.calls


def test_a_proxy_that_lets_nobody_through_is_named(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name)
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with at_address(provider, "http://192.0.2.1") as cloud:
        with pytest.raises(ProviderUnreachableError, match="proxy") as raised:
            cloud.try_out()
        assert "grep -i proxy" in raised.value.hint


def test_libclouds_own_repeating_is_switched_off(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIBCLOUD_RETRY_FAILED_HTTP_REQUESTS", "true")
    component = load_catalog().component(provider.id)
    api = provider.api()
    with api.serving():
        assert component.offer
        environment = {**provider.keys(api), component.offer.endpoint: f"{api.url}{provider.path}"}
        cloud = open_shop(component, lambda _: None, location=provider.place, environment=environment)
        api.faults.append(Fault("code", provider.makes, 503, times=ALWAYS))
        with pytest.raises(AnswerLostError):
            cloud.create(provider.order())
        assert asked(api, provider.makes) == 1


# Every call


@dataclass
class Story:
    """A server's life as a run lives it, each step caught by itself; what came of it is kept."""

    provider: Provider
    api: Api
    cloud: Adapter
    failed: list[ProvisionError] = field(default_factory=list)
    node: str = ""
    ordering: ProvisionError | None = None

    def live(self) -> None:
        for step in (
            self.cloud.try_out,
            self.create,
            lambda: self.cloud.find(TAGS),
            lambda: self.cloud.get(self.known),
            lambda: self.cloud.start(self.known),
            self.end,
        ):
            try:
                step()
            except ProvisionError as exc:
                self.failed.append(exc)

    def end(self) -> None:
        """Destroy, and sweep where nothing stands any more: a key or a group that is in use cannot go."""
        self.cloud.destroy(self.known)
        self.cloud.sweep(TAGS)

    def create(self) -> None:
        try:
            self.node = self.cloud.create(self.provider.order()).id
        except ProvisionError as exc:
            self.ordering = exc
            raise

    @property
    def known(self) -> str:
        return self.node or next(iter(self.api.machines), "4711")


def _calls_of_a_life(provider: Provider) -> list[str]:
    """Return a pattern for each call that a life makes, the numbers in it left open."""
    with harmed(provider, patience=QUICK) as (api, cloud, _):
        story = Story(provider, api, cloud)
        story.live()
        assert story.failed == []
        kinds = {re.sub(r"[0-9a-f-]{30,}|\d{4,}", "@", str(call)): None for call in api.calls}
    return [f"^{re.escape(kind).replace('@', '[^/]+')}$" for kind in kinds]


# One of each kind: the others end as these do, as is shown above.
@pytest.mark.parametrize("name", ["422", "a reset", "silence"])
def test_whatever_call_it_happens_at_the_error_is_ours_and_no_server_is_lost(provider: Provider, name: str) -> None:
    if provider.id == "ec2" and name != "a reset":
        pytest.skip("a life takes a second there: moto has a thousand sizes to tell")
    fault, _ = {**REFUSALS, **TROUBLE}[name]
    calls = _calls_of_a_life(provider)
    assert len(calls) > 6
    for call in calls:
        patience = replace(LONG, tries=1, deadline=0.06 if name == "silence" else QUICK.deadline)
        with harmed(provider, _at(fault, call, after=name in TROUBLE), patience=patience) as (api, cloud, _):
            story = Story(provider, api, cloud)
            story.live()
            for error in story.failed:
                is_ours(api, error)
            # One order, and whatever was made is known or may be looked for.
            assert asked(api, provider.makes) <= 1
            assert len(api.made) <= 1
            assert api.made in ([], [story.node]) or isinstance(story.ordering, AnswerLostError), (call, story.ordering)
