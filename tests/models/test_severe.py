"""The severe tier: the same alarms, judged on severe events alone."""

import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from liqwarn.models.folds import OutOfSample
from liqwarn.models.results import HAR, MODEL
from liqwarn.models.severe import severe_tier

synthetic = runpy.run_path(str(Path(__file__).with_name("synthetic.py")))
rows_of, events_of = synthetic["rows_of"], synthetic["events_of"]
DRAWS = {"n_bootstrap": 100, "seed": 0}


@pytest.fixture(scope="module")
def rows():
    return rows_of(days=60)


@pytest.fixture(scope="module")
def found(rows):
    """The model alarms on its highest rows of the long side; HAR never does."""
    shape = (*rows.y.shape, 4)
    alarms = {MODEL: np.zeros(shape, dtype=bool), HAR: np.zeros(shape, dtype=bool)}
    alarms[MODEL][..., 2:] = (rows.column("basis") > 1.0)[:, None, None, None]
    p = dict.fromkeys(alarms, np.full(rows.y.shape, 0.1))
    fold = np.zeros(len(rows), dtype=np.int64)
    return OutOfSample(rows=rows, fold=fold, p=p, alarms=alarms, thresholds={})


@pytest.fixture(scope="module")
def events(rows):
    """Every fifth long event is severe, and no short one."""
    listed = events_of(rows)
    severe = [event for event in listed if event.side == "long"][::5]
    return tuple(replace(e, flags=("severe",)) if e in severe else e for e in listed)


def test_model_and_har_are_told_of_wherever_there_are_severe_events(found, events):
    tier = severe_tier(found, events, **DRAWS)

    assert [(row["side"], row["horizon_h"], row["model"]) for row in tier] == [
        ("long", hours, model) for hours in (1, 4, 24) for model in (MODEL, HAR)
    ]
    for row in tier:
        assert list(row["event_recall"]) == ["0.01", "0.02", "0.05", "0.10"]
        assert list(row["event_recall_ci"]) == ["0.01", "0.02", "0.05", "0.10"]
        assert list(row["lead_minutes"]) == ["median", "q25", "q75", "share_ge_15"]


def test_only_severe_events_are_counted(found, events, rows):
    severe = [event for event in events if "severe" in event.flags]
    raised = {
        (str(s), int(t.astype(int)))
        for s, t in zip(rows.symbols, rows.times, strict=True)
        if found.alarms[MODEL][(rows.symbols == s) & (rows.times == t), 0, 0, 2].any()
    }
    warned = [
        (event.symbol, int((event.onset - rows.bar).timestamp())) in raised for event in severe
    ]

    row = severe_tier(found, events, **DRAWS)[0]

    assert (row["horizon_h"], row["events"]) == (1, len(severe))
    assert 0.3 < np.mean(warned) < 1.0
    assert row["event_recall"]["0.05"] == pytest.approx(np.mean(warned))
    assert row["event_recall"]["0.02"] == 0.0
    low, high = row["event_recall_ci"]["0.05"]
    assert low < np.mean(warned) < high


def test_without_severe_events_there_is_no_tier(found, rows):
    assert severe_tier(found, events_of(rows), **DRAWS) == []
