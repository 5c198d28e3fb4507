"""Hands the terminal to a shell on the server, and takes it back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from textual.app import App, SuspendNotSupported


def open_shell(app: App[Any], argv: Sequence[str]) -> None:
    """Run `argv` in the terminal of the app; what it complains about at its end is shown."""
    try:
        with app.suspend():
            sys.stdout.write("A shell on the server. To come back to the walk, type: exit\n\n")
            sys.stdout.flush()
            # What is said on the way goes to the terminal; only complaints are kept, for they would be gone with it.
            done = subprocess.run(list(argv), stderr=subprocess.PIPE, text=True, check=False)  # noqa: S603 - our own
    except SuspendNotSupported:
        app.notify("This terminal cannot be handed over. In another one, type: stackwise ssh", markup=False)
        return
    if done.returncode and done.stderr.strip():
        app.notify("\n".join(done.stderr.strip().splitlines()[-4:]), severity="warning", markup=False)
