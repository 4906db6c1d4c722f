"""Flows beside prices: sides, labels, USD or coins, sums."""

import numpy as np
import pytest

TAKERS = {"taker_buy_volume": "buy", "taker_sell_volume": "sell"}
LIQUIDATIONS = {"long_liq_usd": "long_liq", "short_liq_usd": "short_liq"}
TIME = {"column": "t", "unit": "s", "label": "start", "step": "1h"}


def told(found, level):
    return [f"{doubt.kind}: {doubt.text}" for _, doubt in found.doubts(level)]


@pytest.mark.parametrize("fields", [TAKERS, LIQUIDATIONS])
def test_swapped_sides_are_found(check, flow_source, flows, fields):
    swapped = dict(zip(fields, reversed(fields.values()), strict=True))

    good = check(flow_source(fields), tables={"flows.csv": flows})
    bad = check(flow_source(swapped), tables={"flows.csv": flows})

    assert told(good, "wrong") == []
    (text,) = told(bad, "wrong")
    assert text.startswith("sides: BTCUSDT: ")
    assert "are swapped" in text


@pytest.mark.parametrize("fields", [TAKERS, LIQUIDATIONS, {"long_short_ratio": "ratio"}])
@pytest.mark.parametrize(("shift", "words"), [(0, None), (-1, "look-ahead?"), (1, "older than")])
def test_a_clock_a_step_off_is_doubted(check, flow_source, flows, fields, shift, words):
    inside = flows.iloc[5:-5].assign(t=flows["t"] + 3_600 * shift)

    found = told(check(flow_source(fields), tables={"flows.csv": inside}), "doubt")

    assert len(found) == (shift != 0)
    assert words is None or words in found[0]


def test_short_over_long_is_doubted(check, flow_source, flows):
    table = flows.assign(ratio=1.0 / flows["ratio"])
    found = told(
        check(flow_source({"long_short_ratio": "ratio"}), tables={"flows.csv": table}), "doubt"
    )

    assert found[0].startswith("sides: BTCUSDT: 'long_short_ratio' rises with the price")


@pytest.mark.parametrize(("is_usd", "says_usd"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_open_interest_in_another_unit_is_doubted(check, flow_source, flows, is_usd, says_usd):
    table = flows.assign(oi=flows["oi"] * (flows["price"] if is_usd else 1.0))
    field = {"column": "oi", "unit": "usd_at_close"} if says_usd else "oi"

    found = told(check(flow_source({"open_interest": field}), tables={"flows.csv": table}), "doubt")

    assert len(found) == (is_usd != says_usd)
    assert all(f"the panel says {('coins', 'USD')[says_usd]}" in text for text in found)


@pytest.mark.parametrize(
    ("fields", "level", "words"),
    [
        ({"inflow": "inflow", "outflow": "outflow", "netflow": "netflow"}, None, ""),
        ({"inflow": "outflow", "outflow": "inflow", "netflow": "netflow"}, "wrong", "are swapped"),
        ({"volume": "volume"} | TAKERS, None, ""),
        ({"volume": "money"} | TAKERS, "doubt", "another unit?"),
    ],
)
def test_what_does_not_add_up_is_told(check, flow_source, flows, fields, level, words):
    table = flows.assign(money=flows["volume"] * flows["price"])
    found = check(flow_source(fields, known_lag="1h"), tables={"flows.csv": table})
    sums = [(lv, t) for lv in ("wrong", "doubt") for t in told(found, lv) if t.startswith("sums")]

    assert [lv for lv, _ in sums] == ([level] if level else [])
    assert all(words in text for _, text in sums)


def test_a_constant_interest_concludes_nothing(check, flow_source, flows):
    table = flows.assign(oi=np.full(len(flows), 5.0))
    found = told(check(flow_source({"open_interest": "oi"}), tables={"flows.csv": table}), "doubt")

    assert [text.split(":")[0] for text in found] == ["constant"]
