"""Work that may take as long as a network takes, and that nobody who leaves should have to wait for.

Textual's own thread workers belong to asyncio's pool, whose threads are waited for at the end of the program.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def aside(work: Callable[[], T]) -> T:
    """Return what `work` returns, or raise what it raises, from a thread that ends with the program.

    Whoever stops waiting hears no more of it: the thread goes on, and what it brings is dropped.
    """
    loop = asyncio.get_running_loop()
    brought: asyncio.Future[T] = loop.create_future()

    def bring() -> None:
        try:
            result = work()
        except Exception as exc:  # noqa: BLE001 - the top of a thread: handed to whoever waits
            hand_over(brought.set_exception, exc)
        else:
            hand_over(brought.set_result, result)

    def hand_over(setter: Callable[[T], None] | Callable[[BaseException], None], value: object) -> None:
        # The loop may be closed by now, which is what this is for.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(lambda: None if brought.done() else setter(value))  # type: ignore[arg-type]

    threading.Thread(target=bring, daemon=True, name="aside").start()
    return await brought
