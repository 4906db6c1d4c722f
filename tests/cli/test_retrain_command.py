"""liqwarn retrain: its exit codes, what it prints, and that a rehearsal writes nothing."""

import pytest
from filelock import FileLock


@pytest.fixture
def slow(given):
    """The market in bars of 4 h: few rows, so that a model of full size fits soon."""
    return ("--panel", given / "slow.yaml", "--data", given / "files")


def everything(home):
    return {
        path.relative_to(home).as_posix(): path.read_bytes()
        for path in home.rglob("*")
        if path.is_file()
    }


def test_a_run_beside_another_ends_with_75_and_names_the_lock(run, market_options, tmp_path):
    (tmp_path / "home" / "retrain").mkdir(parents=True)
    with FileLock(tmp_path / "home" / "retrain" / "demo.lock"):
        told = run("retrain", *market_options)

    assert told.code == 75
    assert told.out == ""
    assert "another liqwarn retrain holds the lock" in told.err
    assert "wait until it has ended" in told.err
    assert "demo.lock" in told.err


def test_a_rehearsal_then_the_run_then_a_stop_for_stale_data(run, slow, tmp_path):
    home = tmp_path / "home"
    before = everything(home)

    would = run("retrain", *slow, "--dry-run", "--json").json

    assert everything(home) == before
    assert (would["action"], would["champion"], would["dry_run"]) == ("first", "", True)

    done = run("retrain", *slow, "--json").json
    again = run("retrain", *slow)

    assert (done["action"], done["champion"], done["run"]) == ("first", "1", would["run"])
    assert (tmp_path / done["report"]).read_text().startswith("<!doctype html>")
    assert again.code == 0
    assert "nothing new; champion is version 1" in again.out
    assert again.out.splitlines()[1].startswith("  this data was judged at")

    stale = run("retrain", *slow, "--seed", 1, "--json")

    assert stale.code == 3
    assert '"action":"stopped"' in stale.out
    assert "stale: the newest bar closed 2022-04-01" in stale.out

    before = everything(home)
    rehearsed = run("retrain", *slow, "--seed", 1, "--dry-run")

    assert everything(home) == before
    assert rehearsed.code == 3
    assert "would stop; champion is version 1" in rehearsed.out


def test_a_release_needs_a_key_and_a_policy_that_can_be_read(run, slow, tmp_path):
    assert run("retrain", *slow, "--release", tmp_path / "r").code == 2
    policy = tmp_path / "policy.yaml"
    policy.write_text("nonsense: 1\n")

    told = run("retrain", *slow, "--release", tmp_path / "r", "--key", "k", "--policy", policy)

    assert "policy.yaml" in told.refusal
    assert not (tmp_path / "home" / "retrain").exists()
