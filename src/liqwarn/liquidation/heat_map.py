"""A liquidation map over time, on one grid of prices: what the pictures are drawn from."""

from dataclasses import dataclass

from liqwarn.errors import FrameError
from liqwarn.frames import FloatArray, TimeArray

__all__ = ["HeatMap"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeatMap:
    """Profiles of one symbol at consecutive moments.

    Attributes
    ----------
    symbol : str
        Perpetual.
    times : ndarray of datetime64[s], shape (n_times,)
        Bar closes, UTC, ascending.
    edges : ndarray of float64, shape (n_bins + 1,)
        Edges of the price bins, ascending, equal steps of the logarithm, quote per coin.
    long, short : ndarray of float64, shape (n_times, n_bins)
        Coins liquidated when the price falls (long) or rises (short) into the bin, as estimated
        at that moment; NaN where the map is unknown.
    high, low, close : ndarray of float64, shape (n_times,)
        The price of the bar that closes at that moment.

    Raises
    ------
    FrameError
        When a shape does not fit.
    """

    symbol: str
    times: TimeArray
    edges: FloatArray
    long: FloatArray
    short: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray

    def __post_init__(self) -> None:
        n_times, n_bins = len(self.times), len(self.edges) - 1
        for name in ("long", "short"):
            found = getattr(self, name).shape
            if found != (n_times, n_bins):
                raise FrameError(
                    f"heat map '{name}' has shape {found}, expected {(n_times, n_bins)}"
                )
        for name in ("high", "low", "close"):
            found = getattr(self, name).shape
            if found != (n_times,):
                raise FrameError(f"heat map '{name}' has shape {found}, expected {(n_times,)}")
