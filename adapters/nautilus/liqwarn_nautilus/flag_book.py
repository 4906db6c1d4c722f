"""The newest flag of each symbol, and what it says at a given time. No clock, no I/O."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from liqwarn.decisions import Limits
from liqwarn.policy.limits import no_new_risk, stricter
from liqwarn_nautilus.default_limits import DEFAULT_LIMITS
from liqwarn_nautilus.flag import SIDES, LiqwarnFlag

__all__ = ["ASSUMED_TIER", "FlagBook", "Verdict"]

ASSUMED_TIER = 3
"""Tier of a side without a usable flag."""

_MISSING = no_new_risk(DEFAULT_LIMITS[ASSUMED_TIER].threatened)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one side of a symbol may do now.

    Attributes
    ----------
    new_risk : bool
        Whether its exposure may grow; reducing it is never asked about.
    tier : int
    state : str
        ``ACTIVE``, ``REDUCING`` or ``HALTED``.
    limits : Limits
    fresh : bool
        Whether it comes from a flag within its validity.
    reason : str
    """

    new_risk: bool
    tier: int
    state: str
    limits: Limits
    fresh: bool
    reason: str


class FlagBook:
    """Keeps the newest flag of each watched symbol.

    Parameters
    ----------
    symbols : iterable of str
        Those watched; flags of others are left out.
    """

    def __init__(self, symbols: Iterable[str]) -> None:
        self.symbols = tuple(dict.fromkeys(symbols))
        self.refused: Counter[str] = Counter()
        self._flags: dict[str, LiqwarnFlag] = {}

    def take(self, flag: LiqwarnFlag, now_ns: int) -> str | None:
        """Take a flag up.

        Returns
        -------
        str or None
            Why it was refused, None when it was taken. The flag before it then stays, until its
            own validity ends.
        """
        refusal = self._refusal(flag, now_ns)
        if refusal:
            self.refused[refusal] += 1
        else:
            self._flags[flag.symbol] = flag
        return refusal

    def _refusal(self, flag: LiqwarnFlag, now_ns: int) -> str | None:
        if flag.symbol not in self.symbols:
            return "symbol not watched"
        if flag.ts_init > now_ns:
            return "issued in the future"
        before = self._flags.get(flag.symbol)
        if before is not None and flag.sequence < before.sequence:
            return "lower sequence"
        return None

    def verdict(self, symbol: str, side: str, now_ns: int) -> Verdict:
        """What the side may do at `now_ns`; without a usable flag nothing new."""
        flag = self._flags.get(symbol)
        if flag is None:
            return Verdict(False, ASSUMED_TIER, "REDUCING", _MISSING, False, "no flag yet")
        if now_ns >= flag.valid_until_ns or flag.quality in ("stale", "unknown"):
            return _stale(flag, side)
        said = flag.side(side)
        reason = f"{side} side of {symbol} is at T{said.tier}, {said.state}"
        return Verdict(said.new_risk, said.tier, said.state, said.limits, True, reason)

    def verdicts(self, now_ns: int) -> list[Verdict]:
        """Of all symbols and sides."""
        return [self.verdict(symbol, side, now_ns) for symbol in self.symbols for side in SIDES]


def _stale(flag: LiqwarnFlag, side: str) -> Verdict:
    """Never looser than it was, never halted by age alone; an operator's halt stays one."""
    said = flag.side(side)
    tier = max(said.tier, ASSUMED_TIER)
    state = "HALTED" if said.state == "HALTED" else "REDUCING"
    limits = no_new_risk(stricter(said.limits, _MISSING))
    return Verdict(False, tier, state, limits, False, f"flag of {flag.symbol} is stale")
