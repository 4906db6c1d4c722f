"""Laws of the tables of a tape, and mutants that the laws must catch."""

import random
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from liqwarn.collectors import minutes as minutes_module
from liqwarn.collectors import tally_orders, tape_tables_fold, tape_tables_rows
from liqwarn.collectors.coverage import Listening
from liqwarn.collectors.coverage_lines import carrying_lines
from liqwarn.collectors.minutes import GRACE_MS
from liqwarn.collectors.tape_tables_fold import DAY_MS, TapeFold, carry_from_json
from liqwarn.collectors.tape_tables_reading import TapeReading

PAPER = runpy.run_path(str(Path(__file__).with_name("paper_venue.py")))
MINUTE, START, DAY = PAPER["MINUTE"], PAPER["START"], PAPER["START"] // DAY_MS


def fold(records, **state):
    venue = PAPER["PaperVenue"]()
    lines = carrying_lines(venue, ["BTCUSDT"], "liquidation", venue.kinds)
    reading = TapeReading(venue, ["BTCUSDT"], state.pop("once", {}))
    found = TapeFold(reading=reading, lines=lines, **state)
    for record in records:
        found.take(record)
    return found


def tables(records):
    found = fold(records)
    days = sorted({*found.finished_days(), *found.running_days()})
    made = [found.tables(day) for day in days]
    return {
        name: pd.concat([one["BTCUSDT", name] for one in made], ignore_index=True)
        for name in ("liquidations", "prices", "mark", "state")
    }


def ms(column):
    return column.dt.tz_localize(None).to_numpy(dtype="datetime64[ms]").astype(np.int64)


# the laws: each raises AssertionError


def law_bounds(random):
    """Capped at most the sum, at most 60 active seconds, the largest within the sum."""
    table = tables(PAPER["wild_tape"](random))["liquidations"]
    known = table[table["covered_s"] == 60.0]
    assert len(known) > 3
    assert table["covered_s"].between(0, 60).all()
    for side in ("long", "short"):
        assert (known[f"{side}_capped_sum_usd"] <= known[f"{side}_sum_usd"]).all()
        capped = known[f"{side}_count"] * 100_000.0
        assert (known[f"{side}_capped_sum_usd"] <= capped).all()
        assert (known[f"{side}_largest_usd"] <= known[f"{side}_sum_usd"]).all()
        assert known[f"{side}_active_seconds"].between(0, 60).all()
        assert (known[f"{side}_active_seconds"] <= known[f"{side}_count"]).all()
    assert (known["saturation_frac"] == known["active_seconds"] / 60).all()


def law_unknown_iff_uncovered(random):
    """A minute has numbers when, and only when, it was listened to throughout."""
    table = tables(PAPER["wild_tape"](random))["liquidations"]
    assert (table["covered_s"] < 60).any()
    for column in table.columns.drop(["time", "covered_s", "seen_at"]):
        assert (table[column].isna() == (table["covered_s"] < 60)).all(), column


def law_silence_is_no_calm(_random):
    """Minutes 0, 1 (silent), 5 (closed) and 8 to 10 (killed) are unknown, the others are 0."""
    event, sample = PAPER["event"], PAPER["samples"]
    mark = PAPER["reading"](START, 1.0)
    life = [sample(START + 10_000 * k, mark) for k in range(90) if not 495 <= 10 * k < 645]
    spoken = (*range(140, 310, 30), *range(350, 495, 30), *range(645, 900, 30))
    said = [
        *(sample(START + 1_000 * second, line="orders") for second in spoken),
        event(START + 1, "opened"),
        event(START + 110_000, "silent"),  # nothing since the start of the tape: from 00:00:01 on
        sample(START + 115_000, line="orders"),
        event(START + 310_000, "closed"),
        event(START + 320_000, "opened"),
    ]
    table = tables(sorted([*life, *said], key=lambda r: r.seen_ms))["liquidations"].iloc[:14]
    unknown = table["long_count"].isna().to_numpy().nonzero()[0].tolist()
    assert unknown == [0, 1, 5, 8, 9, 10], unknown
    assert (table["long_count"].dropna() == 0).all()


def law_once(_random):
    """Told over two lines and again: once. Equal ones in a frame: each."""
    orders, event = PAPER["orders"], PAPER["event"]
    one, other = (["BTCUSDT", START + t, "long", 100.0, 1.0] for t in (70_000, 70_001))
    tape = [PAPER["rules"](START), event(START, "opened"), event(START, "opened", "backup")]
    tape += [
        PAPER["samples"](START + 5, PAPER["reading"](START, 1.0)),
        orders(START + 70_010, one, one, other),
        orders(START + 70_050, one, one, line="backup"),
        event(START + 80_000, "closed"),
        event(START + 90_000, "opened"),
        orders(START + 100_000, one, one, other),
        PAPER["samples"](START + 130_000),
    ]
    row = tables(tape)["liquidations"].iloc[1]
    assert (row["long_count"], row["long_sum_usd"], row["long_active_seconds"]) == (3, 300.0, 1)
    assert row["seen_at"] == pd.Timestamp(START + 130_000, unit="ms", tz="UTC")


def law_no_look_ahead(random):
    """What the tables say was known at a moment, a tape that ends then says too."""
    records = PAPER["wild_tape"](random)
    whole = tables(records)
    for k in sorted(random.sample(range(5, len(records)), 12)):
        now = records[k - 1].seen_ms
        if max(record.seen_ms for record in records[:k]) > now:
            continue
        then = tables(records[:k])
        for name, table in whole.items():
            known = ms(table["seen_at"]) <= now
            known &= ms(table["time"]) + GRACE_MS <= now
            if name == "liquidations":
                known &= (table["covered_s"] == 60).to_numpy()
            merged = then[name].set_index("time").reindex(table["time"][known])
            pd.testing.assert_frame_equal(
                merged.reset_index(), table[known].reset_index(drop=True), check_dtype=False
            )


def _with_late_ones(records, random):
    """Every minute a candle and a reading in time, and others too late."""
    sample, more = PAPER["samples"], []
    for close in range(START - 19 * MINUTE, START + 19 * MINUTE, MINUTE):
        soon, late = close + random.randrange(9_000), close + random.randrange(11_000, 50_000)
        for time_ms, seen_ms in ((close - 2, soon), (close - 1, late)):
            reading = PAPER["reading"](time_ms, random.uniform(5, 6), "open_interest")
            candle = PAPER["candle"](close, random.uniform(90, 110))
            more.append(sample(seen_ms, candle, reading))
    return sorted([*records, *more], key=lambda record: record.seen_ms)


def law_a_row_stays_as_it_was_written(random):
    """Rows are added and never changed; liquidations that were known may be doubted later."""
    records = _with_late_ones(PAPER["wild_tape"](random), random)
    whole = tables(records)
    after = [(k, records[k].seen_ms % MINUTE) for k in range(5, len(records))]
    soon = [k for k, ms in after if ms < GRACE_MS]
    later = [k for k, ms in after if GRACE_MS < ms < 2 * GRACE_MS]
    for k in [*random.sample(soon, 5), *random.sample(later, 5)]:
        then = tables(records[:k])
        for name, table in then.items():
            since = whole[name].set_index("time").reindex(table["time"]).reset_index()
            if name == "liquidations":
                columns = ["long_known_usd", "short_known_usd"]
                sure = (since["covered_s"] == 60).to_numpy()
                assert (table["covered_s"] == 60)[sure].all()
                table, since = table[sure][columns], since[sure][columns]  # noqa: PLW2901
            pd.testing.assert_frame_equal(since, table, check_dtype=False)


def law_nobody_s_symbol_is_unknown(_random):
    """A symbol that is not named is not collected, though its line is open; nor after a restart."""
    event, sample, mark = PAPER["event"], PAPER["samples"], PAPER["reading"]
    other = mark(START, 1.0, symbol="ETHUSDT")
    tape = [event(START, "opened"), *(sample(START + 30_000 * k, other) for k in range(1, 4))]
    tape += [sample(START + 120_000 + 30_000 * k, mark(START, 1.0)) for k in range(6)]
    tape += [event(START + 290_000, "closed"), event(START + 291_000, "opened")]
    tape += [sample(START + 300_000 + 30_000 * k, other) for k in range(6)]
    tape += [sample(START + 30_001 + 30_000 * k, line="orders") for k in range(15) if k != 8]
    table = tables(sorted(tape, key=lambda record: record.seen_ms))["liquidations"]
    assert table["long_count"].iloc[:7].notna().tolist() == [False] * 2 + [True] * 2 + [False] * 3


def law_a_lone_line_that_is_replaced_goes_on(_random):
    """Its symbols are collected on: what is closed and opened at once is no new collector."""
    event, orders = PAPER["event"], PAPER["orders"]
    one = ["BTCUSDT", START + 5_000, "long", 100.0, 1.0]
    tape = [PAPER["rules"](START), event(START, "opened"), orders(START + 5_010, one)]
    tape += [PAPER["samples"](START + 30_000 * k, line="orders") for k in range(1, 12)]
    tape += [event(START + 150_000, "closed", content=b"replaced")]
    tape += [event(START + 150_000, "opened", content=b"replaces another")]
    table = tables(sorted(tape, key=lambda record: record.seen_ms))["liquidations"]
    assert table["long_count"].iloc[:5].notna().tolist() == [False, True, True, True, True]


LAWS = [
    law_a_lone_line_that_is_replaced_goes_on,
    law_nobody_s_symbol_is_unknown,
    law_bounds,
    law_unknown_iff_uncovered,
    law_silence_is_no_calm,
    law_once,
    law_no_look_ahead,
    law_a_row_stays_as_it_was_written,
]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("law", LAWS)
def test_law(law, seed):
    law(random.Random(seed))


# mutants: each must break a law


def _deaf_to(what):
    true = Listening.take

    def take(self, record, *, unread=False):
        if record.what != what:
            true(self, record, unread=unread)

    return (Listening, "take", take)


def _no_pauses():
    return (Listening, "_interrupt", lambda self, last, now: None)


def _calm():
    true = tape_tables_rows.typed_table
    return (tape_tables_rows, "typed_table", lambda name, c: true(name, c).fillna(0.0)
            if name == "liquidations" else true(name, c))  # fmt: skip


def _counts_replays():
    def add_counted(self, counted, seen_ms):
        for identity, count in counted.items():
            self.copies.setdefault(identity, []).extend([seen_ms] * count)

    return (tally_orders.OrderTally, "add_counted", add_counted)


def _drops_equal_ones():
    true = tally_orders.OrderTally.add_counted

    def add_counted(self, counted, seen_ms):
        true(self, dict.fromkeys(counted, 1), seen_ms)

    return (tally_orders.OrderTally, "add_counted", add_counted)


def _known_at_the_close():
    true = tape_tables_rows._second_up
    return (tape_tables_rows, "_second_up", lambda ms: min(true(ms), ms // MINUTE * MINUTE))


def _last_candle_wins():
    def close(self, told, seen_ms):
        prices = (told.open, told.high, told.low, told.close)
        seen = self.candle[0] if self.candle else float(seen_ms)
        self.candle = (seen, *prices, told.volume, told.taker_buy_volume)

    return (minutes_module.Minute, "close", close)


def _no_cap():
    return (tally_orders, "capped_usd", lambda usd: usd)


def _every_symbol():
    return (tape_tables_fold, "shared_spans", lambda first, second: first)


def _takes_late_readings():
    def read(self, told, seen_ms):
        self._at(told.symbol, told.time_ms // MINUTE).read(told, seen_ms)

    return (minutes_module.MinuteTally, "_reading", read)


def _knows_late_orders():
    true = tally_orders.OrderTally.usd_by
    return (tally_orders.OrderTally, "usd_by", lambda self, side, _: true(self, side, 1 << 60))


def _writes_at_once():
    return (tape_tables_fold, "GRACE_MS", 0)


MUTANTS = {
    "takes late readings": _takes_late_readings(),
    "knows late orders": _knows_late_orders(),
    "writes at once": _writes_at_once(),
    "every symbol of a line": _every_symbol(),
    "deaf to silence": _deaf_to("silent"),
    "deaf to closing": _deaf_to("closed"),
    "no pauses": _no_pauses(),
    "silence is calm": _calm(),
    "counts replays": _counts_replays(),
    "drops equal ones": _drops_equal_ones(),
    "known at the close": _known_at_the_close(),
    "last candle wins, known as the first": _last_candle_wins(),
    "no cap": _no_cap(),
}


def every_law():
    for law in LAWS:
        for seed in range(3):
            law(random.Random(seed))


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_breaks_a_law(name, monkeypatch):
    monkeypatch.setattr(*MUTANTS[name])

    with pytest.raises(AssertionError, match=r"\w"):
        every_law()


def test_a_day_continued_from_its_carry_is_the_same_day():
    rng = random.Random(3)
    records = PAPER["wild_tape"](rng, start=START - 70 * MINUTE, minutes=150, every_ms=20_000)
    whole = fold(records)
    whole.forget(DAY - 1)
    hour, carry = whole.carry(DAY * 24)
    listening, collected, once = carry_from_json(carry)

    later = [record for record in records if record.seen_ms >= START - 60 * MINUTE]
    again = fold(later, listening=listening, collected=collected, once=once, first_hour=hour)

    assert hour == DAY * 24
    assert len(later) < len(records)
    for name, table in whole.tables(DAY).items():
        pd.testing.assert_frame_equal(again.tables(DAY)[name], table)


def test_days_begin_with_the_first_record_and_end_an_hour_after_midnight():
    event = PAPER["event"]
    found = fold([event(START + 5, "opened"), event(START + DAY_MS + 3_599_999, "closed")])
    assert (found.finished_days(), found.running_days()) == ([], [DAY, DAY + 1])

    found.take(event(START + DAY_MS + 3_600_000, "opened"))
    assert (found.finished_days(), found.running_days()) == ([DAY], [DAY + 1])
    assert tape_tables_fold.DAY_MS == 86_400_000
