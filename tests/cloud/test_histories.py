"""What is billed stays in sight, whatever happens: a few of the histories that are lived through by the thousand."""

from __future__ import annotations

from pathlib import Path

import pytest

from stackwise.catalog import load_catalog
from stackwise.provision.clouds.account import credentials_of
from tests.cloud.apis.server import Harm
from tests.cloud.contract import PROVIDERS
from tests.cloud.histories import Step, live_through, lived

each_provider = pytest.mark.parametrize("provider", sorted(PROVIDERS))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    for component in map(load_catalog().component, PROVIDERS):
        for wanted in credentials_of(component):
            monkeypatch.setenv(wanted.variable, "canary")
    return tmp_path


@each_provider
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("line", range(1, 6))
def test_a_run_that_is_killed_at_any_line_of_its_journal_is_gone_on_with(
    provider: str, line: int, after: bool, home: Path
) -> None:
    life = lived(PROVIDERS[provider], [Step("up", dies_at=line, dies_after=after)], home)
    assert len(life.api.made) == 1


@each_provider
@pytest.mark.parametrize("harm", ["reset", "cut", "code"])
@pytest.mark.parametrize("call", range(9))
def test_an_answer_that_is_lost_at_any_call_makes_no_second_server(
    provider: str, call: int, harm: Harm, home: Path
) -> None:
    life = lived(PROVIDERS[provider], [Step("up", harm=harm, code=502, at=call, after=True)], home)
    assert len(life.api.made) == 1


def test_whatever_happens_nothing_that_is_billed_is_out_of_sight() -> None:
    live_through(60, begin=0)
