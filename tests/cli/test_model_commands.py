"""evaluate, train, score, report, retrain: the thread from files to flags, and its refusals."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pandas as pd
import pytest

from liqwarn.cli.model_commands import utc


@pytest.fixture
def scored(run, market_options, model, tmp_path):
    out = tmp_path / "scoring"
    words = ("score", *market_options, "--model", model, "--from", "2022-03-20", "--out", out)
    return out, words, run(*words, "--json").json


def test_a_date_is_utc():
    assert utc(datetime(2024, 5, 1)) == datetime(2024, 5, 1, tzinfo=UTC)  # noqa: DTZ001  Typer's
    assert utc(None) is None


def test_score_writes_flags_and_the_second_time_nothing_is_new(run, scored):
    out, words, first = scored
    before = {p.name: p.read_bytes() for p in out.iterdir()}

    again = run(*words, "--json").json

    assert first["new_bars"] == 12 * 24 + 1
    assert again["new_bars"] == 0
    assert again["flags"] == first["flags"]
    assert {p.name: p.read_bytes() for p in out.iterdir()} == before
    assert orjson.loads((out / "flags.json").read_bytes())["flags"] == first["flags"]


def test_score_as_text_tells_the_flags(run, scored):
    told = run(*scored[1])

    assert told.code == 0
    assert "BTCUSDT" in told.out
    assert "0 new bars" in told.out


def test_report_writes_the_page(run, scored):
    out, _, _ = scored

    told = run("report", "--scores", out, "--json").json

    assert told == {"out": str(out / "report.html")}
    assert "BTCUSDT" in (out / "report.html").read_text()


def test_report_of_an_empty_folder_says_what_to_run_first(run, tmp_path):
    reason = run("report", "--scores", tmp_path).refusal

    assert "flags.json is missing" in reason
    assert "liqwarn score" in reason


def test_score_without_a_champion_says_to_train(run, market_options, tmp_path):
    reason = run("score", *market_options, "--out", tmp_path / "o").refusal

    assert "'demo' has no champion" in reason
    assert "liqwarn train" in reason


def test_score_with_a_damaged_model_is_refused(run, market_options, model, tmp_path):
    copy = shutil.copytree(model, tmp_path / "model")
    text = copy / "model" / "onset_4h_0.txt"
    text.write_bytes(text.read_bytes()[:-100])

    reason = run("score", *market_options, "--model", copy, "--out", tmp_path / "o").refusal

    assert "onset_4h_0.txt" in reason
    assert not (tmp_path / "o").exists()


def test_a_faulty_policy_is_refused_before_any_file_is_read(run, given, model, tmp_path):
    policy = tmp_path / "policy.yaml"
    policy.write_text(open_policy().replace("exit_quantile: 0.85", "exit_quantile: 0.95"))

    told = run("score", "--panel", given / "panel.yaml", "--data", given / "files",
               "--model", model, "--policy", policy, "--out", tmp_path / "o")  # fmt: skip

    assert "policy.yaml" in told.refusal
    assert len(told.err.splitlines()) == 1


def open_policy():
    return (Path(__file__).parents[2] / "conf" / "policy.yaml").read_text()


@pytest.fixture
def slow(given):
    """The same market in bars of 4 h: few rows, so that a model of full size fits soon."""
    return ("--panel", given / "slow.yaml", "--data", given / "files")


def test_the_first_model_becomes_champion_and_scores(run, slow, tmp_path):
    done = run("train", *slow, "--until", "2022-03-01", "--json").json
    out = tmp_path / "o"
    scored = run("score", *slow, "--from", "2022-03-25", "--out", out, "--json").json

    assert (done["version"], done["champion"]) == ("1", True)
    assert scored["new_bars"] == 7 * 6 + 1
    for flag in scored["flags"]:
        assert flag["model"] == {"version": "1", "sha256": done["sha256"]}


def test_evaluate_prints_what_it_writes(run, slow, tmp_path):
    out = tmp_path / "o"

    told = run("evaluate", *slow, "--test-from", "2022-02-15", "--retrain", "none",
               "--no-trials", "--out", out, "--json").json  # fmt: skip

    assert told == orjson.loads((out / "evaluation.json").read_bytes())
    assert told["panel"] == "slow"
    assert {row["model"] for row in told["results"]} >= {"liqwarn", "B0", "B1", "B2", "B6"}
    assert pd.Timestamp(told["test"]["from"]) >= pd.Timestamp("2022-02-15", tz="UTC")


@pytest.mark.parametrize("command", ["evaluate", "train", "retrain"])
def test_a_panel_without_open_interest_is_refused_with_the_reason(run, given, tmp_path, command):
    out = ("--out", tmp_path / "o") if command == "evaluate" else ()

    reason = run(command, "--panel", given / "prices.yaml", "--data", given / "files", *out).refusal

    assert "panel 'prices' has no row with a known outcome: labels need open interest" in reason
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("command", ["evaluate", "train"])
def test_a_train_panel_of_another_bar_is_refused(run, market_options, given, tmp_path, command):
    out = ("--out", tmp_path / "o") if command == "evaluate" else ()

    reason = run(command, *market_options, "--train-panel", given / "slow.yaml", *out).refusal

    assert "4:00:00" in reason
    assert "1:00:00" in reason


def test_a_training_day_before_any_outcome_is_refused(run, market_options):
    reason = run("train", *market_options, "--until", "2021-06-01").refusal

    assert "nothing to train on" in reason


def test_a_test_day_after_the_end_is_refused(run, market_options, tmp_path):
    reason = run(
        "evaluate", *market_options, "--test-from", "2030-01-01", "--out", tmp_path / "o"
    ).refusal

    assert "testing starts 2030-01-01" in reason
