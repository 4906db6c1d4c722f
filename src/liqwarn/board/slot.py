"""One slot of a mapped board: copied whole, read, and judged.

Two guards stand against a torn read. The counter is read before and after the copy: on x86-64
stores and loads keep their order, so an equal even counter means a whole payload. Python promises
no order on other machines; there the checksum over the payload, which holds the counter itself,
catches what the order does not.
"""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from liqwarn.board.codec import Place, check_signature, decode
from liqwarn.board.flag import MAX_LIFE_NS, BoardFlag, Refusal
from liqwarn.board.layout import BODY_AT, CRC_AT, slot_at
from liqwarn.board.mapping import BoardMap

if TYPE_CHECKING:
    from liqwarn.signing import VerifyKey

__all__ = ["copy_slot", "judge", "too_far"]

_CONTENT: Final = CRC_AT + 4 - BODY_AT
_PAUSE_S: Final = 20e-6
_SPINS: Final = 50
"""Tries before it pauses between them: a write takes less than one try."""


def copy_slot(board: BoardMap, index: int, max_wait_s: float) -> tuple[int, bytes] | Refusal:
    """A slot's counter and the bytes after it, whole; tries again while it is being written.

    Parameters
    ----------
    max_wait_s : float
        After so long in a write that does not end, the slot is ``torn``.
    """
    at, words, memory = slot_at(index), board.words, board.memory
    end, tries = time.monotonic() + max_wait_s, 0
    while True:
        before = words[at // 8]
        if before == 0:
            return Refusal(kind="no flag yet", detail="nothing was written since the start")
        if before % 2 == 0:
            content = memory[at + BODY_AT : at + BODY_AT + _CONTENT]
            if words[at // 8] == before:
                return before, content
        tries += 1
        if tries > _SPINS:
            if time.monotonic() >= end:
                return Refusal(kind="torn", detail=f"a write has not ended, counter {before}")
            time.sleep(_PAUSE_S)


def judge(
    content: bytes, place: Place, symbol: str, keys: "Sequence[VerifyKey]"
) -> BoardFlag | Refusal:
    """The flag in a slot's bytes, or why it is refused, whatever the time is.

    Parameters
    ----------
    place : Place
        Where the bytes were found.
    symbol : str
        Whose flag it must be.
    keys : sequence of VerifyKey
        When there are any, one of them must have signed it.
    """
    flag = decode(content, place)
    if isinstance(flag, Refusal):
        return flag
    if flag.symbol != symbol:
        detail = f"the slot is of {flag.symbol!r}, expected {symbol!r}"
        return Refusal(kind="damaged", detail=detail)
    return (check_signature(content, flag.key_id, keys) if keys else None) or flag


def too_far(flag: BoardFlag, wall_ns: int, boot_ns: int) -> Refusal | None:
    """Why a flag's times cannot be, seen from now: it would live for more than a day."""
    if max(flag.as_of_ns, flag.issued_at_ns) - wall_ns > MAX_LIFE_NS:
        return Refusal(kind="inconsistent", detail="from more than a day ahead of the clock")
    if flag.deadline_ns - boot_ns > MAX_LIFE_NS:
        return Refusal(kind="inconsistent", detail="its deadline is more than a day ahead")
    return None
