"""The panel that a fetch writes: the template's, but for what was asked for."""

from pathlib import Path

import pytest
import yaml

from liqwarn.pipelines.fetched_panel import FetchedPanel, faults_of_bar

TEMPLATE = {
    "name": "x_1h", "description": "X", "market": "real", "bar": "1h", "symbols": ["BTCUSDT"],
    "sources": [
        {"name": "candles", "file": "c-5m/{symbol}-c-5m-*.csv", "time": {"step": "5min"}},
        {"name": "interest", "file": "oi/{symbol}-oi-*.csv", "time": {"step": "5min"}},
    ],
}  # fmt: skip


def test_candles_have_the_interval_and_the_rest_stays():
    made = FetchedPanel(command="bybit", name="x", description="X of Y", bar="4h", interval="30m",
                        symbols=("ETHUSDT", "BTCUSDT"), candles="-5m")  # fmt: skip

    text = made.text(TEMPLATE, Path("conf/panels/x.yaml"))
    found = yaml.safe_load(text)

    assert text.startswith("# Written by `liqwarn fetch bybit` for the files beside it, from conf/")
    assert (found["name"], found["bar"]) == ("x_4h", "4h")
    assert found["description"] == "X of Y, bars of 4h"
    assert (found["symbols"], found["market"]) == (["ETHUSDT", "BTCUSDT"], "real")
    assert found["sources"] == [
        {"name": "candles", "file": "c-30m/{symbol}-c-30m-*.csv", "time": {"step": "30m"}},
        TEMPLATE["sources"][1],
    ]  # fmt: skip
    assert TEMPLATE["sources"][0]["time"]["step"] == "5min"


@pytest.mark.parametrize(
    ("interval", "bar", "fault"),
    [
        ("7m", "1h", "interval is '7m', expected one of 5m, 4h"),
        ("5m", "soon", "bar: found 'soon', expected a duration"),
        ("5m", "7h", "bar is 7h, expected a divisor of a day"),
        ("5m", "0s", "bar is 0s, expected a divisor of a day"),
        ("4h", "1h", "interval 4h does not divide the bar 1h"),
    ],
)
def test_an_interval_or_bar_that_cannot_be_is_told(interval, bar, fault):
    assert [told[: len(fault)] for told in faults_of_bar(interval, bar, ["5m", "4h"])] == [fault]
