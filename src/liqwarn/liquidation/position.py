"""One position, as a trader states it."""

import math
from dataclasses import dataclass
from typing import Final, Literal

from liqwarn.errors import FrameError
from liqwarn.frames import SIDES, Side
from liqwarn.liquidation.exposure import CONTRACTS, Contract, Exposure

__all__ = ["MODES", "MarginMode", "Position"]

MarginMode = Literal["isolated", "cross"]
MODES: Final[tuple[MarginMode, MarginMode]] = ("isolated", "cross")
"""``isolated``: only the position's own margin is at stake. ``cross``: the whole wallet is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A position and the margin behind it.

    Attributes
    ----------
    side : {"long", "short"}
        Side.
    entry : float
        Average entry price, quote per coin, > 0.
    notional : float
        Value at entry in quote units, > 0; for inverse contracts the number of quote units the
        contracts are for.
    leverage : float or None
        Notional over margin at entry, ≥ 1.
    margin : float or None
        Isolated: the position's margin, instead of `leverage`. Cross: the wallet balance; then
        `leverage` does not enter any price. Quote units for linear contracts, coins for inverse.
    contract : {"linear", "inverse"}
        Kind of contract.
    mode : {"isolated", "cross"}
        What is at stake.
    other_maintenance, other_pnl : float
        Cross only: maintenance margin and unrealised profit of the account's other positions, in
        the unit of the margin.

    Raises
    ------
    FrameError
        When a value lies outside its range or leverage and margin do not fit the mode.

    Examples
    --------
    >>> position = Position(side="long", entry=120.0, notional=600.0, leverage=5.0)
    >>> position.quantity, position.balance
    (5.0, 120.0)
    """

    side: Side
    entry: float
    notional: float
    leverage: float | None = None
    margin: float | None = None
    contract: Contract = "linear"
    mode: MarginMode = "isolated"
    other_maintenance: float = 0.0
    other_pnl: float = 0.0

    def __post_init__(self) -> None:
        for name, known in (("side", SIDES), ("contract", CONTRACTS), ("mode", MODES)):
            if getattr(self, name) not in known:
                raise FrameError(f"{name} is {getattr(self, name)!r}, expected one of {known}")
        for name in ("entry", "notional"):
            found = getattr(self, name)
            if not (math.isfinite(found) and found > 0.0):
                raise FrameError(f"{name} is {found}, expected a finite number above 0")
        if self.leverage is not None and not (
            math.isfinite(self.leverage) and self.leverage >= 1.0
        ):
            raise FrameError(f"leverage is {self.leverage}, expected a finite number of at least 1")
        self._check_margin()

    def _check_margin(self) -> None:
        for name in ("margin", "other_maintenance", "other_pnl"):
            found = getattr(self, name)
            if found is not None and not math.isfinite(found):
                raise FrameError(f"{name} is {found}, expected a finite number")
        if self.other_maintenance < 0.0:
            raise FrameError(f"other_maintenance is {self.other_maintenance}, expected 0 or more")
        if self.mode == "cross":
            if self.margin is None:
                raise FrameError("a cross position has no margin, expected the wallet balance")
            return
        if (self.leverage is None) == (self.margin is None):
            raise FrameError(
                f"an isolated position has leverage {self.leverage} and margin {self.margin}, "
                "expected exactly one of them (a cross position has a wallet)"
            )
        if self.margin is not None and self.margin <= 0.0:
            raise FrameError(f"margin is {self.margin}, expected a finite number above 0")
        if self.other_maintenance or self.other_pnl:
            raise FrameError(
                "an isolated position has other positions behind it, expected them in cross only"
            )

    @property
    def quantity(self) -> float:
        """Coins at entry."""
        return self.notional / self.entry

    @property
    def value(self) -> float:
        """Value at entry in the unit of the margin."""
        return self.notional if self.contract == "linear" else self.quantity

    @property
    def balance(self) -> float:
        """``W``: what stands between the position and bankruptcy, in the unit of the margin."""
        if self.margin is None:
            return self.value / (self.leverage or 1.0)
        return self.margin - self.other_maintenance + self.other_pnl

    @property
    def effective_leverage(self) -> float:
        """Value over what stands behind it, whatever leverage was set; ``inf`` with nothing."""
        return self.value / self.balance if self.balance > 0.0 else math.inf

    @property
    def exposure(self) -> Exposure:
        """The same as arrays, for the formulas."""
        return Exposure(
            side=self.side,
            contract=self.contract,
            entry=self.entry,
            value=self.value,
            margin=self.balance,
        )
