"""Where a scenario starts: a simulated market, or a store's market as it was known at a moment."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal

import numpy as np

from liqwarn.errors import ConfigError
from liqwarn.frames import MarketFrame
from liqwarn.liquidation.by_price import profile_at
from liqwarn.liquidation.profile import Profile
from liqwarn.pipelines.liquidation_map import MapJob, fit_map, read_map, venue_tiers
from liqwarn.pipelines.market import Market, MarketJob, open_market
from liqwarn.pipelines.progress import OnProgress, silent
from liqwarn.simulation.believed_map import LEAST_BARS, believed_share, tempered
from liqwarn.simulation.config import DEFAULT_SPECS, MarketConfig
from liqwarn.simulation.opening import Opening, opening_of_profiles, synthetic_opening
from liqwarn.simulation.outcome import initial_of
from liqwarn.simulation.plan import check_symbols, market_of
from liqwarn.simulation.present import present_of
from liqwarn.simulation.scenario import Scenario, StoreStart, SyntheticStart

__all__ = ["Start", "open_start"]

ENTRIES: Final = timedelta(days=7)
NOTES: Final = (
    "Cross-margin accounts and stop orders, which no map can see, are the simulator's assumptions.",
    "Volatility is that of the last 30 days, in which forced moves are included.",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Start:
    """A market at the start of a scenario.

    Attributes
    ----------
    opening : Opening
        Its state.
    market : {"simulated", "from real data"}
        What the state is of; the futures are simulated in any case.
    kind : {"synthetic", "store"}
        As the scenario says.
    as_of : datetime or None
        Close of the last bar that was known; None for a simulated market.
    frame : MarketFrame or None
        What was known by then, of the symbols of the scenario.
    """

    opening: Opening
    market: Literal["simulated", "from real data"]
    kind: str
    as_of: datetime | None = None
    frame: MarketFrame | None = None

    def to_dict(self) -> dict[str, object]:
        """The part ``initial`` of result documents."""
        return {
            "kind": self.kind,
            "as_of": None if self.as_of is None else f"{self.as_of:%Y-%m-%dT%H:%M:%SZ}",
            "notes": list(self.opening.notes),
            "symbols": initial_of(self.opening),
        }


def open_start(
    scenario: Scenario,
    *,
    data: Path | None = None,
    store: Path | None = None,
    now: datetime,
    on_progress: OnProgress = silent,
) -> Start:
    """The market that a scenario starts from.

    Parameters
    ----------
    scenario : Scenario
        Its ``initial`` part says where.
    data, store : Path or None
        For a store's market, as in :class:`~liqwarn.pipelines.market.MarketJob`.
    now : datetime
        For what is read into the store; it changes no result.

    Raises
    ------
    ConfigError
        Naming every unknown symbol, and every one that the data say too little of.
    """
    if isinstance(scenario.start, StoreStart):
        job = MarketJob(panel=Path(scenario.start.panel), data=data, store=store)
        market = open_market(job, now=now, on_progress=on_progress)
        return _from_store(scenario, scenario.start, market, on_progress)
    on_progress("simulate the past", 0, 1)
    opening = synthetic_opening(market_of(scenario, DEFAULT_SPECS), scenario.start)
    on_progress("simulate the past", 1, 1)
    return Start(opening=opening, market="simulated", kind=SyntheticStart.kind)


def _from_store(
    scenario: Scenario, start: StoreStart, market: Market, on_progress: OnProgress
) -> Start:
    """Specs, climate and map from the bars up to the moment; the rest of the store is cut off."""
    frame = _until(market.frame, start.at, market.panel.name)
    check_symbols(scenario, frame.symbols)
    wanted = scenario.symbols or frame.symbols
    present = present_of(frame.select(tuple(s for s in frame.symbols if s in wanted)))
    config = market_of(scenario, present.specs)
    profiles, notes = _profiles(frame, config, market, on_progress)
    opening = opening_of_profiles(
        config,
        profiles,
        {
            "activity": np.full(len(config.specs), start.volatility),
            "depth": present.depth + np.log(start.depth),
            "mood": present.mood,
        },
    )
    simulated = market.panel.market == "simulated"
    return Start(
        opening=replace(opening, notes=(*notes, *present.notes)),
        market="simulated" if simulated else "from real data",
        kind=StoreStart.kind,
        as_of=datetime.fromisoformat(f"{frame.times[-1]}").replace(tzinfo=UTC),
        frame=frame.select(config.symbols),
    )


def _profiles(
    frame: MarketFrame, config: MarketConfig, market: Market, on_progress: OnProgress
) -> tuple[dict[str, Profile], list[str]]:
    """Each symbol's map at the last bar, at its believed level, and what was assumed.

    Raises
    ------
    ConfigError
        Naming the symbols whose map cannot be used.
    """
    work = MapJob(venue=venue_tiers(market.panel.venue, market.tiers))
    draws = fit_map(frame, work, on_progress=on_progress).draws
    last = len(frame.times) - 1
    found = {one: profile_at(work.of(frame, one), draws, last) for one in config.symbols}
    useless = [symbol for symbol, profile in found.items() if not profile.usable]
    if useless:
        raise ConfigError(
            f"panel '{market.panel.name}' at {frame.times[-1]}: the liquidation maps of "
            f"{', '.join(useless)} are too young or stale, expected a week of open interest"
        )
    share, bars = believed_share(read_map(frame, work, draws, on_progress=on_progress))
    week = max(1, int(ENTRIES / frame.bar))
    closes = {one: frame.field("close")[k, -week:] for k, one in enumerate(frame.symbols)}
    profiles = {
        one: tempered(profile, closes[one], config.leverage, share)
        for one, profile in found.items()
    }
    return profiles, [_level_note(share, bars), *NOTES]


def _level_note(share: float, bars: int) -> str:
    if bars < LEAST_BARS:
        why = "as measured on the simulated market, for the data are too few"
    else:
        why = f"for that is how far open interest fell in the {bars} bars that crossed most of it"
    return (
        f"Of the coins that the liquidation map holds, {100.0 * share:.1f} % are believed, {why}; "
        "the rest is held at leverage below 10x, by the simulator's own mix."
    )


def _until(frame: MarketFrame, at: datetime, panel: str) -> MarketFrame:
    """Bars that had closed by a moment."""
    moment = np.datetime64(at.astimezone(UTC).replace(tzinfo=None), "s")
    stop = int(np.searchsorted(frame.times, moment, side="right"))
    if stop == 0 or moment >= frame.times[-1] + np.timedelta64(frame.bar):
        raise ConfigError(
            f"initial.at: panel '{panel}' has bars from {frame.times[0]} to {frame.times[-1]}, "
            f"expected one that closed last by {moment}"
        )
    return frame.between(0, stop)
