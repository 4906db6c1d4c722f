import asyncio

import pytest

from liqwarn.serving.first_done import first_done


async def fail(error):
    raise error


async def wait(ended):
    try:
        await asyncio.sleep(60)
    finally:
        ended.append(True)


def test_the_others_end_with_the_first():
    ended = []
    asyncio.run(first_done(asyncio.sleep(0), wait(ended), wait(ended)))
    assert ended == [True, True]


def test_what_failed_is_raised_and_the_others_end():
    ended = []
    with pytest.raises(ValueError, match="broken"):
        asyncio.run(first_done(fail(ValueError("broken")), wait(ended)))
    assert ended == [True]


def test_who_gives_up_waiting_has_nothing_to_say():
    asyncio.run(first_done(fail(TimeoutError()), asyncio.sleep(60)))


def test_cancelled_from_outside_it_ends_both():
    ended = []

    async def scene():
        task = asyncio.ensure_future(first_done(wait(ended), wait(ended)))
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(scene())
    assert ended == [True, True]
