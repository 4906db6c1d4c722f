"""liqwarn replay: the flags of the live engine over history, which are those of liqwarn score."""

import pandas as pd
import pytest

from liqwarn.tables import read_table

SPAN = ("--from", "2022-03-30", "--to", "2022-03-31T06:00")


@pytest.fixture
def stored(given):
    """The options that name the market, with the store that is filled already."""
    return ("--panel", given / "panel.yaml", "--store", given / "store")


def test_a_replay_is_the_scoring_of_its_span(run, market_options, model, tmp_path):
    out = tmp_path / "flags.parquet"
    told = run("replay", *market_options, "--model", model, *SPAN, "--out", out, "--json").json
    scored = tmp_path / "scoring"
    again = run("score", *market_options, "--model", model, "--from", "2022-03-30", "--out", scored)

    ours, theirs = read_table(out), read_table(scored / "flags.parquet")
    theirs = theirs[theirs["as_of"] <= ours["as_of"].max()]
    assert again.code == 0, again.err
    assert told == {"bars": 31, "flags": 62, "out": str(out)}
    assert len(ours) == len(theirs) == 31 * 2 * 2
    kept = [name for name in theirs.columns if name != "issued_at"]
    pd.testing.assert_frame_equal(ours[kept], theirs[kept], check_exact=True)


def test_people_are_told_what_was_written(run, stored, model, tmp_path):
    out = tmp_path / "flags.csv"
    told = run("replay", *stored, "--model", model, *SPAN, "--out", out)

    assert told.code == 0, told.err
    assert told.out == (
        f"{out}: 62 flags of 31 bars, 2022-03-30T00:00:00.000Z to 2022-03-31T06:00:00.000Z\n"
    )
    assert len(pd.read_csv(out)) == 124


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--from", "2023-01-01"), "the history has no bar from"),
        (("--from", "2022-03-31", "--to", "2022-03-30"), "the history has no bar from"),
        (("--policy", "conf/polici.yaml"), "polici.yaml"),
    ],
)
def test_a_replay_that_cannot_be_is_refused(run, stored, model, tmp_path, words, reason):
    out = tmp_path / "flags.parquet"

    assert reason in run("replay", *stored, "--model", model, *words, "--out", out).refusal
    assert not out.exists()


def test_without_a_model_it_asks_the_registry_for_one(run, stored, tmp_path):
    assert "champion" in run("replay", *stored, "--out", tmp_path / "flags.parquet").refusal


def test_an_unknown_kind_of_table_is_refused(run, stored, model, tmp_path):
    out = tmp_path / "flags.txt"

    assert "flags.txt" in run("replay", *stored, "--model", model, *SPAN, "--out", out).refusal
