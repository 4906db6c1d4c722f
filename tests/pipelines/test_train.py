"""Training: only outcomes known by then, logged, registered, the first one champion."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime

import mlflow
import numpy as np
import pytest

from liqwarn.config import Settings
from liqwarn.errors import ConfigError, ModelError
from liqwarn.frames import SIDES
from liqwarn.models.bundle import load_bundle
from liqwarn.pipelines.champion import open_champion, registry_of
from liqwarn.pipelines.train import TrainOrder, fit_bundle, train

UNTIL = datetime(2022, 5, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def fitted(study, small, tmp_path_factory):
    order = TrainOrder(until=UNTIL, settings=small)
    folder = tmp_path_factory.mktemp("fitted") / "b"
    return order, folder, fit_bundle(study, (), order, folder)


def test_only_outcomes_known_by_then_train(fitted):
    _, _, (model, rows, _) = fitted

    assert rows.end.max() <= np.datetime64("2022-05-01T00:00:00")
    assert rows.end.max() > np.datetime64("2022-04-30T00:00:00")
    assert model.trained_until_ == rows.end.max()


def test_the_record_says_what_it_was_trained_on(bundle, study, small):
    training = bundle.training

    assert training.panel == "demo"
    assert training.trained_until <= UNTIL
    assert training.data_sha256 == study.market.data_sha256
    assert training.panel_sha256 == study.market.panel_sha256
    assert 0 < training.events < len(study.events)
    assert training.settings["milder_trees"] == small.milder_trees
    assert list(bundle.history.columns) == ["symbol", "time", "long", "short"]
    assert bundle.history["time"].max() <= training.trained_until


def test_nothing_was_known_after_the_data_ends(study, small, tmp_path):
    _, rows, _ = fit_bundle(study, (), TrainOrder(settings=small), tmp_path / "b")
    last = study.market.frame.times[-1]

    assert rows.end.max() > last  # of a row's longest outcome, which is not known yet
    until = load_bundle(tmp_path / "b", version="1").training.trained_until
    assert np.datetime64(until.replace(tzinfo=None), "s") == last


def test_the_same_order_gives_the_same_model(fitted, study, tmp_path):
    order, folder, (_, _, digest) = fitted

    _, _, again = fit_bundle(study, (), order, tmp_path / "again")

    assert again == digest
    for file in sorted(p for p in folder.rglob("*") if p.is_file()):
        assert (tmp_path / "again" / file.relative_to(folder)).read_bytes() == file.read_bytes()


def test_outcomes_after_the_day_leave_no_trace(fitted, build, tmp_path):
    """The same bundle but for the hash of the data, whatever happened later."""
    order, _, (_, _, digest) = fitted

    def cut(table, _symbol):
        return table.iloc[: 24 * 130]

    _, _, found = fit_bundle(build(cut), (), order, tmp_path / "b")

    assert found == digest


def test_a_day_before_any_outcome_leaves_nothing_to_train_on(study, small, tmp_path):
    order = TrainOrder(until=datetime(2021, 1, 1, tzinfo=UTC), settings=small)

    with pytest.raises(ModelError, match=r"no outcome was known by 2021-01-01.*nothing to train"):
        fit_bundle(study, (), order, tmp_path / "b")


@pytest.mark.parametrize("side", [0, 1])
def test_rows_in_which_nothing_happened_on_a_side_do_not_train(side, study, small, tmp_path):
    y = np.array(study.labels.y)
    y[:, :, side] = np.where(np.isnan(y[:, :, side]), np.nan, 0.0)
    calm = replace(study, labels=replace(study.labels, y=y))

    told = (
        rf"panel 'demo': none of [\d,]+ rows .* side '{SIDES[side]}' at 4 h, "
        "expected one at least: give a longer history or more symbols"
    )
    with pytest.raises(ModelError, match=told):
        fit_bundle(calm, (), TrainOrder(settings=small), tmp_path / "b")

    assert not (tmp_path / "b").exists()


def test_a_panel_without_open_interest_cannot_train(build, small, tmp_path):
    def without(table, _symbol):
        return table.assign(open_interest=np.nan).iloc[: 24 * 30]

    with pytest.raises(ConfigError, match="labels need open interest"):
        fit_bundle(build(without), (), TrainOrder(settings=small), tmp_path / "b")


def test_rows_of_another_panel_of_the_same_assets_are_not_counted_twice(fitted, study, tmp_path):
    order, _, (_, rows, _) = fitted

    _, both, _ = fit_bundle(study, (study,), order, tmp_path / "b")

    assert len(both) == len(rows)


def test_bars_of_another_length_are_refused(study, small, tmp_path):
    matrix = study.matrix
    bar = matrix.bar * 2
    half = slice(1, None, 2)
    labels, milder = (
        replace(
            given,
            bar=bar,
            times=given.times[half],
            y=given.y[:, half],
            end=given.end[half],
            running=given.running[:, half],
        )
        for given in (study.labels, study.milder)
    )
    few = replace(matrix, bar=bar, times=matrix.times[half], values=matrix.values[:, half])
    other = replace(study, matrix=few, labels=labels, milder=milder)

    with pytest.raises(ModelError, match="2:00:00 bars"):
        fit_bundle(study, (other,), TrainOrder(settings=small), tmp_path / "b")


@pytest.fixture(scope="module")
def trained(study, small, mlflow_store, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    shutil.copy(mlflow_store, home / "mlflow.db")
    settings = Settings(home=home, mlflow_uri=f"sqlite:///{home / 'mlflow.db'}")
    order = TrainOrder(until=UNTIL, settings=small)
    return settings, [
        train(study, (), order, settings, run=("one", UNTIL)),
        train(study, (), replace(order, seed=5), settings, run=("two", UNTIL)),
    ]


def test_the_first_model_becomes_champion_and_the_next_challenger(trained):
    settings, (first, second) = trained

    assert (first.version, first.champion) == ("1", True)
    assert (second.version, second.champion) == ("2", False)
    assert first.sha256 != second.sha256
    assert registry_of("demo", settings).champion() == "1"
    assert open_champion("demo", settings).stamp.sha256 == first.sha256


def test_what_was_trained_is_told_in_a_line(trained):
    _, (first, second) = trained

    assert first.to_text().startswith("version 1 (champion), ")
    assert second.to_text().startswith("version 2 (challenger), ")
    assert "\n" not in first.to_text()
    assert first.to_dict()["positives"] == first.positives
    assert min(first.positives.values()) > 0


def test_a_run_is_logged_with_settings_hashes_skill_and_plot(trained, study, small):
    settings, (first, _) = trained
    client = mlflow.MlflowClient(settings.mlflow_uri, settings.mlflow_uri)
    version = client.get_model_version("liqwarn-demo", "1")
    run = client.get_run(version.run_id)

    assert run.data.params["milder_trees"] == str(small.milder_trees)
    assert run.data.tags["data_sha256"] == study.market.data_sha256
    assert run.data.tags["panel_sha256"] == study.market.panel_sha256
    assert run.data.tags["model_sha256"] == first.sha256
    assert 0.0 < run.data.metrics["long_4h_oof_pr_auc"] <= 1.0
    assert run.data.metrics["rows"] == first.rows
    assert "reliability.png" in [f.path for f in client.list_artifacts(version.run_id)]
