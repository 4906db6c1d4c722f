"""What a board says of a symbol, or why it says nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from liqwarn.decisions import MAX_LIFE, Quality, Restriction, TradingState
from liqwarn.errors import PolicyError

__all__ = ["MAX_LIFE_NS", "BoardFlag", "Refusal"]

MAX_LIFE_NS: Final = int(MAX_LIFE.total_seconds()) * 1_000_000_000
"""Longest a flag may live, as :data:`liqwarn.decisions.MAX_LIFE`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why there is no usable flag.

    Attributes
    ----------
    kind : str
        One of the short words that ``docs/client.md`` lists; denials are counted by it.
    detail : str
        What was found, and what was expected.
    """

    kind: str
    detail: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardFlag:
    """The flag of one symbol as a board holds it; the texts of a flag are not on the board.

    Attributes
    ----------
    as_of_ns, issued_at_ns, valid_until_ns : int
        Nanoseconds since 1970, UTC.
    deadline_ns : int
        Nanoseconds of the boot clock after which it is stale, whatever the wall clock says.
    sides : mapping of side to Restriction
        Without reasons.
    model, policy, data : str
        The first 16 bytes of their hashes, in hex.
    key_id : str
        Of the key that signed it; empty when unsigned.

    Raises
    ------
    PolicyError
        When its parts contradict each other.
    """

    symbol: str
    sequence: int
    as_of_ns: int
    issued_at_ns: int
    valid_until_ns: int
    deadline_ns: int
    quality: Quality
    completeness: float
    sides: Mapping[str, Restriction]
    model: str
    policy: str
    data: str
    key_id: str

    def __post_init__(self) -> None:
        if not 0.0 <= self.completeness <= 1.0:
            raise PolicyError(f"completeness is {self.completeness}, expected 0 to 1")
        for side in self.sides.values():
            _need_agreement(side)
        if not 0 <= self.valid_until_ns - self.as_of_ns <= MAX_LIFE_NS:
            raise PolicyError(
                f"valid until {self.valid_until_ns} ns as of {self.as_of_ns} ns, expected an end "
                f"within {MAX_LIFE} of it"
            )
        newest = (max(self.as_of_ns, self.issued_at_ns) + MAX_LIFE_NS) // 1_000_000_000
        if self.sequence > newest:
            raise PolicyError(f"sequence is {self.sequence}, expected at most {newest}")


def _need_agreement(side: Restriction) -> None:
    if (side.state is TradingState.ACTIVE) != side.limits.net_increase:
        raise PolicyError(f"{side.state.value} contradicts net_increase {side.limits.net_increase}")
    if side.state is TradingState.HALTED and side.tier < max(type(side.tier)):
        raise PolicyError(f"HALTED at {side.tier.name}, expected at T5 alone")
