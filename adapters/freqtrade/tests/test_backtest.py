"""freqtrade's real backtester, from the candles to the trades, under every kind of flag."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from histories import history, joined
from market import START
from runs import HALF, Raising, backtest, histories

MIDDLE = START + timedelta(hours=HALF)
SAME = ["pair", "open_date", "close_date", "open_rate", "close_rate", "exit_reason", "is_short"]
MONEY = ["stake_amount", "amount", "leverage", "profit_abs"]
NO_TRADES = [case for case in histories()[3:] if "half-time" not in case[0]]


@pytest.fixture(scope="module")
def plain(datadir):
    """The strategy without the mixin."""
    with pytest.MonkeyPatch.context() as patch:
        from market import no_network  # noqa: PLC0415 before the fixture of each test

        no_network(patch)
        return backtest(datadir, "Crossing").trades


def test_under_calm_flags_it_is_the_same_strategy_trade_by_trade(datadir, plain):
    run = backtest(datadir, flags=history())
    pd.testing.assert_frame_equal(run.trades[SAME + MONEY], plain[SAME + MONEY])
    assert len(plain) > 500
    assert run.counts["allowed"] == run.counts["asked"] == len(plain)
    assert run.counts["denied"] == 0


@pytest.mark.parametrize(
    ("tier", "leverage", "size"), [("T1", 0.75, 0.75), ("T2", 0.5, 0.75)], ids=["T1", "T2"]
)
def test_a_mild_tier_makes_positions_smaller(datadir, plain, tier, leverage, size):
    run = backtest(datadir, flags=history(tier))
    assert len(run.trades) > 250
    assert set(run.trades["leverage"]) == {3.0 * leverage}
    assert run.trades["stake_amount"].max() <= 500 * size
    assert run.trades["stake_amount"].mean() > 450 * size


@pytest.mark.parametrize(("name", "flags", "gate"), NO_TRADES, ids=[case[0] for case in NO_TRADES])
def test_without_a_fresh_flag_that_allows_it_nothing_is_opened(datadir, name, flags, gate):
    run = backtest(datadir, flags=flags, gate=gate)
    assert len(run.trades) == 0
    assert run.counts["asked"] == run.counts["denied"] > 2_000


@pytest.mark.parametrize(
    "second_half", [history("T4", first=HALF), history("T3", first=HALF), None], ids=str
)
def test_when_flags_turn_entries_end_and_exits_go_on(datadir, plain, second_half):
    flags = history(hours=HALF)
    run = backtest(datadir, flags=flags if second_half is None else joined(flags, second_half))
    # the last calm flag is still good at half-time itself, where no signal falls
    before = plain[plain["open_date"] < MIDDLE]
    assert run.trades["open_date"].max() < MIDDLE
    late = run.trades["close_date"] > MIDDLE
    assert late.sum() > 0
    pd.testing.assert_frame_equal(run.trades[SAME], before[SAME].reset_index(drop=True))
    assert len(run.trades) > 200


class RaisingFrom:
    """Calm, until it breaks."""

    def __init__(self, calm, moment):
        self.calm, self.moment = calm, moment

    def ask(self, symbol, side, now):
        if now >= self.moment:
            raise RuntimeError("out of order")
        return self.calm.ask(symbol, side, now)


def test_a_gate_that_breaks_ends_entries_and_no_exit(datadir, plain):
    calm = backtest(datadir, flags=history()).strategy.liqwarn_gate
    run = backtest(datadir, gate=RaisingFrom(calm, MIDDLE))
    before = plain[plain["open_date"] < MIDDLE].reset_index(drop=True)
    pd.testing.assert_frame_equal(run.trades[SAME], before[SAME])


def test_only_the_threatened_side_is_denied(datadir):
    flags = history()
    long = flags["side"] == "long"
    flags.loc[long, ["tier", "state"]] = ["T3", "REDUCING"]
    trades = backtest(datadir, flags=flags).trades
    assert len(trades) > 100
    assert trades["is_short"].all()
    assert set(trades["leverage"]) == {1.5}  # the other side of a T3 has half the leverage


def test_flags_of_the_future_change_nothing_before_them(datadir):
    calm = backtest(datadir, flags=history()).trades
    rng = np.random.default_rng(7)
    later = history(first=HALF)
    tiers = rng.choice(["T0", "T1", "T2", "T3", "T4"], len(later))
    states = np.where(np.isin(tiers, ["T3", "T4"]), "REDUCING", "ACTIVE")
    other = backtest(
        datadir, flags=joined(history(hours=HALF), later.assign(tier=tiers, state=states))
    ).trades
    columns = [*SAME[:2], "open_rate", "is_short", *MONEY[:3]]
    pd.testing.assert_frame_equal(
        calm.loc[calm["open_date"] < MIDDLE, columns],
        other.loc[other["open_date"] < MIDDLE, columns],
    )
    after = calm[calm["open_date"] >= MIDDLE], other[other["open_date"] >= MIDDLE]
    assert len(after[0]) != len(after[1])


def test_a_flag_is_read_no_sooner_than_its_delay(datadir):
    """An hour's delay and flags good for an hour and ten minutes: one bar's flag is ever fresh."""
    flags = history(hours=HALF)
    prompt = backtest(datadir, flags=flags).trades["open_date"].max()
    late = backtest(datadir, flags=flags, liqwarn={"delay_s": 3600.0}).trades["open_date"].max()
    assert late <= prompt + timedelta(hours=1)
    assert backtest(datadir, flags=flags, liqwarn={"delay_s": 4_200.0}).counts["allowed"] == 0


def test_locks_change_no_trade_and_stop_the_asking(datadir):
    flags = joined(history(hours=HALF), history("T4", first=HALF))
    without = backtest(datadir, flags=flags)
    locked = backtest(datadir, flags=flags, liqwarn={"lock_in_backtest": True})
    pd.testing.assert_frame_equal(locked.trades[SAME + MONEY], without.trades[SAME + MONEY])
    assert locked.counts["denied"] == 0
    assert without.counts["denied"] > 1_000


def test_derisking_leaves_at_t4_when_asked_for(datadir):
    flags = joined(history(hours=HALF), history("T4", first=HALF))
    run = backtest(datadir, flags=flags, liqwarn={"derisk_tier": 4})
    assert run.trades["close_date"].max() == MIDDLE
    assert "liqwarn_T4" in set(run.trades["exit_reason"])


def test_derisking_never_follows_from_a_flag_that_is_missing(datadir, plain):
    run = backtest(datadir, flags=history(hours=HALF), liqwarn={"derisk_tier": 4})
    before = plain[plain["open_date"] < MIDDLE].reset_index(drop=True)
    pd.testing.assert_frame_equal(run.trades[SAME], before[SAME])


def test_adds_are_scaled_and_reductions_pass(datadir):
    calm = backtest(datadir, "GuardedAdding", flags=history())
    caution = backtest(datadir, "GuardedAdding", flags=history("T2"))
    plain = backtest(datadir, "Adding")
    columns = SAME + MONEY
    pd.testing.assert_frame_equal(calm.trades[columns], plain.trades[columns])
    assert calm.counts["adds allowed"] > 50
    assert caution.counts["adds allowed"] > 50
    assert first_adds(calm).median() == pytest.approx(200, rel=0.1)
    assert first_adds(caution).median() == pytest.approx(100, rel=0.1)


def first_adds(run):
    """Stake of the second entry of each trade that has one."""
    stakes = {}
    for trade in run.trades.itertuples():
        entries = [order for order in trade.orders if order["ft_is_entry"]]
        if len(entries) > 1:
            stakes[trade.Index] = entries[1]["cost"] / trade.leverage
    return pd.Series(stakes)


def test_adds_end_when_the_flag_does(datadir):
    flags = joined(history(hours=HALF), history("T3", first=HALF))
    run = backtest(datadir, "GuardedAdding", flags=flags)
    assert run.counts["adds denied"] > 0
    fills = [
        order["order_filled_timestamp"]
        for orders in run.trades["orders"]
        for order in orders
        if order["ft_is_entry"]
    ]
    assert max(fills) < MIDDLE.timestamp() * 1000


def test_a_broken_gate_is_counted_as_a_denial(datadir):
    run = backtest(datadir, gate=Raising())
    assert set(run.counts) == {"asked", "denied"}
