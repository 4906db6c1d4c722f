"""Broken frames: one fault each, of the kinds that lines, venues and their releases make."""

import json

KINDS = ("bit", "byte", "cut", "remove", "rename", "retype", "renumber", "digit", "swap", "nest",
         "twice", "token", "page")  # fmt: skip

OTHER_TYPES = (None, True, False, [], {}, "", "x", 0, -1, 1.5, 10**30, [["1", "2"]], {"a": 1})
PAGES = (b"", b"null", b"[]", b"{}", b"<html><body>busy</body></html>", b'"pong"', b"\x00\xff",
         b'{"code":-1003,"msg":"Too many requests."}', b'{"code":"50011","msg":"Too many"}',
         b"[" * 5000)  # fmt: skip
TOKENS = (b"NaN", b"Infinity", b"-Infinity", b"1e999", b"9" * 5000, b"true", b"null", b"0", b'""')


def places(found, path=()):
    """Paths of all values below the top."""
    pairs = found.items() if isinstance(found, dict) else enumerate(found)
    for key, value in pairs:
        yield (*path, key)
        if isinstance(value, (dict, list)):
            yield from places(value, (*path, key))


def at(found, path):
    for key in path:
        found = found[key]
    return found


def put(found, path, value):
    at(found, path[:-1])[path[-1]] = value


def mutate(frame, rng):
    """A kind of fault, and the frame with it."""
    kind = rng.choice(KINDS)
    if kind in BYTES:
        return kind, BYTES[kind](frame, rng)
    tree = json.loads(frame)
    paths = list(places(tree))
    path = rng.choice(paths)
    SHAPES[kind](tree, path, paths, rng)
    if kind == "nest":
        tree = rng.choice([[tree], {"data": tree}, {"stream": "x", "data": tree}])
    return kind, json.dumps(tree, separators=(",", ":")).encode()


def _bit(frame, rng):
    spot = rng.randrange(len(frame))
    return frame[:spot] + bytes([frame[spot] ^ 1 << rng.randrange(8)]) + frame[spot + 1 :]


def _byte(frame, rng):
    spot = rng.randrange(len(frame))
    return frame[:spot] + bytes([rng.choice(b'0123456789.-+eE"{}[],: ')]) + frame[spot + 1 :]


def _digit(frame, rng):
    spots = [spot for spot, byte in enumerate(frame) if chr(byte) in "0123456789.-"]
    spot = rng.choice(spots)
    added = rng.choice([b"", frame[spot : spot + 1] * 2, b"-", b"."])
    return frame[:spot] + added + frame[spot + 1 :]


def _token(frame, rng):
    """A value in place of another, without any care for quotes."""
    starts = [spot + 1 for spot, byte in enumerate(frame) if byte == ord(":")]
    start = rng.choice(starts)
    end = min(frame.find(c, start) for c in (b",", b"}", b"]") if frame.find(c, start) > 0)
    return frame[:start] + rng.choice(TOKENS) + frame[end:]


def _twice(frame, rng):
    """A field that is there twice."""
    starts = [spot for spot, byte in enumerate(frame) if byte == ord("{")]
    start = rng.choice(starts)
    name = frame[start + 1 : frame.find(b":", start)]
    return frame[: start + 1] + name + b":1," + frame[start + 1 :]


def _remove(tree, path, paths, rng):
    del at(tree, path[:-1])[path[-1]]


def _rename(tree, path, paths, rng):
    holder = at(tree, path[:-1])
    if isinstance(holder, dict):
        holder[rng.choice(["x", path[-1].upper() + "x", path[-1].swapcase()])] = holder.pop(
            path[-1]
        )
    else:
        holder.append(holder.pop(0))


def _retype(tree, path, paths, rng):
    value = at(tree, path)
    other = rng.choice(OTHER_TYPES)
    if isinstance(value, str) and rng.random() < 0.4:
        try:
            other = float(value)
        except ValueError:
            other = [value]
    elif type(value) is int and rng.random() < 0.4:
        other = str(value)
    put(tree, path, other)


def _renumber(tree, path, paths, rng):
    """Another unit, another sign, another size."""
    numbers = [p for p in paths if _number(at(tree, p)) is not None]
    if not numbers:
        return
    path = rng.choice(numbers)
    value = at(tree, path)
    changed = rng.choice([
        lambda x: -x, lambda x: 0, lambda x: x / 1000, lambda x: x * 1000, lambda x: x * 10**6,
        lambda x: x * 10**9, lambda x: x + 1, lambda x: x / 10, lambda x: x * 10,
    ])(_number(value))  # fmt: skip
    if isinstance(value, str):
        put(tree, path, f"{changed:.12g}" if isinstance(changed, float) else str(changed))
    else:
        put(tree, path, int(changed) if rng.random() < 0.8 else changed)


def _number(value):
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    try:
        return int(value) if isinstance(value, str) and value.isdigit() else float(value)
    except (TypeError, ValueError):
        return None


def _swap(tree, path, paths, rng):
    one, other = rng.choice(paths), rng.choice(paths)
    if one[: len(other)] == other or other[: len(one)] == one:
        return
    first, second = at(tree, one), at(tree, other)
    put(tree, one, second)
    put(tree, other, first)


BYTES = {
    "bit": _bit,
    "byte": _byte,
    "digit": _digit,
    "token": _token,
    "twice": _twice,
    "cut": lambda frame, rng: frame[: rng.randrange(len(frame))],
    "page": lambda frame, rng: rng.choice(PAGES),
}
SHAPES = {
    "remove": _remove,
    "rename": _rename,
    "retype": _retype,
    "renumber": _renumber,
    "swap": _swap,
    "nest": lambda tree, path, paths, rng: None,
}
