"""Replies that are not what was asked for: edits of bytes, and of the fields of a row."""

import json

from hypothesis import strategies as st

_STRANGE = [None, True, False, [], {}, ["1"], {"a": 1}, "", " ", "NaN", "nan", "inf",
            "-Infinity", "1,5", "1e999", "0x10", "\uff11", "--1", "1e5", "null", "<html>", -1,
            -1e-9, 1e400]  # fmt: skip


@st.composite
def broken_bytes(draw, good):
    """The body with some bytes changed, cut out, put in, or cut off."""
    content = bytearray(draw(st.sampled_from(good)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(content) - 1)))
        how = draw(st.sampled_from(["set", "drop", "insert", "cut", "twice"]))
        if how == "set" and content:
            content[at] = draw(st.integers(0, 255))
        elif how == "drop":
            del content[at : at + draw(st.integers(1, 20))]
        elif how == "insert":
            content[at:at] = draw(st.binary(min_size=1, max_size=8) | st.just(b'"'))
        elif how == "cut":
            del content[at:]
        else:
            content[at:at] = content[at : at + draw(st.integers(1, 60))]
    return bytes(content)


@st.composite
def broken_rows(draw, rows, time):
    """Rows as a provider gives them, with one edit; `time` names the field of stamps."""
    rows = [dict(row) for row in rows]
    at = draw(st.integers(0, len(rows) - 1))
    row = rows[at]
    name = draw(st.sampled_from(sorted(row)))
    how = draw(
        st.sampled_from(["drop", "rename", "add", "set", "scale", "shift", "twice", "swap", "trade",
                         "text"])
    )  # fmt: skip
    if how == "drop":
        row.pop(name)
    elif how == "rename":
        row[draw(st.sampled_from([name.upper(), f"{name}_usd", name[::-1] + "x"]))] = row.pop(name)
    elif how == "add":
        row[draw(st.text(min_size=1, max_size=8))] = draw(st.sampled_from(_STRANGE))
    elif how == "set":
        row[name] = draw(st.sampled_from(_STRANGE))
    elif how == "scale":
        row[time] = int(row[time] * draw(st.sampled_from([1e-3, 1e3, 1e6, 1e9])))
    elif how == "shift":
        row[time] += draw(st.integers(-(10**13), 10**13).filter(bool))
    elif how == "twice":
        rows.insert(at, dict(row))
    elif how == "swap" and len(rows) > 1:
        rows[at], rows[at - 1] = rows[at - 1], rows[at]
    elif how == "trade":
        other = draw(st.sampled_from(sorted(row)))
        row[name], row[other] = row[other], row[name]
    else:
        row[name] = str(row[name])
    return how, rows


def said(value):
    """A JSON number or text as its text, null as nothing."""
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def parsed(content):
    """What the body says, with numbers as their text."""
    return json.loads(content, parse_float=str, parse_int=str)
