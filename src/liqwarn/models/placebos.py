"""Rows in which there is nothing to find, and rows in which there is: what placebos run on."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final, Self

import numpy as np

from liqwarn.errors import ModelError
from liqwarn.frames import FloatArray, epoch_seconds
from liqwarn.models.calibration import Calibrated
from liqwarn.models.rows import Rows

__all__ = [
    "LEAK",
    "SHIFT",
    "Unflattened",
    "planted_leak",
    "shifted_outcomes",
    "shifts",
    "shuffled_features",
]

LEAK: Final = "planted_leak"
"""Name and family of the column that knows the outcome."""

NOISE: Final = 2.0  # standard deviations of noise on an outcome of 0 or 1: ROC-AUC 0.64 by itself
FAINT: Final = 1e-6

SHIFT: Final = timedelta(days=90, hours=11)
"""How far outcomes are moved unless told: beyond any forecast. A pattern of the calendar stays."""

SHIFT_DAYS: Final = (60.0, 150.0)
SHORT_DAYS: Final = (20.0, 50.0)
SHIFT_HOURS: Final = (5, 7, 11, 13, 17)  # off the hour of the day, whole bars of 4 h or not
SPANS: Final = 4  # times the longest shift that rows must span for it


class Unflattened:
    """A calibrated model whose ranking can always be seen.

    Calibration turns a score that ranked nothing out of fold into one number. That is right for
    whoever uses the probability, but it would hide a leak from a placebo: one number has no skill
    by construction. Here such a score keeps a millionth of its slope: the level is the same, and
    the ranking is there.

    Parameters
    ----------
    make : callable
        Makes the unfitted model from a seed.
    seed : int
    """

    def __init__(self, make: Callable[[int], Calibrated], seed: int) -> None:
        self.make = make
        self.seed = seed

    def fit(self, rows: Rows) -> Self:
        """Fit the model; its calibration stays as it is for all who ranked something."""
        self.model_ = self.make(self.seed).fit(rows)
        self.training_p_ = self.model_.training_p_
        return self

    def predict_proba(self, rows: Rows) -> FloatArray:
        """Probabilities with the ranking kept; as they were where there is no score at all."""
        said = self.model_.predict_proba(rows)
        kept = self.model_.platts_
        self.model_.platts_ = [
            [platt if platt.slope else replace(platt, slope=FAINT) for platt in row] for row in kept
        ]
        ranked = self.model_.predict_proba(rows)
        self.model_.platts_ = kept
        return np.where(np.isfinite(ranked), ranked, said)


def shuffled_features(rows: Rows, seed: int) -> Rows:
    """The same rows, each with the features of another."""
    order = np.random.default_rng(seed).permutation(len(rows))
    return replace(rows, X=rows.X[order])


def planted_leak(rows: Rows, seed: int) -> Rows:
    """Shuffled features and one column that knows a little: the positive control.

    The column is 1 where an onset of either side follows within the longest horizon of the rows
    and else 0, with normal noise of twice that size, drawn anew for every row. What finds nothing
    here is blind.
    """
    rng = np.random.default_rng(seed)
    known = np.nan_to_num(rows.y[:, :, int(np.argmax(rows.horizons_h))])
    column = known.max(axis=1) + rng.normal(0.0, NOISE, len(rows))
    bent = shuffled_features(rows, seed)
    return replace(
        bent,
        names=(*bent.names, LEAK),
        families={**bent.families, LEAK: LEAK},
        X=np.column_stack([bent.X, column]),
    )


def shifts(rows: Rows, n: int) -> list[timedelta]:
    """`n` different shifts from 60 to 150 days, none a whole number of days.

    From 20 to 50 days for rows that span less than four times the longest.
    """
    span = timedelta(seconds=int((rows.times.max() - rows.times.min()).astype(int)))
    first, last = SHIFT_DAYS if span >= SPANS * timedelta(days=SHIFT_DAYS[1]) else SHORT_DAYS
    days = np.linspace(first, last, n).round()
    return [
        timedelta(days=day, hours=SHIFT_HOURS[k % len(SHIFT_HOURS)]) for k, day in enumerate(days)
    ]


def shifted_outcomes(rows: Rows, shift: timedelta = SHIFT) -> Rows:
    """Each row with the outcomes that followed `shift` later, rows without one left out.

    Milder outcomes move with them. Later, not earlier: what already happened would be in the
    features. Training and test outcomes move alike, so they stay as far apart as they were.

    Raises
    ------
    ModelError
        When the rows do not reach that far.
    """
    bars = round(shift / rows.bar)
    step = int(bars * rows.bar.total_seconds())
    where = {
        (symbol, int(t)): k
        for k, (symbol, t) in enumerate(zip(rows.symbols, epoch_seconds(rows.times), strict=True))
    }
    pairs = [
        (k, where[symbol, t + step])
        for (symbol, t), k in where.items()
        if (symbol, t + step) in where
    ]
    if not pairs:
        raise ModelError(f"the rows span less than the {shift} a placebo moves their outcomes by")
    here, there = np.array(pairs).T
    return rows.take(here).with_outcomes(rows.y[there], rows.milder[there])
