"""The window is killed in mid-run and opened again: it shows the run that goes on, and ends at a site that answers."""

from __future__ import annotations

import json
import os
import re
import secrets
import shlex
import signal
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.e2e.conftest import Program, make_program

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


@dataclass
class Terminal:
    """A terminal of tmux's, with a server of its own so that nobody else's is touched."""

    program: Program
    name: str = field(default_factory=lambda: f"stackwise-{secrets.token_hex(4)}")

    def tmux(self, *arguments: str) -> str:
        argv = ["tmux", "-L", self.name, "-f", "/dev/null", *arguments]
        return subprocess.run(argv, capture_output=True, text=True, check=True, env=self.program.env).stdout

    def open(self) -> int:
        """Open the walk in a new window; return the number of its process."""
        command = f"cd {shlex.quote(str(self.program.folder))} && exec {shlex.join(self.program.argv)}"
        size = ("-x", "80", "-y", "24")
        return int(self.tmux("new-session", "-d", "-P", "-F", "#{pane_pid}", *size, command))

    def press(self, key: str) -> None:
        self.tmux("send-keys", key)

    def press_until(self, key: str, words: str, seconds: float = 60) -> str:
        """Press a key as somebody does who sees nothing come of it: again, until what it leads to is there."""
        end = time.monotonic() + seconds
        while True:
            self.press(key)
            try:
                return self.until(words, 3)
            except AssertionError:
                if time.monotonic() > end:
                    raise

    def shown(self) -> str:
        return self.tmux("capture-pane", "-p")

    def until(self, words: str, seconds: float = 30) -> str:
        end = time.monotonic() + seconds
        while not re.search(words, screen := self.shown()):
            assert time.monotonic() < end, f"{words!r} did not come:\n{screen}"
            time.sleep(0.1)
        return screen


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    # The home of the test itself is in its folder already.
    folder = tmp_path / "reopened"
    folder.mkdir()
    program = make_program(folder, "startproject")
    program.run("init")
    answers = program.folder / "stackwise.yml"
    own = f"reopened-{secrets.token_hex(2)}"
    answers.write_text(re.sub(r"^name: .*", f"name: {own}", answers.read_text(), flags=re.MULTILINE))
    terminal = Terminal(program)
    yield terminal
    subprocess.run(["tmux", "-L", terminal.name, "kill-server"], capture_output=True, check=False)
    program.run("destroy", "--yes", code=None)


def answers(program: Program) -> int:
    """Ask the site for a page, as a visitor who trusts its authority; give the status."""
    context = ssl.create_default_context(cafile=str(next(program.state.glob("*/authority.pem"))))
    try:
        with urllib.request.urlopen(f"https://{program.address()}/", timeout=20, context=context) as page:
            return int(page.status)
    except urllib.error.HTTPError as exc:
        return exc.code


def test_killed_in_mid_run_and_opened_again_it_ends_at_a_site_that_answers(terminal: Terminal) -> None:
    program = terminal.program
    window = terminal.open()
    terminal.until("mysite.settings")
    terminal.press_until("C-r", r"\^n Run\b")
    terminal.press_until("C-n", "Make it")
    terminal.press("Enter")
    terminal.until("▸ configure", seconds=120)
    terminal.until(r"task \d+ of \d+")
    os.kill(window, signal.SIGKILL)

    terminal.open()
    screen = terminal.until("▸ (?:configure|deploy|verify)")
    assert "Running" in screen, "straight to the run that goes on"
    assert "Stop" in screen
    terminal.until(r"done in .* changed", seconds=300)
    terminal.press("Enter")
    terminal.until("https://")

    records = sorted((program.folder / ".stackwise" / "runs").glob("*.jsonl"))
    assert [path.name for path in records] == ["0001-up.jsonl"], "it was one run all the time"
    last = json.loads(records[0].read_text().splitlines()[-1])
    assert last["event"] == "RunFinished"
    assert last["url"] in records[0].with_suffix(".html").read_text()
    # A new project of Django's has no page yet, and says so by itself.
    assert answers(program) == 404
    terminal.press("C-q")
