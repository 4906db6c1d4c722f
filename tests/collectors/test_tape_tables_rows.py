"""Rows of minutes, to the value."""

import math
import runpy
from pathlib import Path

import numpy as np
import pytest

from liqwarn.collectors.happenings import Liquidation
from liqwarn.collectors.minutes import GRACE_MS, MinuteTally
from liqwarn.collectors.tape_tables_rows import Listened, symbol_tables

PAPER = runpy.run_path(str(Path(__file__).with_name("paper_venue.py")))
MINUTE, reading, candle = PAPER["MINUTE"], PAPER["reading"], PAPER["candle"]


def tables(*records, covered=(60.0, 60.0), capped_feed=True, proof_ms=None):
    tally = MinuteTally()
    for told, seen_ms in records:
        tally.take(told, seen_ms)
    listened = Listened(
        first=0, covered_s=np.array(covered), proof_ms=proof_ms or {}, capped_feed=capped_feed
    )
    return symbol_tables({number: one for (_, number), one in tally.minutes.items()}, listened)


def order(time_ms, side, usd):
    return Liquidation(
        symbol="BTCUSDT", time_ms=time_ms, side=side, price=100.0, price_is="order",
        size=usd / 100.0,
    )  # fmt: skip


def test_a_minute_of_liquidations_to_the_value():
    told = [order(1_000, "long", 250_000.0), order(1_500, "long", 50.0)]
    told.append(order(2_000, "short", 50.0))

    table = tables((told, 2_500), proof_ms={0: 62_001})["liquidations"]

    row = table.iloc[0].to_dict()
    assert row["time"].isoformat() == "1970-01-01T00:01:00+00:00"
    assert [row[f"long_{name}"] for name in ("count", "sum_usd", "capped_sum_usd")] == [
        2.0, 250_050.0, 100_050.0,
    ]  # fmt: skip
    assert (row["long_active_seconds"], row["long_largest_usd"]) == (1.0, 250_000.0)
    assert (row["short_count"], row["short_sum_usd"], row["active_seconds"]) == (1.0, 50.0, 2.0)
    assert (row["saturation_frac"], row["saturated"], row["covered_s"]) == (2 / 60, 0.0, 60.0)
    assert row["seen_at"].isoformat() == "1970-01-01T00:01:03+00:00"
    assert table.iloc[1]["long_count"] == 0.0


def test_a_late_order_makes_its_minute_known_late():
    table = tables(([order(5, "long", 7.0)], 90_000), proof_ms={0: 62_000})["liquidations"]

    assert table["seen_at"].iloc[0].isoformat() == "1970-01-01T00:01:30+00:00"


def test_what_was_known_in_time_is_without_the_late_order():
    early, late = order(5, "long", 400.0), order(9, "long", 500.0)

    row = tables(([early], 30), ([late], MINUTE + GRACE_MS + 1))["liquidations"].iloc[0]

    assert (row["long_sum_usd"], row["long_known_usd"], row["short_known_usd"]) == (
        900.0, 400.0, 0.0,
    )  # fmt: skip


def test_a_late_candle_does_not_take_the_place_of_samples():
    marks = [reading(15_000 * k, price) for k, price in enumerate((5.0, 9.0, 4.0, 6.0))]
    late = ([candle(MINUTE, 50.0)], MINUTE + GRACE_MS + 1)

    assert tables((marks, 50_000), late)["prices"]["made_of"].tolist() == ["mark"]
    assert tables(late)["prices"]["made_of"].tolist() == ["venue"]


def test_a_late_reading_is_counted_and_not_used():
    tally = MinuteTally()
    tally.take([reading(5, 1.0)], MINUTE + GRACE_MS)
    tally.take([reading(6, 2.0)], MINUTE + GRACE_MS + 1)

    assert (tally.minutes["BTCUSDT", 0].readings["mark"][2], tally.late) == (1.0, 1)


def test_half_a_minute_of_listening_is_unknown_even_with_orders():
    table = tables(([order(5, "long", 7.0)], 10), covered=(59.999, 60.0))["liquidations"]

    assert math.isnan(table["long_sum_usd"].iloc[0])
    assert table["covered_s"].tolist() == [59.999, 60.0]


@pytest.mark.parametrize(("seconds", "saturated"), [(29, 0.0), (30, 1.0), (60, 1.0)])
def test_a_full_feed_is_saturated(seconds, saturated):
    told = [order(1_000 * k, "long" if k % 2 else "short", 9.0) for k in range(seconds)]

    assert tables((told, 60_000))["liquidations"]["saturated"].iloc[0] == saturated


def test_a_feed_without_such_a_limit_is_never_called_saturated():
    table = tables(([order(5, "long", 7.0)], 10), capped_feed=False)["liquidations"]

    assert table[["saturation_frac", "saturated"]].isna().all(axis=None)
    assert table["active_seconds"].tolist() == [1.0, 0.0]


@pytest.mark.parametrize(("late_ms", "known"), [(GRACE_MS, "00:01:00"), (GRACE_MS + 1, "00:01:11")])
def test_a_candle_is_known_at_its_close_unless_it_came_late(late_ms, known):
    table = tables(([candle(MINUTE, 50.0, taker=math.nan)], MINUTE + late_ms))["prices"]

    row = table.iloc[0]
    assert row["known_at"].isoformat() == f"1970-01-01T{known}+00:00"
    assert row["seen_at"] > row["time"]
    assert (row["open"], row["high"], row["low"], row["close"]) == (50.0, 52.0, 48.0, 51.0)
    assert (row["volume"], row["made_of"]) == (10.0, "venue")
    assert math.isnan(row["taker_buy_volume"])


def test_samples_make_a_candle_where_the_venue_gives_none():
    marks = [reading(15_000 * k, price) for k, price in enumerate((5.0, 9.0, 4.0, 6.0))]
    table = tables((marks, 50_000), ([candle(2 * MINUTE, 50.0)], 2 * MINUTE))["prices"]

    assert table["made_of"].tolist() == ["mark", "venue"]
    assert table.iloc[0][["open", "high", "low", "close"]].tolist() == [5.0, 9.0, 4.0, 6.0]
    assert math.isnan(table["volume"].iloc[0])


def test_readings_keep_their_own_time_and_when_they_were_seen():
    told = [reading(5, 1.0, "open_interest"), reading(9, 0.01, "funding_rate"), reading(7, 3.0)]
    found = tables((told, 11), ([reading(8, 2.0, "open_interest")], 1_200))

    state = found["state"].iloc[0]
    assert (state["open_interest"], state["open_interest_time_ms"]) == (2.0, 8)
    assert (state["open_interest_seen_ms"], state["funding_rate_seen_ms"]) == (1_200, 11)
    assert state["seen_at"].isoformat() == "1970-01-01T00:00:02+00:00"
    assert math.isnan(state["bid_depth_usd"])
    assert found["mark"]["mark"].tolist() == [3.0]
    assert found["index"].empty
