"""Retraining: once for the same data, one at a time, whole after a crash, and never silent."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import mlflow
import numpy as np
import orjson
import pytest
from filelock import FileLock

from liqwarn.errors import LockHeldError, StoreError
from liqwarn.models import gate
from liqwarn.models.bundle import load_bundle
from liqwarn.models.model_files import SCHEMA
from liqwarn.models.registry import RunRecord
from liqwarn.pipelines.alias_moves import history_of
from liqwarn.pipelines.champion import open_champion, registry_of
from liqwarn.pipelines.ledger import read_account
from liqwarn.pipelines.policy_versions import PolicyVersions
from liqwarn.pipelines.retrain import RetrainOrder, retrain, run_key
from liqwarn.pipelines.retrain_journal import journal_of
from liqwarn.pipelines.train import TrainOrder, fit_bundle

UNTIL = datetime(2022, 4, 1, tzinfo=UTC)
PRESENT = datetime(2022, 7, 1, tzinfo=UTC)  # a day after the market ends


class KilledError(Exception):
    """What a test stops a run with."""


@pytest.fixture(scope="module")
def order(small):
    return TrainOrder(settings=replace(small, milder_trees=15, onset_trees=25, feature_frac=1.0))


@pytest.fixture
def go(order, settings, now):
    """Retrain on a study."""

    def once(study, *, at=now, on_progress=None, settings=settings, rederive=None):
        extra = {} if on_progress is None else {"on_progress": on_progress}
        asked = replace(RetrainOrder.of(order), rederive=rederive)
        return retrain("demo", lambda: (study, ()), asked, settings, now=at, **extra)

    return once


@pytest.fixture(scope="module")
def weak(thin, small, tmp_path_factory):
    """The bundle of a model that saw a third of the history and may barely try."""
    folder = tmp_path_factory.mktemp("weak") / "model"
    how = TrainOrder(until=UNTIL, settings=replace(small, milder_trees=1, onset_trees=1, leaves=2))
    fit_bundle(thin, (), how, folder)
    return folder


def crown(bundle, settings):
    """Make a bundle champion, as if somebody had done so past us."""
    registry = registry_of("demo", settings)
    registry.point("champion", registry.register(bundle, RunRecord(name="weak")).version, "weak")


@pytest.fixture
def no_edge(monkeypatch):
    """A gate that takes no offence at sharp scores: made-up outcomes have no slow weather."""
    monkeypatch.setattr(gate, "EDGE", 1.0)
    monkeypatch.setattr(gate, "TOO_GOOD", 1.0)


@pytest.fixture(scope="module")
def telling(thin):
    """The study with made-up outcomes that two features tell of: its challenger must win."""
    rng = np.random.default_rng(2)
    labels, shape = thin.labels, thin.labels.y.shape
    happens = rng.random(shape) < np.array([0.02, 0.05, 0.1])
    y = np.where(np.isnan(labels.y), np.nan, np.maximum.accumulate(happens, axis=3))
    values = np.array(thin.matrix.values)
    values[:, :, -2:] = 2.0 * np.nan_to_num(y[..., 1]) + rng.normal(size=shape[:3])
    matrix = replace(thin.matrix, values=values)
    running = np.zeros_like(labels.running)
    made_up = replace(labels, y=y, running=running)
    return replace(thin, matrix=matrix, labels=made_up, milder=made_up)


def versions(settings):
    client = mlflow.MlflowClient(settings.mlflow_uri, settings.mlflow_uri)
    return sorted(v.version for v in client.search_model_versions("name='liqwarn-demo'"))


def logged(client, kind):
    (experiment,) = client.search_experiments(filter_string="name='liqwarn-demo'")
    return client.search_runs([experiment.experiment_id], f"tags.liqwarn.kind = '{kind}'")


def moves(settings):
    return [
        (one.move.alias, one.move.before, one.move.after, one.move.action, one.state)
        for one in history_of("demo", settings).moves()
    ]


def ledger(settings):
    return settings.home / "retrain" / "demo.jsonl"


def steps(settings):
    return [one["step"] for one in journal_of("demo", settings.home).lines()]


def test_the_first_model_becomes_champion_and_the_same_data_changes_nothing(
    go, thin, settings, now
):
    first = go(thin)
    line = ledger(settings).read_bytes()
    again = go(thin, at=now + timedelta(days=1))

    assert (first.action, first.champion) == ("first", "1")
    assert first.reasons == ("no champion before: the first model becomes champion",)
    assert (again.action, again.champion, again.run) == ("nothing new", "1", first.run)
    assert "this data was judged at 2024-01-01" in again.reasons[0]
    assert versions(settings) == [1]
    assert moves(settings) == [("champion", None, "1", "first", "done")]
    assert ledger(settings).read_bytes() == line
    assert steps(settings) == ["started", "data", "quality", "trained", "registered", "moved",
                               "finished"]  # fmt: skip
    assert {orjson.loads(one)["run"] for one in line.splitlines()} == {first.run}


def test_a_second_run_at_the_same_time_is_refused_and_names_the_lock(go, thin, settings):
    """The second one starts while the first is reading its files."""
    refused = []

    def meanwhile():
        with pytest.raises(LockHeldError, match=r"another .* holds the lock .*demo\.lock"):
            go(thin)
        refused.append(True)

    lock = FileLock(settings.home / "retrain" / "demo.lock")
    (settings.home / "retrain").mkdir()
    with lock:
        other = threading.Thread(target=meanwhile)
        other.start()
        other.join()

    assert refused == [True]
    assert not ledger(settings).exists()


@pytest.mark.usefixtures("no_edge")
def test_a_better_challenger_is_promoted_with_reasons(
    go, telling, weak, settings, given_market, monkeypatch
):
    crown(weak, settings)
    monkeypatch.setattr("liqwarn.policy.threshold_curve.LEAST_ALARMS", 2)

    done = go(telling, at=PRESENT, rederive=given_market.policy_file)

    assert (done.action, done.champion) == ("promoted", "2"), done.reasons
    assert all("over the champion" in reason for reason in done.reasons)
    assert registry_of("demo", settings).champion() == "2"
    assert moves(settings) == [
        ("challenger", None, "2", "retrain", "done"),
        ("champion", "1", "2", "retrain", "done"),
    ]
    client = mlflow.MlflowClient(settings.mlflow_uri, settings.mlflow_uri)
    noted = client.get_model_version("liqwarn-demo", "2").tags["promoted"]
    assert noted == "; ".join(done.reasons)
    (judged,) = logged(client, "judge")
    assert judged.data.tags["liqwarn.run"] == done.run
    curve = client.get_metric_history(judged.info.run_id, "fold/long_4h_pr_auc")
    assert 0 < len(curve) <= len(logged(client, "fold"))
    assert (
        open_champion("demo", settings).training.trained_until
        > load_bundle(weak, version="1").training.trained_until
    )
    (told,) = (one for one in journal_of("demo", settings.home).lines() if one["step"] == "judged")
    in_force = PolicyVersions("demo", given_market.policy_file, settings).in_force()
    shown = read_account(settings, "demo")["champion"]["shown"]
    evidence = told["figures"]["evidence"]
    assert [one["value"] for one in shown] == [one["roc_auc"] for one in evidence]
    assert all(one["low"] < one["value"] for one in shown)
    assert told["figures"]["policy"]["changed"]
    assert told["figures"]["policy"]["version"] == in_force.policy.version == "1.1.0"


def test_a_challenger_without_an_edge_keeps_the_champion_and_says_why(
    go, thin, weak, settings, given_market
):
    """Features of other rows: nothing to learn."""
    crown(weak, settings)
    values = np.array(thin.matrix.values)
    np.random.default_rng(2).shuffle(values, axis=1)
    blind = replace(thin, matrix=replace(thin.matrix, values=values))

    done = go(blind, at=PRESENT, rederive=given_market.policy_file)

    assert not (settings.home / "policies").exists()
    assert (done.action, done.champion) == ("kept", "1")
    assert any("not better than HAR" in reason for reason in done.reasons)
    assert versions(settings) == [1]
    assert go(blind).action == "nothing new"


def stop_at(stage):
    def tell(now_at, done, total):
        if now_at == stage and done == total:
            raise KilledError

    return tell


def test_a_first_run_killed_after_it_registered_is_finished_without_registering_twice(
    go, thin, settings
):
    with pytest.raises(KilledError) as kept:
        go(thin, on_progress=stop_at("register"))
    assert versions(settings) == [1]
    assert steps(settings)[-1] == "trained"

    done = go(thin)  # the lock is free, though `kept` keeps the frames of the run alive

    assert kept.traceback

    assert done.champion == "1"
    assert "interrupted" in done.reasons[0]
    assert versions(settings) == [1]
    assert go(thin).action == "nothing new"


def test_a_later_run_killed_after_it_registered_is_finished_without_registering_twice(
    go, telling, weak, settings, no_edge
):
    crown(weak, settings)
    with pytest.raises(KilledError):
        go(telling, at=PRESENT, on_progress=stop_at("register"))
    assert versions(settings) == [1, 2]
    assert registry_of("demo", settings).champion() == "1"

    done = go(telling, at=PRESENT)

    assert (done.action, done.champion) == ("promoted", "2")
    assert versions(settings) == [1, 2]


def test_a_version_without_alias_of_a_killed_run_is_mended_by_the_next_run(
    go, thin, weak, settings
):
    """The next run has newer data, so another key, and judges for itself."""
    crown(weak, settings)
    registry = registry_of("demo", settings)
    registry.register(weak, RunRecord(name="left", key="of a killed run"))

    done = go(thin)

    assert done.action == "stopped"
    assert "stale: the newest bar closed 2022-06-30" in done.reasons[0]
    assert "mended: version 2 was registered and had no alias" in done.notes
    assert registry.alias("challenger") == "2"
    assert registry.champion() == "1"
    assert steps(settings) == ["started", "data", "quality", "stopped"]
    assert go(thin).notes == ()  # checked again, and nothing left to mend


def test_a_run_killed_while_training_leaves_nothing(go, thin, settings):
    with pytest.raises(KilledError):
        go(thin, on_progress=stop_at("train"))

    assert versions(settings) == []
    assert steps(settings)[-1] == "trained"
    assert go(thin).action == "first"


def test_a_champion_of_another_format_is_replaced_and_the_reason_kept(go, thin, weak, settings):
    crown(weak, settings)
    (manifest,) = (settings.home / "mlflow-artifacts").rglob("model/manifest.json")
    manifest.write_bytes(manifest.read_bytes().replace(SCHEMA.encode(), b"liqwarn.model/1"))

    done = go(thin)

    assert (done.action, done.champion) == ("first", "2")
    assert "cannot be used any more" in done.reasons[0]
    assert "train it again" in done.reasons[0]


def test_an_unreadable_ledger_is_refused_rather_than_forgotten(go, thin, settings):
    (settings.home / "retrain").mkdir()
    ledger(settings).write_text("{\n")

    with pytest.raises(StoreError, match=r"demo\.jsonl: unreadable line 1 in the ledger"):
        go(thin)


def test_a_run_is_its_data_panel_and_settings_and_not_its_time(thin, order):
    market = thin.market
    key = run_key(thin, (), order)

    others = {
        run_key(replace(thin, market=replace(market, data_sha256="0")), (), order),
        run_key(replace(thin, market=replace(market, panel_sha256="0")), (), order),
        run_key(thin, (thin,), order),
        run_key(thin, (), replace(order, seed=1)),
        run_key(thin, (), replace(order, until=UNTIL)),
        run_key(thin, (), replace(order, settings=None)),
    }

    assert run_key(thin, (), replace(order, threads=3)) == key
    assert len(others) == 6
    assert key not in others
