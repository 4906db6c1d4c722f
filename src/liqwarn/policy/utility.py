"""What obeying the breaker is worth to a levered book, beside doing nothing and volatility control.

Three strategies want the same leverage under the same house limit and pay the same costs: one never
gives way, one obeys the breaker, one holds leverage in inverse proportion to trailing volatility,
scaled so that its mean exposure is the breaker's. The scale is one constant, found in hindsight:
that favours the rival a little, since nobody could have known it.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np

from liqwarn.frames import BoolArray, FloatArray
from liqwarn.policy.allowance import Allowance
from liqwarn.policy.levered_book import BookTerms, Ledger, Plan, Tape

__all__ = [
    "BAND",
    "STRATEGIES",
    "breaker_plan",
    "figures",
    "mean_exposure",
    "pooled",
    "unrestricted_plan",
    "volatility_plan",
]

STRATEGIES: Final = ("unrestricted", "breaker", "volatility_target")
BAND: Final = 0.1
"""The rival trades when its wanted leverage is off what it last traded to by this share."""


def _starts(tape: Tape) -> BoolArray:
    """Bars at which every strategy sizes its book anew: week ends, and the first of a stretch."""
    before = np.append(False, tape.present[:-1])
    return np.asarray(tape.week_end | (tape.present & ~before))


def unrestricted_plan(tape: Tape, terms: BookTerms) -> Plan:
    """The house's leverage, sized anew once a week."""
    return Plan(
        leverage=np.full(tape.close.size, terms.leverage),
        resized=_starts(tape),
        may_increase=np.ones(tape.close.size, dtype=np.bool_),
    )


def breaker_plan(tape: Tape, terms: BookTerms, allowed: Allowance) -> Plan:
    """What the breaker lets the same book hold; see :meth:`Allowance.leverage`.

    A flag's ``leverage_frac`` never forces a position to be closed. This book chooses to come down
    to it: otherwise a warning could do nothing for a book that is already as large as it wants.
    """
    leverage = allowed.leverage(terms.leverage)
    grows = allowed.may_increase
    changed = np.append(True, (np.diff(leverage) != 0.0) | (grows[1:] & ~grows[:-1]))
    resized = _starts(tape) | changed
    return Plan(leverage=leverage, resized=resized, may_increase=allowed.may_increase)


def volatility_plan(tape: Tape, terms: BookTerms, volatility: FloatArray, exposure: float) -> Plan:
    """Leverage in inverse proportion to volatility, at a stated mean exposure.

    It trades when it is a tenth off, and never holds more than the house's leverage.

    Parameters
    ----------
    volatility : ndarray of float64, shape (n_bars,)
        Trailing, known at each bar's close; where NaN the last known value stands.
    exposure : float
        Mean notional over the bars in which the book is present. Reached to the last bits unless
        the book is liquidated; more than the house's leverage at all times is never held.
    """
    inverse = 1.0 / _carried(volatility)
    wanted, traded = _banded(inverse)
    resized = _starts(tape) | traded
    at = np.maximum.accumulate(np.where(resized, np.arange(resized.size), 0))
    drift = tape.close / tape.close[at]
    bars = np.flatnonzero(tape.present[:-1])

    def held(scale: float) -> float:
        return float((np.minimum(terms.leverage, scale * wanted[at]) * drift)[bars].mean())

    low, high = 0.0, terms.leverage / float(wanted.min())
    for _ in range(100):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if held(middle) < exposure else (low, middle)
    return Plan(
        leverage=np.minimum(terms.leverage, high * wanted),
        resized=resized,
        may_increase=np.ones(resized.size, dtype=np.bool_),
    )


def _carried(volatility: FloatArray) -> FloatArray:
    """The last known volatility; before the first one, that one: as a rule no book stands there.

    A volatility of 0 is that of a price that stands still: not known.
    """
    known = np.isfinite(volatility) & (volatility > 0.0)
    if not known.any():
        return np.ones(volatility.size)
    at = np.maximum.accumulate(np.where(known, np.arange(known.size), int(np.argmax(known))))
    return np.asarray(volatility[at])


def _banded(wanted: FloatArray) -> tuple[FloatArray, BoolArray]:
    """What is held when only deviations of more than :data:`BAND` are traded, and when that is."""
    held, out, traded = float(wanted[0]), [], []
    for value in wanted.tolist():
        moves = abs(value / held - 1.0) > BAND
        held = value if moves else held
        out.append(held)
        traded.append(moves)
    traded[0] = True
    return np.array(out), np.array(traded)


def mean_exposure(tape: Tape, ledger: Ledger) -> float:
    """Mean notional over the bars in which the book is present, in units of capital."""
    bars = tape.present[:-1]
    return float(ledger.exposure[:-1][bars].mean()) if bars.any() else 0.0


def pooled(ledgers: Iterable[Ledger]) -> Ledger:
    """One unit of capital spread evenly over books of the same bars; liquidations are added up."""
    listed = tuple(ledgers)

    def mean(name: str) -> FloatArray:
        return np.asarray(np.mean([getattr(ledger, name) for ledger in listed], axis=0))

    return Ledger(
        pnl=mean("pnl"),
        carry=mean("carry"),
        cost=mean("cost"),
        exposure=mean("exposure"),
        turnover=mean("turnover"),
        liquidated=np.sum([ledger.liquidated for ledger in listed], axis=0),
    )


def figures(ledger: Ledger, losing: FloatArray, weeks: FloatArray) -> dict[str, float]:
    """Figures of one strategy, in units of capital over the whole span.

    Parameters
    ----------
    losing : ndarray of float64, shape (n_bars,)
        All-in profit and loss in bars from an onset to the end of an event of the book's side, 0
        in the others.
    weeks : ndarray of float64, shape (n_weeks,)
        All-in profit and loss by week.

    Returns
    -------
    dict
        ``pnl_frac`` all in; ``loss_in_events_frac`` what was lost in events, positive is a loss;
        ``carry_frac`` funding received, negative is paid; ``cost_frac`` fees and slippage,
        positive; ``worst_week_frac`` the lowest weekly result; ``max_drawdown_frac`` positive;
        ``liquidations``; ``turnover``.
    """
    path = np.append(0.0, np.cumsum(ledger.pnl))
    return {
        "pnl_frac": float(ledger.pnl.sum()),
        "loss_in_events_frac": -float(losing.sum()),
        "carry_frac": float(ledger.carry.sum()),
        "cost_frac": float(ledger.cost.sum()),
        "worst_week_frac": float(weeks.min()),
        "max_drawdown_frac": float((np.maximum.accumulate(path) - path).max()),
        "liquidations": int(ledger.liquidated.sum()),
        "turnover": float(ledger.turnover.sum()),
    }
