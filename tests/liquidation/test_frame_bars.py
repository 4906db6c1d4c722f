"""From a market frame to bars: which close, whose crowding, and what is not believed."""

import runpy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from liqwarn.errors import FrameError
from liqwarn.liquidation.crowding import crowding
from liqwarn.liquidation.frame_bars import bars_from, bars_of, liquidated_usd

synthetic = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("synthetic_bars.py"))))
N_BARS = 50


@pytest.fixture
def bars():
    return synthetic.bars(N_BARS, seed=4)


def full(value):
    return np.full(N_BARS, float(value))


def test_bars_come_back_from_their_frame(bars):
    found = bars_of(synthetic.frame(bars), "BTCUSDT")
    for name in ("open", "high", "low", "close", "open_interest", "volume", "marked", "number"):
        assert np.array_equal(getattr(found, name), getattr(bars, name)), name
    assert found.bar_s == bars.bar_s
    assert not found.crowding.any()


def test_the_mark_price_closes_a_bar_where_it_is_known(bars):
    mark = np.where(np.arange(N_BARS) % 2, bars.close * 1.001, np.nan)
    found = bars_of(synthetic.frame(bars, mark=mark), "BTCUSDT")
    assert np.array_equal(found.marked, np.isfinite(mark))
    assert np.array_equal(found.close, np.where(found.marked, mark, bars.close))
    assert np.array_equal(found.high, bars.high)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, 0.0, -5.0, 1e9, 1.0])
def test_a_mark_price_that_cannot_be_is_not_used(bars, wrong):
    mark = bars.close.copy()
    mark[7] = wrong
    found = bars_of(synthetic.frame(bars, mark=mark), "BTCUSDT")
    assert np.flatnonzero(~found.marked).tolist() == [7]
    assert np.array_equal(found.close, bars.close)
    assert found.priced().all()


def test_crowding_is_that_of_funding_basis_and_takers(bars):
    rng = np.random.default_rng(1)
    rate, buys, sells = rng.normal(0.0, 1e-4, N_BARS), *rng.lognormal(size=(2, N_BARS))
    index, mark = bars.close * (1.0 + rng.normal(0.0, 1e-3, N_BARS)), bars.close
    found = bars_of(
        synthetic.frame(
            bars,
            mark=mark,
            index=index,
            funding_rate=rate,
            funding_interval_h=full(4),
            taker_buy_volume=buys,
            taker_sell_volume=sells,
        ),
        "BTCUSDT",
    ).crowding
    expected = crowding(rate, 4.0, mark / index - 1.0, (buys - sells) / (buys + sells))
    assert np.array_equal(found, expected)


@pytest.mark.parametrize(
    "wrong",
    [
        {"index": full(0)},
        {"index": full(np.inf)},
        {"funding_rate": full(np.inf)},
        {"taker_buy_volume": full(0), "taker_sell_volume": full(0)},
        {"taker_buy_volume": full(np.inf), "taker_sell_volume": full(1)},
    ],
)
def test_signs_of_crowding_that_cannot_be_say_nothing(bars, wrong):
    found = bars_of(synthetic.frame(bars, mark=bars.close, **wrong), "BTCUSDT")
    assert not found.crowding.any()


def test_published_liquidations_of_both_sides(bars):
    frame = synthetic.frame(bars, long_liq_usd=full(3), short_liq_usd=full(4))
    assert liquidated_usd(frame, "BTCUSDT").tolist() == [[3.0, 4.0]] * N_BARS
    assert np.isnan(liquidated_usd(synthetic.frame(bars), "BTCUSDT")).all()


def test_an_unknown_symbol_is_named(bars):
    frame = synthetic.frame(bars)
    for read in (bars_of, liquidated_usd):
        with pytest.raises(FrameError, match=r"symbols \['ETHUSDT'\] are not in the frame"):
            read(frame, "ETHUSDT")


def test_a_mark_price_from_before_the_close_is_not_the_close(bars):
    mark = bars.close * 1.001
    age = np.where(np.arange(N_BARS) < 10, 0.0, 1_800.0)
    frame = synthetic.frame(bars, mark=mark)
    found = bars_of(replace(frame, ages={"mark": age[None, :]}), "BTCUSDT")

    assert np.flatnonzero(found.marked).tolist() == list(range(10))
    assert np.array_equal(found.close, np.where(found.marked, mark, bars.close))


def test_bars_of_several_symbols_at_one_close_are_each_its_own(bars):
    """What live takes, one bar of every symbol, is what each symbol's own frame gives."""
    rng = np.random.default_rng(3)
    more = {
        "mark": bars.close * rng.choice([1.001, 9.0, np.nan], N_BARS),
        "index": bars.close * 1.002,
        "funding_rate": rng.normal(0.0, 1e-4, N_BARS),
        "taker_buy_volume": rng.lognormal(size=N_BARS),
        "taker_sell_volume": rng.lognormal(size=N_BARS),
    }
    frame = replace(
        synthetic.frame(bars, **more),
        ages={"mark": rng.choice([0.0, 60.0, np.nan], N_BARS)[None, :]},
    )
    expected = bars_of(frame, "BTCUSDT")
    for row in range(N_BARS):
        found = bars_from(
            lambda name, at=row: frame.field(name)[:, at],
            frame.ages["mark"][:, row],
            frame.bar_s,
            np.array([frame.first_bar + row]),
        )
        for name in ("open", "close", "marked", "crowding", "open_interest", "volume", "number"):
            assert synthetic.same_bits(getattr(found, name), getattr(expected, name)[[row]]), name


def test_without_ages_every_mark_is_the_close_s_own(bars):
    frame = synthetic.frame(bars, mark=bars.close * 1.001)
    number = frame.first_bar + np.arange(N_BARS)
    told, untold = (
        bars_from(lambda name: frame.field(name)[0], age, frame.bar_s, number)
        for age in (full(60), None)
    )

    assert not told.marked.any()
    assert untold.marked.all()
