"""The text of a check, to the letter."""

import pandas as pd

from liqwarn.data.inspection.check_text import check_text

GOLDEN = """\
klines: a value is known 1h after its stamp (label start, step 1h, known_lag 0s)
  klines.csv: 4 rows, all read, 4 kept
    row 1
      time (start + 1h)  1704067200   -> 2024-01-01 01:00:00Z
      symbol             by the panel -> BTCUSDT
      open               100.0        -> 100 quote per coin
      high               103.0        -> 103 quote per coin
      low                99.0         -> 99 quote per coin
      close              102.0        -> 102 quote per coin
      volume             5.0          -> 5 coins
    row 2
      time (start + 1h)  1704070800   -> 2024-01-01 02:00:00Z
      symbol             by the panel -> BTCUSDT
      open               102.0        -> 102 quote per coin
      high               103.0        -> 103 quote per coin
      low                101.0        -> 101 quote per coin
      close              101.5        -> 101.5 quote per coin
      volume             6.5          -> 6.5 coins
    row 3
      time (start + 1h)  1704074400   -> 2024-01-01 03:00:00Z
      symbol             by the panel -> BTCUSDT
      open               101.5        -> 101.5 quote per coin
      high               102.0        -> 102 quote per coin
      low                101.0        -> 101 quote per coin
      close              101.0        -> 101 quote per coin
      volume             7.0          -> 7 coins
    2024-01-01 01:00:00Z to 2024-01-01 04:00:00Z, stamps in s, step 1h, 0 steps missing, \
0 duplicates, in order
    open: 100 to 102, median 101.25 quote per coin
    high: 102 to 103, median 102.5 quote per coin
    low: 99 to 101, median 101 quote per coin
    close: 101 to 102, median 101.5 quote per coin
    volume: 5 to 7, median 6.5 coins

flows: a value is known 1h after its stamp (label start, step 1h, known_lag 0s)
  flows.csv: 4 rows, all read, 2 kept, 1 other
    row 2
      time (start + 1h)  2024-01-01T01:00:00+00:00 -> 2024-01-01 02:00:00Z
      symbol             BTC                       -> BTCUSDT
      reserve            (empty - 1.0) * 0.5 / 2.0 -> missing
    row 3
      time (start + 1h)  2024-01-01T02:00:00+00:00 -> 2024-01-01 03:00:00Z
      symbol             XBT                       -> BTCUSDT
      reserve            (9.0 - 1.0) * 0.5 / 2.0   -> 2 coins
    row 4
      time (start + 1h)  yesterday               -> refused (t: unreadable time)
      symbol             BTC
      reserve            (9.0 - 1.0) * 0.5 / 2.0
    2024-01-01 02:00:00Z to 2024-01-01 03:00:00Z, stamps are no numbers, step 1h, \
0 steps missing, 0 duplicates, in order
    reserve: 2 to 2, median 2 coins, 50.0% missing
  DOUBT refused: 't': 1 would be quarantined, unreadable time, such as yesterday
  DOUBT lag: reserve: on-chain values with known_lag 0s; labels and blocks come later than the \
interval
  NOTE unused: columns not used: memo
  NOTE other symbols: 'coin' also holds ETH, which are not of this panel or filtered out

gone: a value is known 0s after its stamp (label end, known_lag 0s)
  gone.csv: not read
  WRONG unreadable: DATA/gone.csv: no such file, did you mean 'klines.csv'?

test: 1 surely wrong, 2 doubts, 2 notes; nothing was written"""


def test_the_text_of_a_check(check, make_source, data_dir):
    bars = pd.DataFrame(
        {
            "t": 1_704_067_200 + 3_600 * pd.RangeIndex(4),
            "open": [100.0, 102.0, 101.5, 101.0],
            "high": [103.0, 103.0, 102.0, 102.0],
            "low": [99.0, 101.0, 101.0, 101.0],
            "close": [102.0, 101.5, 101.0, 101.5],
            "volume": [5.0, 6.5, 7.0, 6.5],
        }
    )
    flows = pd.DataFrame(
        {
            "t": [f"2024-01-01T0{k}:00:00+00:00" for k in range(3)] + ["yesterday"],
            "coin": ["ETH", "BTC", "XBT", "BTC"],
            "all": ["9.0", "", "9.0", "9.0"],
            "own": 1.0,
            "rate": 2.0,
            "memo": "x",
        }
    )
    told = make_source(
        name="flows",
        file="flows.csv",
        time={"column": "t", "label": "start", "step": "1h"},
        symbol={"column": "coin", "map": {"XBT": "BTCUSDT"}},
        fields={"reserve": {"column": "all", "minus": "own", "scale": 0.5, "divide_by": "rate"}},
    )
    gone = make_source(
        name="gone", file="gone.csv", time={"column": "t", "label": "end"}, fields={"mark": "m"}
    )

    found = check(told, gone, tables={"klines.csv": bars, "flows.csv": flows})

    assert check_text(found).replace(str(data_dir), "DATA") == GOLDEN


def test_the_same_doubt_about_many_files_is_told_once(check, flow_source, flows):
    tables = {f"oi-{symbol}.csv": flows for symbol in ("BTCUSDT", "ETHUSDT")}
    source = flow_source({"reserve": "oi"}) | {"file": "oi-{symbol}.csv", "symbol": None}

    text = check_text(check(source, tables=tables, symbols=["BTCUSDT", "ETHUSDT"]))

    assert text.count("DOUBT lag: reserve") == 1
    assert "DOUBT lag: reserve: on-chain values with known_lag 0s" in text
    assert "(2 of 2 files)" in text


def test_what_was_not_read_is_said(check, flow_source, flows, limits):
    few = type(limits)(now=limits.now, most=50)

    text = check_text(check(limits=few))

    assert "klines.csv: 480 rows, the first and last 50 read, 100 kept" in text
