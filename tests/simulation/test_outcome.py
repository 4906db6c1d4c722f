"""Results of many futures: every figure against one taken by hand from the paths."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from liqwarn.simulation.config import DEFAULT_SPECS
from liqwarn.simulation.futures import PathOrder, simulate_futures
from liqwarn.simulation.layout import CHANNELS
from liqwarn.simulation.opening import synthetic_opening
from liqwarn.simulation.outcome import (
    amplification,
    fan_of,
    initial_of,
    symbol_results,
    total_of,
)
from liqwarn.simulation.plan import market_of, plan_of

made = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("scenarios.py"))))
SYMBOLS = ("BTCUSDT", "FETUSDT")
PATHS = 120


@pytest.fixture(scope="module")
def ran():
    """BTC falls, FET rises."""
    down = made.PriceShock(
        at=made.minutes(15), move=-0.08, over=made.minutes(30), symbols=("BTCUSDT",)
    )
    up = made.PriceShock(
        at=made.minutes(15), move=0.10, over=made.minutes(30), symbols=("FETUSDT",)
    )
    start = made.SyntheticStart(days=10)
    scenario = made.scenario_of(down, up, symbols=SYMBOLS, start=start)
    config = market_of(scenario, DEFAULT_SPECS)
    opening = synthetic_opening(config, start)
    futures = simulate_futures(opening, plan_of(scenario, config), PathOrder(paths=PATHS, kept=50))
    return opening, futures


def moves(opening, logs):
    return 100.0 * np.expm1(logs - np.log(opening.prices))


def test_a_fall_has_its_trough_at_the_worst_moment_and_a_rise_its_peak(ran):
    opening, futures = ran
    found = symbol_results(opening, futures)
    worst, other = moves(opening, futures.worst), moves(opening, futures.other)

    for name, column in (("trough_pct", worst[:, 0]), ("peak_pct", other[:, 0])):
        assert found["BTCUSDT"][name]["mean"] == pytest.approx(column.mean())
    for name, column in (("trough_pct", other[:, 1]), ("peak_pct", worst[:, 1])):
        assert found["FETUSDT"][name]["mean"] == pytest.approx(column.mean())
    assert found["BTCUSDT"]["trough_pct"]["p50"] < -8.0 < 10.0 < found["FETUSDT"]["peak_pct"]["p50"]
    assert "p05_ci" in found["BTCUSDT"]["trough_pct"]
    assert "p05_ci" not in found["BTCUSDT"]["peak_pct"]


def test_the_channels_sum_to_the_move(ran):
    opening, futures = ran
    worst = moves(opening, futures.worst)

    for i, symbol in enumerate(SYMBOLS):
        channels = symbol_results(opening, futures)[symbol]["channels"]
        assert tuple(channels) == CHANNELS
        parts = [part["mean_pct"] for part in channels.values()]
        assert sum(parts) == pytest.approx(worst[:, i].mean())
        assert sum(part["share"] for part in channels.values()) == pytest.approx(1.0)
        assert channels["news"]["share"] > 0.5


def test_amplification_is_the_move_over_what_news_made_of_it(ran):
    opening, futures = ran
    start = np.log(opening.prices)
    ratio = amplification(futures, start)
    news = futures.moved[:, :, CHANNELS.index("news")]

    np.testing.assert_allclose(ratio * news, futures.worst - start, rtol=1e-9)
    assert np.nanmean(ratio[:, 0]) > 1.0


def test_a_path_with_next_to_no_news_says_nothing_of_amplification(ran):
    opening, futures = ran
    moved = futures.moved.copy()
    moved[0, 0, CHANNELS.index("news")] = -0.0049
    moved[1, 0, CHANNELS.index("news")] = -0.0051
    moved[2, 0, CHANNELS.index("news")] = +0.2  # against the move
    ratio = amplification(futures._replace(moved=moved), np.log(opening.prices))

    assert np.isnan(ratio[[0, 2], 0]).all()
    assert ratio[1, 0] > 10.0
    none = futures._replace(moved=np.zeros_like(moved))
    assert symbol_results(opening, none)["BTCUSDT"]["amplification"] is None


def test_totals_weigh_with_open_interest(ran):
    opening, futures = ran
    found = total_of(opening, futures)
    usd = opening.open_interest * opening.prices
    trough = np.minimum(moves(opening, futures.worst), moves(opening, futures.other))

    assert found["loss_pct"]["mean"] == pytest.approx(np.average(trough.mean(axis=0), weights=usd))
    liquidated = futures.liquidated_usd.sum(axis=(1, 2))
    assert found["liquidated_usd"]["p95"] == pytest.approx(np.percentile(liquidated, 95))
    assert 0.0 <= found["insurance_left_frac"]["p50"] <= 1.5
    assert found["adl_probability"]["value"] == pytest.approx(
        (futures.adl_usd.sum(axis=1) > 0.0).mean()
    )


def test_liquidated_volume_is_told_by_side(ran):
    opening, futures = ran
    found = symbol_results(opening, futures)

    assert found["BTCUSDT"]["liquidated_long_usd"]["mean"] == pytest.approx(
        futures.liquidated_usd[:, 0, 0].mean()
    )
    assert (
        found["FETUSDT"]["liquidated_short_usd"]["mean"]
        > found["FETUSDT"]["liquidated_long_usd"]["mean"]
    )


def diverged(futures, rows):
    """The same futures with some paths lost, as the engine marks them."""
    lost = np.zeros(len(futures.diverged), dtype=bool)
    lost[rows] = True

    def cut(values):
        values = values.copy()
        values[lost[: len(values)]] = np.nan
        return values

    changed = {
        name: cut(values)
        for name, values in futures._asdict().items()
        if name not in ("diverged", "burnt_usd")
    }
    return futures._replace(**changed, diverged=lost)


def test_paths_that_diverged_are_left_out_of_every_figure(ran):
    opening, futures = ran
    some = diverged(futures, [3, 70])
    kept = ~some.diverged
    whole = futures._replace(
        **{
            name: getattr(futures, name)[kept[: len(getattr(futures, name))]]
            for name in futures._fields
        }
    )

    assert symbol_results(opening, some) == symbol_results(opening, whole)
    assert total_of(opening, some) == total_of(opening, whole)
    assert fan_of(opening, some) == fan_of(opening, whole)


def test_when_all_diverged_every_figure_is_null(ran):
    opening, futures = ran
    none = diverged(futures, slice(None))
    result, total = symbol_results(opening, none)["BTCUSDT"], total_of(opening, none)

    assert result["trough_pct"]["mean"] is None
    assert result["amplification"] is None
    assert result["channels"]["news"] == {"mean_pct": None, "share": None}
    assert total["adl_probability"] == {"value": None, "ci": None}
    assert fan_of(opening, none)["symbols"] == {}


def test_the_fan_begins_at_the_first_price_and_ends_at_the_paths_ends(ran):
    opening, futures = ran
    fan = fan_of(opening, futures)
    ends = moves(opening, futures.end)[:50]

    assert fan["times_h"][:3] == [0.0, 0.25, 0.5]
    assert fan["times_h"][-1] == 6.0
    for i, symbol in enumerate(SYMBOLS):
        lines = fan["symbols"][symbol]
        assert {len(line) for line in lines.values()} == {25}
        assert {line[0] for line in lines.values()} == {0.0}
        assert lines["p95"][-1] == pytest.approx(np.percentile(ends[:, i], 95), abs=1e-4)
        assert (np.diff(list(lines.values()), axis=0) >= 0.0).all()


def test_the_first_state_is_the_opening_s(ran):
    opening, _ = ran
    found = initial_of(opening)["BTCUSDT"]

    assert found["price"] == pytest.approx(opening.prices[0])
    assert found["open_interest_usd"] == pytest.approx(opening.open_interest[0] * opening.prices[0])
    ratio = found["bid_depth_usd"] / found["ask_depth_usd"]
    thin = opening.books.cells[0, 10:12]
    assert np.log(ratio) == pytest.approx(np.subtract(*(opening.depth[0] - thin)))
