"""The process that runs Ansible: `python -m stackwise.configure.child`.

It takes an order as one JSON line on stdin, and gives events as JSON lines on stdout.

A process of its own, because ansible_runner replaces signal handlers, copies its whole environment to disk and leaves
a running task
alive when it is cancelled. Here the environment is clean, nothing secret is on disk under the work folder, and the end
of stdin means:
the parent is gone or wants to stop, so end the run for real.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import ansible_runner

_TERM_SECONDS = 10.0


class _Run:
    """One playbook run that can be stopped."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.pids: set[int] = set()
        self._out = threading.Lock()

    def watch_stdin(self) -> None:
        """Stop when the parent closes our stdin: because it asks for it, or because it was killed."""
        sys.stdin.read()
        self.stopping.set()
        self._end_workers(signal.SIGTERM)
        time.sleep(_TERM_SECONDS)
        self._end_workers(signal.SIGKILL)

    def _end_workers(self, number: signal.Signals) -> None:
        # Each worker of ansible-core is the leader of a session of its own, so ending ansible-playbook alone leaves its
        # task running.
        for pid in self.pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue

    def handle(self, event: dict[str, Any]) -> bool:
        """Pass an event on to the parent; nothing of it is kept on disk."""
        if pid := event.get("pid"):
            self.pids.add(int(pid))
        self.say({"event": event["event"], "data": _wanted(event), "stdout": event.get("stdout", "")})
        return False

    def say(self, message: dict[str, Any]) -> None:
        """Write one line to the parent; a parent that is gone is no reason for a traceback."""
        try:
            with self._out:
                sys.stdout.write(json.dumps(message, ensure_ascii=False, default=str) + "\n")
                sys.stdout.flush()
        except BrokenPipeError:
            self.stopping.set()


def _wanted(event: dict[str, Any]) -> dict[str, Any]:
    """Return the part of an event that the parent reads; results can be long and hold what is nobody's business."""
    data = event.get("event_data", {})
    result = data.get("res") or {}
    wanted = {
        key: data.get(key)
        for key in (
            "play",
            "task",
            "role",
            "host",
            "duration",
            "ignore_errors",
            "name",
            "changed",
            "failures",
            "ok",
            "skipped",
            "dark",
            "ignored",
            "rescued",
        )
    }
    wanted["res"] = {
        key: result.get(key)
        for key in ("changed", "msg", "stderr", "stdout", "censored", "rc", "module_stdout", "module_stderr")
        if key in result
    }
    return wanted


def main() -> None:
    """Run the playbook that stdin orders, and end with a line that says how it ended."""
    order = json.loads(sys.stdin.readline())
    run = _Run()
    threading.Thread(target=run.watch_stdin, daemon=True).start()
    private = Path(order["private_data_dir"])
    (private / "env").mkdir(exist_ok=True)
    (private / "env" / "settings").write_text(json.dumps({"pexpect_timeout": 1, "idle_timeout": order["idle_seconds"]}))
    result = ansible_runner.run(
        private_data_dir=str(private),
        playbook=order["playbook"],
        cmdline=order["cmdline"],
        ident=order["ident"],
        envvars=order["environment"],
        suppress_env_files=True,
        fact_cache_type="memory",
        quiet=True,
        event_handler=run.handle,
        cancel_callback=run.stopping.is_set,
    )
    run.say({"event": "ended", "data": {"status": result.status, "rc": result.rc}, "stdout": ""})


if __name__ == "__main__":
    main()
