"""Where a live decision came from: what the audit log keeps beside the decision itself."""

from collections.abc import Iterator
from hashlib import sha256

import numpy as np

from liqwarn.data.bars.message import BarColumn
from liqwarn.decisions import ModelStamp
from liqwarn.frames import SIDES
from liqwarn.live.bar import LiveBar
from liqwarn.policy.audit_record import Provenance
from liqwarn.policy.book import Decision
from liqwarn.policy.position import Rule

__all__ = ["audit_entries", "column_sha256", "must_log"]


def column_sha256(column: BarColumn) -> str:
    """Hash of one closed bar: its close, symbols, values and ages, in the order of their names.

    >>> column = BarColumn(time=np.datetime64("2024-08-05T06:00:00"), symbols=("BTCUSDT",),
    ...                    fields={"close": np.array([50_123.1])}, ages={}, bar_s=3_600)
    >>> column_sha256(column)[:16]
    'b51793179c35401f'
    """
    parts = [f"{column.time} {' '.join(column.symbols)}".encode()]
    for kind, planes in (("field", column.fields), ("age", column.ages)):
        for name in sorted(planes):
            parts += [f" {kind} {name} ".encode(), planes[name].tobytes()]
    return sha256(b"".join(parts)).hexdigest()


def must_log(decision: Decision) -> bool:
    """Whether the log has to keep a decision: one that changed a tier, or the first of a side.

    What is left out is made again by the fold.
    """
    return decision.after.tier != decision.before.tier or decision.before.rule is Rule.START


def audit_entries(
    bar: LiveBar, column: BarColumn, model: ModelStamp, *, every: bool
) -> Iterator[tuple[Decision, Provenance]]:
    """The decisions of a bar that the log keeps, each with its provenance.

    Parameters
    ----------
    every : bool
        All of them; else those that :func:`must_log` names.
    """
    kept = [one for one in bar.decisions.values() if every or must_log(one)]
    if not kept:  # most bars change nothing, and a bar of many symbols takes long to hash
        return
    given = column_sha256(column), model
    rows = {symbol: row for row, symbol in enumerate(bar.scores.symbols)}
    for decision in kept:
        cell = rows[decision.after.symbol], SIDES.index(decision.after.side)
        yield decision, _provenance(bar, column, cell, given)


def _provenance(
    bar: LiveBar, column: BarColumn, cell: tuple[int, int], given: tuple[str, ModelStamp]
) -> Provenance:
    scores, row = bar.scores, cell[0]
    hours = scores.horizons_h
    return Provenance(
        inputs_sha256=given[0],
        features_sha256=sha256(np.ascontiguousarray(scores.features[row]).tobytes()).hexdigest(),
        raw_probability=dict(zip(hours, scores.raw[cell].tolist(), strict=True)),
        probability=dict(zip(hours, scores.probability[cell].tolist(), strict=True)),
        feed_ages_s={
            name: float(ages[row])
            for name, ages in column.ages.items()
            if not name.startswith("next_")
        },
        model=given[1],
    )
