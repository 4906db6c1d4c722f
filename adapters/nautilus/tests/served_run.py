"""A live node with nautilus' sandbox exchange against a running `liqwarn serve`.

    python examples/drill/run.py FOLDER                     # from the root: server, feed, faults
    python tests/served_run.py FOLDER http|board            # here, meanwhile

Asserted: the node is ACTIVE and an entry fills while flags are normal; REDUCING, an entry denied
and the exit filled while the feed is stopped; ACTIVE and an entry again afterwards.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

from market import PERPETUAL
from test_live_node import new_node

LONGEST_S = 900.0
BEGAN = time.monotonic()


def say(what):
    sys.stdout.write(f"{time.monotonic() - BEGAN:6.1f} s  {what}\n")
    sys.stdout.flush()


async def until(true, for_s=0.0):
    """Wait until something has been true for so long."""
    since = None
    async with asyncio.timeout(LONGEST_S):
        while since is None or time.monotonic() - since < for_s:
            await asyncio.sleep(0.05)
            since = (since or time.monotonic()) if true() else None


async def stages(node, trader):
    def state():
        return node.kernel.risk_engine.trading_state.name

    def free():
        return state() == "ACTIVE" and trader.may_open(PERPETUAL.id, "long", 2)[0]

    running = asyncio.create_task(node.run_async())
    try:
        await until(free)
        allowed = trader.may_open(PERPETUAL.id, "long", 2)
        trader.buy(2)
        await until(lambda: trader.held() > 0)
        held = trader.held()
        say(f"normal: {state()}, asked 2, allowed {allowed}, holds {held}")

        # a restart of the server denies for seconds, a stopped feed for longer
        await until(lambda: state() == "REDUCING", for_s=20.0)
        say(f"feed stopped: {state()}, {trader.may_open(PERPETUAL.id, 'long', 1)}")
        trader.buy(1)
        await until(lambda: trader.denied_entries == 1)
        assert trader.held() == held
        trader.sell(held)
        await until(lambda: trader.held() == 0)
        say("feed stopped: the entry was denied, the exit filled")

        await until(free)
        trader.buy(1)
        await until(lambda: trader.held() > 0)
        say(f"feed back: {state()}, holds {trader.held()}")
    finally:
        await node.stop_async()
        await asyncio.wait([running], timeout=10)
    assert trader.denied_exits == 0
    say(f"entries denied {trader.denied_entries}, exits denied {trader.denied_exits}")


def main():
    served = json.loads((Path(sys.argv[1]) / "drill.json").read_bytes())
    source = f"board:{served['board']}" if sys.argv[2] == "board" else served["url"]
    loop = asyncio.new_event_loop()
    api_key = served["api_key_file"] if sys.argv[2] == "http" else None
    node, trader = new_node(loop, source, Path(served["keys"]), api_key)
    try:
        loop.run_until_complete(stages(node, trader))
    finally:
        node.dispose()


if __name__ == "__main__":
    main()
