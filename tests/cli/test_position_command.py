"""liqwarn position: a table and three sentences, one JSON object, a picture, or a reason."""

from pathlib import Path

import pytest

BASE = ("position", "--side", "long", "--entry", 120, "--leverage", 5)
BTC = ("position", "--side", "long", "--entry", 67_000, "--leverage", 10, "--venue", "binance",
       "--symbol", "BTCUSDT", "--notional", 250_000, "--at", "2024-12-01")  # fmt: skip


def test_the_popular_example_in_words(run):
    told = run(*BASE, "--mmr", 0.01, "--funding", 0.0003)
    assert told.code == 0
    for part in ("96.97", "96.00", "97.215", "19.19 %", "Liquidation: ", "Margin call: "):
        assert part in told.out
    assert "Funding erosion: this long pays 0.108 quote units a day" in told.out


def test_the_popular_example_for_machines(run):
    told = run(*BASE, "--mmr", 0.01, "--funding", 0.0003, "--json").json
    assert round(told["liquidation_price"], 2) == 96.97
    assert told["bankruptcy_price"] == 96.0
    assert round(told["days_funded"], 1) == 211.1


def test_the_documentation_shows_what_the_command_prints(run):
    shown = (Path(__file__).parents[2] / "docs" / "margin.md").read_text().splitlines()
    told = run(*BTC, "--funding", 0.0001).out.splitlines()
    assert len(told) > 20
    assert [line for line in told if line.strip() and line.rstrip() not in shown] == []


def test_a_venues_table_is_used_and_named(run):
    told = run(*BTC, "--json").json
    assert told["requirement"]["name"] == "binance BTCUSDT linear 2024-10-24"
    assert told["requirement"]["assumed"] is False
    by_hand = 67e3 * (250e3 - 25e3 - 50.0) / (1 - 0.005) / 250e3
    assert told["liquidation_price"] == pytest.approx(by_hand)


def test_rate_venue_and_notional_together_take_the_rate(run):
    told = run(*BASE, "--mmr", 0.01, "--venue", "binance", "--notional", 250_000, "--json").json
    assert round(told["liquidation_price"], 2) == 96.97
    assert told["notional"] == 250_000


def test_a_symbol_without_a_table_is_said_to_be_assumed(run):
    told = run(*BASE, "--venue", "binance", "--notional", 250_000)
    assert told.code == 0
    assert "(assumed)" in told.out


def test_inverse_and_cross(run):
    inverse = run("position", "--side", "short", "--entry", 100, "--leverage", 10, "--mmr", 0.005,
                  "--contract", "inverse", "--json").json  # fmt: skip
    assert round(inverse["liquidation_price"], 3) == 110.556
    cross = run("position", "--side", "long", "--entry", 1_456.84, "--wallet", 1_535_443.01,
                "--notional", 1_456.84 * 3_683.979, "--other-maintenance", 71_200.81144,
                "--other-pnl", -56_354.57, "--venue", "binance", "--symbol", "ETHUSDT",
                "--at", "2022-01-01", "--json").json  # fmt: skip
    assert round(cross["liquidation_price"], 2) == 1_153.26  # Binance's own example
    assert cross["mode"] == "cross"


def test_hourly_funding_erodes_eight_times_as_fast(run):
    words = (*BASE, "--mmr", 0.01, "--funding", 0.0003, "--json")
    eight, hourly = run(*words).json, run(*words, "--settlements-per-day", 24).json
    assert hourly["funding_per_day"] == pytest.approx(8 * eight["funding_per_day"])


def test_a_picture_with_the_market_behind_it(run, market_options, tmp_path):
    out = tmp_path / "p.png"
    told = run("position", "--side", "long", "--entry", 40_000, "--leverage", 3, "--mmr", 0.01,
               "--symbol", "BTCUSDT", *market_options, "--chart", out, "--json")  # fmt: skip
    assert told.json["distance_atr"] is not None
    assert told.json["atr"] > 0
    assert out.read_bytes().startswith(b"\x89PNG")


def test_a_picture_without_a_market(run, tmp_path):
    assert run(*BASE, "--mmr", 0.01, "--chart", tmp_path / "p.svg").code == 0
    assert (tmp_path / "p.svg").exists()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ((), "found no maintenance rate"),
        (("--mmr", 0.3), "expected above the maintenance margin at entry"),
        (("--mmr", 1.5), "expected rising fractions"),
        (("--venue", "mtgox"), "venue is 'mtgox', expected one of"),
        (("--mmr", 0.01, "--margin", 5), "expected exactly one of them"),
        (("--mmr", 0.01, "--funding", 2), "funding rate is 2.0"),
        (("--mmr", 0.01, "--warn", 0.001), "expected above the largest maintenance rate"),
        (("--mmr", 0.01, "--chart", "p.gif"), "expected .png or .svg"),
        (("--mmr", 0.01, "--mark", -1), "mark price is -1.0"),
        (("--mmr", 0.01, "--panel", "conf/panels/demo.yaml"), "expected --symbol"),
    ],
)
def test_refusals_are_one_line(run, words, reason):
    assert reason in run(*BASE, *words).refusal


def test_too_much_leverage_for_the_venue(run):
    reason = run(*BTC[:6], 110, *BTC[7:]).refusal
    assert "leverage is 110, expected at most 100 for 250,000" in reason


@pytest.mark.parametrize(
    "words",
    [
        ("--mmr", 0.01, "--contract", "quanto"),
        ("--mmr", 0.01, "--wallet", 5, "--margin", 5),
        ("--mmr", "one"),
    ],
)
def test_wrong_usage(run, words):
    assert run(*BASE, *words).code == 2
    assert run("position", "--side", "up", "--entry", 1).code == 2
