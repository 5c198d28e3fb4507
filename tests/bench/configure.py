"""From a booted machine to a page: our configure and deploy, beside the shortest shell script that does as much."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.machines import between, fresh_machine, site, up
from tests.bench.pairs import Pair, WrongAnswerError, in_turns, say, timed
from tests.conftest import EXAMPLES

TIMES = 2
FLOOR = Path(__file__).with_name("floor.sh")


def measure(times: int) -> Iterator[Pair]:
    pair = Pair("first configure + deploy", "configure + deploy of superbook", "floor.sh over ssh", "s", 1.5)
    pair.notes.append("from the end of provisioning, or from a booted machine at rest, to a page with status 200")
    yield in_turns(pair, ours, floor, times or TIMES)


def ours() -> float:
    with site() as program:
        happened = up(program)
        seconds = between(happened, ("PhaseFinished", "provision"), ("PhaseFinished", "deploy"))
    say(f"ours {seconds:.1f} s")
    return seconds


def floor() -> float:
    project = _packed(EXAMPLES / "superbook")
    with fresh_machine() as machine:

        def work() -> None:
            machine.feed("mkdir -p /srv/superbook/app && tar -xz -C /srv/superbook/app --no-same-owner", project)
            if machine.feed("bash -s", FLOOR.read_bytes()).strip() != "200":
                raise WrongAnswerError("the floor's site does not answer")

        seconds = timed(work)
    say(f"floor {seconds:.1f} s")
    return seconds


def _packed(folder: Path) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not {".stackwise", "__pycache__"} & set(path.parts):
                archive.add(path, path.relative_to(folder).as_posix())
    return packed.getvalue()
