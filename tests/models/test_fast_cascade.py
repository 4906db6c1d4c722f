"""The model for live says what the model says, bit for bit."""

import runpy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.errors import ModelError
from liqwarn.models.calibration import Platt
from liqwarn.models.cascade import CascadeModel
from liqwarn.models.fast_cascade import FastCascade

synthetic = runpy.run_path(str(Path(__file__).with_name("synthetic.py")))
rows_of, SMALL = synthetic["rows_of"], synthetic["SMALL"]
N_FEATURES = len(synthetic["FAMILIES"])
HARD = (0.0, -0.0, 5e-324, 1e-36, 1e308, -1e308, np.nan, np.inf, -np.inf)


def same(found, expected):
    """Equal bit for bit, with every NaN taken as the same."""
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    assert np.nan_to_num(found).tobytes() == np.nan_to_num(expected).tobytes()


def fitted(seeds=1, bar=timedelta(hours=1), **changes):
    rows = rows_of(days=90 if bar > timedelta(hours=1) else 60, bar=bar, **changes)
    return CascadeModel(replace(SMALL, seeds=seeds), seed=5).fit(rows)


@pytest.fixture(scope="module")
def models():
    alone = fitted()
    alone.platts_ = [[alone.platts_[0][0], Platt(0.0, -2.0), Platt(np.nan, np.nan)]] * 2
    untaught = fitted()
    untaught.trees_.boosters_ = {
        key: booster
        for key, booster in untaught.trees_.boosters_.items()
        if key not in {("milder", 1, 0), ("onset", 4, 0)}
    }
    models = {
        "as fitted": fitted(),
        "three seeds": fitted(seeds=3),
        "bars of 4 h": fitted(bar=timedelta(hours=4)),
        "other calibration": alone,
        "some trees missing": untaught,
    }
    return {name: (model, FastCascade(model)) for name, model in models.items()}


NAMES = ("as fitted", "three seeds", "bars of 4 h", "other calibration", "some trees missing")


@pytest.mark.parametrize("name", NAMES)
def test_ordinary_rows(models, name):
    model, fast = models[name]
    X = rows_of(seed=6, days=10, start="2024-06-01").X

    raw = model.raw(X)

    assert np.isfinite(raw).any()
    same(fast.raw(X), raw)
    same(fast.calibrated(raw), model.calibrated(raw))
    same(fast.predict_proba(X), model.predict_proba(X))
    for row in X[:20]:
        same(fast.predict_proba(row[None]), model.predict_proba(row[None]))


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_any_rows(models, data):
    model, fast = models[data.draw(st.sampled_from(NAMES))]
    value = st.sampled_from(HARD) | st.floats(-3, 3) | st.floats()
    row = st.lists(value, min_size=N_FEATURES, max_size=N_FEATURES)
    X = np.array(data.draw(st.lists(row, min_size=1, max_size=8)))

    same(fast.raw(X), model.raw(X))
    same(fast.predict_proba(X), model.predict_proba(X))


def test_a_model_of_which_nothing_is_known(models):
    """No trees at all, as where there was no event to learn from."""
    model = fitted()
    model.trees_.boosters_ = {}
    X = rows_of(seed=6, days=2).X

    assert np.isnan(FastCascade(model).raw(X)).all()
    same(FastCascade(model).predict_proba(X), model.predict_proba(X))


def test_without_a_volatility_column():
    model = fitted()
    dropped = model.names_.index("rv_6h")
    model.names_ = model.trees_.names_ = tuple(
        "other" if k == dropped else name for k, name in enumerate(model.names_)
    )
    X = rows_of(seed=6, days=2).X

    same(FastCascade(model).raw(X), model.raw(X))


def test_a_loaded_model(models, tmp_path):
    model, fast = models["as fitted"]
    model.save(tmp_path / "model")
    X = rows_of(seed=6, days=2).X

    same(FastCascade(CascadeModel.load(tmp_path / "model")).raw(X), fast.raw(X))


def test_no_rows_and_rows_of_another_size(models):
    _, fast = models["as fitted"]

    assert fast.predict_proba(np.empty((0, N_FEATURES))).shape == (0, 2, 3)
    with pytest.raises(ModelError, match=r"rows have shape \(2, 3\), expected 9 columns"):
        fast.raw(np.zeros((2, 3)))
    with pytest.raises(ModelError, match="this model is not fitted"):
        FastCascade(CascadeModel())
