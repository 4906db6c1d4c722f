"""Messages of values that cannot be: no crash, nothing filled in silence, every count adds up.

``LIQWARN_FAULTS=full`` runs the counts that docs/live-bars.md reports.
"""

import math
import os
import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import orjson

from liqwarn.data.bars.assembler import Assembler
from liqwarn.data.bars.codec import decode_message
from liqwarn.data.bars.lines import LineReader
from liqwarn.data.bars.message import BarMessage
from liqwarn.data.checks import LARGEST
from liqwarn.data.panel import Panel
from liqwarn.frames import FIELDS

MESSAGES = 10_000 if os.environ.get("LIQWARN_FAULTS") == "full" else 300

FIRST = 1_722_816_000
HOUR = 3_600
SYMBOLS = [f"S{k}USDT" for k in range(10)]
CANDLE = ("open", "high", "low", "close", "volume")
GOOD = {
    "open": 100.0,
    "high": 101.0,
    "low": 99.0,
    "close": 100.0,
    "volume": 5.0,
    "open_interest": 1e6,
    "funding_rate": 1e-4,
    "netflow": -3.0,
}
NUMBERS = [
    math.nan, math.inf, -math.inf, -1.0, 0.0, -0.0, 1e308, -1e308, 5e-324, -5e-324, 2.3e-308,
    1e17, 99.999, 102.0, 5e5,
]  # fmt: skip
TEXTS = [
    b'"1.0"', b"NaN", b"Infinity", b"-Infinity", b"true", b"null", b"[]", b"{}", b"1e999", b"1e308",
    b"-1", b"0", b"1" * 400, b"0x10", b"1,000", b"", b"5e-324", b"\xff", b'"\\u0000"',
]  # fmt: skip


def make_panel():
    def source(name, fields, step=None):
        time = {"column": "t", "unit": "s", "label": "end"} | ({"step": step} if step else {})
        return {"name": name, "file": f"{name}-{{symbol}}.csv", "time": time, "fields": fields}

    return Panel.model_validate(
        {
            "name": "values",
            "market": "real",
            "bar": "1h",
            "symbols": SYMBOLS,
            "core": ["close"],
            "sources": [
                source("klines", {name: name for name in CANDLE}, "1h"),
                source("stock", {"open_interest": "oi"}),
                source("funding", {"funding_rate": "rate"}),
                source("chain", {"netflow": "net"}, "1h"),
            ],
        }
    )


def can_be(name, value):
    spec = FIELDS[name]
    if not math.isfinite(value) or abs(value) > LARGEST:
        return False
    if spec.floor is not None and value < spec.floor:
        return False
    return not (spec.floor_open and value == spec.floor)


def moment(bar, seconds=0.0):
    return datetime.fromtimestamp(FIRST + bar * HOUR, tz=UTC) + timedelta(seconds=seconds)


def test_impossible_numbers_become_missing_and_are_counted():
    panel, rng = make_panel(), random.Random(3)
    first = np.datetime64(FIRST, "s")
    assembler = Assembler(panel, first=first, patience=timedelta(seconds=30))
    said, columns, bars = {}, [], math.ceil(MESSAGES / len(SYMBOLS))
    for bar in range(bars):
        for symbol in SYMBOLS:
            fields = dict(GOOD)
            for name in rng.sample(sorted(fields), rng.randrange(0, 4)):
                fields[name] = rng.choice(NUMBERS)
            ages = {"open_interest": rng.choice([0.0, 12.0, -1.0, math.nan, math.inf, 1e9])}
            message = BarMessage(
                symbol=symbol, time=first + bar * HOUR, bar_s=HOUR, fields=fields, ages=ages
            )
            said[bar, symbol] = message
            columns += assembler.take(message, moment(bar))

    assert len(columns) == bars
    assert sum(assembler.counts.values()) == assembler.counts["accepted"] == len(said)
    kept = lost = carried = 0
    for bar, column in enumerate(columns):
        for row, symbol in enumerate(SYMBOLS):
            message = said[bar, symbol]
            for name in GOOD:
                found, told = column.fields[name][row], message.fields.get(name, math.nan)
                age = column.ages[name][row]
                assert math.isnan(found) == math.isnan(age)
                if found == told and age == message.ages.get(name, 0.0):
                    assert can_be(name, found)
                    kept += 1
                elif math.isnan(found):
                    lost += not math.isnan(told)
                else:  # a last value, older than this bar, with its age
                    assert FIELDS[name].how == "last"
                    assert HOUR <= age <= panel.max_age_s(name)
                    carried += 1
    assert kept > 0
    assert lost >= 0.1 * len(said)
    assert sum(assembler.refusals.values()) > 0
    print(
        f"{len(said)} messages: {kept} values kept, {lost} missing, {carried} carried with their "
        f"age; refused {dict(sorted(assembler.refusals.items()))}"
    )


def test_no_line_of_wrong_types_crashes_or_is_half_taken():
    panel, rng, reader = make_panel(), random.Random(4), LineReader(name="x")
    assembler = Assembler(
        panel, first=np.datetime64(FIRST, "s"), patience=timedelta(seconds=30), look_ahead=9
    )
    seen, taken, columns = Counter(), 0, []
    for number in range(MESSAGES):
        line = orjson.dumps(
            {
                "schema": "liqwarn.bar/1",
                "symbol": rng.choice([*SYMBOLS, "NEWUSDT"]),
                "time": f"{np.datetime64(FIRST + (number // 20) * HOUR, 's')}Z",
                "bar_s": HOUR,
                "fields": GOOD,
                "ages": {"open_interest": 12.0},
            }
        )
        for _ in range(rng.randrange(0, 3)):
            old = rng.choice([b"100.0", b"101.0", b"5.0", b"12.0", b"3600", b"1000000.0"])
            line = line.replace(old, rng.choice(TEXTS), 1)
        if rng.random() < 0.1:
            line = line[: rng.randrange(len(line))]
        if rng.random() < 0.05:
            line = line.replace(b"close", rng.choice([b"clsoe", b"", b"symbol", b"\xff"]))
        for one in reader.push(line.replace(b"\n", b"") + b"\n"):
            if isinstance(one, str):
                seen["refused lines"] += 1
                assert one.startswith("x: line "), one
                continue
            taken += 1
            assert one == decode_message(line)
            columns += assembler.take(one, moment(number // 20))
        seen["empty lines"] += not line.strip()
    columns += assembler.tick(moment(MESSAGES // 20 + 1))

    assert taken + seen["refused lines"] + seen["empty lines"] == MESSAGES
    assert sum(assembler.counts.values()) == taken
    times = [column.time for column in columns]
    assert times == [np.datetime64(FIRST + k * HOUR, "s") for k in range(len(times))]
    for column in columns:
        for name, values in column.fields.items():
            assert all(can_be(name, v) for v in values[np.isfinite(values)])
            assert not np.isinf(values).any()
    print(f"{MESSAGES} lines: {dict(seen)}, {assembler.counts}, {assembler.refusals}")
