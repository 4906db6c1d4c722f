"""Completeness and quality: what a panel promises against what is known."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.data.panel import Panel
from liqwarn.data.quality import LiveQuality, measure_quality
from liqwarn.frames import MarketFrame, bar_times

N = np.nan


def panel(*, valid_to: str | None = None, with_oi: bool = True) -> Panel:
    """Prices and perhaps open interest for ever, funding until `valid_to`."""
    stamps = {"column": "t", "unit": "s", "label": "end"}
    price = {
        "name": "price",
        "file": "p.csv",
        "time": {**stamps, "step": "1h"},
        "symbol": "BTCUSDT",
    }
    fields = {"close": "close"} | ({"open_interest": "oi"} if with_oi else {})
    funding = {"name": "funding", "file": "f.csv", "time": stamps, "symbol": "BTCUSDT"}
    valid = {"valid": {"to": valid_to}} if valid_to else {}
    return Panel.model_validate(
        {
            "name": "test",
            "market": "real",
            "bar": "1h",
            "symbols": ["BTCUSDT"],
            "core": list(fields),
            "sources": [
                {**price, "fields": fields},
                {**funding, "fields": {"funding_rate": "rate"}, **valid},
            ],
        }
    )


def frame(**fields: list[float]) -> MarketFrame:
    n_bars = len(next(iter(fields.values())))
    return MarketFrame(
        symbols=("BTCUSDT",),
        times=bar_times(np.datetime64("2024-01-01T01:00:00"), n_bars, timedelta(hours=1)),
        bar=timedelta(hours=1),
        fields={name: np.array([values], dtype=np.float64) for name, values in fields.items()},
        ages={},
    )


def test_a_feed_counts_from_its_first_value_and_stays_expected_when_it_dies():
    found = measure_quality(
        frame(close=[1, 1, 1, 1], open_interest=[5, 5, 5, 5], funding_rate=[N, 0.1, 0.1, N]),
        panel(),
    )

    assert found.quality[0].tolist() == ["ok", "ok", "ok", "degraded"]
    assert found.completeness[0].tolist() == pytest.approx([1, 1, 1, 2 / 3])


def test_a_source_that_the_panel_ends_is_not_expected_after_it():
    found = measure_quality(
        frame(close=[1, 1, 1], open_interest=[5, 5, 5], funding_rate=[0.1, N, N]),
        panel(valid_to="2024-01-01T01:30:00Z"),
    )

    assert found.quality[0].tolist() == ["ok", "ok", "ok"]


def test_without_a_core_field_there_is_no_score():
    found = measure_quality(
        frame(close=[1, 1, 1], open_interest=[N, 5, N], funding_rate=[N, N, N]), panel()
    )

    assert found.usable[0].tolist() == [False, True, False]
    assert found.quality[0].tolist() == ["unknown", "ok", "stale"]


def test_a_panel_without_open_interest_is_never_better_than_degraded():
    found = measure_quality(frame(close=[1, 1], funding_rate=[0.1, 0.1]), panel(with_oi=False))

    assert found.usable.all()
    assert found.quality[0].tolist() == ["degraded", "degraded"]
    assert found.completeness[0].tolist() == [1.0, 1.0]


def random_frame(n_bars, seed, symbols=("AAAUSDT", "BTCUSDT")):
    """Values of every field of the panel, infinite ones too, that begin late and die."""
    rng = np.random.default_rng(seed)
    shape = (len(symbols), n_bars)
    fields = {}
    for name in ("close", "open_interest", "funding_rate"):
        plane = np.where(rng.random(shape) < 0.2, N, rng.normal(0.0, 1.0, shape))
        plane[rng.random(shape) < 0.05] = np.inf
        plane[:, : rng.integers(0, n_bars)] = N
        if rng.random() < 0.3:
            plane[:, rng.integers(0, n_bars) :] = N
        fields[name] = plane
    return MarketFrame(
        symbols=symbols,
        times=bar_times(np.datetime64("2024-01-01T01:00:00"), n_bars, timedelta(hours=1)),
        bar=timedelta(hours=1),
        fields=fields,
        ages={},
    )


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    start=st.integers(0, 30),
    valid_to=st.sampled_from([None, "2024-01-01T20:00:00Z"]),
    with_oi=st.booleans(),
    saved=st.integers(0, 30),
)
def test_bar_by_bar_it_is_the_same(seed, start, valid_to, with_oi, saved):
    ours, whole = panel(valid_to=valid_to, with_oi=with_oi), random_frame(31, seed)
    expected = measure_quality(whole, ours)
    live = LiveQuality.start(whole.between(0, start), ours)
    for bar in range(start, 31):
        if bar == saved:
            live = LiveQuality(ours, {name: seen.copy() for name, seen in live.seen.items()})
        column = {name: plane[:, bar] for name, plane in whole.fields.items()}
        found = live.advance(column, whole.times[bar])
        for name in ("completeness", "usable", "quality"):
            np.testing.assert_array_equal(getattr(found, name), getattr(expected, name)[:, bar])


def test_a_field_that_a_bar_does_not_bring_is_missing():
    whole = random_frame(20, 3)
    one, other = (LiveQuality.start(whole, panel()) for _ in range(2))
    time = whole.times[-1] + np.timedelta64(1, "h")
    known = {"close": np.ones(2), "open_interest": np.ones(2)}

    found = one.advance(known, time)
    same = other.advance(known | {"funding_rate": np.full(2, np.inf)}, time)

    assert found.quality.tolist() == same.quality.tolist() == ["degraded", "degraded"]
    assert found.completeness.tolist() == same.completeness.tolist() == [2 / 3, 2 / 3]


def test_what_was_ever_known_is_all_that_is_remembered():
    live = LiveQuality.start(random_frame(20, 3), panel())

    assert set(live.seen) == {"close", "open_interest", "funding_rate"}
    assert all(seen.dtype == np.bool_ and seen.shape == (2,) for seen in live.seen.values())
