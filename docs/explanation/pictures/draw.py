"""Draws the pictures of the walk from the running app: .venv/bin/python docs/explanation/pictures/draw.py.

Nothing is made and nothing of a run is invented: `runs/` holds the records of two runs that were really made, one that
ended well and one that failed, and the screens show those. The same code and catalog give the same pictures.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from textual.pilot import Pilot

from stackwise import events
from stackwise.journal import Journal
from stackwise.plan.model import Identity
from stackwise.tui.app import Walk
from stackwise.walk.export import without_foreign_fonts

HERE = Path(__file__).resolve().parent
EXAMPLE = HERE.parent.parent / "examples" / "superbook"
USUAL, NARROW, SMALL = (120, 36), (80, 24), (60, 15)
WAITING = 30.0
# So long it takes at most until a run that is watched has been read and shown.
SHOWN = 0.4
MADE_IN, WHEN = "staging", "2026-11-20T09:30:00+00:00"


@dataclass(frozen=True)
class Picture:
    """A screen: the step, the keys that lead on from there, the size, and the record of the last run."""

    name: str
    step: str = ""
    keys: tuple[str, ...] = ()
    size: tuple[int, int] = USUAL
    run: str = ""
    theme: str = "textual-dark"


PICTURES = (
    Picture("start", run="failed"),
    Picture("project", "project"),
    Picture("needs", "needs"),
    # The platform: a choice that stays in sight although it cannot be made here.
    Picture("kind", "hosting", ("end",)),
    Picture("database", "layer-database"),
    Picture("compare", "layer-database", ("c",)),
    Picture("why", "layer-database", ("w",)),
    Picture("server", "server"),
    Picture("credentials", "server", ("slash", *"vultr", "enter", "t")),
    Picture("operations", "layer-tls"),
    Picture("review", "review"),
    Picture("plan", "review", ("2", "right", "right", "right")),
    # From the last line two up to the files, into them, past the folders to the table of contents.
    Picture("file", "review", ("2", "end", "up", "up", "right", "right", *["down"] * 6, "enter")),
    Picture("export", "review", ("e",)),
    Picture("advice", "review", ("f2",)),
    Picture("running", "run", run="running"),
    Picture("leaving", "run", ("ctrl+q",), run="running"),
    Picture("failed", "run", run="failed"),
    Picture("report", "report", run="done"),
    Picture("goto", "needs", ("ctrl+g",)),
    Picture("keys", "needs", ("ctrl+p", *"keys", "enter")),
    Picture("small", size=SMALL),
    Picture("database-80x24", "layer-database", size=NARROW),
    Picture("plan-80x24", "review", ("2", "right", "right", "right"), size=NARROW),
    Picture("database-light", "layer-database", theme="textual-light"),
    Picture("database-ansi", "layer-database", theme="ansi-dark"),
)


def drawn(app: Walk, name: str) -> None:
    """Write the screen as a picture that asks no other host for its letters."""
    svg = without_foreign_fonts(app.export_screenshot(title="stackwise"))
    # Textual names each picture's parts by a number of its own.
    svg = re.sub(r"terminal-\d+", f"stackwise-{name}", svg)
    lines = [line.rstrip() for line in svg.splitlines()]
    (HERE / f"{name}.svg").write_text("\n".join(lines) + "\n", encoding="utf-8")


def recorded(run: str) -> Iterator[str]:
    """Yield the lines of a record; one that is going on has its first two thirds, and began just now."""
    lines = (HERE / "runs" / f"{'done' if run == 'running' else run}.jsonl").read_text(encoding="utf-8").splitlines()
    if run != "running":
        yield from lines
        return
    lines = lines[: len(lines) * 2 // 3]
    late = datetime.now(UTC) - events.from_json(lines[-1]).at
    for line in lines:
        event = events.from_json(line)
        yield events.to_json(replace(event, at=event.at + late))


@contextmanager
def last_run(run: str, folder: Path) -> Iterator[None]:
    """Put a run on record for as long as a picture takes; one that is going on holds its site."""
    place = folder / ".stackwise" / "runs" / "0001-up.jsonl"
    with ExitStack() as held:
        if run:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text("\n".join(recorded(run)) + "\n", encoding="utf-8")
        if run == "running":
            journal = Journal.of(Identity("superbook", MADE_IN))
            held.enter_context(journal.locked("up"))
            journal.write("run", number=1, command="up")
        yield
    place.unlink(missing_ok=True)


async def settled(pilot: Pilot[None]) -> None:
    """Wait for all that works in the background, and what it starts in turn; a run that is watched has no end."""
    for _ in range(3):
        workers = [worker for worker in pilot.app.workers if worker.group != "run"]
        if workers:
            await asyncio.wait_for(pilot.app.workers.wait_for_complete(workers), WAITING)
        await pilot.pause(SHOWN)


async def draw(picture: Picture) -> None:
    """Walk to a screen and draw it."""
    app = Walk()
    async with app.run_test(size=picture.size) as pilot:
        app.theme = picture.theme
        await settled(pilot)
        if picture.step:
            app.go(picture.step)
        await settled(pilot)
        for key in picture.keys:
            await pilot.press(key)
            await settled(pilot)
        # What fades in or moves has come to rest.
        await pilot.wait_for_animation()
        drawn(app, picture.name)


def open_lately(folder: Path, home: Path) -> None:
    """Leave another site on the list of what was open, which stands since its last run."""
    pilot = Path(shutil.copytree(folder, home / "pilot"))
    (pilot / ".stackwise" / "runs").mkdir(parents=True)
    shutil.copy(HERE / "runs" / "done.jsonl", pilot / ".stackwise" / "runs" / "0001-up.jsonl")
    opened = {"path": f"{pilot}/stackwise.yml", "name": "superbook", "environment": MADE_IN, "opened": WHEN}
    (home / "state" / "stackwise").mkdir(parents=True)
    (home / "state" / "stackwise" / "recent.json").write_text(json.dumps([opened]), encoding="utf-8")


def main() -> None:
    """Draw in a copy of the example and with a home of its own, so that nothing of anybody's is shown or written."""
    # Always the same place, since a picture shows it.
    home = Path(tempfile.gettempdir()) / "stackwise-pictures"
    home.mkdir()
    try:
        for name in ("STATE", "CACHE", "CONFIG"):
            os.environ[f"XDG_{name}_HOME"] = str(home / name.lower())
        os.environ.pop("NO_COLOR", None)
        os.environ["TZ"] = "UTC"
        folder = Path(shutil.copytree(EXAMPLE, home / "superbook", ignore=shutil.ignore_patterns(".stackwise")))
        answers = folder / "stackwise.yml"
        # The runs on record were made in an environment of their own.
        answers.write_text(
            answers.read_text(encoding="utf-8").replace("environment: production", f"environment: {MADE_IN}")
        )
        open_lately(folder, home)
        os.chdir(folder)
        for picture in PICTURES:
            with last_run(picture.run, folder):
                asyncio.run(draw(picture))
    finally:
        shutil.rmtree(home)


if __name__ == "__main__":
    main()
