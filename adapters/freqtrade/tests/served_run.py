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
from dry_bot import PRICES, offline_bot
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


def decisions(bot):
    gate = bot.strategy.liqwarn_gate._gate
    return [gate(symbol, side) for symbol in market.SYMBOLS for side in ("long", "short")]


def rounds_until(bot, true, for_s=0.0):
    """Let the bot go round as it would, until something has been true for so long."""
    began, since = time.monotonic(), None
    while since is None or time.monotonic() - since < for_s:
        assert time.monotonic() - began < LONGEST_S
        time.sleep(ROUND_S)
        bot.process()
        since = (since or time.monotonic()) if true() else None


def leave_all(bot):
    """Exit every trade at a price at which it fills at once."""
    for trade in Trade.get_open_trades():
        rate = PRICES[trade.pair] * (1.0001 if trade.is_short else 1.0)
        assert bot.execute_trade_exit(trade, rate, ExitCheckTuple(exit_type=ExitType.EXIT_SIGNAL))
    Trade.commit()
    assert Trade.get_open_trades() == []


def normal(bot, manager):
    pairs = sorted(market.PAIRS)
    rounds_until(bot, lambda: sorted(t.pair for t in Trade.get_open_trades()) == pairs)
    leverage = [trade.leverage for trade in Trade.get_open_trades()]
    say(f"normal: both pairs entered, leverage {leverage}, {dict(bot.strategy.liqwarn_counts)}")
    rounds_until(bot, lambda: listed(manager) == pairs)
    say(f"normal: listed {listed(manager)}")


def stopped(bot, manager):
    """A restart of the server denies for seconds, a stopped feed for longer."""
    rounds_until(bot, lambda: not any(said.new_risk for said in decisions(bot)), for_s=20.0)
    say(f"feed stopped: {decisions(bot)[0].reason}")
    locks = PairLocks.get_pair_locks(None)
    assert len(locks) == 2 * len(market.PAIRS)
    assert listed(manager) == []
    leave_all(bot)
    assert [bot.execute_entry(pair, 500.0) for pair in market.PAIRS] == [False, False]
    bot.process()
    assert Trade.get_open_trades() == []
    say(f"feed stopped: left, no entry, list empty, {len(locks)} locks")
    say(f"feed stopped: {dict(bot.strategy.liqwarn_counts)}")


def back(bot, manager):
    """freqtrade itself locks a pair that was left to its candle's end, so entries are forced."""
    rounds_until(bot, lambda: all(said.new_risk for said in decisions(bot)))
    bot.process()
    ours = [lock for lock in PairLocks.get_pair_locks(None) if "liqwarn" in lock.reason]
    assert ours == []
    assert [bot.execute_entry(pair, 500.0) for pair in market.PAIRS] == [True, True]
    rounds_until(bot, lambda: listed(manager) == sorted(market.PAIRS))
    say(f"normal again: no lock of ours, forced entries through, listed {listed(manager)}")
    say(f"normal again: {dict(bot.strategy.liqwarn_counts)}")


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
        for stage in (normal, stopped, back):
            stage(bot, manager)
        say("the end")
        bot.cleanup()


if __name__ == "__main__":
    main()
