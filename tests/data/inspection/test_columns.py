"""Single columns: units, constants, what is missing, refused, or left out."""

import numpy as np
import pytest

SYMBOL = {"symbol": {"column": "coin"}}


def texts(found, kind):
    levels = ("wrong", "doubt", "note")
    return [told.text for level in levels for _, told in found.doubts(level) if told.kind == kind]


def test_a_true_market_is_not_doubted(check, flow_source, flows):
    fields = {
        "taker_buy_volume": "buy", "taker_sell_volume": "sell", "volume": "volume",
        "long_liq_usd": "long_liq", "short_liq_usd": "short_liq", "open_interest": "oi",
        "long_short_ratio": "ratio", "funding_rate": "funding", "index": "price",
    }  # fmt: skip
    onchain = {"inflow": "inflow", "outflow": "outflow", "netflow": "netflow"}
    later = flow_source(onchain, known_lag="1h") | {"name": "chain"}

    found = check(flow_source(fields), later, tables={"flows.csv": flows})

    assert (found.doubts("wrong"), found.doubts("doubt")) == ([], [])
    assert {told.kind for _, told in found.doubts("note")} == {"unused"}


def test_funding_in_percent_is_doubted(check, flow_source, flows):
    source = flow_source({"funding_rate": "funding"})
    percent = flows.assign(funding=flows["funding"] * 100.0)

    assert texts(check(source, tables={"flows.csv": flows}), "unit") == []
    (text,) = texts(check(source, tables={"flows.csv": percent}), "unit")
    assert "expected some 0.0001" in text


@pytest.mark.parametrize(
    ("field", "column", "doubted"),
    [
        ("open_interest", "oi_usd", True),
        ("open_interest", {"column": "oi_usd", "divide_by": "price"}, False),
        ("open_interest", {"column": "oi_usd", "unit": "usd_at_close"}, False),
        ("volume", "quote_volume", True),
        ("funding_rate", "funding_pct", True),
        ("funding_rate", {"column": "funding_pct", "unit": "percent"}, False),
        ("long_liq_usd", "long_liq_btc", True),
        ("long_liq_usd", {"column": "long_liq_btc", "scale": 40_000}, False),
    ],
)
def test_a_name_of_another_unit_is_doubted(check, flow_source, flows, field, column, doubted):
    names = {"oi": "oi_usd", "volume": "quote_volume", "funding": "funding_pct"}
    table = flows.rename(columns=names | {"long_liq": "long_liq_btc"})

    found = texts(check(flow_source({field: column}), tables={"flows.csv": table}), "unit")

    assert any("is named as" in text for text in found) == doubted


def test_a_constant_is_doubted_and_an_interval_is_not(kinds, flow_source, flows):
    table = flows.assign(oi=5.0, hours=8.0)

    assert "doubt constant" in kinds(
        flow_source({"open_interest": "oi"}), tables={"flows.csv": table}
    )
    assert "doubt constant" not in kinds(
        flow_source({"funding_interval_h": "hours"}), tables={"flows.csv": table}
    )


@pytest.mark.parametrize(
    ("empty", "kind"), [(0, None), (200, None), (300, "doubt missing"), (480, "wrong empty")]
)
def test_what_is_missing_is_doubted_and_an_empty_column_is_wrong(
    kinds, flow_source, flows, empty, kind
):
    flows.loc[flows.index < empty, "oi"] = np.nan
    found = kinds(flow_source({"open_interest": "oi"}), tables={"flows.csv": flows})

    assert found & {"doubt missing", "wrong empty"} == ({kind} if kind else set())


@pytest.mark.parametrize("lag", ["0s", "1h"])
def test_on_chain_values_known_at_once_are_doubted(check, flow_source, flows, lag):
    source = flow_source({"netflow": "netflow"}, known_lag=lag)
    found = texts(check(source, tables={"flows.csv": flows}), "lag")

    assert len(found) == (lag == "0s")
    assert lag != "0s" or "later than the interval" in found[0]


def test_a_day_on_chain_is_known_the_day_after(check, flow_source, flows):
    time = {"column": "t", "unit": "s", "label": "start", "step": "1d"}
    source = flow_source({"reserve": "oi"}, time=time)
    found = texts(check(source, tables={"flows.csv": flows.iloc[::24]}), "lag")

    assert "a day is published the day after" in found[0]


def test_a_share_above_one_is_doubted(kinds, flow_source, flows):
    for values, doubted in ((flows["buy"], True), (flows["buy"] / 1e3, False)):
        source = flow_source({"whale_ratio": "share"}, known_lag="1h")
        found = kinds(source, tables={"flows.csv": flows.assign(share=values)})
        assert ("doubt unit" in found) == doubted


def test_refused_cells_are_counted_by_reason(check, flow_source, flows):
    flows.loc[[3, 4], "oi"] = -1.0
    found = texts(
        check(flow_source({"open_interest": "oi"}), tables={"flows.csv": flows}), "refused"
    )

    assert found == ["'open_interest': 2 would be quarantined, negative, such as -1.0"]


def test_unused_columns_are_noted(check, flow_source, flows):
    table = flows[["t", "oi", "price"]]
    found = check(flow_source({"open_interest": "oi"}), tables={"flows.csv": table})

    assert texts(found, "unused") == ["columns not used: price"]


def test_other_symbols_are_noted(check, flow_source, flows):
    source = flow_source({"open_interest": "oi"}, **SYMBOL)
    mixed = flows.assign(coin=["BTC", "ETH"] * (len(flows) // 2))

    found = texts(check(source, tables={"flows.csv": mixed}), "other symbols")

    assert found == ["'coin' also holds ETH, which are not of this panel or filtered out"]
    assert (
        texts(check(source, tables={"flows.csv": flows.assign(coin="BTC")}), "other symbols") == []
    )


@pytest.mark.parametrize(
    ("said", "doubted"), [("BTC", False), ("btc-usdt-swap", False), ("ETHUSDT", True)]
)
def test_a_file_of_another_coin_is_doubted(check, flow_source, flows, said, doubted):
    found = check(
        flow_source({"open_interest": "oi"}), tables={"flows.csv": flows.assign(coin=said)}
    )

    assert texts(found, "symbols") == (
        ["the panel takes the whole file for BTCUSDT, its column 'coin' says ETHUSDT"]
        if doubted
        else []
    )
