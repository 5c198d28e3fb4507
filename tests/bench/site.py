"""Requests a second on one core: the site as we deploy it, and the same release as tutorials configure it."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.bench.machines import site, up
from tests.bench.pairs import Pair, WrongAnswerError, say

HERE = Path(__file__).parent
TIMES = 3
SECONDS = 8
CONNECTIONS = 32
ARMS = ("superbook.test", "tutorial.test", "persistent.test")


def measure(times: int) -> Iterator[Pair]:
    if shutil.which("wrk") is None:
        raise SystemExit("this bench loads the site by wrk: apt install wrk")
    rates: dict[str, list[float]] = {arm: [] for arm in ARMS}
    with site() as program:
        up(program)
        program.run("manage", "--", "seed")
        script = base64.b64encode((HERE / "tutorial.sh").read_bytes()).decode()
        program.on_server(f"echo {script} | base64 -d | sudo bash")
        address = program.address()
        for arm in ARMS:
            load(address, arm, 2)
        for number in range(times or TIMES):
            for arm in ARMS[number % 3 :] + ARMS[: number % 3]:
                rates[arm].append(load(address, arm, SECONDS))
                say(f"{arm}: {rates[arm][-1]:.0f} requests/s")
    ours = "as deployed: gthread 2x4, unix sockets, connections kept"
    notes = [
        f"the list of 12 posts over TLS, {CONNECTIONS} connections, {SECONDS} s a sample; every answer was looked at",
        "a machine of the sandbox of one CPU; wrk on the host, on another one",
    ]
    tutorial = Pair(
        "site, beside the tutorials'", ours, "three sync workers, TCP, a connection a request", "requests/s", 5.0, True
    )
    kept = Pair("site, beside persistent connections", ours, "the same with CONN_MAX_AGE", "requests/s", 1.2, True)
    for pair, arm in ((tutorial, "tutorial.test"), (kept, "persistent.test")):
        pair.ours, pair.theirs, pair.notes = rates[ARMS[0]], rates[arm], notes
        yield pair


def load(address: str, host: str, seconds: int) -> float:
    """Load one arm and return its right answers a second. Raises WrongAnswerError where one was not right."""
    argv = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(HERE / "answers.lua"), "-H", f"Host: {host}"]
    done = subprocess.run([*argv, f"https://{address}/"], capture_output=True, text=True, check=False)
    found = re.search(r"result right=(\d+) wrong=(\d+) microseconds=(\d+) lost=(\d+)", done.stdout)
    if not found:
        raise WrongAnswerError(f"{host}: {done.stdout}{done.stderr}")
    right, wrong, microseconds, lost = map(int, found.groups())
    if wrong or lost or not right:
        raise WrongAnswerError(f"{host}: {wrong} answers were wrong and {lost} lost of {right + wrong}: {done.stdout}")
    return right / microseconds * 1e6
