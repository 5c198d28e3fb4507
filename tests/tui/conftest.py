"""A test presses its next key when the screen that the last one led to is there, however long that takes."""

from __future__ import annotations

import asyncio

import pytest
from textual.app import ScreenStackError
from textual.pilot import Pilot


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a pilot wait for a screen that is just being made. By itself it asks only the widgets that are there."""
    for_what_is_there = Pilot._wait_for_screen

    async def for_the_screen(pilot: Pilot[None], timeout: float = 30.0) -> bool:
        try:
            while not (screen := pilot.app.screen).is_mounted and pilot.app.is_running:
                await asyncio.wait_for(screen._mounted_event.wait(), timeout)
        except ScreenStackError:
            pass
        return await for_what_is_there(pilot, timeout)

    monkeypatch.setattr(Pilot, "_wait_for_screen", for_the_screen)
