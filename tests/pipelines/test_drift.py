"""Drift of a study against the training of its model."""

from dataclasses import replace
from datetime import UTC

import numpy as np

from liqwarn.pipelines.drift import measure_drift

GRADES = {"none", "moderate", "large", "unknown"}


def test_every_input_both_scores_and_both_calibrations_are_graded(study, bundle, now):
    found = measure_drift(study, bundle, now=now)

    assert [row["feature"] for row in found["inputs"]] == list(bundle.model.names_)
    assert [row["side"] for row in found["scores"]] == ["long", "short"]
    assert [row["side"] for row in found["calibration"]] == ["long", "short"]
    rows = [*found["inputs"], *found["scores"], *found["calibration"]]
    assert {row["grade"] for row in rows} <= GRADES
    assert found["reference"]["until"] == "2022-05-01T00:00:00.000Z"
    assert found["recent"]["rows"] == 30 * 24


def test_what_moved_far_is_seen_and_nothing_else(study, bundle, now):
    name = "price_return_1h"
    k = study.matrix.names.index(name)
    values = study.matrix.values.copy()
    values[:, -30 * 24 :, k] += 3.0 * np.nanstd(values[..., k])
    moved = replace(study, matrix=replace(study.matrix, values=values))
    before = {r["feature"]: r for r in measure_drift(study, bundle, now=now)["inputs"]}
    after = {r["feature"]: r for r in measure_drift(moved, bundle, now=now)["inputs"]}

    assert before[name]["grade"] != "large"
    assert after[name]["grade"] == "large"
    np.testing.assert_equal(after | {name: before[name]}, before)  # NaN where nothing is known


def test_bars_after_now_are_not_looked_at(study, bundle):
    cut = len(study.matrix.times) - 200
    now = study.matrix.times[cut].astype("datetime64[s]").item()
    values = study.matrix.values.copy()
    values[:, cut + 1 :] = 1e6
    wild = replace(study, matrix=replace(study.matrix, values=values))

    found = [measure_drift(one, bundle, now=now.replace(tzinfo=UTC)) for one in (study, wild)]

    np.testing.assert_equal(found[1], found[0])
