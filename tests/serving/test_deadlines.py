"""Deadlines: late tasks are stopped and know why; the others never notice."""

import asyncio

import pytest

from liqwarn.serving.deadlines import Deadlines


async def timed(deadlines, seconds):
    """Sleep under the deadline; whether it was stopped for its time."""
    task = deadlines.begin()
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        return deadlines.passed(task)
    finally:
        deadlines.end(task)
    return False


def test_late_tasks_alone_are_stopped():
    async def run():
        deadlines = Deadlines(0.04)
        return await asyncio.gather(*(timed(deadlines, s) for s in (0, 30, 0.01, 30, 0.001)))

    assert asyncio.run(run()) == [False, True, False, True, False]


def test_it_goes_on_after_it_has_rested_and_in_another_loop():
    deadlines = Deadlines(0.02)

    async def run():
        first = await timed(deadlines, 0)
        await asyncio.sleep(0.05)
        return first, await asyncio.create_task(timed(deadlines, 30))

    assert asyncio.run(run()) == (False, True)
    assert asyncio.run(run()) == (False, True)


def test_a_task_whose_clock_was_stopped_goes_on():
    async def run():
        deadlines = Deadlines(0.01)
        deadlines.end(deadlines.begin())
        await asyncio.sleep(0.05)
        return "done"

    assert asyncio.run(run()) == "done"


def test_a_task_that_others_cancel_is_theirs():
    async def run():
        deadlines = Deadlines(10)
        task = asyncio.create_task(timed(deadlines, 30))
        await asyncio.sleep(0.01)
        task.cancel()
        return await task

    assert asyncio.run(run()) is False


def test_outside_a_task_it_says_so():
    async def run():
        loop = asyncio.get_running_loop()
        outcome = loop.create_future()

        def call():
            try:
                Deadlines(1).begin()
            except RuntimeError as error:
                outcome.set_exception(error)

        loop.call_soon(call)
        await outcome

    with pytest.raises(RuntimeError, match="expected a request in one"):
        asyncio.run(run())
