"""A market's map: fitted on its past, read at every bar, the same wherever the work runs."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from liqwarn.errors import ConfigError
from liqwarn.frames import MAP_FIELDS, MarketFrame
from liqwarn.liquidation.fit import FitConfig
from liqwarn.liquidation.posterior import PRIOR
from liqwarn.pipelines.engine import Engine
from liqwarn.pipelines.liquidation_map import MapJob, fit_map, venue_tiers, with_map

ROOT = Path(__file__).parents[2]
CONFIG = FitConfig(n_candidates=8, n_draws=4, n_effective=3.0)


class Backwards(Engine):
    """Does the last task first, as a cluster may, and gives results in the order asked for."""

    def map(self, task, items):
        items = list(items)
        done = {k: task(items[k]) for k in reversed(range(len(items)))}
        return iter([done[k] for k in range(len(items))])


def renewed(frame, **changed):
    return MarketFrame(
        symbols=frame.symbols,
        times=frame.times,
        bar=frame.bar,
        fields={**frame.fields, **changed},
        ages={},
    )


def same_bits(one, other):
    return np.where(np.isnan(one), np.nan, one).tobytes() == (
        np.where(np.isnan(other), np.nan, other).tobytes()
    )


def same_map(one, other):
    return all(same_bits(one.field(name), other.field(name)) for name in MAP_FIELDS)


@pytest.fixture(scope="module")
def job(tiers):
    return MapJob(venue=tiers, config=CONFIG)


@pytest.fixture(scope="module")
def tiers():
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        return venue_tiers("binance")


@pytest.fixture(scope="module")
def frame(market):
    """160 days of two symbols, across a change of the maps in force."""
    return market.frame.between(0, 24 * 160)


@pytest.fixture(scope="module")
def mapped(frame, job):
    return with_map(frame, job)


def test_every_field_of_the_map_is_there_for_every_symbol(frame, mapped):
    assert set(mapped.fields) == set(frame.fields) | set(MAP_FIELDS)
    for name in MAP_FIELDS:
        values = mapped.field(name)
        assert values.shape == frame.shape
        assert np.isfinite(values[:, 24 * 8 :]).any(axis=1).all(), name
    for name in frame.fields:
        assert mapped.field(name).tobytes() == frame.field(name).tobytes()


def test_a_map_younger_than_a_week_says_nothing(mapped):
    young = slice(0, 24 * 7 - 2)
    assert (mapped.field("map_quality")[:, young] == 0.0).all()
    assert np.isnan(mapped.field("map_long_within_5")[:, young]).all()
    assert np.isfinite(mapped.field("map_long_within_5")[:, 24 * 7 + 1]).all()


@pytest.mark.parametrize("side", ["long", "short"])
def test_readings_are_in_order_and_less_than_open_interest(mapped, side):
    within = [mapped.field(f"map_{side}_within_{k}") for k in (1, 2, 3, 5, 10)]
    known = np.isfinite(within[0])
    assert known.mean() > 0.9
    for near, far in pairwise(within):
        assert (near[known] <= far[known]).all()
    assert (within[-1] <= mapped.field("open_interest") * (1 + 1e-9))[known].all()
    assert (mapped.field(f"map_{side}_peak")[known] <= within[-1][known] * (1 + 1e-9)).all()
    distance = mapped.field(f"map_{side}_nearest")
    assert (distance[np.isfinite(distance)] > 0.0).all()
    assert (distance[np.isfinite(distance)] < 0.105).all()


@pytest.mark.parametrize("stop", [24 * 20 + 5, 24 * 90 - 1, 24 * 90 + 1, 24 * 131])
def test_the_map_up_to_a_bar_does_not_depend_on_what_follows(frame, job, mapped, stop):
    """Cut inside the first month, just before and after a refit, and later."""
    assert same_map(with_map(frame.between(0, stop), job), mapped.between(0, stop))


def test_other_later_bars_change_nothing_before_them(frame, job, mapped):
    at = 24 * 101
    rng = np.random.default_rng(8)
    wild = {name: values.copy() for name, values in frame.fields.items()}
    for values in wild.values():
        values[:, at:] *= rng.uniform(0.8, 1.25)
    other = with_map(renewed(frame, **wild), job)

    assert same_map(other.between(0, at), mapped.between(0, at))
    assert not same_map(other, mapped)


def test_each_month_is_read_by_what_was_known_before_its_quarter(frame, job):
    fitted = fit_map(frame, job)
    months = [block.month for block in fitted.draws.blocks]
    quarters = [block.evidence_until for block in fitted.draws.blocks]

    assert fitted.evidence.shape == (2, len(months), CONFIG.n_candidates)
    assert len(set(quarters)) == 2
    first = [k for k, q in enumerate(quarters) if q == quarters[0]]
    for k in first:  # no evidence yet: the prior
        np.testing.assert_array_equal(fitted.draws.posterior[k], np.full(8, 1 / 8))
    assert fitted.draws.posterior[-1].std() > 0.0
    for weights in fitted.draws.drawn:
        assert len(weights) == CONFIG.n_draws
        assert sum(weights.values()) == pytest.approx(1.0)
    assert len(PRIOR) == 6


def test_without_open_interest_nothing_is_known_of_a_symbol(frame, job, mapped):
    coins = frame.field("open_interest").copy()
    coins[1] = np.nan
    bare = with_map(renewed(frame, open_interest=coins), job)

    for name in MAP_FIELDS:
        values = bare.field(name)[1]
        assert (values == 0.0).all() if name == "map_quality" else np.isnan(values).all(), name
        assert np.isfinite(bare.field(name)[0]).any()


def test_a_symbol_changes_another_through_the_evidence_only(frame, job):
    """Alone a symbol's map is the one of the panel until the first refit."""
    alone = with_map(frame.select(("DOGEUSDT",)), job).between(0, 24 * 89)
    both = with_map(frame, job).between(0, 24 * 89).select(("DOGEUSDT",))

    assert same_map(alone, both)


def test_it_is_the_same_wherever_the_work_runs(frame, job, mapped):
    assert same_map(with_map(frame, job, engine=Backwards()), mapped)


def test_every_symbol_is_reported(frame, job):
    told = []
    with_map(frame.between(0, 300), job, on_progress=lambda *step: told.append(step))

    assert told == [
        ("map: evidence", 0, 2), ("map: evidence", 1, 2), ("map: evidence", 2, 2),
        ("map: readings", 0, 2), ("map: readings", 1, 2), ("map: readings", 2, 2),
    ]  # fmt: skip


def test_a_venues_tiers_change_the_map(frame, job, mapped):
    flat = with_map(frame.between(0, 24 * 10), replace(job, venue=None))

    assert not same_map(flat, mapped.between(0, 24 * 10))


@pytest.mark.parametrize("venue", ["binance", "bybit", "hyperliquid", "okx"])
def test_every_venue_of_a_panel_has_its_tiers(venue, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert venue_tiers(venue).venue == venue


def test_a_venue_without_tiers_is_named(monkeypatch):
    monkeypatch.chdir(ROOT)
    with pytest.raises(ConfigError, match=r"conf/margin_tiers/mtgox\.yaml"):
        venue_tiers("mtgox")
