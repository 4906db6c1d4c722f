"""Frames gone wrong in every way: bits, keys, kinds, units, order. Shared by tests of venues."""

import contextlib
import copy
import json
import math
import pickle
import random

from liqwarn.collectors.happenings import Candle, Liquidation, Position, Reading, Trade
from liqwarn.errors import DataError
from liqwarn.frames import FIELDS

ODD = [None, True, False, "", "x", "-1", "0", "1e999", "NaN", -1, 0, 1.5, 10**30, [], {}, [[]]]
UNITS = [1e-6, 1e-3, 1e3, 1e6]
FIRST_MS, LAST_MS = 1_262_304_000_000, 4_102_444_800_000


def spots(found, path=()):
    """Places of a JSON value: (container, key)."""
    inside = found.items() if isinstance(found, dict) else enumerate(found)
    for key, value in inside:
        yield found, key
        if isinstance(value, dict | list):
            yield from spots(value, (*path, key))


def bent(content, rng):
    """The bytes with some of them changed, lost, doubled or cut off."""
    raw = bytearray(content)
    at = rng.randrange(len(raw))
    how = rng.randrange(5)
    if how == 0:
        raw[at] ^= 1 << rng.randrange(8)
    elif how == 1:
        raw[at] = rng.randrange(256)
    elif how == 2:
        del raw[at:]
    elif how == 3:
        del raw[at : at + rng.randrange(1, 6)]
    else:
        raw[at:at] = raw[at : at + rng.randrange(1, 40)]
    return bytes(raw)


def nested(value, rng):
    for _ in range(rng.choice([1, 3, 600, 50_000])):
        value = [value] if rng.random() < 0.5 else {"a": value}
    return value


def scaled(value, rng):
    """A number in another unit, or of another sign; anything else becomes something odd."""
    try:
        number = float(value) * rng.choice([*UNITS, -1.0])
    except (TypeError, ValueError):
        return rng.choice(ODD)
    if not math.isfinite(number):
        return rng.choice(ODD)
    whole = int(number) if isinstance(value, int) or str(value).isdigit() else number
    return str(whole) if isinstance(value, str) else whole


def reshaped(content, rng):
    """The same JSON with a field lost, renamed, retyped, in another unit, or swapped."""
    found = json.loads(content)
    places = list(spots(found))
    holder, key = rng.choice(places)
    how = rng.randrange(7)
    if how == 0:
        del holder[key]
    elif how == 1 and isinstance(holder, dict):
        holder[f"{key}{rng.choice('sX_')}"] = holder.pop(key)
    elif how == 2:
        holder[key] = rng.choice(ODD)
    elif how == 3:
        other, name = rng.choice(places)
        holder[key], other[name] = copy.deepcopy(other[name]), copy.deepcopy(holder[key])
    elif how == 4:
        holder[key] = scaled(holder[key], rng)
    elif how == 5:
        holder[key] = [holder[key]] if rng.random() < 0.5 else {"value": holder[key]}
    else:
        value = holder[key]
        holder[key] = float(value) if str(value).isdigit() else str(value)
    return json.dumps(found).encode()


def deep(content, rng):
    depth = rng.choice([3, 900, 60_000])
    return content[:-1] + b',"deep":' + b"[" * depth + b"]" * depth + b"}"


def mutated(content, rng):
    """A frame that went wrong somehow."""
    how = rng.random()
    if how < 0.45:
        return bent(content, rng)
    if how < 0.93:
        try:
            return reshaped(content, rng)
        except (ValueError, IndexError):  # nothing to reshape, or a cycle
            return bent(content, rng)
    return rng.choice([b"", b"<html>503</html>", b"null", b"[]", b"{}", deep(content, rng)])


def memory(reader):
    """All that a reader remembers, to be compared."""
    return pickle.dumps(reader)


def numbers(content):
    """Every number that a frame says, in quotes or not."""
    found = set()
    for holder, key in spots(json.loads(content)):
        if isinstance(holder[key], str | int | float) and not isinstance(holder[key], bool):
            with contextlib.suppress(ValueError, OverflowError):
                found.add(float(holder[key]))
    return found


def check_said(happening, content):
    """Orders and trades are what the frame says, to the bit: nothing else is made of it."""
    if isinstance(happening, Liquidation | Trade):
        assert {happening.price, happening.size, happening.time_ms} <= numbers(content)


def check_true(happening, symbols):
    """What is said must be able to be true."""
    assert happening.symbol in symbols
    assert FIRST_MS <= happening.time_ms < LAST_MS
    match happening:
        case Liquidation(side=side, price=price, size=size):
            assert side in ("long", "short")
            assert 0 < price < 1e9
            assert 0 < size < 1e19
        case Reading(field=field, value=value):
            assert field in FIELDS
            assert math.isfinite(value)
            floor = FIELDS[field].floor
            assert floor is None or value >= floor
        case Candle():
            assert happening.time_ms % 60_000 == 0
            assert 0 < happening.low <= happening.open <= happening.high
            assert happening.low <= happening.close <= happening.high < math.inf
            assert 0 <= happening.volume < math.inf
        case Trade(price=price, size=size, key=key):
            assert 0 < price < 1e9
            assert 0 < size < 1e19
            assert key
        case Position(size=size, leverage=leverage):
            assert math.isfinite(size)
            assert not math.isinf(leverage)


def run_mutated(venue, symbols, session, count, seed):
    """Read sessions in which frames went wrong, are repeated, lost or out of order.

    Returns how often a wrong frame was refused, said a gap, or was read.
    """
    rng = random.Random(seed)
    seen = {"refused": 0, "gap": 0, "read": 0}
    done = 0
    while done < count:
        reader = venue.reader(symbols)
        frames = list(session)
        for _ in range(rng.randrange(4)):
            a, b = rng.randrange(len(frames)), rng.randrange(len(frames))
            frames[a], frames[b] = frames[b], frames[a] if rng.random() < 0.5 else frames[b]
        for line, content in frames:
            wrong = rng.random() < 0.7
            given = mutated(content, rng) if wrong else content
            before = memory(reader)
            try:
                heard = reader.read(line, given)
            except DataError as error:
                heard, why = None, str(error)
            if heard is None:
                assert memory(reader) == before, (line, given)
                assert len(why) < 1_000
            for happening in heard.happenings if heard else ():
                check_true(happening, symbols)
                check_said(happening, given)
            seen["refused" if heard is None else "gap" if heard.gap else "read"] += wrong
            done += wrong
            if rng.random() < 0.02:
                reader.opened(line)
    return seen
