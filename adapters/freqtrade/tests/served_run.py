"""freqtrade's real bot in dry-run mode against a running `liqwarn serve`.

    python examples/drill/run.py FOLDER                     # from the root: server, feed, faults
    python tests/served_run.py FOLDER http|board            # here, meanwhile

What the bot does at each stage is asserted: it trades while flags are normal, opens nothing and
leaves freely while the feed is stopped, and trades again afterwards. Only the exchange is made up.
"""

import json
import logging
import sys
import tempfile
import time
from pathlib import Path

import market
import pytest
from dry_bot import offline_bot
from freqtrade.data.dataprovider import DataProvider
from freqtrade.enums import ExitCheckTuple, ExitType, RunMode
from freqtrade.exceptions import OperationalException
from freqtrade.persistence import PairLocks, Trade
from freqtrade.plugins.pairlistmanager import PairListManager
from freqtrade.resolvers import ExchangeResolver
from runs import EXAMPLES

LONGEST_S = 900.0
ROUND_S = 1.0
BEGAN = time.monotonic()


def say(what):
    sys.stdout.write(f"{time.monotonic() - BEGAN:6.1f} s  {what}\n")
    sys.stdout.flush()


def remote_list(folder, served):
    """freqtrade's RemotePairList as shipped, asking the server with the bot's key."""
    (shipped,) = json.loads((EXAMPLES / "remote_pairlist.json").read_bytes())["pairlists"]
    url = shipped["pairlist_url"].replace("http://127.0.0.1:8000", served["url"])
    settings = {**shipped, "pairlist_url": url, "bearer_token": served["api_key"]}
    config = market.configuration(
        folder, EXAMPLES, "Crossing", runmode=RunMode.DRY_RUN, pairlists=[settings]
    )
    exchange = ExchangeResolver.load_exchange(config, load_leverage_tiers=True)
    return PairListManager(exchange, config, DataProvider(config, exchange))


def listed(manager):
    manager._pairlist_handlers[0]._pair_cache.clear()
    try:
        manager.refresh_pairlist()
    except OperationalException as error:
        return [str(error)]
    return sorted(manager.whitelist)


def rounds_until(bot, true):
    """Let the bot go round as it would, until something is true; seconds it took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < LONGEST_S
        time.sleep(ROUND_S)
        bot.process()
    return time.monotonic() - began


def decisions(bot):
    gate = bot.strategy.liqwarn_gate._gate
    return [gate(symbol, side) for symbol in market.SYMBOLS for side in ("long", "short")]


def stages(bot, manager):
    def open_trades():
        return Trade.get_open_trades()

    def denied():
        return not any(decision.new_risk for decision in decisions(bot))

    rounds_until(bot, lambda: len(open_trades()) == len(market.PAIRS))
    say(f"normal: {len(open_trades())} trades open, counts {dict(bot.strategy.liqwarn_counts)}")
    assert listed(manager) == sorted(market.PAIRS)
    say(f"normal: listed {listed(manager)}")

    rounds_until(bot, denied)
    say(f"denied: {decisions(bot)[0].reason}")
    bot.process()
    assert len(PairLocks.get_pair_locks(None)) == 2 * len(market.PAIRS)
    assert listed(manager) == []
    for trade in open_trades():
        price = bot.exchange.fetch_l2_order_book(trade.pair)["bids"][0][0]
        rate = price * (1.0001 if trade.is_short else 1.0)
        left = ExitCheckTuple(exit_type=ExitType.EXIT_SIGNAL)
        assert bot.execute_trade_exit(trade, rate, left)
    Trade.commit()
    assert open_trades() == []
    assert [bot.execute_entry(pair, 500.0) for pair in market.PAIRS] == [False, False]
    bot.process()
    assert open_trades() == []
    say(
        f"denied: exits went through, no entry; counts {before} -> {dict(bot.strategy.liqwarn_counts)}"
    )

    rounds_until(bot, lambda: len(open_trades()) == len(market.PAIRS))
    say(f"normal: {len(open_trades())} trades open, counts {dict(bot.strategy.liqwarn_counts)}")
    assert listed(manager) == sorted(market.PAIRS)
    say(f"normal: listed {listed(manager)}, locks {len(PairLocks.get_pair_locks(None))}")


def main():
    logging.disable(logging.CRITICAL)
    served = json.loads((Path(sys.argv[1]) / "drill.json").read_bytes())
    served["api_key"] = Path(served["api_key_file"]).read_text()
    section = {"source": f"board:{served['board']}", "keys": served["keys"]}
    if sys.argv[2] == "http":
        section |= {"source": served["url"], "api_key": served["api_key"], "max_wait_s": 0.05}
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        market.no_network(patch)
        patch.setenv("NO_PROXY", "127.0.0.1")
        bot = offline_bot(patch, Path(folder), section)
        manager = remote_list(Path(folder), served)
        stages(bot, manager)
        bot.cleanup()


if __name__ == "__main__":
    main()
