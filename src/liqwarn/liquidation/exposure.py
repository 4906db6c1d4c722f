"""Where positions are liquidated, for any margin: tiers, both contracts, isolated and cross.

Everything follows from one sentence: a position is liquidated when its equity equals what the
venue requires. In the unit of its margin (quote units for linear contracts, coins for inverse
ones) a position has the value ``V`` at entry and ``N`` at a price ``P``; its equity is
``W + d·(N − V)``, where ``d = +1`` when it gains as ``N`` grows (a linear long, an inverse short).
Setting that equal to ``m·N − c`` gives, for every tier,

    ``N = (V − W − c)/(1 − m)`` for ``d = +1``,  ``N = (V + W + c)/(1 + m)`` for ``d = −1``.

The required margin is the largest of all tiers' lines, so the position is closed by the tier that
is reached first: the largest ``N`` for ``d = +1``, the smallest for ``d = −1``. That is the tier
of the notional at the liquidation price itself; no iteration is needed. With ``N = V·P/E``
(linear) this is Binance's ``P = (W + c − s·q·E)/(q·(m − s))``, and with ``N = V·E/P`` (inverse) it
is Bybit's ``P = Q·(1 ± m)/(Q/E ± W ± c)``.

Cross margin has the same formula: ``W`` is the wallet balance, less the maintenance margin of the
other positions, plus their unrealised profit.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike

from liqwarn.errors import FrameError
from liqwarn.frames import SIDES, FloatArray, Side
from liqwarn.liquidation.maintenance import Maintenance

__all__ = [
    "CONTRACTS",
    "Contract",
    "Exposure",
    "bankruptcy_at",
    "closing_price",
    "equity_at",
    "margin_ratio",
    "notional_at",
]

Contract = Literal["linear", "inverse"]
CONTRACTS: Final[tuple[Contract, Contract]] = ("linear", "inverse")
"""``linear``: margin and profit in quote units. ``inverse``: in coins."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Exposure:
    """Positions of one side and contract; the three arrays broadcast.

    Attributes
    ----------
    side : {"long", "short"}
        Side of the positions.
    contract : {"linear", "inverse"}
        Whether margin and profit are quote units or coins.
    entry : array_like
        Entry prices, quote per coin, > 0.
    value : array_like
        Value at entry in the unit of the margin, > 0: quote units (``q·E``) or coins (``Q/E``).
    margin : array_like
        ``W``, in the same unit; any sign, as a cross account may be under water elsewhere.

    Raises
    ------
    FrameError
        When the side or contract is unknown or a value lies outside its range. NaN is allowed
        and gives NaN.

    Examples
    --------
    >>> Exposure(side="long", contract="linear", entry=100.0, value=[1e3, 2e3], margin=50.0).value
    array([1000., 2000.])
    """

    side: Side
    contract: Contract
    entry: FloatArray
    value: FloatArray
    margin: FloatArray

    def __init__(
        self,
        *,
        side: Side,
        contract: Contract,
        entry: ArrayLike,
        value: ArrayLike,
        margin: ArrayLike,
    ) -> None:
        if side not in SIDES:
            raise FrameError(f"side is {side!r}, expected one of {SIDES}")
        if contract not in CONTRACTS:
            raise FrameError(f"contract is {contract!r}, expected one of {CONTRACTS}")
        arrays = {"entry": entry, "value": value, "margin": margin}
        for name, given in arrays.items():
            array = np.asarray(given, np.float64)
            bad = np.isinf(array) if name == "margin" else (array <= 0.0) | np.isinf(array)
            if bad.any():
                expected = "a finite number" if name == "margin" else "a finite number above 0"
                found = float(array[bad].flat[0])
                raise FrameError(f"exposure {name} is {found}, expected {expected}")
            object.__setattr__(self, name, array)
        object.__setattr__(self, "side", side)
        object.__setattr__(self, "contract", contract)

    @property
    def gains_with_notional(self) -> bool:
        """Whether profit grows with the notional: true of linear longs and inverse shorts."""
        return (self.side == "long") == (self.contract == "linear")


def notional_at(exposure: Exposure, price: ArrayLike) -> FloatArray:
    """Notional at a price, in the unit of the margin.

    >>> inverse = Exposure(side="long", contract="inverse", entry=100.0, value=1.0, margin=0.1)
    >>> float(notional_at(inverse, 80.0))
    1.25
    """
    at = np.asarray(price, np.float64)
    share = at / exposure.entry if exposure.contract == "linear" else exposure.entry / at
    return np.asarray(exposure.value * share)


def equity_at(exposure: Exposure, price: ArrayLike) -> FloatArray:
    """Margin plus unrealised profit at a price, in the unit of the margin.

    >>> long = Exposure(side="long", contract="linear", entry=120.0, value=120.0, margin=24.0)
    >>> equity_at(long, [130.0, 96.0])
    array([34.,  0.])
    """
    profit = notional_at(exposure, price) - exposure.value
    sign = 1.0 if exposure.gains_with_notional else -1.0
    return np.asarray(exposure.margin + sign * profit)


def margin_ratio(exposure: Exposure, maintenance: Maintenance, price: ArrayLike) -> FloatArray:
    """Maintenance margin over equity at a price; from 1 on the position is liquidated.

    Returns
    -------
    ndarray of float64
        In [0, inf]; ``inf`` when no equity is left.

    Examples
    --------
    >>> from liqwarn.liquidation.maintenance import flat_maintenance
    >>> long = Exposure(side="long", contract="linear", entry=120.0, value=120.0, margin=24.0)
    >>> margin_ratio(long, flat_maintenance(0.01), [120.0, 96.0 / 0.99, 90.0]).round(6)
    array([0.05, 1.  ,  inf])
    """
    required = maintenance.at(notional_at(exposure, price))
    equity = equity_at(exposure, price)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.asarray(required / equity)
    return np.where(equity <= 0.0, np.inf, ratio)


def closing_price(
    exposure: Exposure, maintenance: Maintenance, *, ratio: float = 1.0
) -> FloatArray:
    """Price at which maintenance margin is `ratio` of the equity: 1 is liquidation.

    Parameters
    ----------
    exposure : Exposure
        Positions.
    maintenance : Maintenance
        Tiers; amounts in the unit of the margin.
    ratio : float
        Margin ratio; below 1 the price of an earlier warning, a margin call.

    Returns
    -------
    ndarray of float64
        Quote per coin; 0 for a linear long that no price liquidates, ``inf`` for an inverse
        short. It lies on the far side of the entry for positions already beyond it.

    Raises
    ------
    FrameError
        When the ratio is not above every maintenance rate.

    Examples
    --------
    >>> from liqwarn.liquidation.maintenance import flat_maintenance
    >>> long = Exposure(side="long", contract="linear", entry=120.0, value=120.0, margin=24.0)
    >>> float(closing_price(long, flat_maintenance(0.01)).round(2))
    96.97
    """
    required = maintenance if ratio == 1.0 else maintenance.at_ratio(ratio)
    value, margin = exposure.value[..., None], exposure.margin[..., None]
    if exposure.gains_with_notional:
        lines = (value - margin - required.amounts) / (1.0 - required.rates)
        notional = np.max(lines, axis=-1)
    else:
        lines = (value + margin + required.amounts) / (1.0 + required.rates)
        notional = np.min(lines, axis=-1)
    return _price_of(exposure, np.maximum(notional, 0.0))


def bankruptcy_at(exposure: Exposure) -> FloatArray:
    """Price at which nothing is left of the margin; 0 or ``inf`` when no price takes it all.

    >>> short = Exposure(side="short", contract="inverse", entry=100.0, value=1.0, margin=0.1)
    >>> float(bankruptcy_at(short).round(3))
    111.111
    """
    nothing = Maintenance(rates=np.zeros(1), amounts=np.zeros(1))
    return closing_price(exposure, nothing)


def _price_of(exposure: Exposure, notional: FloatArray) -> FloatArray:
    share = notional / exposure.value
    if exposure.contract == "linear":
        return np.asarray(exposure.entry * share)
    with np.errstate(divide="ignore"):
        return np.asarray(exposure.entry / share)
