"""The model: coherent, repeatable, explained; and a damaged one is never loaded."""

import runpy
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import lightgbm as lgb
import numpy as np
import orjson
import pytest

from liqwarn.errors import ModelError
from liqwarn.models.calibration import hazards
from liqwarn.models.cascade import CascadeModel
from liqwarn.models.evaluation import EvaluationPlan, model_maker
from liqwarn.models.metrics import log_odds
from liqwarn.models.model_files import MANIFEST, write_folder
from liqwarn.models.ranking import roc_auc

synthetic = runpy.run_path(str(Path(__file__).with_name("synthetic.py")))
rows_of, SMALL = synthetic["rows_of"], replace(synthetic["SMALL"], seeds=1)


@pytest.fixture(scope="module")
def rows():
    return rows_of(days=60)


@pytest.fixture(scope="module")
def model(rows):
    return CascadeModel(SMALL, seed=5).fit(rows)


@pytest.fixture(scope="module")
def later():
    return rows_of(seed=6, days=30, start="2024-06-01")


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved") / "model"
    model.save(folder)
    return folder


def test_probabilities_find_the_planted_skill_and_are_coherent(model, later):
    p = model.predict_proba(later.X)

    assert p.shape == (len(later), 2, 3)
    assert ((p >= 0) & (p <= 1)).all()
    assert (np.diff(p, axis=2) >= 0).all()
    assert roc_auc(later.outcome(0, 1), p[:, 0, 1]) > 0.7
    assert roc_auc(later.outcome(1, 1), p[:, 1, 1]) > 0.7


def test_noise_teaches_nothing(later):
    blind = CascadeModel(SMALL).fit(rows_of(days=60, skill=0.0))
    noise = rows_of(seed=6, days=30, skill=0.0)

    p = blind.predict_proba(noise.X)

    assert abs(roc_auc(noise.outcome(0, 2), p[:, 0, 2]) - 0.5) < 0.06
    assert p[:, 0, 2].max() < 0.4  # calibration keeps it near the base rate of 0.1


def test_one_row_is_the_batch_bit_for_bit(model, later):
    whole = model.predict_proba(later.X)
    raw = model.raw(later.X)

    for k in range(0, len(later), 97):
        np.testing.assert_array_equal(model.predict_proba(later.X[k : k + 1])[0], whole[k])
        np.testing.assert_array_equal(model.raw(later.X[k : k + 1])[0], raw[k])
    np.testing.assert_array_equal(model.predict_proba(later.X[13:1000]), whole[13:1000])


def test_the_same_seed_and_rows_give_the_same_files(model, rows, tmp_path):
    again = CascadeModel(SMALL, seed=5).fit(rows)
    other = CascadeModel(SMALL, seed=6).fit(rows)

    assert again.save(tmp_path / "again") == model.save(tmp_path / "first")
    assert other.save(tmp_path / "other") != model.sha256_


def test_it_is_the_arithmetic_that_was_evaluated(model, rows, later):
    evaluated = model_maker(EvaluationPlan(settings=SMALL))(5).fit(rows)

    np.testing.assert_array_equal(evaluated.predict_proba(later), model.predict_proba(later.X))
    np.testing.assert_array_equal(evaluated.training_p_, model.training_p_)


def test_what_it_says_of_its_training(model, rows):
    assert model.trained_until_ == rows.end.max()
    assert model.names_ == rows.names
    np.testing.assert_allclose(model.base_rate_, rows.y.mean(axis=0))
    assert np.isnan(model.training_p_[0]).all()
    assert np.isfinite(model.training_p_[-1]).all()


def test_a_missing_feature_counts_as_nan(model, later):
    where = later.names.index("basis")
    fewer = later.without(["basis"])
    X = later.X.copy()
    X[:, where] = np.nan

    found = model.predict_proba(fewer.X, fewer.names)

    np.testing.assert_array_equal(found, model.predict_proba(X))
    assert np.isfinite(found).all()


def test_columns_are_taken_by_name_and_not_by_place(model, later):
    turned = later.X[:, ::-1]

    found = model.predict_proba(turned, later.names[::-1])

    np.testing.assert_array_equal(found, model.predict_proba(later.X))


def test_a_column_that_is_no_feature_is_named(model, later):
    X = np.column_stack([later.X, later.X[:, :1]])

    with pytest.raises(ModelError, match=r"columns \['moon_phase'\] are not features"):
        model.predict_proba(X, (*later.names, "moon_phase"))


@pytest.mark.parametrize("shape", [(3,), (3, 2)])
def test_rows_of_another_shape_are_refused(model, shape):
    with pytest.raises(ModelError, match=r"rows have shape .* expected 9 columns"):
        model.predict_proba(np.zeros(shape))


def test_contributions_of_one_interval_add_up_to_the_log_odds(rows, later):
    model = CascadeModel(SMALL, seed=5).fit(rows.at_horizon(4))

    added = model.contributions(later.X[:40]).sum(axis=2)

    p = model.predict_proba(later.X[:40])[:, :, 0]
    assert np.ptp(log_odds(p) - added, axis=0).max() < 1e-9  # what is left is one for every row


def test_contributions_weigh_the_intervals_up_to_four_hours_by_their_share(model, later):
    X = later.X[:40]
    hazard = hazards(model.platts_, model.raw(X))[:, 0, :2]
    share = hazard / model.predict_proba(X)[:, 0, 1:2]
    each = [model.trees_.contributions(X, "long", hours) for hours in (1, 4)]
    slopes = [model.platts_[0][h].slope for h in (0, 1)]

    found = model.contributions(X)[:, 0]

    expected = sum(slopes[h] * share[:, h, None] * each[h] for h in (0, 1))
    np.testing.assert_allclose(found, expected, atol=1e-12)
    np.testing.assert_array_equal(model.contributions(X[7:8])[0], model.contributions(X)[7])


def test_drivers_are_the_strongest_first(model, later):
    X = later.X[:40]
    every = model.drivers(X, top=len(later.names))

    for row, full in zip(model.drivers(X, top=2), every, strict=True):
        for side, whole in zip(row, full, strict=True):
            assert side == whole[:2]
            strengths = [abs(value) for _, value in whole]
            assert strengths == sorted(strengths, reverse=True)
            assert sorted(name for name, _ in whole) == sorted(later.names)


def test_the_planted_column_drives_the_sides_apart(model, later):
    alarmed = np.argsort(later.column("basis"))[-20:]

    for long, short in model.drivers(later.X[alarmed], top=len(later.names)):
        assert long[0][0] == "basis"
        assert long[0][1] > 0
        assert dict(short)["basis"] < dict(long)["basis"] - 1.0


def test_a_horizon_shorter_than_the_bars_is_nan_and_stays_so_on_disk(tmp_path):
    rows = rows_of(days=250, bar=timedelta(hours=4))
    model = CascadeModel(SMALL).fit(rows)
    model.save(tmp_path)

    loaded = CascadeModel.load(tmp_path)
    p = loaded.predict_proba(rows.X)

    assert np.isnan(p[:, :, 0]).all()
    assert (p[:, :, 1] <= p[:, :, 2]).all()
    assert np.isnan(loaded.base_rate_[:, 0]).all()
    np.testing.assert_array_equal(p, model.predict_proba(rows.X))
    assert len(loaded.drivers(rows.X[:2])) == 2


def test_a_loaded_model_gives_the_same_bits(model, saved, later):
    loaded = CascadeModel.load(saved)

    np.testing.assert_array_equal(loaded.predict_proba(later.X), model.predict_proba(later.X))
    assert loaded.drivers(later.X[:5]) == model.drivers(later.X[:5])
    np.testing.assert_array_equal(loaded.base_rate_, model.base_rate_)
    assert loaded.trained_until_ == model.trained_until_
    strange = later.X[:5] * 1e6
    assert loaded.novelty_.novel(strange).all()
    np.testing.assert_array_equal(loaded.novelty_.score(strange), model.novelty_.score(strange))
    assert loaded.sha256_ == model.sha256_


@pytest.mark.parametrize("seeds", [1, 2])
def test_a_loaded_model_saves_as_it_was_saved(rows, later, seeds, tmp_path):
    model = CascadeModel(replace(SMALL, seeds=seeds, milder_trees=5)).fit(rows.take(slice(0, 1500)))
    digest = model.save(tmp_path / "first")

    again = CascadeModel.load(tmp_path / "first").save(tmp_path / "second")

    assert again == digest
    found = CascadeModel.load(tmp_path / "second").predict_proba(later.X)
    np.testing.assert_array_equal(found, model.predict_proba(later.X))


def test_nothing_in_the_folder_is_a_pickle(saved):
    for path in saved.iterdir():
        assert path.suffix in (".txt", ".json")
        assert path.read_bytes()[:1] not in (b"\x80", b"(")
        path.read_text(encoding="utf-8")


class Parsed(Exception):  # noqa: N818  not an error of ours: LightGBM was reached
    """LightGBM was asked to parse something."""


def tamper(folder, rng):
    """Cut, flip, delete or swap a file."""
    files = sorted(folder.iterdir())
    path, other = (files[k] for k in rng.choice(len(files), size=2, replace=False))
    content = path.read_bytes()
    at = int(rng.integers(len(content)))
    kind = str(rng.choice(["cut", "flip", "delete", "swap"]))
    if kind == "cut":
        path.write_bytes(content[:at])
    elif kind == "flip":
        path.write_bytes(content[:at] + bytes([content[at] ^ (1 << at % 8)]) + content[at + 1 :])
    elif kind == "delete":
        path.unlink()
    else:
        path.write_bytes(other.read_bytes())
        other.write_bytes(content)


@pytest.mark.parametrize("seed", range(50))
def test_a_tampered_folder_is_refused_before_lightgbm_sees_it(saved, tmp_path, monkeypatch, seed):
    """A cut text kills the process that parses it, so parsing must not even begin."""

    def parse(*_, **__):
        raise Parsed

    folder = tmp_path / "model"
    shutil.copytree(saved, folder)
    tamper(folder, np.random.default_rng(seed))
    monkeypatch.setattr(lgb, "Booster", parse)

    with pytest.raises(ModelError, match=r"model (file|manifest|\S+ has schema)"):
        CascadeModel.load(folder)


def test_the_tripwire_of_the_tampering_test_works(saved, monkeypatch):
    def parse(*_, **__):
        raise Parsed

    monkeypatch.setattr(lgb, "Booster", parse)

    with pytest.raises(Parsed, match=r"^$"):
        CascadeModel.load(saved)


def rewritten(saved, folder, change):
    """A copy of the model with `change` done to its files and a manifest that agrees with it."""
    files = {p.name: p.read_bytes() for p in saved.iterdir() if p.name != MANIFEST}
    change(files)
    write_folder(folder, files)
    return folder


def drop(*names):
    def change(files):
        for name in names:
            del files[name]

    return change


def forget(key):
    def change(files):
        content = orjson.loads(files["calibrator.json"])
        del content[key]
        files["calibrator.json"] = orjson.dumps(content)

    return change


def rename(files):
    names = orjson.loads(files["features.json"])
    files["features.json"] = orjson.dumps([*names[1:], names[0]])


@pytest.mark.parametrize(
    "change",
    [
        drop("calibrator.json"),
        drop("features.json"),
        drop("novelty.json"),
        drop("onset_4h_0.txt"),
        drop("milder_4h_0.txt"),
        *(forget(key) for key in ("platts", "horizons_h", "base_rate", "trained_until", "trees")),
    ],
)
def test_a_whole_folder_with_something_left_out_is_incomplete(saved, tmp_path, change):
    folder = rewritten(saved, tmp_path / "model", change)

    with pytest.raises(ModelError, match="is incomplete"):
        CascadeModel.load(folder)


def test_trees_of_other_features_are_refused(saved, tmp_path):
    folder = rewritten(saved, tmp_path / "model", rename)

    with pytest.raises(ModelError, match="trees of other features"):
        CascadeModel.load(folder)


def test_a_folder_that_is_not_there_says_so(tmp_path):
    with pytest.raises(ModelError, match="cannot read model file"):
        CascadeModel.load(tmp_path / "nowhere")


def test_an_unfitted_model_says_so(tmp_path):
    for use in (
        lambda m: m.predict_proba(np.zeros((1, 1))),
        lambda m: m.drivers(np.zeros((1, 1))),
        lambda m: m.save(tmp_path / "x"),
    ):
        with pytest.raises(ModelError, match="this model is not fitted"):
            use(CascadeModel())
    assert not (tmp_path / "x").exists()
