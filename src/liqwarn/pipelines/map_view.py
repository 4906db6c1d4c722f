"""The liquidation map of one symbol at one moment, at one venue or over several."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np

from liqwarn.config import load_panel, load_settings
from liqwarn.durable import write_json
from liqwarn.errors import ConfigError, FrameError
from liqwarn.frames import MarketFrame
from liqwarn.liquidation.by_price import aggregated, heat_map_of, profile_at
from liqwarn.liquidation.fit import Draws, SymbolJob
from liqwarn.liquidation.heat_map import HeatMap
from liqwarn.liquidation.profile import Profile
from liqwarn.pipelines.liquidation_map import MapJob, fit_map, venue_tiers
from liqwarn.pipelines.market import MarketJob, open_market
from liqwarn.pipelines.progress import OnProgress, silent
from liqwarn.reports.canvas import heat_map_canvas
from liqwarn.reports.charts import save_figure
from liqwarn.reports.heat_map import heat_map_figure
from liqwarn.reports.map_export import heat_map_table, profile_dict, profile_table
from liqwarn.reports.profile_chart import profile_figure
from liqwarn.tables import write_table

__all__ = [
    "MapView",
    "check_suffix",
    "known_panels",
    "look",
    "look_first",
    "write_heat_map",
    "write_profile",
]

PANELS: Final = Path("conf/panels")
_SHOWN_BARS: Final = 2_000
_PICTURES: Final = (".png", ".svg")
_FILES: Final = (*_PICTURES, ".csv", ".parquet", ".json")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MapView:
    """A symbol's map as of a moment, panel by panel.

    Attributes
    ----------
    panels : tuple of str
        Names of the panels, one a venue.
    simulated : bool
        Whether any of them is of a simulated market; pictures and documents say so.
    jobs : tuple of SymbolJob
        The symbol's history at each.
    draws : tuple of Draws
        Maps in force at each.
    positions : tuple of int
        Bar of the moment at each.
    profiles : tuple of Profile
        The map at each.
    """

    panels: tuple[str, ...]
    simulated: bool
    jobs: tuple[SymbolJob, ...]
    draws: tuple[Draws, ...]
    positions: tuple[int, ...]
    profiles: tuple[Profile, ...]

    @property
    def profile(self) -> Profile:
        """The map over all venues."""
        if len(self.profiles) == 1:
            return self.profiles[0]
        return aggregated(self.profiles, self.profiles[0].symbol)

    def heat_map(self, span: timedelta) -> HeatMap:
        """The first venue's map over the time before the moment, at most 2,000 bars of it."""
        last, frame = self.positions[0], self.jobs[0].frame
        bars = max(1, min(last + 1, int(span / frame.bar)))
        step = -(-bars // _SHOWN_BARS)
        rows = np.arange(last, last - bars, -step)[::-1]
        return heat_map_of(self.jobs[0], self.draws[0], rows.tolist())

    def to_dict(self) -> dict[str, Any]:
        """The profile over all venues, and each venue's where there are several."""
        whole = profile_dict(self.profile)
        if len(self.profiles) > 1:
            parts = zip(self.panels, self.profiles, strict=True)
            whole["venues"] = {name: profile_dict(profile) for name, profile in parts}
        market = "simulated" if self.simulated else "real"
        return {**whole, "panels": list(self.panels), "market": market}

    @property
    def title(self) -> str:
        """The symbol, for pictures."""
        symbol = self.profiles[0].symbol
        return f"{symbol}, simulated market" if self.simulated else symbol


def known_panels(symbol: str) -> tuple[Path, ...]:
    """Shipped panels that list a symbol and have a store here, by name.

    Raises
    ------
    ConfigError
        When there is none: name one.
    """
    home = load_settings().home / "store"
    found = []
    for path in sorted(PANELS.glob("*.yaml")):
        panel = load_panel(path)
        if symbol in panel.symbol_names and (home / panel.name).is_dir():
            found.append(path)
    if not found:
        raise ConfigError(
            f"no panel below {PANELS} has {symbol} and a store below {home}, expected --panel"
        )
    return tuple(found)


def look(
    symbol: str,
    jobs: Sequence[MarketJob],
    at: datetime | None,
    *,
    now: datetime,
    on_progress: OnProgress = silent,
) -> MapView:
    """Fit the map on what was known by the moment, and read it there.

    Parameters
    ----------
    symbol : str
        Perpetual, the same in every panel.
    jobs : sequence of MarketJob
        One a venue.
    at : datetime or None
        Moment; the last bar that has closed by then, in every panel, is shown. None is the last.

    Raises
    ------
    FrameError
        When a panel has no such symbol, or no bar by then.
    """
    markets = [open_market(job, now=now, on_progress=on_progress) for job in jobs]
    frames = [_until(market.frame, at, market.panel.name) for market in markets]
    moment = _common_close(frames)
    parts = []
    for market, whole in zip(markets, frames, strict=True):
        frame = whole.between(0, int(np.searchsorted(whole.times, moment, side="right")))
        work = MapJob(venue=venue_tiers(market.panel.venue, market.tiers))
        one = work.of(frame, symbol)
        fitted = fit_map(frame, work, on_progress=on_progress)
        last = len(frame.times) - 1
        profile = profile_at(one, fitted.draws, last)
        parts.append((market.panel.name, one, fitted.draws, last, profile))
    panels, symbol_jobs, draws, positions, profiles = zip(*parts, strict=True)
    return MapView(
        panels=panels,
        simulated=any(market.panel.market == "simulated" for market in markets),
        jobs=symbol_jobs,
        draws=draws,
        positions=positions,
        profiles=profiles,
    )


def look_first(
    symbol: str,
    jobs: Sequence[MarketJob],
    at: datetime | None,
    *,
    now: datetime,
    on_progress: OnProgress = silent,
) -> MapView:
    """The map of the first of several panels that has a bar at the moment.

    Raises
    ------
    FrameError
        The last panel's reason, when none has.
    """
    for job in jobs[:-1]:
        try:
            return look(symbol, [job], at, now=now, on_progress=on_progress)
        except FrameError:
            continue
    return look(symbol, [jobs[-1]], at, now=now, on_progress=on_progress)


def _common_close(frames: Sequence[MarketFrame]) -> np.datetime64:
    """The last moment at which a bar of every frame closes.

    Raises
    ------
    FrameError
        When there is none.
    """
    common = frames[0].times
    for frame in frames[1:]:
        common = np.intersect1d(common, frame.times, assume_unique=True)
    if not common.size:
        spans = ", ".join(f"{one.times[0]} to {one.times[-1]}" for one in frames)
        raise FrameError(f"the panels' bars are {spans}, expected a moment at which all close")
    return np.datetime64(common[-1])


def _until(frame: MarketFrame, at: datetime | None, panel: str) -> MarketFrame:
    if at is None:
        return frame
    moment = np.datetime64(at.astimezone(UTC).replace(tzinfo=None), "s")
    stop = int(np.searchsorted(frame.times, moment, side="right"))
    if stop == 0 or moment >= frame.times[-1] + np.timedelta64(frame.bar):
        raise FrameError(
            f"panel '{panel}' has bars from {frame.times[0]} to {frame.times[-1]}, "
            f"expected one that closed last by {moment}"
        )
    return frame.between(0, stop)


def write_profile(view: MapView, path: Path) -> None:
    """Write the profile over all venues: a picture, a table (.csv, .parquet) or .json.

    Raises
    ------
    ConfigError
        For any other suffix.
    """
    check_suffix(path)
    if path.suffix in _PICTURES:
        save_figure(profile_figure(replace(view.profile, symbol=view.title)), path)
    elif path.suffix == ".json":
        write_json(path, view.to_dict())
    else:
        write_table(profile_table(view.profile), path)


def write_heat_map(view: MapView, heat_map: HeatMap, path: Path) -> None:
    """Write a heat map as a picture, a table, or .json for the canvas of the live page.

    Raises
    ------
    ConfigError
        For any other suffix than a profile's.
    """
    check_suffix(path)
    if path.suffix in _PICTURES:
        profile = view.profiles[0]
        save_figure(heat_map_figure(heat_map, title=view.title, profile=profile), path)
    elif path.suffix == ".json":
        write_json(path, heat_map_canvas(heat_map))
    else:
        write_table(heat_map_table(heat_map), path)


def check_suffix(path: Path) -> None:
    """Refuse a file that nothing here can write, before any work is done for it.

    Raises
    ------
    ConfigError
        For any other suffix than .png, .svg, .csv, .parquet or .json.
    """
    if path.suffix not in _FILES:
        raise ConfigError(f"{path} ends with '{path.suffix}', expected one of {', '.join(_FILES)}")
