"""When a symbol's live skill is too low to be acted on: a pure rule over a record of it.

A symbol is disabled when the whole 95 % interval of its live skill lies below its floor, measured
on enough onsets: what is merely uncertain is left alone. A disabled symbol is *not scored*: its
flags say quality ``unknown`` and count as expired, so policy holds its tier at T2 and, after an
hour, at T3. That is the safest of what could be done, as a mute model must never look calm, and
the least surprising, as it is what any other missing score does. It stays disabled until a person
or a new champion enables it: a skill that comes back by itself would turn the flag on and off.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import isfinite
from typing import Final

import numpy as np

from liqwarn.frames import BoolArray, TimeArray

__all__ = [
    "ENOUGH_LIVE",
    "FLOOR",
    "LiveSkill",
    "Standing",
    "disabled_reasons",
    "enable",
    "is_disabled",
    "judge_symbols",
]

FLOOR: Final = 0.5
"""Live ROC-AUC below which a ranking is worse than none."""
ENOUGH_LIVE: Final = 10
"""Least onsets with a known outcome, under the present champion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSkill:
    """What became of a symbol's flags, under one champion.

    Attributes
    ----------
    champion : str
        Version that gave the scores.
    onsets : int
        Onsets among the outcomes that are known.
    skill, low, high : float
        ROC-AUC and its 95 % interval; NaN where it cannot be measured.
    """

    champion: str
    onsets: int
    skill: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Whether a symbol is scored.

    Attributes
    ----------
    enabled : bool
    champion : str
        Version under which that was decided.
    since : datetime
    reason : str
        Words with figures; of an enabled symbol who enabled it, or empty.
    by_hand : bool
        Enabled by a person, whose word stands until the next champion.
    """

    enabled: bool
    champion: str
    since: datetime
    reason: str = ""
    by_hand: bool = False


def judge_symbols(
    standings: Mapping[str, Standing],
    record: Mapping[str, LiveSkill],
    champion: str,
    now: datetime,
    *,
    floors: Mapping[str, float] | None = None,
) -> dict[str, Standing]:
    """Where every symbol stands now.

    Parameters
    ----------
    standings : mapping of symbol to Standing
        As they were; a symbol that is new is enabled.
    record : mapping of symbol to LiveSkill
        Skill of an earlier champion is not this one's and is left out.
    champion : str
        Version in force. Another than that of a standing enables the symbol again.
    floors : mapping of symbol to float, or None
        Floors other than :data:`FLOOR`.

    Examples
    --------
    >>> poor = LiveSkill(champion="7", onsets=14, skill=0.31, low=0.2, high=0.44)
    >>> found = judge_symbols({}, {"SOLUSDT": poor}, "7", datetime(2026, 5, 1))
    >>> found["SOLUSDT"].reason
    'live ROC-AUC 0.310 [0.200, 0.440] on 14 onsets lies below the floor of 0.5'
    """
    out = {}
    for symbol in sorted({*standings, *record}):
        fresh = Standing(enabled=True, champion=champion, since=now)
        before = standings.get(symbol, fresh)
        at = before if before.champion == champion else _renewed(before, champion, now)
        reason = _poor(record.get(symbol), champion, (floors or {}).get(symbol, FLOOR))
        if at.enabled and reason and not at.by_hand:
            at = Standing(enabled=False, champion=champion, since=now, reason=reason)
        out[symbol] = at
    return out


def enable(standing: Standing, by: str, reason: str, now: datetime) -> Standing:
    """Enable a symbol by hand; it stays so until the next champion, whatever its record says."""
    told = f"enabled by {by}: {reason}"
    return replace(standing, enabled=True, since=now, reason=told, by_hand=True)


def is_disabled(
    standings: Mapping[str, Standing], champion: str, symbols: Sequence[str], times: TimeArray
) -> BoolArray:
    """Which bars a model must not score: those that close after it was disabled for a symbol.

    What was scored before stays as it was, so that a history and the bars it grew by are the same.

    Parameters
    ----------
    champion : str
        Version that is to score. A standing of another version says nothing about this one.
    times : ndarray of datetime64, shape (n_bars,)
        Bar closes, UTC.

    Returns
    -------
    ndarray of bool, shape (n_symbols, n_bars)

    Examples
    --------
    >>> off = Standing(enabled=False, champion="7", since=datetime(2026, 5, 1, 12, tzinfo=UTC))
    >>> hours = np.array(["2026-05-01T12", "2026-05-01T13"], dtype="datetime64[s]")
    >>> is_disabled({"SOLUSDT": off}, "7", ("BTCUSDT", "SOLUSDT"), hours).tolist()
    [[False, False], [False, True]]
    """
    found = np.zeros((len(symbols), len(times)), dtype=np.bool_)
    for row, symbol in enumerate(symbols if standings else ()):
        one = standings.get(symbol)
        if one is not None and not one.enabled and one.champion == champion:
            since = one.since.astimezone(UTC).replace(tzinfo=None)
            found[row] = times > np.datetime64(since, "us")
    return found


def disabled_reasons(
    standings: Mapping[str, Standing], symbols: Sequence[str], disabled: BoolArray
) -> dict[str, str]:
    """Why symbols are not scored, by symbol; `disabled` has shape (n_symbols,)."""
    off = np.flatnonzero(disabled).tolist()
    return {symbols[row]: standings[symbols[row]].reason for row in off}


def _renewed(before: Standing, champion: str, now: datetime) -> Standing:
    """The standing under a new champion, which is given its chance."""
    if before.enabled:
        return replace(before, champion=champion, reason="", by_hand=False)
    reason = f"champion {champion} in place of {before.champion}"
    return Standing(enabled=True, champion=champion, since=now, reason=reason)


def _poor(skill: LiveSkill | None, champion: str, floor: float) -> str:
    """Why a skill is too low; empty when it is not, or is not known well enough."""
    if skill is None or skill.champion != champion or skill.onsets < ENOUGH_LIVE:
        return ""
    if not isfinite(skill.high) or skill.high >= floor:
        return ""
    return (
        f"live ROC-AUC {skill.skill:.3f} [{skill.low:.3f}, {skill.high:.3f}] on {skill.onsets} "
        f"onsets lies below the floor of {floor}"
    )
