"""Work that takes a thread, a few at a time: whoever comes when the room is full is sent away."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from starlette.concurrency import run_in_threadpool

from liqwarn.serving.answers import ServiceRefused

__all__ = ["WaitingRoom"]

Result = TypeVar("Result")


class WaitingRoom:
    """Runs blocking work in threads, without ever starving the loop or piling up requests.

    Parameters
    ----------
    at_once : int
        Pieces of work that run at the same time.
    seats : int
        Requests in the room, those that run included.
    """

    def __init__(self, *, at_once: int = 1, seats: int = 16) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._seats = seats
        self._taken = 0

    async def run(self, work: Callable[..., Result], *given: Any) -> Result:  # noqa: ANN401
        """What `work` returns.

        Raises
        ------
        ServiceRefused
            503 when every seat is taken.
        """
        if self._taken >= self._seats:
            raise ServiceRefused(503, f"busy: {self._seats} requests are being answered already")
        self._taken += 1
        try:
            async with self._free:
                return await run_in_threadpool(work, *given)
        finally:
            self._taken -= 1
