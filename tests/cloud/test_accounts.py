"""A provider is asked whether it lets us in: libcloud's own driver over real HTTP, against a server on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from stackwise.catalog import load_catalog
from stackwise.errors import CredentialsRefusedError, UsageError
from stackwise.provision.clouds.account import account_of, missing_of
from stackwise.provision.providers import open_shop
from stackwise.walk.trials import missing_credentials, trial_of

TOKEN = "canary-token-1234"  # noqa: S105 - no real one
VARIABLE = "DIGITALOCEAN_ACCESS_TOKEN"
Answer = tuple[int, str]


@contextmanager
def answering(answer: Callable[[str], Answer]) -> Iterator[str]:
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
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv(VARIABLE, raising=False)


def _let_in(authorization: str) -> Answer:
    if TOKEN not in authorization:
        return 401, json.dumps({"id": "Unauthorized", "message": "Unable to authenticate you"})
    return 200, json.dumps({"ssh_keys": [], "data": [], "page": 1, "pages": 1, "meta": {"links": {"next": ""}}})


DIGITALOCEAN = load_catalog().component("digitalocean")


def test_a_valid_credential_is_let_in() -> None:
    with answering(_let_in) as url:
        trial = trial_of(DIGITALOCEAN, {VARIABLE: TOKEN, "DIGITALOCEAN_API_URL": url})
    assert trial is not None
    assert (trial.ok, trial.says) == (True, "DigitalOcean answers, and knows the account")


def test_a_wrong_one_is_refused_in_the_providers_words_and_never_repeated() -> None:
    with answering(_let_in) as url:
        trial = trial_of(DIGITALOCEAN, {VARIABLE: "wrong-canary", "DIGITALOCEAN_API_URL": url})
    assert trial is not None
    assert trial.refused
    assert "Unable to authenticate you" in trial.says
    assert "wrong-canary" not in trial.says + trial.hint


def test_what_is_missing_is_named_by_its_variable() -> None:
    with pytest.raises(CredentialsRefusedError, match=f"{VARIABLE} is not set"):
        open_shop(DIGITALOCEAN, lambda _: None, environment={})
    assert [wanted.variable for wanted in missing_credentials(DIGITALOCEAN, {})] == [VARIABLE]
    trial = trial_of(DIGITALOCEAN, {})
    assert trial is not None
    assert not trial.ok
    assert trial.hint == f"type: export {VARIABLE}=..."


def test_a_credential_may_stand_in_a_file_that_the_environment_names(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    environment = {f"{VARIABLE}_FILE": str(tmp_path / "token")}
    assert missing_of(DIGITALOCEAN, environment) == ()
    assert account_of(DIGITALOCEAN, environment).keys == {VARIABLE: TOKEN}
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        account_of(DIGITALOCEAN, {f"{VARIABLE}_FILE": str(tmp_path / "absent")})


def test_nobody_sees_the_credentials_of_an_account_by_printing_it() -> None:
    assert TOKEN not in repr(account_of(DIGITALOCEAN, {VARIABLE: TOKEN}))


def test_an_address_that_is_none_is_said_to_be_none() -> None:
    with pytest.raises(UsageError, match="DIGITALOCEAN_API_URL is no address of an API: 'nonsense'"):
        account_of(DIGITALOCEAN, {VARIABLE: TOKEN, "DIGITALOCEAN_API_URL": "nonsense"})


def test_a_provider_without_an_adapter_is_said_to_have_none() -> None:
    scaleway = load_catalog().component("scaleway")
    assert trial_of(scaleway, {}) is None
    with pytest.raises(UsageError, match="makes no servers at Scaleway"):
        open_shop(scaleway, lambda _: None, environment={})
