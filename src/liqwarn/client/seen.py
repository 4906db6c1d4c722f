"""A flag as a gate keeps it: its order, its two ends, and both its answers made ready."""

from collections.abc import Mapping
from dataclasses import dataclass

from liqwarn.board.clocks import epoch_ns
from liqwarn.board.deadline import deadline_for
from liqwarn.board.flag import BoardFlag
from liqwarn.client.decision import Decision, Moment, allowed
from liqwarn.decisions import Flag, Restriction

__all__ = ["Seen", "seen_from_board", "seen_from_flag"]


@dataclass(slots=True, eq=False)
class Seen:
    """One flag that was read, whole and well signed.

    Attributes
    ----------
    order : (sequence, issued_at in ns)
        A lower one than seen before is refused.
    valid_until_ns : int
        By the wall clock.
    deadline_ns : int
        By the boot clock; it never grows by reading the same flag again.
    decisions : mapping of side to Decision
        What it says while it is good.
    """

    order: tuple[int, int]
    valid_until_ns: int
    deadline_ns: int
    decisions: Mapping[str, Decision]

    def expired_for_s(self, wall_ns: int, boot_ns: int) -> float:
        """Seconds since its end, by the clock that says more; negative while it is good."""
        return max(wall_ns - self.valid_until_ns, boot_ns - self.deadline_ns) / 1e9


def _decisions(
    symbol: str, sides: Mapping[str, Restriction], moment: Moment
) -> dict[str, Decision]:
    return {name: allowed(symbol, name, side, moment) for name, side in sides.items()}


def seen_from_board(flag: BoardFlag) -> Seen:
    """A board's flag; it brings its own deadline."""
    moment = Moment(
        sequence=flag.sequence,
        as_of_ns=flag.as_of_ns,
        valid_until_ns=flag.valid_until_ns,
        quality=flag.quality,
    )
    return Seen(
        order=(flag.sequence, flag.issued_at_ns),
        valid_until_ns=flag.valid_until_ns,
        deadline_ns=flag.deadline_ns,
        decisions=_decisions(flag.symbol, flag.sides, moment),
    )


def seen_from_flag(flag: Flag, written_ns: int, boot_ns: int, before: Seen | None) -> Seen:
    """A published flag, with a deadline on the boot clock.

    Parameters
    ----------
    written_ns : int
        The latest moment that the wall clock or the document itself owns up to.
    before : Seen or None
        The symbol's flag until now: read again, the same one gains no time.
    """
    moment = Moment(
        sequence=flag.sequence,
        as_of_ns=epoch_ns(flag.as_of),
        valid_until_ns=epoch_ns(flag.valid_until),
        quality=flag.quality,
    )
    deadline = deadline_for(flag, wall_ns=written_ns, boot_ns=boot_ns)
    if before is not None and moment.valid_until_ns <= before.valid_until_ns:
        deadline = min(deadline, before.deadline_ns)
    return Seen(
        order=(flag.sequence, epoch_ns(flag.issued_at)),
        valid_until_ns=moment.valid_until_ns,
        deadline_ns=deadline,
        decisions=_decisions(flag.symbol, flag.sides, moment),
    )
