"""The pictures of the docs: each that is shown is there, none is too large or asks another host for anything."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stackwise import events

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "pictures"
PAGE = PICTURES.parent / "the-walk.md"
MOST_BYTES = 200_000


def test_the_page_shows_every_picture_and_no_other() -> None:
    shown = set(re.findall(r"\]\(pictures/([\w-]+\.svg)\)", PAGE.read_text(encoding="utf-8")))
    there = {path.name for path in PICTURES.glob("*.svg")}
    assert shown == there


@pytest.mark.parametrize("picture", sorted(PICTURES.glob("*.svg")), ids=lambda path: path.name)
def test_a_picture_is_small_and_of_its_own(picture: Path) -> None:
    text = picture.read_text(encoding="utf-8")
    assert len(text) < MOST_BYTES
    assert "url(http" not in text
    assert "@font-face" not in text


@pytest.mark.parametrize("record", sorted((PICTURES / "runs").glob("*.jsonl")), ids=lambda path: path.name)
def test_the_runs_that_are_shown_can_be_read(record: Path) -> None:
    seen = [events.from_json(line) for line in record.read_text(encoding="utf-8").splitlines()]
    assert isinstance(seen[0], events.RunStarted)
    assert isinstance(seen[-1], events.RunFinished | events.RunFailed)
