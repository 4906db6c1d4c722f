"""A signal board in words: values, percentiles, and the verdict in one sentence."""

import math
from collections.abc import Iterable, Sequence
from typing import Final

from liqwarn.features.signals import Shown, Words, mirrored
from liqwarn.frames import Side
from liqwarn.reports.formats import DASH, percent, signed
from liqwarn.reports.signal_content import Board, Group, Level, Reading

__all__ = [
    "absence_text",
    "board_text",
    "missing_text",
    "ordinal",
    "percentile_text",
    "phrase_text",
    "value_text",
    "verdict_text",
]

_RAISING: Final = 3
_LOWERING: Final = 2
_LARGE: Final = 1e6


def value_text(value: float | None, shown: Shown) -> str:
    """A value as a person reads it, with its unit; empty when there is none.

    >>> value_text(0.0001, Shown("percent", 4, "per 8 h", plus=True))
    '+0.0100 % per 8 h'
    >>> value_text(-0.0513, Shown("growth", 1, plus=True)), value_text(0.69315, Shown("ratio", 1))
    ('−5.0 %', '2.0×')
    >>> value_text(None, Shown())
    ''
    """
    if value is None:
        return ""
    if shown.form == "yes":
        return "yes" if value > 0.5 else "no"
    number, mark = value, ""
    if shown.form == "percent":
        number, mark = 100.0 * value, " %"
    elif shown.form == "growth":
        number, mark = 100.0 * math.expm1(min(value, math.log(_LARGE))), " %"
    elif shown.form == "ratio":
        number, mark = math.exp(min(value, math.log(_LARGE))), "×"
    rounded = round(number, shown.digits) + 0.0  # no minus before a zero
    text = f"{rounded:{'+' if shown.plus else ''},.{shown.digits}f}{mark}"
    return f"{text} {shown.unit}".strip().replace("-", "−")


def ordinal(number: int) -> str:
    """A whole number as a rank.

    >>> [ordinal(n) for n in (0, 1, 2, 3, 11, 12, 13, 21, 98, 100)]
    ['0th', '1st', '2nd', '3rd', '11th', '12th', '13th', '21st', '98th', '100th']
    """
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def percentile_text(share: float | None) -> str:
    """A trailing share as a percentile, never rounded up.

    >>> percentile_text(0.9899), percentile_text(1.0), percentile_text(None)
    ('98th percentile', '100th percentile', '–')
    """
    return DASH if share is None else f"{ordinal(math.floor(100.0 * share + 1e-9))} percentile"


def phrase_text(
    side: Side, title: str, words: Words, value: float | None, reading: tuple[str, Level | None]
) -> str:
    """A value in a sentence; empty when there is none.

    Parameters
    ----------
    title : str
        What to say of a value that is neither high nor low.
    reading : (str, level)
        The value as written, and the third of the past it stands in.

    Examples
    --------
    >>> near = Words("the nearest cluster {value} {where}", "a cluster {value} {where}")
    >>> phrase_text("long", "Nearest cluster below", near, 1.8, ("1.8 %", "low"))
    'a cluster 1.8 % below'
    >>> phrase_text("long", "Price, change over 24 h", Words("a rise", "a fall", 0.0), 0.0,
    ...             ("0.0 %", "middle"))
    'price, change over 24 h, at 0.0 %'
    """
    if value is None:
        return ""
    text, level = reading
    high = level == "high" if words.pivot is None else value > words.pivot
    low = level == "low" if words.pivot is None else value < words.pivot
    if not high and not low:
        return f"{title[0].lower()}{title[1:]}, at {text}"
    return mirrored(words.high if high else words.low, side).replace("{value}", text)


def verdict_text(board: Board) -> str:
    """The board in one sentence, made of its probability and its strongest signals.

    Signals of one group often cancel: two volatilities say nearly the same. So each group speaks
    once, with its strongest signal that pushes the way the whole group does, and no stronger than
    that. At most three raise and two lower the risk; of equal ones the first on the board.
    """
    parts = [_chance(board)]
    if board.tier is not None:
        parts.append(f"tier {board.tier}")
    if board.p_4h is not None:
        parts.append(_pushes(board))
    return f"{board.symbol} {board.side} side: {'; '.join((*parts, missing_text(board)))}"


def _chance(board: Board) -> str:
    if board.p_4h is None:
        return "no probability, core inputs are missing"
    text = f"{percent(board.p_4h)} in 4 h"
    if board.base_rate:
        text += f", {board.p_4h / board.base_rate:.1f}× the base rate"
    if board.quantile is not None:
        text += f", at the {percentile_text(board.quantile)}"
    return text


def _pushes(board: Board) -> str:
    speakers = [pair for pair in map(_speaker, board.groups) if pair is not None]
    ranked = [reading for _, reading in sorted(speakers, key=lambda pair: -pair[0])]
    up = [_named(r) for r in ranked if r.direction == "raising"][:_RAISING]
    down = [_named(r) for r in ranked if r.direction == "lowering"][:_LOWERING]
    parts = [f"pushed up by {_listed(up)}"] if up else []
    parts += [f"held down by {_listed(down)}"] if down else []
    return ", ".join(parts) or "no signal pushes it clearly up or down"


def _speaker(group: Group) -> tuple[float, Reading] | None:
    """The strongest signal that pushes the way its group does, and how strongly it may count."""
    along = [r for r in group.signals if r.direction == group.direction != "neutral"]
    pushes = [(abs(r.contribution), r) for r in along if r.contribution is not None]
    if not pushes or group.contribution is None:
        return None
    push, reading = max(pushes, key=lambda pair: pair[0])
    return min(push, abs(group.contribution)), reading


def _named(reading: Reading) -> str:
    """A signal in the sentence: its phrase, its percentile, and whether it surprises."""
    notes: list[str] = []
    if reading.percentile is not None:
        notes.append(percentile_text(reading.percentile))
    if reading.agrees is False:
        notes.append("against expectation")
    return f"{reading.phrase} ({', '.join(notes)})" if notes else reading.phrase


def _listed(names: Sequence[str]) -> str:
    """Names in a row.

    >>> _listed(["a"]), _listed(["a", "b"]), _listed(["a", "b", "c"])
    ('a', 'a and b', 'a, b and c')
    """
    head = ", ".join(names[:-1])
    return f"{head} and {names[-1]}" if head else names[-1]


def missing_text(board: Board) -> str:
    """How many signals are missing, in words."""
    total, missing = board.total, board.total - board.live
    if not missing:
        return "no signal missing"
    return f"{'all' if missing == total > 1 else f'{missing} of'} {total} signals missing"


def absence_text(reading: Reading) -> str:
    """Since when a signal is missing, in words; empty when it is not."""
    return {"never": "missing for 180 days", "now": "missing now"}.get(reading.missing or "", "")


def board_text(board: Board) -> str:
    """The whole board as plain lines, for a terminal or a log."""
    lines = [board.verdict]
    for group in board.groups:
        lines += ["", f"{group.title}: {_push(group.contribution)}{_of_rest(group)}"]
        lines += [f"  {line}" for line in _table(_cells(reading) for reading in group.signals)]
    return "\n".join(lines)


def _push(contribution: float | None) -> str:
    return "no contribution" if contribution is None else f"{_log_odds(contribution)} log-odds"


def _log_odds(value: float) -> str:
    return signed(round(value, 2) + 0.0, 2)  # no minus before a zero


def _of_rest(group: Group) -> str:
    if group.rest is None:
        return ""
    return f", of which {_log_odds(group.rest)} by features not shown or missing"


def _cells(reading: Reading) -> tuple[str, ...]:
    if reading.missing is not None:
        return (reading.title, absence_text(reading), "", "", "")
    odd = "against expectation" if reading.agrees is False else ""
    push = "not read" if reading.contribution is None else _log_odds(reading.contribution)
    return (
        reading.title,
        reading.text,
        percentile_text(reading.percentile).removesuffix(" percentile"),
        push,
        " ".join(filter(None, (reading.direction or "", odd and f"({odd})"))),
    )


def _table(rows: Iterable[tuple[str, ...]]) -> list[str]:
    found = list(rows)
    widths = [max((len(row[k]) for row in found), default=0) for k in range(5)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in found
    ]
