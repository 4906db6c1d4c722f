"""Two origins of one market: how far apart, how much together, and whether one is a bar off."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from liqwarn.data.disagreement import across_panels, within_panel
from liqwarn.data.panel import Panel
from liqwarn.errors import DataError
from liqwarn.frames import MarketFrame, bar_times

N = np.nan
HOUR = timedelta(hours=1)


def panel(name="one", bar="1h", symbols=("BTCUSDT",), fields=("close", "mark")):
    time = {"column": "t", "unit": "s", "label": "end", "step": bar}
    source = {
        "name": "p",
        "file": "{asset}.csv",
        "time": time,
        "fields": {field: field for field in fields},
    }
    return Panel.model_validate(
        {
            "name": name,
            "market": "real",
            "bar": bar,
            "symbols": list(symbols) if isinstance(symbols, tuple) else symbols,
            "sources": [source],
        }
    )


def frame(start="2024-01-01T01:00:00", symbols=("BTCUSDT",), bar=HOUR, **fields):
    planes = {name: np.atleast_2d(np.asarray(values, float)) for name, values in fields.items()}
    n_bars = next(iter(planes.values())).shape[1]
    return MarketFrame(
        symbols=symbols,
        times=bar_times(np.datetime64(start), n_bars, bar),
        bar=bar,
        fields=planes,
        ages={},
    )


def walk(n_bars, seed):
    return 100.0 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0.0, 0.01, n_bars)))


def test_a_close_is_compared_with_its_mark():
    one = frame(close=[100.0, 100.0, N, 100.0], mark=[100.0, 101.0, 5.0, 99.9])

    (found,) = within_panel(one, panel())

    assert (found.asset, found.one, found.other, found.bars) == ("BTC", "close", "mark", 3)
    assert found.unit == "bps"
    assert found.worst == pytest.approx(1e4 * np.log(1.01))
    assert found.worst_at == datetime(2024, 1, 1, 2, tzinfo=UTC)
    assert found.median == pytest.approx(1e4 * np.log(100 / 99.9))
    assert np.isnan(found.together)
    assert found.ahead == 0


def test_a_panel_with_no_second_price_has_nothing_to_compare():
    assert not [*within_panel(frame(close=[1.0, 2.0]), panel(fields=("close",)))]


def test_a_mark_that_was_never_known_is_not_compared():
    assert not [*within_panel(frame(close=[1.0, 2.0], mark=[N, N]), panel())]


@pytest.mark.parametrize("shift", [-2, -1, 0, 1, 2])
def test_a_stamp_that_is_off_is_seen(shift):
    price = walk(400, 3)
    other = np.roll(price, shift)[10:-10]

    (found,) = within_panel(frame(close=price[10:-10], mark=other), panel())

    assert found.ahead == shift  # positive: the close moves first
    assert (found.together > 0.99) == (shift == 0)


def test_prices_that_have_nothing_in_common_are_off_by_no_bar():
    (found,) = within_panel(frame(close=walk(400, 1), mark=walk(400, 2)), panel())

    assert found.ahead == 0
    assert abs(found.together) < 0.2


def test_two_panels_are_compared_asset_by_asset_at_the_bars_of_both():
    symbols = ("BTCUSDT", "ETHUSDT")
    one = frame(symbols=symbols, close=np.full((2, 5), 10.0), open_interest=np.full((2, 5), 7.0))
    other = frame(
        start="2024-01-01T03:00:00",
        symbols=("ETH-PERP",),
        close=np.full((1, 5), 10.01),
        open_interest=[[70.0, 70.0, 140.0, 7.0, 7.0]],
    )
    fields = ("close", "open_interest")
    mine = panel(symbols=symbols, fields=fields)
    theirs = panel("two", symbols={"ETH-PERP": "ETH"}, fields=fields)

    close, interest = across_panels((one, mine), (other, theirs))

    assert (close.asset, close.one, close.other) == ("ETH", "one close", "two close")
    assert (close.bars, close.unit) == (3, "bps")
    assert close.median == pytest.approx(1e4 * np.log(1.001))
    # ten times the coins is no disagreement, twice as many from one bar to the next is
    assert (interest.median, interest.worst) == (0.0, pytest.approx(np.log(2.0)))
    assert interest.worst_at == datetime(2024, 1, 1, 5, tzinfo=UTC)


def test_rates_are_compared_as_they_are():
    one = frame(close=[1.0, 1.0], funding_rate=[1e-4, -1e-4])
    other = frame(close=[1.0, 1.0], funding_rate=[1e-4, 1e-4])
    both = panel(fields=("close", "funding_rate"))

    _, rate = across_panels((one, both), (other, both))

    assert (rate.unit, rate.worst) == ("bps", pytest.approx(2.0))


def test_bars_of_another_length_are_refused():
    one = frame(close=[1.0], mark=[1.0])
    other = frame(bar=4 * HOUR, start="2024-01-01T04:00:00", close=[1.0], mark=[1.0])

    with pytest.raises(DataError, match="'two' has bars of 4:00:00, expected 1:00:00 as 'one'"):
        [*across_panels((one, panel()), (other, panel("two", bar="4h")))]


def test_no_shared_asset_is_refused():
    one, other = (
        frame(close=[1.0], mark=[1.0]),
        frame(symbols=("ETHUSDT",), close=[1.0], mark=[1.0]),
    )

    with pytest.raises(DataError, match="'two' has assets ETH, expected one of 'one': BTC"):
        [*across_panels((one, panel()), (other, panel("two", symbols=("ETHUSDT",))))]


def test_no_shared_bar_is_nothing_to_compare():
    one = frame(close=[1.0], mark=[1.0])
    other = frame(start="2025-01-01T01:00:00", close=[1.0], mark=[1.0])

    assert not [*across_panels((one, panel()), (other, panel("two")))]
