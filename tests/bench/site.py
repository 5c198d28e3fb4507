"""Requests a second on one core: the site as we deploy it, and the same release as tutorials configure it.

Two pages, as superbook has them: one post (a query and a template), and the list of twelve (a query, a template, and a
counter in the cache). One arm runs at a time, so that the others take neither memory nor a look at the clock.
"""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from tests.bench.machines import site, up
from tests.bench.pairs import Pair, WrongAnswerError, say
from tests.e2e.conftest import Program

HERE = Path(__file__).parent
TIMES = 6
SECONDS = 4
WARM = 2
CONNECTIONS = 32
# What serves each arm, by the host that is asked for.
ARMS = {
    "superbook.test": "superbook.socket superbook.service",
    "tutorial.test": "tutorial@8001.service",
    "persistent.test": "tutorial@8002.service",
}
OURS = "as deployed: gthread, unix sockets, connections kept"
# The process of each part, for its share of the processor.
PARTS = {"nginx": "nginx", "postgres": "postgresql", "redis-server": "redis", "gunicorn": "gunicorn"}


@dataclass(frozen=True)
class Page:
    """A page, what is on it so many times, and whether the goals are stated for it."""

    path: str
    text: str
    number: int
    is_goal: bool


PAGES = {
    "a post": Page("/posts/how-i-learned-to-fly/", "It took a while", 1, is_goal=True),
    "the list": Page("/", 'class="post"', 12, is_goal=False),
}


@dataclass
class Load:
    """What one arm did on one page, sample by sample."""

    rates: list[float] = field(default_factory=list)
    shares: list[dict[str, float]] = field(default_factory=list)

    def milliseconds(self) -> str:
        """Return the processor time of each part for one page, in ms."""
        parts = {part: median(share[part] for share in self.shares) for part in PARTS.values()}
        return ", ".join(f"{part} {time:.2f}" for part, time in parts.items())


def measure(times: int) -> Iterator[Pair]:
    if shutil.which("wrk") is None:
        raise SystemExit("this bench loads the site by wrk: apt install wrk")
    loads = {(page, arm): Load() for page in PAGES for arm in ARMS}
    with site() as program:
        up(program)
        program.run("manage", "--", "seed")
        script = base64.b64encode((HERE / "tutorial.sh").read_bytes()).decode()
        program.on_server(f"echo {script} | base64 -d | sudo bash")
        names = list(ARMS)
        for number in range(times or TIMES):
            for arm in names[number % 3 :] + names[: number % 3]:
                _run_alone(program, arm)
                for page in PAGES:
                    _sample(program, arm, page, loads[page, arm])
    for page, what in PAGES.items():
        for arm, theirs, limit in (
            ("tutorial.test", "three sync workers, TCP, a connection a request", 5.0),
            ("persistent.test", "the same with CONN_MAX_AGE", 1.2),
        ):
            yield _pair(page, arm, theirs, limit if what.is_goal else None, loads)


def _run_alone(program: Program, arm: str) -> None:
    others = " ".join(units for name, units in ARMS.items() if name != arm)
    program.on_server(f"sudo systemctl stop {others}; sudo systemctl restart {ARMS[arm]}")


def _sample(program: Program, arm: str, page: str, found: Load) -> None:
    address = program.address()
    load(address, arm, WARM, PAGES[page])
    before = _times(program)
    rate = load(address, arm, SECONDS, PAGES[page])
    after = _times(program)
    found.rates.append(rate)
    found.shares.append({part: (after[part] - before[part]) * 1000 / (rate * SECONDS) for part in PARTS.values()})
    say(f"{arm}, {page}: {rate:.0f} requests/s")


def _times(program: Program) -> dict[str, float]:
    """Return the processor time of each part so far, in seconds, that of ended workers included."""
    shown = program.on_server(
        "getconf CLK_TCK; for stat in /proc/[0-9]*/stat; do"
        " awk '{match($0, /\\(.*\\)/); name = substr($0, RSTART + 1, RLENGTH - 2);"
        " $0 = substr($0, RSTART + RLENGTH + 1);"
        " print name, $12 + $13 + $14 + $15}' $stat 2>/dev/null; done"
    ).splitlines()
    ticks = int(shown[0])
    spent = dict.fromkeys(PARTS.values(), 0.0)
    for line in shown[1:]:
        name, _, time = line.rpartition(" ")
        for process, part in PARTS.items():
            # The application's processes carry the interpreter's name, or what gunicorn calls itself.
            if name.startswith((process, "python") if part == "gunicorn" else process):
                spent[part] += int(time) / ticks
    return spent


def _pair(page: str, arm: str, theirs: str, limit: float | None, loads: dict[tuple[str, str], Load]) -> Pair:
    ours, other = loads[page, "superbook.test"], loads[page, arm]
    pair = Pair(f"site, {page}, beside {arm.partition('.')[0]}", OURS, theirs, "requests/s", limit, more_is_better=True)
    pair.ours, pair.theirs = ours.rates, other.rates
    pair.notes = [
        f"{PAGES[page].path} over TLS, {CONNECTIONS} connections, {SECONDS} s a sample; every answer was looked at",
        "a machine of the sandbox of one CPU, one arm at a time; wrk on the host, on another one",
        f"processor time of a page in ms, ours: {ours.milliseconds()}",
        f"processor time of a page in ms, theirs: {other.milliseconds()}",
    ]
    return pair


def load(address: str, host: str, seconds: int, page: Page) -> float:
    """Load one arm and return its right answers a second. Raises WrongAnswerError where one was not right."""
    argv = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(HERE / "answers.lua"), "-H", f"Host: {host}"]
    argv += [f"https://{address}{page.path}", "--", page.text, str(page.number)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    found = re.search(r"result right=(\d+) wrong=(\d+) microseconds=(\d+) lost=(\d+)", done.stdout)
    if not found:
        raise WrongAnswerError(f"{host}: {done.stdout}{done.stderr}")
    right, wrong, microseconds, lost = map(int, found.groups())
    if wrong or lost or not right:
        raise WrongAnswerError(f"{host}: {wrong} answers were wrong and {lost} lost of {right + wrong}: {done.stdout}")
    return right / microseconds * 1e6
