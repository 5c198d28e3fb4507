"""Draws the pictures of the walk from the running app: .venv/bin/python docs/explanation/pictures/draw.py.

Nothing is made and nothing of a run is invented; the same code and catalog give the same pictures.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import tempfile
from pathlib import Path

from stackwise.tui.app import Walk

HERE = Path(__file__).resolve().parent
EXAMPLE = HERE.parent.parent / "examples" / "superbook"
SIZE = (110, 32)
STEPS = {"kind": "hosting", "database": "layer-database", "review": "review"}


def drawn(app: Walk, name: str) -> None:
    """Write the screen as a picture that asks no other host for its letters."""
    svg = re.sub(r"@font-face \{.*?\}\s*", "", app.export_screenshot(title="stackwise"), flags=re.DOTALL)
    lines = [line.rstrip() for line in svg.replace("Fira Code,", "").splitlines()]
    (HERE / f"{name}.svg").write_text("\n".join(lines) + "\n", encoding="utf-8")


async def walk() -> None:
    """Go through the walk and draw some of its screens."""
    app = Walk()
    async with app.run_test(size=SIZE) as pilot:
        await app.workers.wait_for_complete()
        await pilot.pause()
        for name, step in STEPS.items():
            app.go(step)
            await app.workers.wait_for_complete()
            await pilot.pause(0.5)
            if name == "kind":
                # The platform: a choice that stays in sight although it cannot be made here.
                await pilot.press("end")
            await pilot.pause(0.5)
            drawn(app, name)


def main() -> None:
    """Draw in a copy of the example, so that nothing is written beside it."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(shutil.copytree(EXAMPLE, Path(folder) / "superbook"))
        asyncio.run(walk())


if __name__ == "__main__":
    main()
