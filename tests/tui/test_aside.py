"""What takes as long as a network takes holds nobody up who leaves."""

from __future__ import annotations

import asyncio
import threading

import pytest

from stackwise.tui.aside import aside


async def test_what_is_done_aside_brings_its_result_or_its_error() -> None:
    assert await aside(lambda: 6 * 7) == 42
    with pytest.raises(ZeroDivisionError):
        await aside(lambda: 1 / 0)


def test_nobody_who_leaves_waits_for_it_and_what_comes_late_is_dropped() -> None:
    go_on, over = threading.Event(), threading.Event()

    def long() -> None:
        go_on.wait()
        over.set()

    async def left() -> None:
        waiting = asyncio.create_task(aside(long))
        await asyncio.sleep(0)
        waiting.cancel()

    # It returns, although the thread waits until afterwards.
    asyncio.run(left())
    assert not over.is_set()
    go_on.set()
    assert over.wait(10)
