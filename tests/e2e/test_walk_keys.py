"""From `stackwise` in a project's folder to a running site: what is recommended, and every key press counted."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.e2e.conftest import Program, fetched, make_program
from tests.way import REVIEW, RUN, START

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

MOST_KEYS = 12
ENDED = r"done in [\d.]+ s|Run it again|https://[\d.]+/"
STANDS = r"https://[\d.]+/"
FAILED = r"✗ (plan|provision|configure|deploy|verify)|Try again|Go on from there"


@dataclass
class Terminal:
    """A terminal of its own, kept by tmux: keys go in, and the screen can be read."""

    socket: str
    program: Program
    keys: int = 0

    def tmux(self, *arguments: str) -> str:
        argv = ["tmux", "-L", self.socket, "-f", "/dev/null", *arguments]
        done = subprocess.run(argv, env=self.environment, capture_output=True, text=True, check=True)
        return done.stdout

    @property
    def environment(self) -> dict[str, str]:
        return {**self.program.env, "TERM": "xterm-256color", "LANG": "C.UTF-8"}

    def start(self, width: int, height: int) -> None:
        """Start `stackwise`, and nothing else, in the project's folder."""
        size = ("-x", str(width), "-y", str(height))
        self.tmux("new-session", "-d", *size, "-c", str(self.program.folder), *self.program.argv)

    def screen(self) -> str:
        return self.tmux("capture-pane", "-p")

    def press(self, key: str) -> None:
        self.tmux("send-keys", key)
        self.keys += 1

    def wait(self, name: str, pattern: str, seconds: float = 60, never: str = r"(?!)") -> str:
        """Wait until the screen shows something, and return it; fail at once where it shows what never may be."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            screen = self.screen()
            if re.search(pattern, screen):
                return screen
            assert not re.search(never, screen), f"{name}:\n{screen}"
            time.sleep(0.1)
        pytest.fail(f"{name} did not come in {seconds:.0f} s:\n{self.screen()}")


@pytest.fixture
def terminal(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Terminal]:
    """Give a terminal in a project that has no answers yet; at the end both are gone, with the server."""
    assert shutil.which("tmux"), "these tests need tmux: make packages"
    program = make_program(tmp_path_factory.mktemp("keys"), "startproject", f"keys{request.node.callspec.id}")
    terminal = Terminal(f"stackwise-{program.folder.name}", program)
    yield terminal
    subprocess.run(["tmux", "-L", terminal.socket, "kill-server"], capture_output=True, check=False)
    program.run("destroy", "--yes", code=None)


@pytest.mark.parametrize(("width", "height"), [(120, 40), (80, 24)], ids=["wide", "narrow"])
def test_twelve_keys_at_most_lead_to_a_running_site(terminal: Terminal, width: int, height: int) -> None:
    terminal.start(width, height)
    for stop in (START, REVIEW, RUN):
        terminal.wait(stop.name, re.escape(stop.words))
        terminal.press(stop.key)
    terminal.wait("the end of the run", ENDED, seconds=600, never=FAILED)
    if not re.search(STANDS, terminal.screen()):
        terminal.press("C-n")
    shown = terminal.wait("the site", STANDS)
    assert terminal.keys <= MOST_KEYS, f"{terminal.keys} keys"
    assert "Django administration" in fetched(terminal.program, "/admin/login/")
    assert terminal.program.address() in shown
    print(f"{terminal.keys} keys at {width}x{height}")  # noqa: T201 - what this is for
