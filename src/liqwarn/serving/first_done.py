"""Two things at once, until one of them is over."""

import asyncio
from collections.abc import Coroutine
from typing import Any

__all__ = ["first_done"]


async def first_done(*works: Coroutine[Any, Any, None]) -> None:
    """Run until the first is over, and end the others.

    What it failed with is raised, save a TimeoutError: whoever waits no longer has nothing to say.

    Examples
    --------
    >>> asyncio.run(first_done(asyncio.sleep(0), asyncio.sleep(60)))
    """
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        over = [task for task in tasks if task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in over:
        failed = task.exception()
        if failed is not None and not isinstance(failed, TimeoutError):
            raise failed
