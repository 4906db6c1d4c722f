"""What is derived from a market: nothing of it knows the future; tables are written whole."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from liqwarn.data.asof import market_frame
from liqwarn.data.quality import measure_quality
from liqwarn.data.store import Store
from liqwarn.frames import epoch_seconds
from liqwarn.models.events import EVENT_COLUMNS, in_progress
from liqwarn.models.labels import make_milder_labels
from liqwarn.pipelines.market import MarketJob, open_market
from liqwarn.pipelines.risk import assess
from liqwarn.pipelines.study import (
    build_study,
    write_events,
    write_features,
)

LAST = 180 * 24  # bars of the market


@pytest.fixture(scope="module")
def stored(given_market, tmp_path_factory, now):
    job = MarketJob(
        panel=given_market.panel,
        data=given_market.files,
        store=tmp_path_factory.mktemp("whole"),
    )
    return job, open_market(job, now=now)


def known_at(stored, position):
    """The study as it could be built at the close of a bar."""
    job, market = stored
    seconds = int(epoch_seconds(market.frame.times[position : position + 1])[0])
    moment = datetime.fromtimestamp(seconds, tz=UTC)
    frame = market_frame(Store(job.store), market.panel, end=moment, known_by=moment)
    return build_study(replace(market, frame=frame, quality=measure_quality(frame, market.panel)))


def positions(study):
    """Bars inside cascades, around the end of training, and anywhere."""
    running = np.flatnonzero(in_progress(study.market.frame, study.events).any(axis=(0, 2)))
    rng = np.random.default_rng(3)
    inside = rng.choice(running[running > 1000], 3, replace=False)
    return [*inside.tolist(), 120 * 24, *rng.integers(1500, LAST, 2).tolist()]


def test_a_study_built_at_a_moment_is_the_full_one_up_to_it_bit_for_bit(stored, study, bundle):
    """Look-ahead anywhere from the store to the score would show here."""
    whole = assess(study, bundle)
    checked = 0
    for position in positions(study):
        past = known_at(stored, position)
        upto = slice(0, position + 1)
        then = assess(past, bundle)

        assert past.matrix.values.shape[1] == position + 1
        np.testing.assert_array_equal(past.matrix.values, study.matrix.values[:, upto])
        np.testing.assert_array_equal(
            past.market.quality.quality, study.market.quality.quality[:, upto]
        )
        for name in ("probability", "quantile", "base_rate", "in_progress", "quality"):
            np.testing.assert_array_equal(
                getattr(then.scores, name), getattr(whole.scores, name)[:, upto], err_msg=name
            )
        np.testing.assert_array_equal(then.raw, whole.raw[:, upto])
        checked += int(then.scores.in_progress[:, -1].any())
    assert checked >= 3  # the moments inside cascades were seen as such, then as now


def test_an_event_is_known_from_its_confirmation_on(stored, study):
    event = next(e for e in study.events if e.confirmed > e.onset)
    frame = study.market.frame
    at = int((event.confirmed.timestamp() - int(epoch_seconds(frame.times[:1])[0])) // 3600)

    before, after = known_at(stored, at - 1).events, known_at(stored, at).events

    def same(found):
        return [e for e in found if (e.symbol, e.side, e.onset) == onset_of(event)]

    assert same(before) == []
    assert [e.confirmed for e in same(after)] == [event.confirmed]


def onset_of(event):
    return event.symbol, event.side, event.onset


def test_features_are_a_row_a_symbol_and_bar_with_a_column_each(study, tmp_path):
    rows, columns = write_features(study, tmp_path / "features.parquet")

    table = pd.read_parquet(tmp_path / "features.parquet")
    assert (
        (rows, columns) == (2 * LAST, len(study.matrix.names)) == (len(table), table.shape[1] - 2)
    )
    assert columns >= 70
    assert list(table.columns[:2]) == ["symbol", "time"]
    assert str(table["time"].dtype) == "datetime64[us, UTC]"
    row = table[(table["symbol"] == "DOGEUSDT") & (table["time"] == "2022-05-01T00:00Z")]
    bar = int(np.flatnonzero(study.matrix.times == np.datetime64("2022-05-01"))[0])
    np.testing.assert_array_equal(
        row[list(study.matrix.names)].to_numpy()[0], study.matrix.values[1, bar]
    )


def test_the_catalogue_has_the_agreed_columns_and_counts(market, study, tmp_path):
    counts = write_events(market, tmp_path / "events.csv")

    table = pd.read_csv(tmp_path / "events.csv", parse_dates=["onset", "peak", "end"])
    assert tuple(table.columns) == EVENT_COLUMNS
    assert counts["long"] == (table["side"] == "long").sum() > 0
    assert counts["short"] == (table["side"] == "short").sum() > 0
    assert counts["per_symbol_year"] == pytest.approx(len(table) / (2 * 180 / 365.25))
    assert table["onset"].dt.tz is not None
    assert (table["onset"] <= table["peak"]).all()
    assert (table["peak"] <= table["end"]).all()
    assert len(table) == len(study.events)


def test_milder_labels_are_of_the_same_bars_and_have_more_onsets(study):
    same = make_milder_labels(study.market.frame, study.definition)

    np.testing.assert_array_equal(study.milder.y, same.y)
    np.testing.assert_array_equal(study.milder.end, study.labels.end)
    np.testing.assert_array_equal(np.isnan(study.milder.y), np.isnan(study.labels.y))
    assert np.nansum(study.milder.y) > 1.5 * np.nansum(study.labels.y)


def test_a_market_without_open_interest_has_features_and_no_labels(build):
    def without(table, _symbol):
        return table.assign(open_interest=np.nan).iloc[: 24 * 60]

    study = build(without)

    assert study.events == ()
    assert not np.isfinite(study.labels.y).any()
    assert not np.isfinite(study.milder.y).any()
    assert np.isfinite(study.matrix.column("rv_1d")).any()
    assert (study.market.quality.quality == "unknown").all()  # this panel calls it core


def test_real_bitcoin_history_contains_the_known_cascades(real_data, tmp_path):
    panel = Path(__file__).parents[2] / "conf" / "panels" / "btc_core.yaml"
    job = MarketJob(panel=panel, data=real_data, store=tmp_path / "s")
    market = open_market(job, now=datetime(2026, 1, 1, tzinfo=UTC))
    write_events(market, tmp_path / "events.csv")

    table = pd.read_csv(tmp_path / "events.csv", parse_dates=["onset"])
    onsets = table.loc[table["side"] == "long", "onset"]
    missed = [
        (first, last)
        for first, last in KNOWN
        if not onsets.between(pd.Timestamp(first, tz="UTC"), day_after(last)).any()
    ]
    assert missed == []


KNOWN = (
    ("2021-04-18", "2021-04-18"),
    ("2021-05-19", "2021-05-19"),
    ("2021-09-07", "2021-09-07"),
    ("2021-12-04", "2021-12-04"),
    ("2022-05-09", "2022-05-12"),
    ("2022-06-01", "2022-06-30"),
    ("2022-11-08", "2022-11-09"),
    ("2023-08-17", "2023-08-17"),
    ("2024-03-05", "2024-03-05"),
    ("2024-08-04", "2024-08-05"),
    ("2024-12-05", "2024-12-05"),
)


def day_after(day):
    return pd.Timestamp(day, tz="UTC") + timedelta(days=1)
