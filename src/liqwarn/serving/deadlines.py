"""Time limits of many short tasks under one timer, where a timer each would cost more than they do.

A task is stopped within a quarter of the limit after it.
"""

import asyncio
from asyncio import AbstractEventLoop, Task
from typing import Any

__all__ = ["Deadlines"]


class Deadlines:
    """Stops tasks that run for longer than a limit.

    Used as: :meth:`begin` in the task; :meth:`end` when it is done or may go on for ever; and where
    it is cancelled, :meth:`passed` says whether that was for its time.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._loop: AbstractEventLoop | None = None
        self._due: dict[Task[Any], float] = {}
        self._stopped: set[Task[Any]] = set()
        self._armed = False

    def begin(self) -> Task[Any]:
        """Start the clock of the task that runs."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError("there is no task, expected a request in one")
        if loop is not self._loop:
            self._loop, self._due, self._armed = loop, {}, False
        self._due[task] = loop.time() + self._limit_s
        if not self._armed:
            self._arm(loop)
        return task

    def end(self, task: Task[Any]) -> None:
        """Stop its clock."""
        self._due.pop(task, None)
        self._stopped.discard(task)

    def passed(self, task: Task[Any]) -> bool:
        """Whether the task is being cancelled for its time and for nothing else."""
        if task not in self._stopped:
            return False
        self._stopped.discard(task)
        return task.uncancel() == 0

    def _arm(self, loop: AbstractEventLoop) -> None:
        self._armed = True
        loop.call_later(self._limit_s / 4, self._sweep, loop)

    def _sweep(self, loop: AbstractEventLoop) -> None:
        if loop is not self._loop:
            return
        now = loop.time()
        late = [task for task, due in self._due.items() if due <= now]
        for task in late:
            del self._due[task]
            self._stopped.add(task)
            task.cancel()
        self._armed = False
        if self._due:
            self._arm(loop)
