"""Broken frames of OKX: the same happenings, a refusal, or numbers that can be."""

import copy
import os
import random
import runpy
from collections import Counter
from pathlib import Path

import pytest

from liqwarn.collectors.happenings import Candle, Liquidation
from liqwarn.collectors.okx import Okx
from liqwarn.collectors.recent import Recent
from liqwarn.errors import DataError

HERE = Path(__file__)
GIVEN = runpy.run_path(str(HERE.with_name("okx_given.py")))
mutate = runpy.run_path(str(HERE.with_name("frame_mutations.py")))["mutate"]
COUNT = 20_000 if os.environ.get("LIQWARN_FAULTS") == "full" else 600
SYMBOLS = ["BTCUSDT", "ETHUSDT"]


def memory(reader):
    held = {name: tuple(one._keys) if isinstance(one, Recent) else one
            for name, one in vars(reader).items()}  # fmt: skip
    return copy.deepcopy(held)


def warm(upto):
    reader = Okx().reader(SYMBOLS)
    for line, frame in GIVEN["session"]()[:upto]:
        reader.read(line, frame)
    return reader


def check(one, truth, first):
    """A number is one that can be, whatever befell its frame; of prices, one near the true one."""
    assert one.symbol in SYMBOLS
    assert 1_262_304_000_000 <= one.time_ms < 4_102_444_800_000
    if isinstance(one, Liquidation):
        near = 26_000 < one.price < 240_000 or abs(one.time_ms - truth.time_ms) > 600_000
        assert near or first
        assert 0 < one.usd <= 5e9
    elif isinstance(one, Candle):
        assert 0 < one.low <= min(one.open, one.close) <= max(one.open, one.close) <= one.high
        assert one.high <= one.low * 20
        assert one.volume >= 0
    elif one.field in {"mark", "index"}:
        near = truth.value / 5.1 <= one.value <= truth.value * 5.1
        assert near or truth.time_ms <= GIVEN["AT"] or abs(one.time_ms - truth.time_ms) > 500_000
    elif one.field == "funding_rate":
        assert abs(one.value) <= 0.1
    else:
        assert one.value >= 0


def test_a_broken_frame_never_tells_what_cannot_be():
    rng = random.Random(7)
    frames = GIVEN["session"]()
    outcomes = Counter()
    readers = [warm(spot) for spot in range(len(frames))]
    truths = [copy.deepcopy(r).read(*frames[spot]).happenings for spot, r in enumerate(readers)]
    for _ in range(COUNT):
        spot = rng.randrange(len(frames))
        line, frame = frames[spot]
        kind, broken = mutate(frame, rng)
        reader = copy.deepcopy(readers[spot])
        before = memory(reader)
        try:
            heard = reader.read(line, broken)
        except DataError:
            outcomes[kind, "refused"] += 1
            assert memory(reader) == before
            continue
        same = heard.happenings == truths[spot]
        outcomes[kind, "same" if same else "other" if heard.happenings else "none"] += 1
        by_field = {getattr(t, "field", type(t).__name__): t for t in truths[spot]}
        for one in heard.happenings:
            first = len(readers[spot]._forced.get(one.symbol, ())) < 2
            check(one, by_field.get(getattr(one, "field", type(one).__name__), one), first)

    assert sum(outcomes.values()) == COUNT
    assert sum(n for (_, what), n in outcomes.items() if what == "refused") > COUNT / 3


def test_refused_frames_between_good_ones_leave_no_trace():
    rng = random.Random(8)
    clean, disturbed = Okx().reader(SYMBOLS), Okx().reader(SYMBOLS)
    for line, frame in GIVEN["session"]():
        refused = 0
        while refused < COUNT // 100:
            _, broken = mutate(frame, rng)
            trial = copy.deepcopy(disturbed)
            try:
                trial.read(line, broken)
            except DataError:
                refused += 1
                with pytest.raises(DataError, match="okx"):
                    disturbed.read(line, broken)
        assert disturbed.read(line, frame) == clean.read(line, frame)
    assert memory(disturbed) == memory(clean)


def test_the_same_frames_give_the_same_happenings():
    one, other = Okx().reader(SYMBOLS), Okx().reader(SYMBOLS)

    told = [one.read(*frame) for frame in GIVEN["session"]()]

    assert told == [other.read(*frame) for frame in GIVEN["session"]()]
    assert sum(len(heard.happenings) for heard in told) >= 15
