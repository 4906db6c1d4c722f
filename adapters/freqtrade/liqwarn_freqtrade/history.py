"""A history of flags, asked as of a moment: what a bot could have read then, and no more."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray

from liqwarn.client import Decision
from liqwarn.client.decision import Moment, allowed, denied, expired_tier
from liqwarn.decisions import MAX_LIFE, Restriction, Tier, TradingState
from liqwarn.errors import PolicyError
from liqwarn.policy.ladder import parse_policy
from liqwarn.policy.limits import no_new_risk, stricter
from liqwarn.policy.tiers import Policy
from liqwarn.tables import read_table

__all__ = ["HistoryGate", "read_history"]

_COLUMNS: Final = [
    "symbol",
    "as_of",
    "side",
    "p_4h",
    "tier",
    "state",
    "quality",
    "sequence",
    "valid_until",
]  # what is read
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Row:
    as_of_us: int
    until_us: int
    tier: int
    state: str
    quality: str
    sequence: int
    regressed: bool
    p_4h: float | None


@dataclass(frozen=True, slots=True, eq=False)
class _Track:
    """The flags of one side of one symbol, in order of their bars."""

    as_of_us: NDArray[np.int64]
    rows: tuple[_Row, ...]

    def last(self, now_us: int) -> _Row | None:
        """The newest flag of a bar that had closed."""
        place = int(np.searchsorted(self.as_of_us, now_us, side="right"))
        return self.rows[place - 1] if place else None


class HistoryGate:
    """Answers from a flag history, point in time.

    Parameters
    ----------
    table : DataFrame
        As ``liqwarn score`` and ``liqwarn replay`` write it: a row a symbol, bar and side.
    policy : Policy
        Whose ladder says what a tier allows; a history holds tiers and states only.
    delay : timedelta
        How long after its bar's close a flag could be read.

    Raises
    ------
    PolicyError
        When a column is missing, or a tier is not on the ladder.
    """

    def __init__(
        self, table: pd.DataFrame, policy: Policy, *, delay: timedelta = timedelta(0)
    ) -> None:
        missing = sorted(set(_COLUMNS) - set(table.columns))
        if missing:
            raise PolicyError(f"flag history lacks {missing}, expected {sorted(_COLUMNS)}")
        self._policy = policy
        self._delay_us = delay // timedelta(microseconds=1)
        self._tracks = {
            (str(symbol), str(side)): _track(rows, len(policy.tiers))
            for (symbol, side), rows in table.groupby(["symbol", "side"], sort=False)
        }

    def ask(self, symbol: str, side: str, now: datetime) -> Decision:
        """What the newest flag that could be read at `now` allowed then; none allows nothing.

        Raises
        ------
        TypeError
            When `now` has no timezone.
        """
        now_us = (now - _EPOCH) // timedelta(microseconds=1)
        opposite = "short" if side == "long" else "long"
        own, other = (self._last(symbol, name, now_us) for name in (side, opposite))
        if own is None or other is None:
            return denied(symbol, side, "no flag had been issued yet")
        if own.as_of_us != other.as_of_us:
            return denied(symbol, side, "the flag lacks a side")
        decision = allowed(symbol, side, self._restriction(own, other), _moment(own))
        if now_us >= own.until_us:
            late_s = (now_us - own.until_us) / 1e6
            why = f"expired {late_s / 60:.0f} min ago"
            return denied(symbol, side, why, last=decision, tier=expired_tier(late_s))
        if own.regressed:
            return denied(symbol, side, "its sequence is lower than one before", last=decision)
        return decision

    def _restriction(self, own: _Row, other: _Row) -> Restriction:
        """The stricter of what both tiers say, and of what the state allows."""
        limits = stricter(
            self._policy.tiers[own.tier].threatened, self._policy.tiers[other.tier].other
        )
        return Restriction(
            tier=Tier(own.tier),
            state=TradingState(own.state),
            limits=limits if own.state == TradingState.ACTIVE else no_new_risk(limits),
            probability={} if own.p_4h is None else {4: own.p_4h},
            reasons=(f"T{own.tier} {own.state} as of its bar.",),
        )

    def _last(self, symbol: str, side: str, now_us: int) -> _Row | None:
        track = self._tracks.get((symbol, side))
        return track.last(now_us - self._delay_us) if track else None


def read_history(path: Path, policy: Path, *, delay: timedelta = timedelta(0)) -> HistoryGate:
    """The gate of a parquet file of flags and the policy file that decided them.

    Raises
    ------
    LiqwarnError, OSError
        When one of them cannot be read.
    """
    content = policy.read_bytes()
    ladder = parse_policy(yaml.safe_load(content), sha256=hashlib.sha256(content).hexdigest())
    return HistoryGate(read_table(path), ladder, delay=delay)


def _track(rows: pd.DataFrame, n_tiers: int) -> _Track:
    ordered = rows.assign(
        as_of=_microseconds(rows["as_of"]), valid_until=_microseconds(rows["valid_until"])
    ).sort_values(["as_of", "sequence"], kind="stable")
    regressed = (ordered["sequence"] < ordered["sequence"].cummax()).to_numpy()
    life_us = MAX_LIFE // timedelta(microseconds=1)
    made = [
        _Row(
            as_of_us=int(row.as_of),
            until_us=min(int(row.valid_until), int(row.as_of) + life_us),
            tier=_tier(row.tier, n_tiers),
            state=str(row.state),
            quality=str(row.quality),
            sequence=int(row.sequence),
            regressed=bool(lower),
            p_4h=None if pd.isna(row.p_4h) else float(row.p_4h),
        )
        for row, lower in zip(ordered.itertuples(index=False), regressed, strict=True)
    ]
    return _Track(ordered["as_of"].to_numpy(dtype=np.int64), tuple(made))


def _microseconds(column: pd.Series) -> pd.Series:
    return pd.to_datetime(column, utc=True).dt.as_unit("us").astype("int64")


def _tier(name: object, n_tiers: int) -> int:
    text = str(name)
    if text[:1] != "T" or not text[1:].isdigit() or int(text[1:]) >= n_tiers:
        raise PolicyError(f"flag history has tier {text!r}, expected T0 to T{n_tiers - 1}")
    return int(text[1:])


def _moment(row: _Row) -> Moment:
    return Moment(
        sequence=row.sequence,
        as_of_ns=row.as_of_us * 1000,
        valid_until_ns=row.until_us * 1000,
        quality=row.quality,
    )
