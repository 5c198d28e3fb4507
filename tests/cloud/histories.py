"""What may happen to a site over weeks: runs, removals, lost records, lost answers, programs that were killed.

A history is a list of steps. It is lived through with the real journal, the real adapter and real HTTP, and at its end
nothing that is billed may be out of sight. `python -m tests.cloud.histories 10000` lives through so many; stopped with
ctrl-c, it goes on where it was.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from stackwise import paths
from stackwise.catalog import Catalog, load_catalog
from stackwise.catalog.model import Size
from stackwise.errors import StackwiseError
from stackwise.journal import Journal
from stackwise.operate.standing import Orphan, orphans, standing
from stackwise.plan.model import Identity, ServerSpec
from stackwise.provision.clouds.account import credentials_of
from stackwise.provision.clouds.line import Patience
from stackwise.provision.keys import KeyPair
from stackwise.provision.servers import Provisioner
from tests.cloud.apis.server import Api, Fault, Harm
from tests.cloud.contract import ADMIN, PROVIDERS, QUICK, Adapter, Provider

# So short that a history takes moments; what hangs is given up after `deadline`.
SHORT = Patience(tries=2, first=0.001, longest=0.002, most=0.01, deadline=0.25)
SITE = Identity("superbook", "testing")
HARMS: tuple[Harm, ...] = ("code", "reset", "html", "cut", "slow", "hang")
CODES = (401, 403, 404, 409, 422, 429, 500, 502, 503)


What = Literal["up", "destroy", "status", "lose the record"]
# So many are lived through between two marks of how far it is.
_PIECE = 250


class Killed(BaseException):
    """The program ended at once, as by SIGKILL: nothing of it runs any more."""


class Mortal(Journal):
    """A journal whose program is killed at its n-th line: before it is written, or right after."""

    dies_at: int | None = None
    after: bool = False
    lines: int = 0

    def write(self, kind: str, **values: Any) -> None:
        self.lines += 1
        here = self.lines == self.dies_at
        if here and not self.after:
            raise Killed
        super().write(kind, **values)
        if here:
            raise Killed


@dataclass(frozen=True)
class Step:
    """What somebody does, and what goes wrong meanwhile. `dies_at` counts the journal's lines of this step from 1."""

    what: What
    harm: Harm | None = None
    at: int = 0
    code: int = 500
    after: bool = False
    dies_at: int | None = None
    dies_after: bool = False


@dataclass
class Life:
    """One site at one provider, from its first step on."""

    provider: Provider
    api: Api
    folder: Path
    log: list[str] = field(default_factory=list)
    patience: Patience = QUICK

    @property
    def spec(self) -> ServerSpec:
        size = Size(id=self.provider.size, cpus=1, memory_mb=1024, disk_gb=25, price=6)
        place, image = self.provider.place, self.provider.image
        return ServerSpec("web", ("app",), self.provider.id, place, size, image, "own")

    def live(self, step: Step) -> None:
        """Do one step. Raises AssertionError where it made more than it may."""
        before = len(self.api.made)
        # Only what never answers is given up so early: on a busy machine a good answer takes its time.
        self.patience = SHORT if step.harm in ("slow", "hang") else QUICK
        self.api.faults[:] = [_fault(step)] if step.harm else []
        journal = Mortal(paths.state_dir() / str(SITE))
        journal.dies_at, journal.after = step.dies_at, step.dies_after
        try:
            getattr(self, f"_{step.what.replace(' ', '_')}")(journal)
            self.log.append(f"{step.what}: done")
        except (StackwiseError, Killed) as exc:
            self.log.append(f"{step.what}: {type(exc).__name__} {exc}")
        self.api.faults.clear()
        self.patience = QUICK
        assert len(self.api.made) - before <= 1, f"one run made two: {self.log}"

    def _cloud(self) -> Adapter:
        cloud = self.provider.opened(self.api, self.patience)
        # This API shows at once what it has begun; waiting for it to do so has a test of its own.
        cloud.shows_up_within = 0
        return cloud

    def _provisioner(self, journal: Journal) -> Provisioner:
        key = self.folder / "key"
        key.touch()
        return Provisioner(
            self._cloud(), journal, SITE, "deploy", KeyPair(ADMIN, str(key)), threading.Event(), pause=0.002
        )

    def _up(self, journal: Journal) -> None:
        for _ in self._provisioner(journal).made(self.spec):
            pass

    def _destroy(self, journal: Journal) -> None:
        if not journal.exists:
            return
        for _ in self._provisioner(journal).destroy():
            pass
        journal.forget()

    def _status(self, journal: Journal) -> None:
        standing(journal, load_catalog(), lambda *_: self._cloud())

    def _lose_the_record(self, journal: Journal) -> None:
        shutil.rmtree(journal.folder, ignore_errors=True)

    def out_of_sight(self) -> set[str]:
        """Return what is billed and that neither a record nor `orphans` tells of."""
        journal = Journal.of(SITE)
        owned = {record.id for record in journal.servers().values()}
        # What carries the token of a record is found by the next `up`, `status` or `destroy`.
        owned |= {node.id for node in self._cloud().find(self._provisioner(journal).tags())} if journal.token else set()
        return set(self.api.machines) - owned - self._orphans()

    def _orphans(self) -> set[str]:
        only = cast("Catalog", _Only(load_catalog().component(self.provider.id)))
        return {one.node.id for one in orphans(only, lambda *_: self._cloud()) if isinstance(one, Orphan)}

    def clear_orphans(self) -> None:
        """Remove what `orphans` lists, as somebody would who has read it."""
        for node_id in self._orphans():
            self._cloud().destroy(node_id)


class _Only:
    """A catalog with one provider, which is asked without credentials of its own."""

    def __init__(self, component: Any) -> None:
        self._component = component

    def options(self, _: str) -> tuple[Any, ...]:
        return (self._component,)


def lived(provider: Provider, steps: list[Step], folder: Path) -> Life:
    """Live through a history and check its end. Raises AssertionError. The state folder must be `folder`."""
    api = provider.api()
    with api.serving():
        life = Life(provider, api, folder)
        for step in steps:
            life.live(step)
        lost = life.out_of_sight()
        assert not lost, f"billed and out of sight: {lost}\n" + "\n".join(life.log)
        life.clear_orphans()
        # A clean end, whatever was before it: `up` has one server, and `destroy` leaves none of this record.
        life.live(Step("up"))
        journal = Journal.of(SITE)
        mine = [machine for machine in api.machines.values() if journal.token in json.dumps(machine.tags)]
        assert len(mine) == 1, f"{len(mine)} servers of one record\n" + "\n".join(life.log)
        assert journal.servers()["web"].id == mine[0].id
        life.live(Step("destroy"))
        assert mine[0].id not in api.machines
    return life


def _fault(step: Step) -> Fault:
    assert step.harm
    # `at` counts the calls of the step: the n-th one goes wrong.
    return _Nth(step.harm, code=step.code, after=step.after, seconds=0.4, skip=step.at)


@dataclass
class _Nth(Fault):
    skip: int = 0

    def is_for(self, call: object) -> bool:  # noqa: ARG002 - it counts, whatever the call is
        if self.times <= 0:
            return False
        self.skip -= 1
        return self.skip < 0


# What matters most happens around the call that makes a server and the line that says so: these are drawn more often.
_CALLS = st.sampled_from((5, 5, 4, 6, 0, 1, 2, 3, 7, 8))
_LINES = st.sampled_from((3, 3, 1, 2, 4, 5))
_TROUBLE = st.one_of(
    st.none(),
    *(st.tuples(st.sampled_from(HARMS[:4]), _CALLS, st.sampled_from(CODES), st.booleans()) for _ in range(4)),
    # These two cost time.
    st.tuples(st.sampled_from(HARMS[4:]), _CALLS, st.just(500), st.booleans()),
)
_DEATH = st.one_of(st.none(), st.none(), st.tuples(_LINES, st.booleans()))
_WHAT: tuple[What, ...] = ("up", "up", "up", "destroy", "status", "lose the record")


@st.composite
def steps(draw: st.DrawFn) -> Step:
    """Draw what somebody does, and what goes wrong meanwhile."""
    what: What = draw(st.sampled_from(_WHAT))
    trouble, death = draw(_TROUBLE), draw(_DEATH)
    wrong = dict(zip(("harm", "at", "code", "after"), trouble, strict=True)) if trouble else {}
    killed = dict(zip(("dies_at", "dies_after"), death, strict=True)) if death else {}
    return Step(what, **wrong, **killed)  # type: ignore[arg-type] # each of its own type


def histories() -> st.SearchStrategy[list[Step]]:
    """Return what Hypothesis draws histories from."""
    return st.lists(steps(), min_size=1, max_size=6)


def _content() -> str:
    """Return a word for what is tested: a history that was lived through with other code counts no more."""
    root = Path(__file__).resolve().parent.parent.parent
    files = sorted([*root.glob("stackwise/provision/**/*.py"), *root.glob("stackwise/journal/*.py")])
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.cloud.histories", description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=10_000)
    parser.add_argument("--state", type=Path, default=Path(".matrix") / "histories.json")
    asked = parser.parse_args()
    key, began = _content(), time.monotonic()
    known = json.loads(asked.state.read_text()) if asked.state.exists() else {}
    first = int(known.get(key, 0))
    for done in range(first, asked.count, _PIECE):
        live_through(_PIECE, done)
        asked.state.parent.mkdir(exist_ok=True)
        asked.state.write_text(json.dumps({key: done + _PIECE}))
        rate = (done + _PIECE - first) / (time.monotonic() - began)
        print(f"{done + _PIECE} of {asked.count}, {rate:.1f} a second", file=sys.stderr, flush=True)  # noqa: T201 - a program's progress
    print(f"{asked.count} histories at {', '.join(sorted(PROVIDERS))}: nothing out of sight, no run made two")  # noqa: T201 - the product of this program
    return 0


def live_through(count: int, begin: int) -> None:
    """Live through so many histories, drawn from `begin`, at all providers. Raises AssertionError with the shortest."""

    @settings(max_examples=count, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @seed(begin)
    @given(st.sampled_from(sorted(PROVIDERS)), histories())
    def live(provider: str, history: list[Step]) -> None:
        with _home() as folder:
            lived(PROVIDERS[provider], history, folder)

    live()


@contextmanager
def _home() -> Iterator[Path]:
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as place:
        os.environ |= {"XDG_STATE_HOME": place, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        # Whoever has no credentials of a provider is not asked for its orphans.
        components = map(load_catalog().component, PROVIDERS)
        os.environ |= {wanted.variable: "canary" for component in components for wanted in credentials_of(component)}
        try:
            yield Path(place)
        finally:
            os.environ.clear()
            os.environ.update(before)


if __name__ == "__main__":
    sys.exit(main())
