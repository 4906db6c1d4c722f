import asyncio
import threading

import pytest

from liqwarn.serving.answers import ServiceRefused
from liqwarn.serving.waiting_room import WaitingRoom


def test_it_gives_what_the_work_returns():
    assert asyncio.run(WaitingRoom().run(divmod, 7, 3)) == (2, 1)


def test_what_the_work_raises_is_raised_and_the_seat_is_free_again():
    async def scene():
        room = WaitingRoom(seats=1)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError, match="zero"):
                await room.run(divmod, 1, 0)
        return await room.run(divmod, 1, 1)

    assert asyncio.run(scene()) == (1, 0)


def test_no_more_run_at_once_than_may_and_a_full_room_sends_away():
    running, most, go = [], [], threading.Event()

    def work():
        running.append(1)
        most.append(len(running))
        go.wait(5)
        running.pop()

    async def scene():
        room = WaitingRoom(at_once=2, seats=4)
        inside = [asyncio.ensure_future(room.run(work)) for _ in range(4)]
        await asyncio.sleep(0.05)
        with pytest.raises(ServiceRefused, match="busy: 4 requests are being answered already"):
            await room.run(work)
        go.set()
        await asyncio.gather(*inside)
        await room.run(work)

    asyncio.run(scene())
    assert max(most) == 2
    assert len(most) == 5


def test_a_request_that_is_given_up_leaves_its_seat():
    async def scene():
        room = WaitingRoom(at_once=1, seats=2)
        go = threading.Event()
        busy = asyncio.ensure_future(room.run(go.wait, 5))
        waiting = asyncio.ensure_future(room.run(go.wait, 5))
        await asyncio.sleep(0.02)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        third = asyncio.ensure_future(room.run(go.wait, 5))
        await asyncio.sleep(0.02)
        go.set()
        return await asyncio.gather(busy, third)

    assert asyncio.run(scene()) == [True, True]
