"""The market of now as the simulator sees it: measured from the past, assumed aloud."""

from datetime import timedelta

import numpy as np
import pytest

from liqwarn.errors import ConfigError
from liqwarn.frames import MarketFrame, bar_times
from liqwarn.simulation.present import present_of

BAR = timedelta(hours=4)
SYMBOLS = ("AAAUSDT", "BBBUSDT", "CCCUSDT")
N = 6 * 100
SIGMA = np.array([0.005, 0.010, 0.008])
LOADING = np.array([0.9, 0.8, 0.6])


def frame_of(**changed):
    rng = np.random.default_rng(3)
    market, own = rng.standard_normal(N), rng.standard_normal((3, N))
    unit = LOADING[:, None] * market + np.sqrt(1.0 - LOADING**2)[:, None] * own
    price = 100.0 * np.exp(np.cumsum(2.0 * SIGMA[:, None] * unit, axis=1))  # 4 h: twice an hour's
    fields = {
        "close": price,
        "open_interest": np.full((3, N), 1e6),
        "bid_depth_usd": 0.02 * price * 1e6,
        "ask_depth_usd": 0.03 * price * 1e6,
        "funding_rate": 1e-4 + 1e-5 * rng.standard_normal((3, N)),
        "funding_interval_h": np.full((3, N), 8.0),
    } | changed
    times = bar_times(np.datetime64("2024-01-01T04:00:00"), N, BAR)
    return MarketFrame(
        symbols=SYMBOLS,
        times=times,
        bar=BAR,
        fields={name: np.ascontiguousarray(plane) for name, plane in fields.items()},
        ages={},
    )


def with_last(name, row, value):
    plane = frame_of().field(name).copy()
    plane[row, -1] = value
    return frame_of(**{name: plane})


def test_price_open_interest_volatility_and_loadings():
    frame = frame_of()
    found = present_of(frame)

    assert [spec.name for spec in found.specs] == list(SYMBOLS)
    for i, spec in enumerate(found.specs):
        assert spec.price == frame.field("close")[i, -1]
        assert spec.open_interest_usd == pytest.approx(1e6 * spec.price)
        assert spec.volatility == pytest.approx(SIGMA[i], rel=0.2)
        assert spec.sector_beta == 0.0
    loadings = [spec.beta for spec in found.specs]
    assert loadings[0] > loadings[2]
    assert all(0.5 < beta <= 0.97 for beta in loadings)
    assert found.notes == ()


def test_a_book_of_the_same_scope_is_taken_as_it_is():
    found = present_of(frame_of())

    for spec, logs in zip(found.specs, found.depth, strict=True):
        assert spec.depth_usd == pytest.approx(0.025 * spec.open_interest_usd)
        np.testing.assert_allclose(
            spec.depth_usd * np.exp(logs), np.array([0.02, 0.03]) * 1e6 * spec.price
        )


def test_a_book_of_another_scope_only_says_how_deep_it_is_for_itself():
    bid, ask = np.full((3, N), 1e3), np.full((3, N), 1e3)
    bid[0, -1] = 500.0
    found = present_of(frame_of(bid_depth_usd=bid, ask_depth_usd=ask))

    assert found.specs[0].depth_usd == pytest.approx(found.specs[0].open_interest_usd / 25)
    assert found.depth[0] == pytest.approx([np.log(0.5), 0.0], abs=0.01)
    assert found.depth[1] == pytest.approx([0.0, 0.0])
    assert len(found.notes) == 1
    assert "different scope" in found.notes[0]


def test_what_is_not_known_is_assumed_and_said():
    lost = np.full((3, N), np.nan)
    found = present_of(frame_of(bid_depth_usd=lost, funding_rate=lost))

    assert [spec.depth_usd for spec in found.specs] == pytest.approx(
        [spec.open_interest_usd / 25 for spec in found.specs]
    )
    np.testing.assert_array_equal(found.depth, 0.0)
    np.testing.assert_array_equal(found.mood, 0.0)
    depth, crowding = found.notes
    assert depth.startswith("Depth is not known")
    assert crowding.startswith("Crowding is not known")


def test_funding_above_its_past_is_crowding_of_longs():
    usual = present_of(frame_of()).mood
    crowded = present_of(with_last("funding_rate", 1, 5e-4)).mood

    assert crowded[1] == pytest.approx(0.15 + 3 * 0.7)
    assert crowded[0] == usual[0]
    assert (np.abs(usual - 0.15) < 2.1).all()


def test_the_second_venue_s_funding_stands_in():
    rates = np.random.default_rng(1).standard_normal((3, N)) * 1e-4
    rates[:, -1] = 1e-3
    lost = np.full((3, N), np.nan)
    found = present_of(
        frame_of(funding_rate=lost, funding_rate_2=rates, funding_interval_2_h=np.full((3, N), 8.0))
    )

    assert (found.mood > 1.0).all()
    assert found.notes == ()


def test_open_interest_of_a_few_hours_ago_will_do_and_of_two_days_ago_will_not():
    plane = np.full((3, N), 1e6)
    plane[1, -3:] = np.nan
    assert present_of(frame_of(open_interest=plane)).specs[1].open_interest_usd > 0.0
    plane[1, -12:] = np.nan
    with pytest.raises(ConfigError, match="BBBUSDT: found no open_interest"):
        present_of(frame_of(open_interest=plane))


def test_every_symbol_that_lacks_something_is_named():
    close = frame_of().field("close").copy()
    close[0, -1] = np.nan
    close[2, -175:-1] = np.nan
    interest = np.full((3, N), 1e6)
    interest[1] = np.nan

    with pytest.raises(
        ConfigError,
        match=r"AAAUSDT: found no close.*BBBUSDT: found no open_interest.*CCCUSDT: found fewer",
    ):
        present_of(frame_of(close=close, open_interest=interest))


def test_a_price_that_never_moves_is_no_market():
    close = frame_of().field("close").copy()
    close[1] = 5.0

    with pytest.raises(ConfigError, match="BBBUSDT: found a price that never moved"):
        present_of(frame_of(close=close))


def test_one_symbol_alone_is_its_market():
    assert present_of(frame_of().select(("BBBUSDT",))).specs[0].beta == 0.97
