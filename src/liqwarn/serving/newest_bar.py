"""The newest bar as it stands: its scores, and the decision in force of every side."""

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np

from liqwarn.data.bars.message import BarColumn
from liqwarn.live.bar import LiveBar, LiveScores
from liqwarn.live.engine import LiveEngine
from liqwarn.policy.book import Decision, Key
from liqwarn.policy.breaker import NO_FLOOR, no_evidence
from liqwarn.serving.score_bytes import no_scores

__all__ = ["of_symbols", "standing_bar", "with_decisions"]


def standing_bar(
    engine: LiveEngine, scores: LiveScores | None, column: BarColumn | None
) -> tuple[LiveBar, BarColumn]:
    """The newest bar of an engine that was taken up from a snapshot.

    Parameters
    ----------
    scores, column : LiveScores, BarColumn or None
        Of that bar; what is None, or of another, counts as not known.
    """
    as_of = engine.as_of
    if scores is None or scores.as_of != as_of or scores.symbols != engine.symbols:
        scores = no_scores(engine.symbols, as_of)
    close = np.datetime64(as_of.replace(tzinfo=None), "s")
    if column is None or column.time != close:
        column = BarColumn(
            time=close, symbols=engine.symbols, fields={}, ages={}, bar_s=engine.bar_s
        )
    decisions = {
        key: Decision(one, no_evidence(as_of), as_of, NO_FLOOR, 0, one)
        for key, one in engine.memory.positions.items()
    }
    return LiveBar(number=engine.number, scores=scores, decisions=decisions), column


def with_decisions(
    newest: tuple[LiveBar, BarColumn], decisions: Mapping[Key, Decision]
) -> tuple[LiveBar, BarColumn]:
    """The bar with some sides decided again."""
    bar, column = newest
    return replace(bar, decisions={**bar.decisions, **decisions}), column


def of_symbols(bar: LiveBar, symbols: Collection[str]) -> LiveBar:
    """The bar with the decisions of those symbols alone, both sides of each."""
    kept = {key: one for key, one in bar.decisions.items() if key[0] in symbols}
    return replace(bar, decisions=kept)
