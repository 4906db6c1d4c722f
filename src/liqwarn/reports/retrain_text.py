"""One run of retraining as text: what came of it, why, and what it stood on."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from liqwarn.reports.retrain_view import RetrainView, retrain_view

__all__ = ["retrain_text"]


def retrain_text(panel: str, lines: Sequence[Mapping[str, Any]]) -> str:
    """The run in lines.

    Parameters
    ----------
    lines : sequence of mapping
        As of :func:`liqwarn.reports.retrain_view.retrain_view`.

    Examples
    --------
    >>> retrain_text("demo", []).splitlines()[0]
    'demo: Not finished; champion is version –'
    """
    return "\n".join(_lines(panel, retrain_view(lines))) + "\n"


def _lines(panel: str, view: RetrainView) -> Iterator[str]:
    yield f"{panel}: {view.sentence}; champion is version {view.champion}"
    yield f"run {view.run[:12]} at {view.at}"
    yield from (f"  {reason}" for reason in view.reasons)
    yield from (f"  note: {note}" for note in view.notes)
    for name, value in view.facts:
        yield f"{name}: {value}"
    for row in view.drift:
        yield f"drift of {row[0]}: PSI {row[1]}, KS {row[2]}, {row[3]}"
    for gate in view.gate:
        yield f"{gate.rule} ({gate.asks}): " + "; ".join(
            f"{side} {found}{' REFUSED' if fault else ''}"
            for side, found, fault in zip(view.sides, gate.found, gate.faults, strict=True)
        )
    for step, seconds, said in view.steps:
        yield f"{seconds:>10}  {step}{f': {said}' if said else ''}"
