"""models copy and gc on the command line: what they tell, and what they refuse."""

import shutil

import pytest

from liqwarn.models.registry import Registry, RunRecord


@pytest.fixture
def registered(run, model, tmp_path):
    home = tmp_path / "home"
    registry = Registry(
        f"sqlite:///{home / 'mlflow.db'}", "demo", artifacts=home / "mlflow-artifacts"
    )
    for key in "ab":
        registry.register(model, RunRecord(name=key, key=key))
    registry.point("champion", "1", "the first")
    registry.point("challenger", "2", "newly trained")
    return registry


def test_gc_tells_what_went_and_how_many_bytes(run, given, registered, model):
    registered.register(model, RunRecord(name="c", key="c"))
    registered.point("challenger", "3", "newly trained")
    words = ("gc", "--panel", given / "panel.yaml", "--older-than", "0", "--keep", "0")

    told = run(*words).out
    done = run(*words, "--delete", "--json").json

    assert told.startswith("would delete 1 versions (2) and 1 runs, ")
    assert (done["versions"], done["kept"]) == (["2"], ["1", "3"])
    assert f"{done['size']:,} bytes" in told
    assert run(*words, "--delete", "--json").json["versions"] == []


def test_gc_spares_the_version_that_rollback_would_go_to(run, given, registered, model):
    registered.register(model, RunRecord(name="c", key="c"))
    by_hand = ("--panel", given / "panel.yaml", "--reason", "drift", "--by", "Ada")
    run("promote", "2", *by_hand)
    run("promote", "3", *by_hand)
    run("rollback", *by_hand)  # champion is 2, the one before it was 3, and back from 2 is 1
    words = ("gc", "--panel", given / "panel.yaml", "--older-than", "0", "--keep", "0", "--delete")

    assert run(*words, "--json").json["versions"] == []
    assert run("rollback", *by_hand, "--json").json["champion"] == "1"


def test_models_copy_into_another_store(run, registered, mlflow_store, tmp_path):
    shutil.copy(mlflow_store, tmp_path / "other.db")
    other = f"sqlite:///{tmp_path / 'other.db'}"

    done = run("models", "copy", "--to", other, "--json").json

    assert done["copied"][0]["versions"] == 2
    assert done["copied"][0]["aliases"] == {"champion": "1", "challenger": "2"}
    assert Registry(other, "demo").champion() == "1"
    again = run("models", "copy", "--to", other).out
    assert "0 runs, 0 versions copied" in again
    assert "no history is kept of another store than this home's" in again


def test_aliases_that_a_copy_moves_are_on_the_record(
    run, given, registered, mlflow_store, tmp_path
):
    by_hand = ("--panel", given / "panel.yaml", "--reason", "drift", "--by", "Ada")
    run("promote", "2", *by_hand)
    shutil.copy(mlflow_store, tmp_path / "other.db")
    other = f"sqlite:///{tmp_path / 'other.db'}"
    run("models", "copy", "--to", other)
    Registry(other, "demo").point("champion", "1", "there")

    done = run("models", "copy", "--from", other).out
    audited = run("audit", "models", "--panel", given / "panel.yaml", "--json").json

    assert "champion is version 1, previous is version 2; champion was 2" in done
    assert audited["champion"] == "1"
    assert f"2 to 1  copy by liqwarn models copy: copied from {other}" in audited["champions"][-1]
    assert run("rollback", *by_hand, "--json").json["champion"] == "2"


def test_copies_that_make_no_sense_are_refused_without_telling_a_password(run, tmp_path):
    assert "expected two stores" in run("models", "copy").refusal
    assert "holds nothing of liqwarn" in run("models", "copy", "--to", "http://127.0.0.1:9").refusal
    away = "postgresql://keeper:s3cret-word@127.0.0.1:9/d"
    reason = run("models", "copy", "--from", away).refusal
    assert "keeper:***@127.0.0.1:9" in reason
    assert "s3cret" not in reason
