"""What is checked before anything is trained: dates, what is gone, the newest bars, drift."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from liqwarn.models.bundle import Bundle
from liqwarn.pipelines.retrain_drift import check_drift
from liqwarn.pipelines.retrain_journal import Step
from liqwarn.pipelines.retrain_quality import (
    Checked,
    check_dates,
    check_less,
    check_recent,
    data_figures,
)
from liqwarn.pipelines.retrain_result import RetrainOrder
from liqwarn.pipelines.study import Study

__all__ = ["checks_of"]


def checks_of(
    data: tuple[Study, tuple[Study, ...]],
    champion: Bundle | None,
    order: RetrainOrder,
    before: Mapping[str, Any] | None,
    now: datetime,
) -> Iterator[tuple[Step, Checked]]:
    """The checks in order, each made when it is asked for; the first with a reason is the last.

    Parameters
    ----------
    before : mapping or None
        What the last finished run stood on.
    """
    quality = _quality(data, champion, order, before, now)
    yield Step.QUALITY, quality
    if not quality.reasons and champion is not None:
        drift = check_drift(data[0], champion, order.drift, now=now)
        yield Step.DRIFT, _accepted(drift) if order.accept_drift else drift


def _accepted(found: Checked) -> Checked:
    """The same with its reasons as notes: a person has looked at them."""
    told = (f"accepted: {text}" for text in found.reasons)
    return replace(found, reasons=(), notes=(*found.notes, *told))


def _quality(
    data: tuple[Study, tuple[Study, ...]],
    champion: Bundle | None,
    order: RetrainOrder,
    before: Mapping[str, Any] | None,
    now: datetime,
) -> Checked:
    study, others = data
    market, limits = study.market, order.quality
    found = check_recent(market, limits)
    less = check_less(data_figures(study, others), before, champion)
    dates = tuple(check_dates(market, limits, now=now, champion=champion))
    accepted = less if order.accept_less else ()
    return replace(
        found,
        reasons=(*dates, *(() if order.accept_less else less), *found.reasons),
        notes=(*found.notes, *(f"accepted: {text}" for text in accepted)),
    )
