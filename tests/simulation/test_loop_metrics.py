"""What an arm did, measured on planted runs."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from liqwarn.simulation.config import DEFAULT_SPECS
from liqwarn.simulation.history import new_record
from liqwarn.simulation.layout import (
    LIQUIDATED_USD,
    LIQUIDATION,
    MISSED,
    NEWS,
    SLIPPAGE_USD,
    SLOW_FLOW,
    TALLY,
)
from liqwarn.simulation.loop_events import Onset
from liqwarn.simulation.loop_market import loop_config
from liqwarn.simulation.loop_metrics import (
    DEFINITIONS,
    METRICS,
    Restrictions,
    composition,
    measure,
)
from liqwarn.simulation.restraint import Obedience

CONFIG = replace(loop_config(2), specs=DEFAULT_SPECS[2:3])
LEAD = 100
ONSET = Onset(0, 0, 40)
OPEN = Restrictions(entry=np.ones((192, 1, 2)), leverage=np.ones((192, 1, 2)))


def run_of(excess=0.0, news=-0.02, stays=8):
    """Price falls by news at the onset, and by `excess` more for `stays` bars."""
    record = new_record(1, LEAD + CONFIG.n_bars)
    at = LEAD + ONSET.bar
    record.prices[3, 0, at:] += news
    record.prices[3, 0, at : at + stays] -= excess
    record.moved[0, at:, NEWS] += 0.5 * news
    record.moved[0, at:, SLOW_FLOW] += 0.5 * news
    record.held[:] = 50.0
    market = SimpleNamespace(config=CONFIG, lead=LEAD, obedience=Obedience(phi=0.5))
    return SimpleNamespace(market=market, record=record)


def test_size_trough_and_recovery_of_a_planted_cascade():
    found = measure(run_of(0.03), run_of(0.03), [ONSET], OPEN)
    assert found["cascade_size"] == pytest.approx(100.0 * np.expm1(0.03))
    assert found["trough"] == pytest.approx(100.0 * np.expm1(0.05))
    assert found["recovery"] == pytest.approx(2.0)
    assert tuple(found) == METRICS == tuple(DEFINITIONS)


def test_news_is_taken_from_the_free_run_so_that_own_selling_counts():
    sold = run_of(0.0)
    at = LEAD + ONSET.bar
    sold.record.prices[3, 0, at:] -= 0.01
    sold.record.moved[0, at:, SLOW_FLOW] -= 0.01
    found = measure(sold, run_of(0.0), [ONSET], OPEN)
    assert found["cascade_size"] == pytest.approx(100.0 * np.expm1(0.01))


def test_what_never_recovers_counts_as_twelve_hours():
    assert measure(run_of(0.03, stays=500), run_of(), [ONSET], OPEN)["recovery"] == 12.0


def test_short_squeezes_are_measured_upwards():
    squeeze = run_of(-0.03, news=0.02)
    found = measure(squeeze, squeeze, [Onset(0, 1, 40)], OPEN)
    assert found["cascade_size"] == pytest.approx(100.0 * np.expm1(0.03))


def test_without_a_cascade_there_is_nothing_to_measure():
    found = measure(run_of(), run_of(), [], OPEN)
    assert np.isnan(found["cascade_size"])
    assert found["liquidated_usd"] == 0.0


def test_what_happened_before_the_run_does_not_count():
    one = run_of()
    one.record.tally[0, :, LIQUIDATED_USD - TALLY] = 1.0
    assert measure(one, one, [], OPEN)["liquidated_usd"] == CONFIG.n_bars


def test_cost_is_slippage_and_missed_entries_over_what_the_obedient_hold():
    one = run_of(news=0.0)
    one.record.tally[0, LEAD, SLIPPAGE_USD - TALLY] = 3.0
    one.record.tally[0, LEAD, MISSED - TALLY] = 5_000.0
    found = measure(one, one, [], OPEN)
    months = CONFIG.n_bars * CONFIG.bar_h / 730.0
    assert found["cost"] == pytest.approx(1e4 * (3.0 + 2e-4 * 5_000.0) / 50.0 / months)


def test_nobody_who_obeys_pays_nothing_and_no_cost_is_said():
    one = run_of()
    one.market.obedience = Obedience(phi=0.0)
    assert np.isnan(measure(one, one, [], OPEN)["cost"])


def test_time_counts_sides_that_may_not_add_or_hold_half():
    entry, leverage = np.ones((10, 1, 2)), np.ones((10, 1, 2))
    entry[:2, 0, 0] = 0.0
    leverage[4:6, 0, 1] = 0.5
    leverage[8, 0] = 0.75
    held = Restrictions(entry=entry, leverage=leverage)
    assert held.time_restricted == pytest.approx(4 / 20)
    assert held.time_limited == pytest.approx(6 / 20)
    assert held.exposure == pytest.approx(1.0 - (2 * 0.5 + 2 * 0.25) / 20)


def test_a_cascade_is_made_of_what_moved_beyond_the_news():
    one, free = run_of(), run_of()
    at = LEAD + ONSET.bar
    one.record.moved[0, at : at + 4, LIQUIDATION] -= 0.02
    one.record.moved[0, at:, SLOW_FLOW] -= 0.005  # sold by the obedient; the rest is news
    made = composition(one, free, [ONSET])
    assert made["liquidation"] == pytest.approx(2.0)
    assert made["slow_flow"] == pytest.approx(0.5)
    assert made["news"] == pytest.approx(2.0)
    assert made["stop"] == 0.0
