"""The first words stand where the start screen puts them, and a walk that cannot be loaded leaves no trace of them."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from stackwise.tui.app import Walk
from stackwise.tui.splash import first_words, splash
from tests.tui.walking import small_project


class Screen(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        """Say that it is one."""
        return True


@pytest.mark.parametrize("size", [(70, 20), (80, 24), (80, 40), (109, 31), (110, 32), (120, 36), (131, 24), (250, 80)])
async def test_nothing_jumps_when_the_walk_is_loaded(
    size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(small_project(tmp_path))
    app = Walk()
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        places = [app.screen.query_one(selector).content_region for selector in ("#name", "#found")]
    assert [(place.x, place.y) for place in places] == [(x, y) for x, y, _ in first_words(*size)]


def test_where_loading_fails_the_terminal_is_as_it_was() -> None:
    screen = Screen()
    with pytest.raises(ImportError), splash(screen):
        raise ImportError
    assert screen.getvalue().startswith("\x1b[?1049h")
    assert "Looking at this folder" in screen.getvalue()
    assert screen.getvalue().endswith("\x1b[?25h\x1b[?1049l")


def test_what_is_no_terminal_sees_nothing_of_it() -> None:
    stream = io.StringIO()
    with splash(stream), splash(None):
        pass
    assert not stream.getvalue()
