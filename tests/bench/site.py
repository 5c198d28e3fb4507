"""Requests a second on one core: the site as we deploy it, and the same release as tutorials configure it.

Two pages, as superbook has them: one post (a query and a template), and the list of twelve (a query, a template, and a
counter in the cache). All arms run all the time, and are asked in turns for two seconds each: a machine's speed may
swing by a seventh within seconds, which many short samples bear better than a few long ones.
"""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

from stackwise.catalog import load_catalog
from tests.bench.machines import site, up
from tests.bench.pairs import Pair, WrongAnswerError, say
from tests.e2e.conftest import Program
from tests.templates.test_roles import ROLES, render

HERE = Path(__file__).parent
TIMES = 15
SECONDS = 2
WARM = 3
CONNECTIONS = 32
OURS = "superbook.test"
OURS_IS = "as deployed: Granian, unix sockets, connections kept"


@dataclass(frozen=True)
class Arm:
    """Something beside ours: what it is, and the goal for our requests/s over its own, if there is one."""

    what: str
    limit: float | None


# By the host that is asked for.
THEIRS = {
    "tutorial.test": Arm("three sync workers, TCP, a connection a request", 5.0),
    "persistent.test": Arm("the same with CONN_MAX_AGE", 1.2),
    "gthread.test": Arm("our release on Gunicorn, two workers of four threads, unix sockets", None),
}
ARMS = [OURS, *THEIRS]
# The processes of each part, for its share of the processor. Those of the application carry the interpreter's name, or
# what Gunicorn calls itself.
PARTS = {
    "nginx": ("nginx",),
    "postgresql": ("postgres",),
    "redis": ("redis-server",),
    "application": ("python", "granian", "gunicorn"),
}


@dataclass(frozen=True)
class Page:
    """A page, what is on it so many times, whether the goals are for it, and how many rounds pass for a sample."""

    path: str
    text: str
    number: int
    is_goal: bool
    every: int


PAGES = {
    "a post": Page("/posts/how-i-learned-to-fly/", "It took a while", 1, is_goal=True, every=1),
    "the list": Page("/", 'class="post"', 12, is_goal=False, every=3),
}


@dataclass
class Load:
    """What one arm did on one page, sample by sample."""

    rates: list[float] = field(default_factory=list)
    shares: list[dict[str, float]] = field(default_factory=list)

    def milliseconds(self) -> str:
        """Return the processor time of each part for one page, in ms."""
        parts = {part: median(share[part] for share in self.shares) for part in PARTS}
        return ", ".join(f"{part} {time:.2f}" for part, time in parts.items())


def measure(times: int) -> Iterator[Pair]:
    if shutil.which("wrk") is None:
        raise SystemExit("this bench loads the site by wrk: apt install wrk")
    loads = {(page, arm): Load() for page in PAGES for arm in ARMS}
    with site() as program:
        up(program)
        program.run("manage", "--", "seed")
        _add_arms(program)
        address = program.address()
        for arm in ARMS:
            for what in PAGES.values():
                load(address, arm, WARM, what)
        for number in range(times or TIMES):
            # Each arm is the first one in its turn.
            first = number % len(ARMS)
            for page, what in PAGES.items():
                if number % what.every == 0:
                    _round(program, address, page, [*ARMS[first:], *ARMS[:first]], loads)
    for page in PAGES:
        for arm in THEIRS:
            yield _pair(page, arm, loads)


def _add_arms(program: Program) -> None:
    """Put the other arms beside our own."""
    (requirement,) = _installed("gunicorn")
    settings = render(ROLES / "gunicorn/templates/etc/site/gunicorn.conf.py")
    script = "".join(
        f"echo {_packed(text)} | base64 -d > /tmp/{name}; "
        for name, text in (("gunicorn.conf.py", settings), ("tutorial.sh", (HERE / "tutorial.sh").read_text()))
    )
    program.on_server(f"{script} sudo bash /tmp/tutorial.sh '{requirement}' /tmp/gunicorn.conf.py")


def _installed(component: str) -> tuple[str, ...]:
    install = load_catalog().component(component).install
    return install.python if install else ()


def _packed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _round(program: Program, address: str, page: str, arms: list[str], loads: dict[tuple[str, str], Load]) -> None:
    before = _times(program)
    for arm in arms:
        rate = load(address, arm, SECONDS, PAGES[page])
        after = _times(program)
        found = loads[page, arm]
        found.rates.append(rate)
        found.shares.append({part: (after[part] - before[part]) * 1000 / (rate * SECONDS) for part in PARTS})
        say(f"{arm}, {page}: {rate:.0f} requests/s")
        before = after


def _times(program: Program) -> dict[str, float]:
    """Return the processor time of each part so far, in seconds, that of ended workers included."""
    shown = program.on_server(
        "getconf CLK_TCK; cat /proc/[0-9]*/stat 2>/dev/null |"
        " awk '{match($0, /\\(.*\\)/); name = substr($0, RSTART + 1, RLENGTH - 2);"
        " $0 = substr($0, RSTART + RLENGTH + 1); print name, $12 + $13 + $14 + $15}'"
    ).splitlines()
    ticks = int(shown[0])
    spent = dict.fromkeys(PARTS, 0.0)
    for line in shown[1:]:
        name, _, time = line.rpartition(" ")
        for part, processes in PARTS.items():
            if name.startswith(processes):
                spent[part] += int(time) / ticks
    return spent


def _pair(page: str, arm: str, loads: dict[tuple[str, str], Load]) -> Pair:
    ours, other, beside = loads[page, OURS], loads[page, arm], THEIRS[arm]
    limit = beside.limit if PAGES[page].is_goal else None
    name = f"site, {page}, beside {arm.partition('.')[0]}"
    pair = Pair(name, OURS_IS, beside.what, "requests/s", limit, more_is_better=True)
    pair.ours, pair.theirs = ours.rates, other.rates
    ratios = [mine / its for mine, its in zip(ours.rates, other.rates, strict=True)]
    pair.notes = [
        f"{PAGES[page].path} over TLS, {CONNECTIONS} connections, {SECONDS} s a sample; every answer was looked at",
        "a machine of the sandbox of one CPU, the arms in turns, all of them warm; wrk on the host, on another CPU",
        f"the ratio is that of the medians; of the {len(ratios)} rounds, each by itself, {_spread(ratios)}",
        f"processor time of a page in ms, ours: {ours.milliseconds()}",
        f"processor time of a page in ms, theirs: {other.milliseconds()}",
    ]
    return pair


def _spread(ratios: list[float]) -> str:
    """Say where the ratios lie."""
    if len(ratios) == 1:
        return f"{ratios[0]:.2f}"
    low, middle, high = quantiles(ratios, n=4, method="inclusive")
    return f"the median is {middle:.2f} and the middle half between {low:.2f} and {high:.2f}"


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
