"""A provider is asked whether it lets us in: libcloud's own drivers over real HTTP, against a server on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from stackwise.catalog import load_catalog
from stackwise.errors import CredentialsRefusedError, ProviderUnreachableError, ProvisionError, UsageError
from stackwise.provision.accounts import can_be_asked, credentials_of, try_out
from stackwise.walk.trials import missing_credentials, trial_of

TOKEN = "canary-token-1234"  # noqa: S105 - no real one
Answer = tuple[int, str]


@contextmanager
def answering(answer: Callable[[str], Answer]) -> Iterator[dict[str, object]]:
    """Serve an API on loopback; `answer` is given the Authorization of a request."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            code, body = answer(self.headers.get("Authorization", ""))
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's own name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield {"host": "127.0.0.1", "port": server.server_port, "secure": False}
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def _let_in(authorization: str) -> Answer:
    if TOKEN not in authorization:
        return 401, json.dumps({"error": "Invalid API token.", "errors": [{"reason": "Invalid Token"}]})
    return 200, json.dumps({"ssh_keys": [], "data": [], "page": 1, "pages": 1, "meta": {"links": {"next": ""}}})


def _ask(provider: str, token: str, connection: dict[str, object]) -> str:
    component = load_catalog().component(provider)
    environment = {credential.variable: token for credential in credentials_of(component)}
    return try_out(component, environment, **connection)


@pytest.mark.parametrize("provider", ["vultr", "linode"])
def test_a_valid_credential_is_let_in(provider: str) -> None:
    with answering(_let_in) as connection:
        assert "knows the account" in _ask(provider, TOKEN, connection)


@pytest.mark.parametrize("provider", ["vultr", "linode"])
def test_a_wrong_one_is_refused_in_the_providers_words_and_never_repeated(provider: str) -> None:
    with answering(_let_in) as connection, pytest.raises(CredentialsRefusedError) as raised:
        _ask(provider, "wrong-canary", connection)
    assert "nvalid" in raised.value.message
    assert "wrong-canary" not in raised.value.message + raised.value.hint


@pytest.mark.parametrize(
    "answer", [(200, "<html>maintenance</html>"), (200, '{"ssh_keys": 7, "data": 7}'), (200, '{"ssh'), (503, "{}")]
)
@pytest.mark.parametrize("provider", ["vultr", "linode"])
def test_whatever_else_it_answers_is_an_error_of_ours(provider: str, answer: Answer) -> None:
    with answering(lambda _: answer) as connection, pytest.raises(ProvisionError):
        _ask(provider, TOKEN, connection)


def test_a_provider_that_does_not_answer_is_said_to_be_out_of_reach() -> None:
    with answering(_let_in) as connection:
        pass
    with pytest.raises(ProviderUnreachableError, match="does not answer"):
        _ask("vultr", TOKEN, connection)


def test_what_is_missing_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    ec2 = load_catalog().component("ec2")
    for credential in credentials_of(ec2):
        monkeypatch.delenv(credential.variable, raising=False)
    with pytest.raises(CredentialsRefusedError, match="AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"):
        try_out(ec2, {})
    assert [c.variable for c in missing_credentials(ec2, {"AWS_ACCESS_KEY_ID": "x"})] == ["AWS_SECRET_ACCESS_KEY"]
    trial = trial_of(ec2, {})
    assert trial is not None
    assert not trial.ok
    assert trial.hint == "type: export AWS_ACCESS_KEY_ID=..."


def test_a_provider_without_a_driver_is_said_to_have_none() -> None:
    scaleway = load_catalog().component("scaleway")
    assert not can_be_asked(scaleway)
    assert trial_of(scaleway, {}) is None
    with pytest.raises(UsageError, match="cannot be asked"):
        try_out(scaleway, {})
