"""Is the data good enough to learn from? The newest bars, and what there was before."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from liqwarn.data.field_quality import FieldQuality
from liqwarn.frames import FloatArray, epoch_seconds
from liqwarn.models.bundle import Bundle
from liqwarn.models.rows import asset_of
from liqwarn.pipelines.market import Market
from liqwarn.pipelines.quality import QualityAccount, account_of
from liqwarn.pipelines.retrain_limits import QualityLimits
from liqwarn.pipelines.study import Study

__all__ = ["Checked", "check_dates", "check_less", "check_recent", "data_figures"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a check found.

    Attributes
    ----------
    figures : dict
        Plain data, for the journal.
    reasons : tuple of str
        Why the run must stop; empty when it need not.
    notes : tuple of str
        What was found and can be lived with.
    """

    figures: dict[str, Any] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def data_figures(study: Study, others: Sequence[Study]) -> dict[str, Any]:
    """What a run stands on, for the journal, and for the next run to compare."""
    market, frame = study.market, study.market.frame
    known = sum(int(np.isfinite(frame.field(name)).sum()) for name in market.panel.fields)
    told = {
        "symbols": list(frame.symbols),
        "bars": int(frame.times.size),
        "since": _iso(frame.times[0]),
        "until": _iso(frame.times[-1]),
        "known": known,
        "panel_sha256": market.panel_sha256,
        "data_sha256": market.data_sha256,
        "others": [one.market.panel.name for one in others],
    }
    read = market.ingested
    return told | {"new_rows": None if read is None else int(read.total("new"))}


def check_less(
    found: Mapping[str, Any], before: Mapping[str, Any] | None, champion: Bundle | None
) -> tuple[str, ...]:
    """What is gone since the last run that finished, or since the champion was trained.

    Parameters
    ----------
    found, before : mapping
        As :func:`data_figures` gives it; None before any run.
    """
    return (*_less_than_before(found, before), *_unknown_to(found, champion))


def _less_than_before(found: Mapping[str, Any], before: Mapping[str, Any] | None) -> Iterator[str]:
    if before is None:
        return
    gone = sorted(set(before["symbols"]) - set(found["symbols"]))
    if gone:
        yield f"less data: {', '.join(gone)} of the last run is not in the panel any more"
    left = sorted(set(before.get("others", ())) - set(found["others"]))
    if left:
        yield f"less data: the last run trained on panel {', '.join(left)} too, this one does not"
    if found["until"] < before["until"]:
        yield f"less data: it ends {found['until']}, at the last run it ended {before['until']}"
    same = found["panel_sha256"] == before["panel_sha256"]
    if same and found["known"] < before["known"]:
        yield (
            f"less data: {found['known']:,} values are known, at the last run "
            f"{before['known']:,} were: the store lost some"
        )


def _unknown_to(found: Mapping[str, Any], champion: Bundle | None) -> Iterator[str]:
    """Assets that the champion was trained on lately; of further panels they need not be here."""
    if champion is None or found["others"]:
        return
    here = {asset_of(symbol) for symbol in found["symbols"]}
    gone = sorted({s for s in champion.history["symbol"].unique() if asset_of(s) not in here})
    if gone:
        yield f"less data: the champion was trained on {', '.join(gone)}, which is not in the panel"


def check_dates(
    market: Market, limits: QualityLimits, *, now: datetime, champion: Bundle | None
) -> Iterator[str]:
    """Whether the newest bar is of the present; without a champion it may be as old as it is."""
    newest = _moment(market.frame.times[-1])
    age, closed = now - newest, f"the newest bar closed {newest:%Y-%m-%d %H:%M}"
    if -age > limits.ahead:
        yield (
            f"clock: {closed}, after now, {now:%Y-%m-%d %H:%M}: this machine's clock is wrong, or "
            "the data"
        )
    elif champion is not None and age > limits.stale:
        yield f"stale: {closed}, {age.days} days before now, expected {limits.stale.days} at most"


def check_recent(market: Market, limits: QualityLimits) -> Checked:
    """Coverage, silence, doubt and disagreement of the newest bars, symbol by symbol."""
    since = _moment(market.frame.times[-1]) - limits.recent
    account = account_of(market, since=max(since, _moment(market.frame.times[0])))
    faults: dict[str, list[str]] = {}
    for asset, text in (
        *_uncovered(account, market, limits),
        *_doubtful(account, limits),
        *_apart(account, limits),
        *_leaps(market, limits),
    ):
        faults.setdefault(asset, []).append(text)
    told = tuple(text for texts in faults.values() for text in texts)
    n_assets = len({asset_of(symbol) for symbol in market.frame.symbols})
    stops = len(faults) > limits.symbols * n_assets
    return Checked(
        figures=_figures(account, market, len(faults)),
        reasons=told if stops else (),
        notes=() if stops else told,
    )


def _uncovered(
    account: QualityAccount, market: Market, limits: QualityLimits
) -> Iterator[tuple[str, str]]:
    for one in _core(account, market):
        fault = _lack(one, market.panel.bar, limits)
        if fault:
            yield asset_of(one.symbol), f"quality: '{one.field}' of {one.symbol} {fault}"


def _lack(one: FieldQuality, bar: timedelta, limits: QualityLimits) -> str:
    """What a core field lacks; empty for nothing."""
    if not one.promised:
        known = "was never known" if one.last is None else f"was last known {one.last}"
        return f"{known}, and no source of it is valid now"
    if one.coverage < limits.coverage:
        return (
            f"is known at {100 * one.coverage:.0f} % of the bars of the last "
            f"{_span(limits.recent)}, expected {100 * limits.coverage:.0f} % at least"
        )
    if one.silent_bars * bar > limits.silent:
        return f"is silent since {one.last}, expected {_span(limits.silent)} at most"
    return ""


def _core(account: QualityAccount, market: Market) -> Iterator[FieldQuality]:
    return (one for one in account.fields if one.field in market.panel.core)


def _doubtful(account: QualityAccount, limits: QualityLimits) -> Iterator[tuple[str, str]]:
    for row in account.doubts:
        share = row["bars"] / account.bars
        if share > limits.doubt:
            told = (
                f"quality: {100 * share:.0f} % of the newest bars of {row['symbol']} are in doubt, "
                f"{row['rule']}, expected {100 * limits.doubt:.0f} % at most"
            )
            yield asset_of(row["symbol"]), told


def _leaps(market: Market, limits: QualityLimits) -> Iterator[tuple[str, str]]:
    """Core fields whose level is another from one day to the next, as a changed unit makes it.

    A market that drifts away over weeks is none of it: that is what retraining is for.
    """
    frame, panel = market.frame, market.panel
    end = max(1, limits.newest // panel.bar)
    start = end + limits.usual // panel.bar
    for name in panel.core:
        for symbol, values in zip(frame.symbols, frame.field(name), strict=True):
            ratio = _median(values[-end:]) / _median(values[-start:-end])
            if ratio > limits.leap or ratio < 1.0 / limits.leap:
                told = (
                    f"quality: '{name}' of {symbol} is {ratio:.3g} times what it was, the last "
                    f"{_span(limits.newest)} against the {_span(limits.usual)} before, expected "
                    f"{1.0 / limits.leap:g} to {limits.leap:g}: a changed unit?"
                )
                yield asset_of(symbol), told


def _median(values: FloatArray) -> float:
    """Of the known positive values; NaN where there are none, which leaps nowhere."""
    known = values[values > 0.0]
    return float(np.median(known)) if known.size else float("nan")


def _apart(account: QualityAccount, limits: QualityLimits) -> Iterator[tuple[str, str]]:
    for one in account.disagreements:
        if one.unit == "bps" and one.median > limits.apart_bps:
            told = (
                f"quality: {one.one} and {one.other} of {one.asset} lie {one.median:.0f} bps "
                f"apart in the median, expected {limits.apart_bps:.0f} at most"
            )
            yield asset_of(one.asset), told


def _figures(account: QualityAccount, market: Market, faulty: int) -> dict[str, Any]:
    """The worst of each kind, for the journal."""
    core = list(_core(account, market))
    doubts = [row["bars"] / account.bars for row in account.doubts]
    apart = [one.median for one in account.disagreements if one.unit == "bps"]
    return {
        "since": account.since,
        "until": account.until,
        "bars": account.bars,
        "least_coverage": min((one.coverage if one.promised else 0.0 for one in core), default=0.0),
        "most_silent_bars": max((one.silent_bars for one in core), default=0),
        "most_doubt": max(doubts, default=0.0),
        "most_apart_bps": max(apart, default=0.0),
        "assets_beyond_limits": faulty,
    }


def _span(span: timedelta) -> str:
    return (
        f"{span.days} days" if span >= timedelta(days=2) else f"{span.total_seconds() / 3600:.0f} h"
    )


def _moment(time: np.datetime64) -> datetime:
    return datetime.fromtimestamp(int(epoch_seconds(np.array([time]))[0]), tz=UTC)


def _iso(time: np.datetime64) -> str:
    return f"{time.astype('datetime64[s]')}+00:00"
