"""What two origins say of the same market: prices, funding and open interest compared.

Within a panel the close is compared with the mark and the index; between panels each shared
field, asset by asset, at the bars that both know.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

import numpy as np

from liqwarn.data.panel import Panel
from liqwarn.errors import DataError
from liqwarn.frames import FloatArray, MarketFrame, TimeArray, epoch_seconds

__all__ = ["Disagreement", "across_panels", "within_panel"]

_PRICES: Final = ("open", "high", "low", "close", "mark", "index")
_RATES: Final = ("funding_rate", "funding_rate_2")
_FEW: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """Two series of one asset, compared where both are known.

    Attributes
    ----------
    asset : str
    one, other : str
        What is compared, such as ``close`` and ``index``, or ``binance open_interest``.
    bars : int
        At which both are known.
    unit : {"bps", "log ratio off its median"}
        Prices and rates: basis points of one against the other. Levels that need not be equal,
        such as open interest of two venues: how far their ratio is off its usual one.
    median, p99, worst : float
        Of the absolute difference.
    worst_at : datetime
    together : float
        Correlation of the changes from bar to bar; NaN with fewer than thirty.
    ahead : int
        Bars by which one leads the other, by the best such correlation, from -2 to 2: anything
        else than 0 speaks of a stamp that is off.
    """

    asset: str
    one: str
    other: str
    bars: int
    unit: Literal["bps", "log ratio off its median"]
    median: float
    p99: float
    worst: float
    worst_at: datetime
    together: float
    ahead: int


def within_panel(frame: MarketFrame, panel: Panel) -> Iterator[Disagreement]:
    """The close against the mark and the index, where a panel has them."""
    for row, symbol in enumerate(panel.symbols):
        for other in (
            n for n in ("mark", "index") if n in panel.fields and "close" in panel.fields
        ):
            yield from _compared(
                (symbol.asset, "close", other),
                (frame.field("close")[row], frame.field(other)[row]),
                frame.times,
            )


def across_panels(
    one: tuple[MarketFrame, Panel], other: tuple[MarketFrame, Panel]
) -> Iterator[Disagreement]:
    """Every level that two panels share of the assets they share, at the bars of both.

    Raises
    ------
    DataError
        When their bars are of different lengths, or they share no asset.
    """
    (frame, panel), (frame_2, panel_2) = one, other
    if panel.bar != panel_2.bar:
        raise DataError(
            f"panel '{panel_2.name}' has bars of {panel_2.bar}, expected {panel.bar} as "
            f"'{panel.name}'"
        )
    rows = {symbol.asset: row for row, symbol in enumerate(panel_2.symbols)}
    shared = [(i, s.asset) for i, s in enumerate(panel.symbols) if s.asset in rows]
    if not shared:
        raise DataError(
            f"panel '{panel_2.name}' has assets {', '.join(sorted(rows))}, expected one of "
            f"'{panel.name}': {', '.join(sorted(s.asset for s in panel.symbols))}"
        )
    times, i, j = np.intersect1d(frame.times, frame_2.times, return_indices=True)
    levels = [*_PRICES, *_RATES, "open_interest", "long_short_ratio"]
    for row, asset in shared:
        for name in (n for n in levels if n in panel.fields and n in panel_2.fields):
            yield from _compared(
                (asset, f"{panel.name} {name}", f"{panel_2.name} {name}"),
                (frame.field(name)[row][i], frame_2.field(name)[rows[asset]][j]),
                times,
            )


def _compared(
    names: tuple[str, str, str], series: tuple[FloatArray, FloatArray], times: TimeArray
) -> Iterator[Disagreement]:
    asset, one, other = names
    field = one.rsplit(" ", 1)[-1]
    both = np.isfinite(series[0]) & np.isfinite(series[1])
    if field not in _RATES:
        both &= (series[0] > 0.0) & (series[1] > 0.0)
    if not both.any():
        return
    x, y = series[0][both], series[1][both]
    if field in _RATES:
        change = np.diff(x), np.diff(y)
        apart = 1e4 * np.abs(x - y)
    else:
        ratio = np.log(x) - np.log(y)
        change = np.diff(np.log(x)), np.diff(np.log(y))
        apart = 1e4 * np.abs(ratio) if field in _PRICES else np.abs(ratio - np.median(ratio))
    together, ahead = _best_shift(*change)
    yield Disagreement(
        asset=asset,
        one=one,
        other=other,
        bars=int(both.sum()),
        unit="bps" if field in (*_PRICES, *_RATES) else "log ratio off its median",
        median=float(np.median(apart)),
        p99=float(np.quantile(apart, 0.99)),
        worst=float(apart.max()),
        worst_at=datetime.fromtimestamp(
            int(epoch_seconds(times[both][[apart.argmax()]])[0]), tz=UTC
        ),
        together=together,
        ahead=ahead,
    )


def _best_shift(x: FloatArray, y: FloatArray) -> tuple[float, int]:
    """Correlation of the changes at the same bar, and the shift at which it is clearly larger.

    Positive when the first series moves before the second.
    """
    found = {
        shift: _correlation(x[max(0, -shift) : x.size - max(0, shift)],
                            y[max(0, shift) : y.size - max(0, -shift)])
        for shift in (-2, -1, 0, 1, 2)
    }  # fmt: skip
    best = max(found, key=lambda shift: (np.nan_to_num(found[shift], nan=-1.0), -abs(shift)))
    # bars are joined over holes here, so a shift counts only when it explains far more
    return found[0], best if found[best] > found[0] + 0.2 else 0


def _correlation(x: FloatArray, y: FloatArray) -> float:
    if x.size < _FEW or x.std() == 0.0 or y.std() == 0.0:
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])
