"""Completeness and quality: what a panel promises against what is known."""

from datetime import timedelta

import numpy as np
import pytest

from liqwarn.data.panel import Panel
from liqwarn.data.quality import measure_quality
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
