"""The signal boards as the page shows them: rows of text, and the lengths of their bars."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from liqwarn.reports.formats import DASH, percent, signed
from liqwarn.reports.signal_content import Board, Direction, Group, Reading
from liqwarn.reports.signal_text import absence_text, percentile_text
from liqwarn.reports.tiers import flag_sides, tier_title

__all__ = ["BoardView", "GroupView", "Push", "SignalRow", "SignalsView", "signals_view"]

_LEAST_SCALE: Final = 0.1  # log-odds: a board of tiny pushes must not look like one of large ones
_MARKS: Final[Mapping[Direction | None, str]] = {
    "raising": "▲ raising",
    "lowering": "▼ lowering",
    "neutral": "neutral",
    None: "",
}


@dataclass(frozen=True, slots=True)
class Push:
    """A contribution as text, and as a bar from the middle: where it starts and how long it is.

    `left` and `width` are shares of the whole track, in percent.
    """

    text: str
    kind: str
    mark: str
    left: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalRow:
    """One signal of a board."""

    title: str
    feature: str
    unit: str
    value: str
    missing: str
    percentile: str
    share: float | None
    push: Push
    expected: str
    odd: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupView:
    """One group of a board."""

    title: str
    push: Push
    rest: str
    rows: tuple[SignalRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardView:
    """One board: a flag's side, explained."""

    symbol: str
    side: str
    tier: int
    title: str
    verdict: str
    sum_text: str
    groups: tuple[GroupView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalsView:
    """The boards of the flags shown, the strictest first.

    `others` counts the boards left out because they are of another bar than the flag.
    """

    boards: tuple[BoardView, ...]
    others: int


def signals_view(boards: Iterable[Board], flags: Iterable[Mapping[str, Any]]) -> SignalsView:
    """The boards in the order of the flags they explain."""
    found = {(board.symbol, board.side, board.as_of): board for board in boards}
    views = []
    for flag in flag_sides(flags):
        board = found.pop((flag.symbol, flag.side, flag.as_of), None)  # type: ignore[arg-type]
        if board is not None:
            views.append(_board(board, flag.tier))
    return SignalsView(boards=tuple(views), others=len(found))


def _board(board: Board, tier: int) -> BoardView:
    head = f"{board.symbol} {board.side} side: "
    pushes = [r.contribution for r in board.readings] + [g.contribution for g in board.groups]
    scale = max([abs(push) for push in pushes if push is not None] + [_LEAST_SCALE])
    return BoardView(
        symbol=board.symbol,
        side=board.side,
        tier=tier,
        title=tier_title(tier),
        verdict=board.verdict.removeprefix(head),
        sum_text=_sum_text(board),
        groups=tuple(_group(group, scale) for group in board.groups),
    )


def _sum_text(board: Board) -> str:
    """What adds up to the probability, in one line."""
    if board.start is None or board.log_odds is None:
        return "No probability, so no contributions."
    return (
        f"Log-odds {signed(board.log_odds, 2)} ({percent(board.p_4h)}) = start "
        f"{signed(board.start, 2)} + groups {signed(board.log_odds - board.start, 2)}."
    )


def _group(group: Group, scale: float) -> GroupView:
    rest = "" if group.rest is None else f"{signed(group.rest, 2)} by features not shown or missing"
    return GroupView(
        title=group.title,
        push=_push(group.contribution, group.direction, scale),
        rest=rest,
        rows=tuple(_row(reading, scale) for reading in group.signals),
    )


def _row(reading: Reading, scale: float) -> SignalRow:
    share = reading.percentile
    return SignalRow(
        title=reading.title,
        feature=reading.feature,
        unit=reading.unit,
        value=reading.text,
        missing=absence_text(reading),
        percentile=DASH if share is None else percentile_text(share).removesuffix(" percentile"),
        share=None if share is None else round(100.0 * share, 1),
        push=_push(reading.contribution, reading.direction, scale),
        expected={"raising": "higher raises", "lowering": "higher lowers"}.get(
            reading.expected or "", ""
        ),
        odd=reading.agrees is False,
    )


def _push(contribution: float | None, direction: Direction | None, scale: float) -> Push:
    if contribution is None:
        return Push(DASH, "none", "", 50.0, 0.0)
    width = round(50.0 * min(abs(contribution) / scale, 1.0), 1)
    left = 50.0 if contribution >= 0 else 50.0 - width
    text = signed(round(contribution, 2) + 0.0, 2)
    return Push(text, direction or "none", _MARKS[direction], left, width)
