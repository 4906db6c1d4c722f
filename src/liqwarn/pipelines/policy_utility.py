"""What obeying the breaker would have been worth, on probabilities nobody had fitted.

Out-of-sample probabilities of a walk-forward are folded through the breaker as live scores would
be, and a levered book of each side obeys what comes out; see :mod:`liqwarn.policy.utility`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from liqwarn.frames import SIDES, BoolArray, FloatArray, MarketFrame
from liqwarn.models.bootstrap import draw_weights, interval, week_codes
from liqwarn.models.events import Event, bar_positions
from liqwarn.models.folds import OutOfSample
from liqwarn.models.results import MODEL
from liqwarn.models.rows import Rows
from liqwarn.pipelines.breaker_replay import PATIENCE, replayed_scores
from liqwarn.pipelines.study import Study
from liqwarn.policy.allowance import allowance
from liqwarn.policy.history import History, ScoreHistory, fold
from liqwarn.policy.levered_book import BookTerms, Ledger, Plan, Tape, run_book
from liqwarn.policy.tiers import Policy
from liqwarn.policy.utility import (
    STRATEGIES,
    breaker_plan,
    figures,
    mean_exposure,
    pooled,
    unrestricted_plan,
    volatility_plan,
)

__all__ = ["UtilityOrder", "policy_utility"]

_FUNDING_H: Final = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class UtilityOrder:
    """What is compared.

    Attributes
    ----------
    model : str
        Whose probabilities the breaker reads.
    volatility : str
        Feature the rival's leverage is in inverse proportion to.
    terms : BookTerms
    n_bootstrap, seed : int
        Resamples of calendar weeks.
    """

    model: str = MODEL
    volatility: str = "rv_1d"
    terms: BookTerms = field(default_factory=BookTerms)
    n_bootstrap: int = 2000
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Stage:
    """The bars that count: the market, what the breaker decided, what the rival knows.

    Attributes
    ----------
    running : ndarray of bool, shape (n_symbols, n_bars, 2)
        Bars from an onset to the end of an event of the catalogue, with hindsight.
    present : ndarray of bool, shape (n_symbols, n_bars, 2)
        Whether books stand: a score of the side is at most a day old.
    """

    frame: MarketFrame
    history: History
    policy: Policy
    volatility: FloatArray
    running: BoolArray
    present: BoolArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Outcome:
    """One strategy over all symbols; `losing` is its result in events of its side, by bar."""

    ledger: Ledger
    losing: FloatArray
    exposure: float


def policy_utility(
    study: Study,
    found: OutOfSample,
    policy: Policy,
    order: UtilityOrder | None = None,
    *,
    training: Rows | None = None,
) -> list[dict[str, Any]]:
    """The rows ``utility`` of ``evaluation.json``: one a side and strategy.

    Counted are the bars from the first with a score that can be ranked in its past (30 days) to the
    last; in gaps of more than a day every book is flat. Capital is spread evenly over symbols.

    Parameters
    ----------
    training : Rows or None
        All rows the folds could train on; None where they are the panel's own.

    Returns
    -------
    list of dict
        Empty when no score can be ranked in its past, as on a test span of less than 30 days.
        ``side``, ``strategy``, ``mean_exposure`` and the figures of
        :func:`liqwarn.policy.utility.figures`. The breaker's row also has paired differences
        with 95 % intervals over calendar weeks: ``delta_vs_volatility_target`` and
        ``delta_vs_unrestricted`` of the result (positive: the breaker earned more), and
        ``delta_loss_in_events_vs_volatility_target`` (negative: it lost less in events).

    Raises
    ------
    ModelError
        When the walk-forward has no such model.
    """
    chosen = order or UtilityOrder()
    scores = replayed_scores(study, found, chosen.model, training=training)
    if not np.isfinite(scores.quantile).any():
        return []
    stage = _stage(study, scores, policy, chosen.volatility)
    return [
        row
        for side in range(len(SIDES))
        for row in _rows(stage, _outcomes(stage, side, chosen.terms), side, chosen)
    ]


def _stage(study: Study, scores: ScoreHistory, policy: Policy, volatility: str) -> _Stage:
    ranked = np.isfinite(scores.quantile).any(axis=(0, 2))
    history, whole = fold(scores, policy), study.market.frame
    skipped = int(np.argmax(ranked))
    start = int(np.searchsorted(whole.times, scores.times[skipped]))
    stop = int(np.searchsorted(whole.times, scores.times[-1])) + 1
    names = ("tiers", "rules", "states", "expired", "sequences")
    known = np.isfinite(scores.probability[..., scores.horizons_h.index(4)])
    return _Stage(
        frame=whole.between(start, stop),
        history=replace(
            history,
            times=history.times[skipped:],
            **{name: getattr(history, name)[:, skipped:] for name in names},
        ),
        policy=policy,
        volatility=study.matrix.column(volatility)[:, start:stop],
        running=_catalogued(whole, study.events)[:, start:stop],
        present=_lately(known, PATIENCE // whole.bar)[:, skipped:],
    )


def _catalogued(frame: MarketFrame, events: Sequence[Event]) -> BoolArray:
    running = np.zeros((*frame.shape, len(SIDES)), dtype=np.bool_)
    for event in events:
        first, last = bar_positions(frame, (event.onset, event.end))
        row, side = frame.symbols.index(event.symbol), SIDES.index(event.side)
        running[row, first : last + 1, side] = True
    return running


def _lately(known: BoolArray, bars: int) -> BoolArray:
    """Whether any of the last `bars` bars or this one is marked."""
    index = np.arange(known.shape[1])[:, None]
    at = np.maximum.accumulate(np.where(known, index, -bars - 1), axis=1)
    return np.asarray(index - at <= bars)


def _outcomes(stage: _Stage, side: int, terms: BookTerms) -> dict[str, _Outcome]:
    """Every strategy of one side, capital spread evenly over symbols."""
    runs: dict[str, list[tuple[Ledger, float]]] = {name: [] for name in STRATEGIES}
    for symbol in range(len(stage.frame.symbols)):
        tape = _tape(stage, symbol, side)
        allowed = allowance(stage.history, stage.policy, symbol, side)
        obeyed = run_book(tape, breaker_plan(tape, terms, allowed), terms)
        exposure = mean_exposure(tape, obeyed)
        plans: dict[str, Plan] = {
            "unrestricted": unrestricted_plan(tape, terms),
            "volatility_target": volatility_plan(tape, terms, stage.volatility[symbol], exposure),
        }
        runs["breaker"].append((obeyed, exposure))
        for name, plan in plans.items():
            ledger = run_book(tape, plan, terms)
            runs[name].append((ledger, mean_exposure(tape, ledger)))
    during = stage.running[:, :, side]
    return {
        name: _Outcome(
            ledger=pooled(ledger for ledger, _ in made),
            losing=np.mean([x.pnl * d for (x, _), d in zip(made, during, strict=True)], axis=0),
            exposure=float(np.mean([exposure for _, exposure in made])),
        )
        for name, made in runs.items()
    }


def _tape(stage: _Stage, symbol: int, side: int) -> Tape:
    """A symbol as one side's book meets it; where a bar has no price the last one stands."""
    frame = stage.frame
    close = _last_known(frame.field("close")[symbol])
    extreme = frame.field("low" if SIDES[side] == "long" else "high")[symbol]
    weeks, _ = _weeks(frame)
    return Tape(
        side=SIDES[side],
        close=close,
        worst=np.where(np.isfinite(extreme), extreme, close),
        funding=_settled(frame, symbol),
        running=stage.running[symbol].any(axis=-1),
        week_end=np.append(np.diff(weeks) != 0, False),
        present=stage.present[symbol, :, side],
    )


def _last_known(values: FloatArray) -> FloatArray:
    known = np.isfinite(values)
    at = np.maximum.accumulate(np.where(known, np.arange(values.size), -1))
    at[at < 0] = int(np.argmax(known))  # before a listing; no book stands there
    return values[at]


def _settled(frame: MarketFrame, symbol: int) -> FloatArray:
    """Funding settled within each bar, as a fraction of notional; 0 where none was known.

    The frame carries a rate until the next one; it was settled in the bar in which its record is
    younger than a bar. On bars longer than the funding interval, the bar's last rate stands for
    all of its settlements.
    """
    rate = frame.field("funding_rate")[symbol]
    interval = np.nan_to_num(frame.field("funding_interval_h")[symbol], nan=_FUNDING_H)
    age = frame.ages.get("funding_rate", np.full(frame.shape, np.nan))[symbol]
    times = np.maximum(1.0, frame.bar_s / 3600.0 / np.maximum(interval, 1e-9))
    fresh = np.isfinite(rate) & (age < frame.bar_s)
    return np.where(fresh, np.nan_to_num(rate) * times, 0.0)


def _weeks(frame: MarketFrame) -> tuple[Any, int]:
    """Calendar week of each bar, by when it began."""
    return week_codes(frame.times - np.timedelta64(frame.bar_s, "s"))


def _rows(
    stage: _Stage, outcomes: dict[str, _Outcome], side: int, order: UtilityOrder
) -> list[dict[str, Any]]:
    codes, n_weeks = _weeks(stage.frame)
    weights = draw_weights(n_weeks, order.n_bootstrap, order.seed)

    def weekly(values: FloatArray) -> FloatArray:
        return np.bincount(codes, weights=values, minlength=n_weeks).astype(np.float64)

    def difference(values: FloatArray) -> dict[str, Any]:
        by_week = weekly(values)
        return {"mean": float(by_week.sum()), "ci": list(interval(weights @ by_week))}

    out: list[dict[str, Any]] = []
    for strategy in STRATEGIES:
        made = outcomes[strategy]
        found = figures(made.ledger, made.losing, weekly(made.ledger.pnl))
        about = {"side": SIDES[side], "strategy": strategy, "mean_exposure": made.exposure}
        out.append({**about, **found})
    ours, free, rival = (outcomes[n] for n in ("breaker", "unrestricted", "volatility_target"))
    out[STRATEGIES.index("breaker")] |= {
        "delta_vs_volatility_target": difference(ours.ledger.pnl - rival.ledger.pnl),
        "delta_vs_unrestricted": difference(ours.ledger.pnl - free.ledger.pnl),
        "delta_loss_in_events_vs_volatility_target": difference(rival.losing - ours.losing),
    }
    return out
