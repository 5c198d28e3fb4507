"""From what ansible_runner says to our events: a pure function of one line after the other."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from stackwise import events
from stackwise.events import Event, TaskResult

_RESULTS: dict[str, TaskResult] = {
    "runner_on_ok": "ok",
    "runner_on_failed": "failed",
    "runner_on_skipped": "skipped",
    "runner_on_unreachable": "unreachable",
}
_SHORTEST = 6


class Translator:
    """Turns messages of the child into events, and remembers what the end of the run depends on."""

    def __init__(self, total: int, secrets: Iterable[str] = ()) -> None:
        """Expect `total` tasks, handlers left out; none of the `secrets` is passed on where a server repeats it."""
        self.total = total
        # The longest first, since one may be a part of another; what is very short stands in any text.
        self.secrets = sorted((value for value in secrets if len(value) >= _SHORTEST), key=len, reverse=True)
        self.number = 0
        self.failure: events.TaskFinished | None = None
        self.hosts = 0
        self.status = ""
        self.words: list[str] = []
        self.task = "Ansible to begin"
        self.since = time.monotonic()

    def translate(self, message: Mapping[str, Any]) -> Iterator[Event]:
        """Yield the events that `message` of the child means, in our words."""
        kind, data = message["event"], message["data"]
        if kind == "playbook_on_play_start":
            yield events.PlayStarted(name=str(data["name"] or data["play"]))
        elif kind == "playbook_on_task_start":
            self.number += 1
            self.task, self.since = f"{data['role'] or 'Ansible'} : {_name(data)}", time.monotonic()
            self.total = max(self.total, self.number)
            yield events.TaskStarted(name=_name(data), role=data["role"] or "", number=self.number, total=self.total)
        elif kind in _RESULTS:
            yield self._finished(_RESULTS[kind], data)
        elif kind == "playbook_on_stats":
            yield from self._summaries(data)
        elif kind == "ended":
            self.status = data["status"]
        elif kind in ("verbose", "error", "warning") and message["stdout"].strip():
            # What ansible-playbook says before there is any play: a syntax error, a missing module, a wrong option.
            self.words.append(self._without_secrets(message["stdout"].strip()))

    def still_waiting(self, deadline: float) -> events.Waited:
        """Return what the run is waiting for, when nothing was said for a while."""
        return events.Waited(what=self.task, seconds=round(time.monotonic() - self.since, 1), deadline=deadline)

    def _finished(self, result: TaskResult, data: Mapping[str, Any]) -> Event:
        outcome = data["res"]
        failed = result in ("failed", "unreachable") and not data["ignore_errors"]
        if result == "ok" and outcome.get("changed"):
            result = "changed"
        event = events.TaskFinished(
            name=_name(data),
            role=data["role"] or "",
            host=data["host"] or "",
            result=result,
            seconds=round(data["duration"] or 0.0, 3),
            said=self._without_secrets(said_by(outcome)) if failed else "",
        )
        if failed and self.failure is None:
            self.failure = event
        return event

    def _without_secrets(self, text: str) -> str:
        for value in self.secrets:
            text = text.replace(value, "(hidden)")
        return text

    def _summaries(self, data: Mapping[str, Any]) -> Iterator[Event]:
        kinds = ("ok", "changed", "failures", "skipped", "dark")
        hosts = sorted({host for kind in kinds for host in data[kind] or {}})
        self.hosts = len(hosts)
        for host in hosts:
            ok, changed, failed, skipped, unreachable = ((data[kind] or {}).get(host, 0) for kind in kinds)
            yield events.HostSummarised(
                host=host, ok=ok, changed=changed, failed=failed, skipped=skipped, unreachable=unreachable
            )


def said_by(outcome: Mapping[str, Any]) -> str:
    """Return the server's own words for a failure: what the command wrote, else the module's message."""
    if "censored" in outcome:
        return "(hidden, because a secret may stand in it)"
    parts = [str(outcome.get(key) or "").strip() for key in ("msg", "stderr", "stdout", "module_stderr")]
    seen = dict.fromkeys(part for part in parts if part and part != "non-zero return code")
    return "\n".join(seen) or "no reason given"


def _name(data: Mapping[str, Any]) -> str:
    """Return the task's own name: the role stands beside it in every event."""
    name = str(data["task"] or data["name"] or "")
    role = data["role"] or ""
    return name.removeprefix(f"{role} : ")
