"""What the participants who obey are told, as the engine reads it."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from liqwarn.errors import ConfigError
from liqwarn.frames import SIDES, FloatArray
from liqwarn.simulation.config import MarketConfig
from liqwarn.simulation.layout import IN_CUT, IN_ENTRY, IN_ROOM, IN_RUSH, Books
from liqwarn.simulation.paths import decay
from liqwarn.simulation.rules import log_distance

__all__ = ["Obedience", "Restraint", "house_restraint", "impose", "rooms_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Obedience:
    """Who obeys, and how.

    Attributes
    ----------
    phi : float
        Share of the market that obeys, 0 to 1.
    house_leverage : float
        Highest leverage the obedient take without any restriction; the same in every arm.
    cut_per_h : float
        Share of what exceeds the allowed leverage that they put right in an hour.
    fearful : float
        Share of the others who watch for a line and leave before it is reached.
    flight_per_h : float
        Share of the fearful that leaves in an hour while a line is near.
    return_half_life_h : float
        Who has left comes back with this half-life.

    Raises
    ------
    ConfigError
        Naming every fault.
    """

    phi: float = 0.5
    house_leverage: float = 20.0
    cut_per_h: float = 0.9
    fearful: float = 0.2
    flight_per_h: float = 0.8
    return_half_life_h: float = 24.0

    def __post_init__(self) -> None:
        faults = []
        if not 0.0 <= self.phi <= 1.0:
            faults.append(f"phi is {self.phi}, expected 0 to 1")
        if not 1.0 <= self.house_leverage <= 125.0:
            faults.append(f"house_leverage is {self.house_leverage}, expected 1 to 125")
        faults += [
            f"{name} is {getattr(self, name)}, expected 0 to below 1"
            for name in ("cut_per_h", "fearful", "flight_per_h")
            if not 0.0 <= getattr(self, name) < 1.0
        ]
        if not self.return_half_life_h > 0.0:
            faults.append(f"return_half_life_h is {self.return_half_life_h}, expected above 0")
        if faults:
            raise ConfigError("closed loop: " + "; ".join(faults))


class Restraint(NamedTuple):
    """Orders to the obedient, and the fear of the others; arrays of shape (n_symbols, 2)."""

    entry: FloatArray  # share of their new positions that they may open
    leverage: FloatArray  # factor on the house leverage, above 0
    cut: FloatArray  # 1 where positions above that leverage are brought down, 0 where not
    near: FloatArray  # 0 to 1: how near the fearful believe a line to be


def house_restraint(n_symbols: int) -> Restraint:
    """House limits alone."""
    ones = np.ones((n_symbols, 2))
    none = np.zeros((n_symbols, 2))
    return Restraint(entry=ones, leverage=ones.copy(), cut=none, near=none.copy())


def rooms_of(leverage: FloatArray, obedience: Obedience, maintenance_rate: float) -> FloatArray:
    """Least log distance to liquidation at factors on the house leverage, shape (n_symbols, 2)."""
    out = np.empty_like(leverage)
    for side, name in enumerate(SIDES):
        for factor in np.unique(leverage[:, side]):
            allowed = max(1.5, obedience.house_leverage * factor)
            rows = leverage[:, side] == factor
            out[rows, side] = log_distance(allowed, name, maintenance_rate)
    return out


def impose(
    books: Books,
    told: Restraint,
    obedience: Obedience,
    *,
    present: FloatArray,
    config: MarketConfig,
) -> FloatArray:
    """Write a restraint into the columns that the engine reads; they hold until changed.

    Parameters
    ----------
    present : ndarray, shape (n_symbols, 2)
        Share of the others who are fearful and have not left.

    Returns
    -------
    ndarray, shape (n_symbols, 2)
        Who of them is present after a bar of this.
    """
    cells = books.cells[:-1]
    rate = config.leverage.maintenance_rate
    cells[:, IN_ENTRY : IN_ENTRY + 2] = told.entry
    cells[:, IN_ROOM : IN_ROOM + 2] = rooms_of(told.leverage, obedience, rate)
    share = 1.0 - (1.0 - obedience.cut_per_h) ** config.step_h
    cells[:, IN_CUT : IN_CUT + 2] = share * told.cut
    flight = told.near * (1.0 - (1.0 - obedience.flight_per_h) ** config.step_h)
    cells[:, IN_RUSH : IN_RUSH + 2] = present * flight
    stayed = present * (1.0 - flight) ** config.steps_per_bar
    back = 1.0 - decay(obedience.return_half_life_h, config.bar_h)
    return np.asarray(stayed + back * (obedience.fearful - stayed))
