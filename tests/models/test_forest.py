"""The forest's raw scores are those of ``Booster.predict``, bit for bit, whatever the row."""

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.errors import ModelError
from liqwarn.models.forest import Forest

N_FEATURES = 6
HARD = (
    *(0.0, -0.0, 5e-324, -5e-324, 1e-35, -1e-35, 1e-36, -2e-35, 1e308, -1e308),
    *(np.nan, np.inf, -np.inf, float(np.float32(1e-35)), -float(np.float32(1e-35))),
)


def fitted(seed, *, trees=30, **changes):
    """A model of columns with gaps, with many zeros, constant, and with few values."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(1500, N_FEATURES))
    X[:, 1] = np.where(rng.random(1500) < 0.5, 0.0, X[:, 1])
    X[:, 2] = np.where(rng.random(1500) < 0.3, np.nan, X[:, 2])
    X[:, 3] = rng.integers(-2, 3, 1500)
    X[:, 4] *= 1e-36
    y = np.nan_to_num(X[:, 0] + X[:, 2] * X[:, 1]) + rng.normal(size=1500) > 0.5
    parameters = {
        "objective": "binary",
        "num_leaves": 8,
        "extra_trees": True,
        "verbosity": -1,
        "seed": seed,
        "num_threads": 1,
        "min_data_in_leaf": 5,
        **changes,
    }
    return lgb.train(parameters, lgb.Dataset(X, y), trees)


KINDS = {
    "as ours": {},
    "large": {"num_leaves": 63},
    "no missing": {"use_missing": False},
    "zero is missing": {"zero_as_missing": True},
    "one leaf": {"min_data_in_leaf": 2000},
    "exact splits": {"extra_trees": False},
}
MODELS = {name: fitted(3, **changes) for name, changes in KINDS.items()}


def texts(*models):
    return [model.model_to_string() for model in models]


def predicted(model, X):
    return np.asarray(model.predict(X, raw_score=True, num_threads=1))


def thresholds(model):
    """Every limit of a model's trees, its neighbours, and what single precision makes of it."""
    limits = model.trees_to_dataframe()["threshold"].dropna().to_numpy(dtype=np.float64)
    with np.errstate(over="ignore"):
        rounded = limits.astype(np.float32).astype(np.float64)
    sides = (np.nextafter(limits, -np.inf), limits, np.nextafter(limits, np.inf), rounded)
    return np.unique(np.concatenate(sides))


LIMITS = {name: thresholds(m) for name, m in MODELS.items() if name != "one leaf"}
LIMITS["one leaf"] = np.array([0.0])


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_rows(name, data):
    value = st.one_of(
        st.sampled_from(HARD), st.sampled_from(LIMITS[name].tolist()), st.floats(-3, 3), st.floats()
    )
    row = st.lists(value, min_size=N_FEATURES, max_size=N_FEATURES)
    X = np.array(data.draw(st.lists(row, min_size=1, max_size=40)))

    found = Forest(texts(MODELS[name])).raw(X)

    assert found[0].tobytes() == predicted(MODELS[name], X).tobytes()


@pytest.mark.parametrize("name", KINDS)
def test_rows_on_every_limit(name):
    rng = np.random.default_rng(8)
    values = np.concatenate([LIMITS[name], HARD])
    X = rng.choice(values, size=(3000, N_FEATURES))
    forest = Forest(texts(MODELS[name]))

    found = forest.raw(X)

    assert found[0].tobytes() == predicted(MODELS[name], X).tobytes()
    few = np.concatenate([forest.raw(part) for part in np.array_split(X[:900], 300)], axis=1)
    assert few.tobytes() == found[:, :900].tobytes()


def test_a_limit_of_infinity():
    """A test for nothing but whether the value is missing."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(600, 2))
    X[rng.random(600) < 0.4, 0] = np.nan
    parameters = {"objective": "binary", "verbosity": -1, "num_threads": 1}
    model = lgb.train(parameters, lgb.Dataset(X, np.isnan(X[:, 0])), 5)
    assert "threshold=inf" in model.model_to_string()
    hard = np.array([(first, second) for first in HARD for second in HARD])

    forest = Forest(texts(model))

    assert forest.raw(hard)[0].tobytes() == predicted(model, hard).tobytes()
    one_by_one = np.concatenate([forest.raw(row[None]) for row in hard], axis=1)
    assert one_by_one[0].tobytes() == predicted(model, hard).tobytes()


@pytest.mark.parametrize("n_rows", [1, 2, 7, 8, 9, 31, 32, 33, 64, 65])
def test_any_number_of_rows(n_rows):
    X = np.random.default_rng(n_rows).normal(size=(n_rows, N_FEATURES))
    models = list(MODELS.values())

    found = Forest(texts(*models)).raw(X)

    assert found.tobytes() == np.array([predicted(model, X) for model in models]).tobytes()


def test_models_together_and_rows_one_by_one():
    X = np.random.default_rng(9).normal(size=(100, N_FEATURES))
    models = [*MODELS.values(), fitted(4, trees=7), fitted(5, trees=8), fitted(6, trees=1)]
    forest = Forest(texts(*models))

    found = forest.raw(X)

    assert forest.n_models == len(models)
    assert found.tobytes() == np.array([predicted(model, X) for model in models]).tobytes()
    one_by_one = np.concatenate([forest.raw(row[None]) for row in X], axis=1)
    assert one_by_one.tobytes() == found.tobytes()
    assert forest.raw(X[:0]).shape == (len(models), 0)
    assert forest.raw(np.asfortranarray(X)).tobytes() == found.tobytes()


def test_the_trees_of_a_model_just_trained():
    """Text holds every bit of what is in memory."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(800, 3))
    data = lgb.Dataset(X, X[:, 0] > 0.3, init_score=rng.normal(size=800))
    model = lgb.train({"objective": "binary", "verbosity": -1, "num_threads": 1}, data, 20)

    assert Forest(texts(model)).raw(X)[0].tobytes() == predicted(model, X).tobytes()


def test_rows_of_another_size():
    forest = Forest(texts(MODELS["as ours"]))
    for X in (np.zeros((2, 5)), np.zeros(6)):
        with pytest.raises(ModelError, match=r"rows have shape \(.*\), expected 6 columns"):
            forest.raw(X)
