"""liqwarn explain: the reasons of the flags, as text and as JSON, or why there are none."""

import pytest


@pytest.fixture
def scored(run, market_options, model, tmp_path):
    out = tmp_path / "scoring"
    done = run("score", *market_options, "--model", model, "--from", "2022-03-20", "--out", out)
    assert done.code == 0, done.err
    return out


def test_it_tells_values_directions_and_the_verdict(run, scored):
    told = run("explain", "--scores", scored, "--symbol", "BTCUSDT", "--side", "long")

    assert told.code == 0
    lines = told.out.splitlines()
    assert lines[0].startswith("BTCUSDT long side: ")
    assert lines[0].endswith((" signals missing", "no signal missing"))
    assert "short side" not in told.out
    for part in ("Funding and basis: ", "Volatility of the last day", "Depth and liquidity: "):
        assert part in told.out


def test_it_gives_one_json_object_of_all_boards(run, scored):
    told = run("explain", "--scores", scored, "--json").json

    assert told["schema"] == "liqwarn.signals/1"
    assert [(b["symbol"], b["side"]) for b in told["boards"]] == [
        ("BTCUSDT", "long"),
        ("BTCUSDT", "short"),
        ("DOGEUSDT", "long"),
        ("DOGEUSDT", "short"),
    ]
    assert all(board["live"] >= 27 for board in told["boards"])


def test_refusals(run, scored, tmp_path):
    assert (
        "no symbol 'XRPUSDT'" in run("explain", "--scores", scored, "--symbol", "XRPUSDT").refusal
    )
    assert "signals.json is missing" in run("explain", "--scores", tmp_path).refusal
    assert run("explain", "--scores", scored, "--side", "up").code == 2
