"""What a score needs beside the model: a novel bar is degraded, and the past is an unseen one."""

import runpy
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from liqwarn.models.bundle import load_bundle
from liqwarn.models.novelty import Novelty
from liqwarn.models.scoring import graded, strangeness, unseen

rows_of = runpy.run_path(str(Path(__file__).with_name("synthetic.py")))["rows_of"]
HOUR = np.timedelta64(1, "h")


@pytest.fixture(scope="module")
def rows():
    return rows_of(days=90)


@pytest.fixture(scope="module")
def novelty(rows):
    return Novelty().fit(rows)


@pytest.fixture(scope="module")
def bundle(small_bundle_folder):
    return load_bundle(small_bundle_folder, version="1")


def with_strange(X, which):
    """The rows, some of them a thousand times what they were."""
    return np.where(np.asarray(which)[:, None], 1_000.0 * np.abs(X) + 1_000.0, X)


def test_only_a_good_bar_is_degraded_by_its_features(novelty, rows):
    given = np.array(["ok", "ok", "degraded", "stale", "unknown"])
    X = with_strange(rows.X[:5], [False, True, True, True, True])

    assert graded(given, novelty.novel(X)).tolist() == [
        "ok",
        "degraded",
        "degraded",
        "stale",
        "unknown",
    ]


def test_a_plane_is_graded_as_its_bars_are():
    rng = np.random.default_rng(2)
    given, novel = rng.choice(["ok", "degraded", "stale"], (3, 40)), rng.random((3, 40)) < 0.3
    whole = graded(given, novel)
    bars = [graded(given[:, t], novel[:, t]) for t in range(40)]

    assert (whole == np.stack(bars, axis=1)).all()
    assert (whole != given).any()
    assert (whole == "ok").any()


def test_what_is_strange_is_told_of_whom_it_is(novelty, rows):
    X = with_strange(rows.X[:3], [False, True, False])
    told = strangeness(("AAA", "BBB", "CCC"), X, novelty)

    assert told == {"BBB": novelty.describe(X)[1]}
    assert "robust deviations" in told["BBB"]
    assert strangeness(("AAA",), rows.X[:1], novelty) == {}


def told_history(bundle, times):
    table = pd.DataFrame(
        {
            "symbol": "BTCUSDT",
            "time": pd.DatetimeIndex(times).tz_localize("UTC").as_unit("us"),
            "long": np.linspace(0.1, 0.2, len(times)),
            "short": np.linspace(0.3, 0.4, len(times)),
        }
    )
    return replace(bundle, history=table)


def test_up_to_the_end_of_training_the_past_is_out_of_fold(bundle):
    training = bundle.training
    until = training.trained_until.astimezone(UTC).replace(tzinfo=None)
    last = np.datetime64(until, "s").astype("datetime64[h]").astype("datetime64[s]")
    times = last + np.arange(-4, 4) * HOUR
    made = told_history(bundle, times[1:4])
    own = np.arange(2 * 8 * 2, dtype=np.float64).reshape(2, 8, 2)
    seen = times <= np.datetime64(until, "s")

    past = unseen(made, training.panel, ("BTCUSDT", "ETHUSDT"), times, own)

    assert np.isnan(past[0, 0]).all()
    assert past[0, 1:4, 0].tolist() == made.history["long"].tolist()
    assert past[0, 1:4, 1].tolist() == made.history["short"].tolist()
    assert np.isnan(past[1, seen]).all()
    np.testing.assert_array_equal(past[:, ~seen], own[:, ~seen])


def test_another_panel_was_never_seen(bundle):
    training = bundle.training
    until = training.trained_until.astimezone(UTC).replace(tzinfo=None)
    times = np.datetime64(until, "s") + np.arange(-4, 4) * HOUR
    own = np.random.default_rng(1).random((1, 8, 2))

    assert unseen(bundle, "another", ("BTCUSDT",), times, own) is own


def test_one_bar_s_past_is_that_of_the_whole_plane(bundle):
    training = bundle.training
    until = np.datetime64(training.trained_until.astimezone(UTC).replace(tzinfo=None), "s")
    times = until.astype("datetime64[h]").astype("datetime64[s]") + np.arange(-5, 5) * HOUR
    made = told_history(bundle, times[:6])
    own = np.random.default_rng(1).random((2, 10, 2))
    names = ("BTCUSDT", "ETHUSDT")
    whole = unseen(made, training.panel, names, times, own)
    for t in range(10):
        one = unseen(made, training.panel, names, times[[t]], own[:, [t]])
        np.testing.assert_array_equal(one[:, 0], whole[:, t])
