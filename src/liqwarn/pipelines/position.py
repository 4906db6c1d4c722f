"""One position against its venue's tables and, where a panel is given, against the market."""

import math
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from liqwarn.config import load_margin_tiers
from liqwarn.errors import ConfigError, FrameError
from liqwarn.frames import MarketFrame
from liqwarn.liquidation.by_price import profile_at
from liqwarn.liquidation.funding import Funding
from liqwarn.liquidation.position import Position
from liqwarn.liquidation.profile import Profile
from liqwarn.liquidation.requirement import Requirement, flat_requirement, table_requirement
from liqwarn.liquidation.risk import WARNING_RATIO, PositionRisk, assess
from liqwarn.liquidation.tiers import VenueTiers
from liqwarn.pipelines.liquidation_map import MapJob, fit_map
from liqwarn.pipelines.market import TIER_FOLDER, MarketJob, open_market
from liqwarn.pipelines.progress import OnProgress, silent
from liqwarn.reports.candle_chart import Candles
from liqwarn.reports.charts import save_figure
from liqwarn.reports.position_chart import position_figure
from liqwarn.reports.position_text import call_text, erosion_text, liquidation_text

__all__ = ["PositionOrder", "PositionReport", "draw_position", "examine_position"]

_ATR_BARS: Final = 14
_SHOWN_DAYS: Final = 7
_SHOWN_CANDLES: Final = 168


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionOrder:
    """What to examine.

    Attributes
    ----------
    position : Position
        As the trader states it.
    symbol : str or None
        Perpetual; needed with `job`, and for a venue's own table.
    rate : float or None
        Maintenance rate; goes before any table.
    venue : str or None
        Venue whose tables to read from `tiers`.
    tiers : Path
        Folder of the tables.
    fee_rate : float or None
        Liquidation fee rate; None takes the table's.
    funding : Funding or None
        Rate that is taken to last.
    warning_ratio : float
        Margin ratio of the margin call.
    mark : float or None
        Price now; None takes the panel's, or the entry.
    clusters : bool
        Whether to fit the liquidation map for the picture; it takes seconds.
    job : MarketJob or None
        Panel to take price, true range and candles from.
    at : datetime or None
        Moment, UTC; None is the panel's last bar, or now.
    """

    position: Position
    symbol: str | None = None
    rate: float | None = None
    venue: str | None = None
    tiers: Path = TIER_FOLDER
    fee_rate: float | None = None
    funding: Funding | None = None
    warning_ratio: float = WARNING_RATIO
    mark: float | None = None
    clusters: bool = False
    job: MarketJob | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PositionReport:
    """A position's risks and what its picture is drawn from.

    Attributes
    ----------
    risk : PositionRisk
        The figures.
    symbol : str or None
        Perpetual.
    as_of : datetime
        Moment it is for, UTC.
    atr : float or None
        Mean true range of the last 14 bars, quote per coin; None without a panel.
    candles : Candles or None
        The last 7 days, at most 168 bars.
    profile : Profile or None
        Estimated liquidation clusters of the symbol.
    """

    risk: PositionRisk
    symbol: str | None
    as_of: datetime
    atr: float | None
    candles: Candles | None
    profile: Profile | None

    def sentences(self) -> tuple[str, str, str]:
        """Liquidation, margin call and funding erosion, a sentence each."""
        return liquidation_text(self.risk), call_text(self.risk), erosion_text(self.risk)

    def to_dict(self) -> dict[str, Any]:
        """For machines; what is not known or not finite is null."""
        risk, held = self.risk, self.risk.position
        liquidation, call, funding = self.sentences()
        numbers = {
            name: _finite(getattr(risk, name))
            for name in (
                *("mark", "liquidation_price", "bankruptcy_price", "call_price", "warning_ratio"),
                *("equity", "maintenance", "margin_ratio", "distance_frac", "call_distance_frac"),
                *("distance_atr", "funding_per_day", "erosion_per_day", "days_funded"),
            )
        }
        return {
            "symbol": self.symbol,
            "as_of": self.as_of.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "side": held.side,
            "contract": held.contract,
            "mode": held.mode,
            "entry": held.entry,
            "notional": held.notional,
            "quantity": held.quantity,
            "leverage": held.leverage,
            "margin": held.balance,
            "margin_unit": "quote" if held.contract == "linear" else "coins",
            **numbers,
            "never_liquidated": risk.never,
            "atr": self.atr,
            "funding_rate": risk.funding.rate,
            "settlements_per_day": risk.funding.settlements_per_day,
            "requirement": {
                "name": risk.requirement.name,
                "source": risk.requirement.source,
                "effective": risk.requirement.effective,
                "assumed": risk.requirement.assumed,
            },
            "risks": {"liquidation": liquidation, "margin_call": call, "funding": funding},
        }


def examine_position(
    order: PositionOrder, *, now: datetime, on_progress: OnProgress = silent
) -> PositionReport:
    """Assess a position as of a moment.

    Raises
    ------
    ConfigError
        When there is neither a maintenance rate nor a venue, or a panel without a symbol.
    FrameError
        When the position is impossible, or the panel knows no price of the symbol then.
    """
    market = None if order.job is None else _view(order, order.job, now, on_progress)
    as_of = market.as_of if market else order.at or now
    mark = order.mark if order.mark is not None else (market.price if market else None)
    atr = market.atr if market else None
    risk = assess(
        order.position,
        _requirement(order, as_of.date()),
        mark=mark,
        atr=atr,
        funding=order.funding,
        warning_ratio=order.warning_ratio,
    )
    return PositionReport(
        risk=risk,
        symbol=order.symbol,
        as_of=as_of,
        atr=atr,
        candles=market.candles if market else None,
        profile=_estimated_clusters(market) if market and order.clusters else None,
    )


def draw_position(report: PositionReport, path: Path) -> None:
    """Write the picture of a position, PNG or SVG by the suffix of `path`."""
    figure = position_figure(
        report.risk, symbol=report.symbol, candles=report.candles, profile=report.profile
    )
    save_figure(figure, path)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _View:
    """The symbol's market as of a moment."""

    panel: MarketFrame
    frame: MarketFrame
    last: int
    venue: VenueTiers
    symbol: str
    as_of: datetime
    price: float
    atr: float | None
    candles: Candles | None


def _estimated_clusters(view: _View) -> Profile | None:
    """The liquidation map's profile of the symbol at that moment; None where it is not usable."""
    job = MapJob(venue=view.venue)
    frame = view.panel.between(0, view.last + 1)
    if not np.isfinite(view.frame.field("open_interest")).any():
        return None
    draws = fit_map(frame, job).draws
    profile = profile_at(job.of(frame, view.symbol), draws, view.last)
    return profile if profile.usable else None


def _requirement(order: PositionOrder, day: date) -> Requirement:
    if order.rate is not None:
        given = flat_requirement(order.rate, fee_rate=order.fee_rate or 0.0)
        if order.venue is None:
            return given
        return replace(given, name=f"{given.name}, not {order.venue}'s table")
    if order.venue is None:
        raise ConfigError("found no maintenance rate, expected --mmr or --venue")
    if not order.tiers.is_dir():
        raise ConfigError(f"tier folder {order.tiers} is not there, expected it or --tiers")
    known = sorted(path.stem for path in order.tiers.glob("*.yaml"))
    if order.venue not in known:
        raise ConfigError(f"venue is '{order.venue}', expected one of {known} in {order.tiers}")
    venue = load_margin_tiers(order.tiers / f"{order.venue}.yaml")
    table = venue.table_at(order.symbol, day, order.position.contract)
    return table_requirement(table, order.position, fee_rate=order.fee_rate)


def _view(order: PositionOrder, job: MarketJob, now: datetime, on_progress: OnProgress) -> _View:
    if order.symbol is None:
        raise ConfigError("a panel is given without a symbol, expected --symbol")
    market = open_market(job, now=now, on_progress=on_progress)
    frame = market.frame.select((order.symbol,))
    known = np.isfinite(frame.field("close")[0])
    if order.at is not None:
        known &= frame.times <= np.datetime64(order.at.astimezone(UTC).replace(tzinfo=None), "s")
    if not known.any():
        when = "" if order.at is None else f" at or before {order.at:%Y-%m-%d %H:%M} UTC"
        raise FrameError(f"the panel knows no close of {order.symbol}{when}, expected one")
    last = int(np.flatnonzero(known)[-1])
    mark = float(frame.field("mark")[0, last])
    close = float(frame.field("close")[0, last])
    return _View(
        panel=market.frame,
        frame=frame,
        last=last,
        venue=load_margin_tiers(order.tiers / f"{market.panel.venue}.yaml"),
        symbol=order.symbol,
        as_of=frame.times[last].astype(datetime).replace(tzinfo=UTC),
        price=mark if math.isfinite(mark) else close,
        atr=_atr(frame, last),
        candles=_candles(frame, last),
    )


def _atr(frame: MarketFrame, last: int) -> float | None:
    """Mean true range of the last 14 bars; None when any of them is not known."""
    span = slice(max(last - _ATR_BARS + 1, 1), last + 1)
    before = slice(span.start - 1, last)
    high, low = frame.field("high")[0, span], frame.field("low")[0, span]
    close = frame.field("close")[0, before]
    if high.size < _ATR_BARS:
        return None
    ranges = np.maximum(high, close) - np.minimum(low, close)
    found = float(ranges.mean())
    return found if math.isfinite(found) and found > 0.0 else None


def _candles(frame: MarketFrame, last: int) -> Candles | None:
    """The last days in at most 168 candles; bars without a known range are left out."""
    n_bars = max(int(_SHOWN_DAYS * 86_400 / frame.bar_s), 1)
    step = -(-n_bars // _SHOWN_CANDLES)
    span = slice(max(last - n_bars + 1, 0), last + 1)
    prices = {name: frame.field(name)[0, span] for name in ("open", "high", "low", "close")}
    previous = np.concatenate([prices["close"][:1], prices["close"][:-1]])
    prices["open"] = np.where(np.isfinite(prices["open"]), prices["open"], previous)
    known = np.isfinite(np.stack(list(prices.values()))).all(axis=0)
    times = frame.times[span][known]
    starts = np.arange(0, times.size, step)
    ends = np.append(starts[1:], times.size) - 1
    if not times.size:
        return None
    return Candles(
        times=times[ends],
        open=prices["open"][known][starts],
        high=np.maximum.reduceat(prices["high"][known], starts),
        low=np.minimum.reduceat(prices["low"][known], starts),
        close=prices["close"][known][ends],
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
