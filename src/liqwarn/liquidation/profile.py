"""What a liquidation map says of one symbol at one moment: coins by the price that closes them."""

from dataclasses import dataclass

import numpy as np

from liqwarn.errors import FrameError
from liqwarn.frames import FloatArray
from liqwarn.liquidation.ledger import Ledger

__all__ = ["Profile"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Profile:
    """Estimated liquidation volume left and right of the price.

    Attributes
    ----------
    symbol : str
        Perpetual.
    as_of : datetime64[s]
        Close of the bar it is for, UTC.
    price : float
        Last price, quote per coin.
    open_interest : float
        Coins; what each side's cohorts sum to, those outside the bins included.
    prices : ndarray of float64, shape (n_bins,)
        Centres of the price bins, ascending, quote per coin.
    long : ndarray of float64, shape (n_bins,)
        Coins of longs liquidated when the price falls into the bin; 0 above the price.
    short : ndarray of float64, shape (n_bins,)
        Coins of shorts liquidated when the price rises into the bin; 0 below the price.
    long_band, short_band : ndarray of float64, shape (2, n_bins)
        5th and 95th percentile over the map's posterior draws.
    usable : bool
        False for a map too young to be believed, or whose open interest has long been unknown.
    ledger : Ledger or None
        What the map has seen and missed; None where it is not one map's.

    Raises
    ------
    FrameError
        When a shape does not fit or the prices do not ascend.
    """

    symbol: str
    as_of: np.datetime64
    price: float
    open_interest: float
    prices: FloatArray
    long: FloatArray
    short: FloatArray
    long_band: FloatArray
    short_band: FloatArray
    usable: bool = True
    ledger: Ledger | None = None

    def __post_init__(self) -> None:
        n_bins = self.prices.shape[0]
        expected = {
            "prices": (n_bins,),
            "long": (n_bins,),
            "short": (n_bins,),
            "long_band": (2, n_bins),
            "short_band": (2, n_bins),
        }
        for name, shape in expected.items():
            found = getattr(self, name).shape
            if found != shape:
                raise FrameError(f"profile '{name}' has shape {found}, expected {shape}")
        if not bool((np.diff(self.prices) > 0.0).all()):
            raise FrameError("profile prices do not ascend, expected strictly ascending bins")
