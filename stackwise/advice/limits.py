"""What a design carries, what gives first when traffic grows, and at what load. Pure arithmetic, with its formulas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from stackwise.advice.sizing import BAND, USABLE, option_key

# Waiting for the database and for the network beside the processor's time, in ms: a page of the example site takes
# about 20 ms from outside on an idle machine, by `stackwise verify`.
WAIT_MS = 15


@dataclass(frozen=True, slots=True)
class Limit:
    """One thing that runs out: at how many requests a minute, and the formula with its figures."""

    what: str
    requests_per_minute: int
    formula: str
    remedy: str

    @property
    def band(self) -> tuple[int, int]:
        """The limit for a page that costs twice as much, and for one that costs less."""
        return int(self.requests_per_minute * BAND[0]), int(self.requests_per_minute * BAND[1])


def limits(facts: Mapping[str, Any]) -> tuple[Limit, ...]:
    """Return what runs out, what gives first at the front."""
    return tuple(sorted(_limits(facts), key=lambda limit: limit.requests_per_minute))


def _limits(facts: Mapping[str, Any]) -> Iterator[Limit]:
    page, servers = facts["page.cpu_ms"], facts["servers.app"]
    if page:
        yield Limit(
            "the processor",
            facts["capacity.requests_per_minute"],
            f"{servers} x {facts['cpus']:g} cores x 60,000 ms / {page:g} ms a page x {USABLE} usable",
            "a size with more cores, or a cache in front of the pages that are the same for everybody",
        )
    app = facts["stack.app"]
    # A server that is only advised on has no such options.
    workers, threads = (facts.get(option_key(app, name)) for name in ("workers", "threads"))
    if workers and threads:
        at_once = workers * threads * servers
        yield Limit(
            "the threads of the application server",
            int(at_once * 60_000 / (page + WAIT_MS)),
            f"{servers} x {workers} workers x {threads} threads x 60,000 ms / ({page:g} + {WAIT_MS} ms waiting) a page",
            "more threads where pages wait for others, or a task queue for what no visitor should wait for",
        )
    if facts["stack.database"] == "postgresql":
        # One connection for each thread; what is left over is for the administrator and for backups.
        spare = facts["postgresql.max_connections"] - 5
        yield Limit(
            "the connections of the database",
            int(spare * 60_000 / (page + WAIT_MS)),
            f"({facts['postgresql.max_connections']} connections - 5) x 60,000 ms / ({page:g} + {WAIT_MS} ms) a page",
            "a pool in front of PostgreSQL",
        )
