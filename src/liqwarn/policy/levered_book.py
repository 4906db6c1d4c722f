"""A stylised levered book of one side, marked bar by bar: price, carry, costs, liquidation.

The book wants a leverage on one unit of capital. It is decided at a bar's close, from what is known
then, and exposed from the next bar on. Between two decisions coins are held, so nothing is paid for
standing still. At the end of each week losses are made good and gains taken out: weeks are
comparable, and no compounding lets one of them outweigh the rest.
"""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from liqwarn.errors import FrameError, PolicyError
from liqwarn.frames import BoolArray, FloatArray, Side

__all__ = ["BookTerms", "Ledger", "Plan", "Tape", "run_book"]

_DUST: Final = 1e-12  # coins a decision may differ by and count as the same


@dataclass(frozen=True, slots=True, kw_only=True)
class BookTerms:
    """What the book wants and what trading costs.

    Attributes
    ----------
    leverage : float
        The house's leverage, on one unit of capital.
    fee_frac, slippage_frac : float
        Of the notional turned over.
    event_multiple : float
        How many times the slippage a trade pays while a cascade of either side runs.
    maintenance_frac : float
        Maintenance margin and liquidation fee, of the notional.
    """

    leverage: float = 3.0
    fee_frac: float = 5e-4
    slippage_frac: float = 5e-4
    event_multiple: float = 3.0
    maintenance_frac: float = 0.01

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0.0 <= value < np.inf:
                raise PolicyError(f"{field.name} is {value}, expected 0 or more")
        if not 0.0 < self.leverage * self.maintenance_frac < 1.0:
            raise PolicyError(
                f"{self.leverage}x at a maintenance margin of {self.maintenance_frac} is liquidated"
                " at once or never: expected a product between 0 and 1"
            )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tape:
    """What the market did, as one side's book meets it; all of shape (n_bars,).

    Attributes
    ----------
    side : {"long", "short"}
    close : ndarray of float64
        Finite.
    worst : ndarray of float64
        Most adverse price within the bar: its low for longs, its high for shorts.
    funding : ndarray of float64
        Settled in the bar, as a fraction of notional; 0 in bars without a settlement. Positive:
        longs pay.
    running : ndarray of bool
        Whether a cascade of either side runs: trades at this close cost more.
    week_end : ndarray of bool
        The account is set back to one unit of capital after this bar.
    present : ndarray of bool
        Whether the book holds anything after this bar's close; it is flat in gaps of the data.
    """

    side: Side
    close: FloatArray
    worst: FloatArray
    funding: FloatArray
    running: BoolArray
    week_end: BoolArray
    present: BoolArray

    def __post_init__(self) -> None:
        for field in fields(self)[1:]:
            value = getattr(self, field.name)
            if value.shape != self.close.shape or value.ndim != 1:
                raise FrameError(
                    f"{field.name} has shape {value.shape}, expected {self.close.shape}"
                )
            if not np.isfinite(value).all():
                raise FrameError(f"{field.name} has NaN or infinite values, expected none")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """What a strategy decides at each bar's close, of shape (n_bars,).

    Attributes
    ----------
    leverage : ndarray of float64
        Wanted, on one unit of capital; negative is refused.
    resized : ndarray of bool
        Bars at whose close the book is brought to it; at the others the coins stay.
    may_increase : ndarray of bool
        Where False, coins are only taken away.
    """

    leverage: FloatArray
    resized: BoolArray
    may_increase: BoolArray

    def __post_init__(self) -> None:
        if not self.leverage.shape == self.resized.shape == self.may_increase.shape:
            raise FrameError(
                f"leverage, resized and may_increase have shapes {self.leverage.shape}, "
                f"{self.resized.shape} and {self.may_increase.shape}, expected the same"
            )
        if not bool((self.leverage >= 0.0).all()):
            raise PolicyError("leverage has NaN or negative values, expected 0 or more")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ledger:
    """What became of the book, bar by bar, in units of capital; all of shape (n_bars,).

    Attributes
    ----------
    pnl : ndarray of float64
        All in: price, carry, costs, margin lost.
    carry : ndarray of float64
        Funding received; negative is paid.
    cost : ndarray of float64
        Fees and slippage, 0 or more.
    exposure : ndarray of float64
        Notional held from this bar's close on.
    turnover : ndarray of float64
        Notional traded at this bar's close.
    liquidated : ndarray of int64
        How often the venue closed the book in this bar: what was left of the margin is lost, and it
        starts anew with one unit of capital, as soon as it may grow.
    """

    pnl: FloatArray
    carry: FloatArray
    cost: FloatArray
    exposure: FloatArray
    turnover: FloatArray
    liquidated: NDArray[np.int64]


def run_book(tape: Tape, plan: Plan, terms: BookTerms) -> Ledger:
    """Run a plan over a tape.

    Raises
    ------
    FrameError
        When the two are of different lengths.

    Examples
    --------
    >>> flat = np.zeros(3)
    >>> tape = Tape(side="long", close=np.array([100.0, 90.0, 90.0]),
    ...             worst=np.array([100.0, 90.0, 90.0]), funding=flat, running=flat > 0,
    ...             week_end=flat > 0, present=flat == 0)
    >>> plan = Plan(leverage=np.full(3, 2.0), resized=np.array([True, False, False]),
    ...             may_increase=flat == 0)
    >>> run_book(tape, plan, BookTerms(fee_frac=0.0, slippage_frac=0.0)).pnl.round(9).tolist()
    [0.0, -0.2, 0.0]
    """
    if plan.leverage.shape != tape.close.shape:
        raise FrameError(
            f"the plan has shape {plan.leverage.shape}, expected the tape's {tape.close.shape}"
        )
    account = _Account(tape, terms)
    for bar in range(tape.close.size):
        account.mark(bar)
        account.trade(bar, plan)
    return account.ledger


class _Account:
    """Coins and equity while a book is run; everything it did is in its ledger."""

    def __init__(self, tape: Tape, terms: BookTerms) -> None:
        n = tape.close.size
        self._tape, self._terms = tape, terms
        self._sign = 1.0 if tape.side == "long" else -1.0
        self._coins, self._equity = 0.0, 1.0
        planes = {f.name: np.zeros(n) for f in fields(Ledger) if f.name != "liquidated"}
        self.ledger = Ledger(**planes, liquidated=np.zeros(n, dtype=np.int64))

    def mark(self, bar: int) -> None:
        """What the bar did to the coins held into it."""
        if self._coins == 0.0:
            return
        tape, ledger, signed = self._tape, self.ledger, self._sign * self._coins
        before, close, worst = tape.close[bar - 1], tape.close[bar], tape.worst[bar]
        least = self._equity + min(signed * (worst - before), signed * (close - before))
        if least <= self._terms.maintenance_frac * self._coins * worst:
            ledger.liquidated[bar] = 1
            ledger.pnl[bar] = -self._equity
            self._coins, self._equity = 0.0, 1.0
            return
        ledger.carry[bar] = -signed * close * tape.funding[bar]
        ledger.pnl[bar] = signed * (close - before) + ledger.carry[bar]
        self._equity += ledger.pnl[bar]

    def trade(self, bar: int, plan: Plan) -> None:
        """Bring the book to what the plan wants, at the close."""
        tape, ledger, terms = self._tape, self.ledger, self._terms
        if tape.week_end[bar]:
            self._equity = 1.0
        wanted = self._wanted(bar, plan)
        ledger.turnover[bar] = abs(wanted - self._coins) * tape.close[bar]
        worse = terms.event_multiple if tape.running[bar] else 1.0
        ledger.cost[bar] = ledger.turnover[bar] * (terms.fee_frac + worse * terms.slippage_frac)
        ledger.pnl[bar] -= ledger.cost[bar]
        self._equity -= ledger.cost[bar]
        self._coins = wanted
        ledger.exposure[bar] = wanted * tape.close[bar]

    def _wanted(self, bar: int, plan: Plan) -> float:
        if not self._tape.present[bar]:
            return 0.0
        if not plan.resized[bar] and self._coins > 0.0:
            return self._coins
        wanted = float(plan.leverage[bar] / self._tape.close[bar])
        if abs(wanted - self._coins) <= _DUST * wanted:
            return self._coins
        return wanted if plan.may_increase[bar] else min(wanted, self._coins)
