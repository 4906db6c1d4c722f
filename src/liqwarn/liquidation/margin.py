"""Liquidation and bankruptcy prices of isolated positions, flat maintenance rate.

Notation: ``E`` entry price, ``L`` leverage, ``m`` maintenance margin rate as a fraction of
notional (add the venue's liquidation fee rate to it where one is charged). A long is liquidated
below its entry and a short above it, always before the bankruptcy price, where nothing is left
of the margin. All functions broadcast their arguments like numpy; NaN in, NaN out.

Source of the formulas: equity at price ``P`` equals ``m`` times the notional at ``P``; for linear
contracts equity is ``E/L ± (P - E)`` a coin, for inverse (coin-margined) contracts it is
``1/(L·E) ± (1/E - 1/P)`` coins a quote unit. Tiers, maintenance amounts, cross margin and added
margin are in :mod:`liqwarn.liquidation.exposure`.
"""

import numpy as np
from numpy.typing import ArrayLike

from liqwarn.errors import FrameError
from liqwarn.frames import SIDES, FloatArray, Side

__all__ = [
    "bankruptcy_price",
    "inverse_bankruptcy_price",
    "inverse_liquidation_price",
    "liquidation_price",
]


def liquidation_price(
    side: Side, entry: ArrayLike, leverage: ArrayLike, maintenance_rate: ArrayLike
) -> FloatArray:
    """Price at which a linear (quote-margined) isolated position is liquidated.

    Parameters
    ----------
    side : {"long", "short"}
        Side of the position.
    entry : array_like
        Entry price, quote per coin, > 0.
    leverage : array_like
        Notional over margin at entry, ≥ 1. A long at exactly 1x is never liquidated: price 0.
    maintenance_rate : array_like
        Fraction of notional, ≥ 0 and below ``1 / leverage``.

    Returns
    -------
    ndarray of float64
        ``E(1 - 1/L)/(1 - m)`` for longs, ``E(1 + 1/L)/(1 + m)`` for shorts.

    Raises
    ------
    FrameError
        When the side is unknown or a value lies outside its range.

    Examples
    --------
    >>> float(liquidation_price("long", 67_000, 10, 0.004).round(2))
    60542.17
    >>> float(liquidation_price("long", 120, 5, 0.01).round(2))
    96.97
    >>> liquidation_price("long", 150, [10, 20], 0.01).round(2)
    array([136.36, 143.94])
    >>> float(liquidation_price("short", 2.00, 10, 0.01).round(3))
    2.178
    """
    sign = _sign(side)
    price, lever, rate = _checked(entry, leverage, maintenance_rate)
    return np.asarray(price * (1.0 - sign / lever) / (1.0 - sign * rate))


def bankruptcy_price(side: Side, entry: ArrayLike, leverage: ArrayLike) -> FloatArray:
    """Price at which the margin of a linear isolated position is gone: ``E(1 ∓ 1/L)``.

    Popular articles call this the liquidation price; the venue acts before it is reached.

    Parameters
    ----------
    side, entry, leverage
        As in :func:`liquidation_price`.

    Returns
    -------
    ndarray of float64
        Quote per coin.

    Raises
    ------
    FrameError
        When the side is unknown or a value lies outside its range.

    Examples
    --------
    >>> [float(bankruptcy_price("long", entry, lever)) for entry, lever in ((120, 5), (150, 10))]
    [96.0, 135.0]
    >>> float(bankruptcy_price("short", 2.00, 10).round(2))
    2.2
    """
    sign = _sign(side)
    price, lever, _ = _checked(entry, leverage, 0.0)
    return np.asarray(price * (1.0 - sign / lever))


def inverse_liquidation_price(
    side: Side, entry: ArrayLike, leverage: ArrayLike, maintenance_rate: ArrayLike
) -> FloatArray:
    """Price at which an inverse (coin-margined) isolated position is liquidated.

    A long loses coins faster than price falls, so it is hit sooner than a linear long.

    Parameters
    ----------
    side, entry, leverage, maintenance_rate
        As in :func:`liquidation_price`. A short at 1x owes nothing at any price: ``inf``.

    Returns
    -------
    ndarray of float64
        ``E(1 + m)/(1 + 1/L)`` for longs, ``E(1 - m)/(1 - 1/L)`` for shorts.

    Raises
    ------
    FrameError
        When the side is unknown or a value lies outside its range.

    Examples
    --------
    >>> float(inverse_liquidation_price("long", 100, 10, 0.005).round(3))
    91.364
    >>> float(inverse_liquidation_price("short", 100, 10, 0.005).round(3))
    110.556
    """
    sign = _sign(side)
    price, lever, rate = _checked(entry, leverage, maintenance_rate)
    with np.errstate(divide="ignore"):
        return np.asarray(price * (1.0 + sign * rate) / (1.0 + sign / lever))


def inverse_bankruptcy_price(side: Side, entry: ArrayLike, leverage: ArrayLike) -> FloatArray:
    """Price at which the coins of an inverse isolated position are gone: ``E/(1 ± 1/L)``.

    Parameters
    ----------
    side, entry, leverage
        As in :func:`liquidation_price`. A short at 1x owes nothing at any price: ``inf``.

    Returns
    -------
    ndarray of float64
        Quote per coin.

    Raises
    ------
    FrameError
        When the side is unknown or a value lies outside its range.

    Examples
    --------
    >>> [round(float(inverse_bankruptcy_price(side, 100, 10)), 3) for side in ("long", "short")]
    [90.909, 111.111]
    """
    sign = _sign(side)
    price, lever, _ = _checked(entry, leverage, 0.0)
    with np.errstate(divide="ignore"):
        return np.asarray(price / (1.0 + sign / lever))


def _sign(side: Side) -> float:
    if side not in SIDES:
        raise FrameError(f"side is {side!r}, expected one of {SIDES}")
    return 1.0 if side == "long" else -1.0


def _checked(
    entry: ArrayLike, leverage: ArrayLike, maintenance_rate: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    price, lever, rate = (np.asarray(a, np.float64) for a in (entry, leverage, maintenance_rate))
    _refuse("entry price", price, (price <= 0.0) | np.isinf(price), "a finite price above 0")
    _refuse("leverage", lever, (lever < 1.0) | np.isinf(lever), "a finite number of at least 1")
    _refuse("maintenance rate", rate, (rate < 0.0) | (rate >= 1.0), "a fraction in [0, 1)")
    used = rate * lever
    _refuse("maintenance rate times leverage", used, used >= 1.0, "less than 1 at entry")
    return price, lever, rate


def _refuse(name: str, values: FloatArray, wrong: np.ndarray, expected: str) -> None:
    if np.any(wrong):
        raise FrameError(f"{name} is {float(values[wrong].flat[0])}, expected {expected}")
