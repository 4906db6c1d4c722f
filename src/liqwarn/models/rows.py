"""The long table that models train on: one row a symbol and bar, in order of time."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from liqwarn.errors import ModelError
from liqwarn.frames import FeatureMatrix, FloatArray, Labels, TimeArray, epoch_seconds

__all__ = ["Rows", "asset_of", "column_of", "joined", "make_rows"]

_SYMBOL: Final = re.compile(
    r"^(?:10{3,6})?(?P<asset>[A-Z0-9]+?)"
    r"(?:[-_/:]?(?:USDT|USDC|FDUSD|BUSD|USD))*(?:[-_:]?PERP)?$"
)


def asset_of(symbol: str) -> str:
    """The coin a perpetual is on, whatever the venue calls it.

    Examples
    --------
    >>> [asset_of(s) for s in ("BTCUSDT", "BTC-USD-PERP", "1000PEPEUSDT", "kPEPE", "KAITOUSDT")]
    ['BTC', 'BTC', 'PEPE', 'PEPE', 'KAITO']
    """
    bare = symbol[1:] if symbol[:1] == "k" and symbol[1:2].isupper() else symbol  # a thousand
    found = _SYMBOL.match(bare.upper())
    return found["asset"] if found else symbol


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """Rows of features and outcomes, in order of time and then of symbol.

    Attributes
    ----------
    bar : timedelta
        Length of the bars.
    symbols : ndarray of str, shape (n_rows,)
    times : ndarray of datetime64[s], shape (n_rows,)
        Bar closes, UTC.
    end : ndarray of datetime64[s], shape (n_rows,)
        When the outcome of the longest horizon became known.
    names : tuple of str
        Features, the columns of `X`.
    families : mapping of name to family
    X : ndarray of float64, shape (n_rows, n_features)
        NaN where missing.
    horizons_h : tuple of int
    y : ndarray of float64, shape (n_rows, 2, n_horizons)
        Outcome by side and horizon; NaN where it is not known or a cascade of the side is running.
    milder : ndarray of float64, the shape of `y`
        The same of milder events, to learn from; NaN also where a milder event is running.
    """

    bar: timedelta
    symbols: NDArray[np.str_]
    times: TimeArray
    end: TimeArray
    names: tuple[str, ...]
    families: Mapping[str, str]
    X: FloatArray
    horizons_h: tuple[int, ...]
    y: FloatArray
    milder: FloatArray

    def __len__(self) -> int:
        return len(self.times)

    def take(self, positions: NDArray[np.intp] | slice) -> "Rows":
        """Some of the rows."""
        return replace(
            self,
            symbols=self.symbols[positions],
            times=self.times[positions],
            end=self.end[positions],
            X=self.X[positions],
            y=self.y[positions],
            milder=self.milder[positions],
        )

    def without(self, names: Iterable[str]) -> "Rows":
        """The same rows without some features."""
        dropped = set(names)
        keep = [k for k, name in enumerate(self.names) if name not in dropped]
        kept = tuple(self.names[k] for k in keep)
        return replace(
            self,
            names=kept,
            families={name: self.families[name] for name in kept},
            X=np.ascontiguousarray(self.X[:, keep]),
        )

    def with_outcomes(self, y: FloatArray, milder: FloatArray) -> "Rows":
        """The same rows with other outcomes, of the same shape."""
        return replace(self, y=y, milder=milder)

    def up_to(self, hours: int) -> "Rows":
        """The same rows with the outcomes of the horizons up to one of them."""
        keep = [k for k, h in enumerate(self.horizons_h) if h <= hours]
        if hours not in self.horizons_h:
            raise ModelError(f"rows have horizons {self.horizons_h} h, not {hours} h")
        return self._of_horizons(keep)

    def at_horizon(self, hours: int) -> "Rows":
        """The same rows with the outcomes of one horizon."""
        if hours not in self.horizons_h:
            raise ModelError(f"rows have horizons {self.horizons_h} h, not {hours} h")
        return self._of_horizons([self.horizons_h.index(hours)])

    def _of_horizons(self, keep: list[int]) -> "Rows":
        return replace(
            self,
            horizons_h=tuple(self.horizons_h[k] for k in keep),
            y=self.y[:, :, keep],
            milder=self.milder[:, :, keep],
        )

    def column(self, name: str) -> FloatArray:
        """One feature; all NaN when the table does not have it."""
        return column_of(self.names, self.X, name)

    def outcome(self, side: int, horizon: int) -> FloatArray:
        """Outcome of one side and horizon, by their positions."""
        return self.y[:, side, horizon]

    def either(self, horizon: int) -> FloatArray:
        """Whether an onset of any side follows; NaN where it is not known of both."""
        return np.asarray(self.y[:, :, horizon].max(axis=1))  # NaN where any is


def column_of(names: Sequence[str], X: FloatArray, name: str) -> FloatArray:
    """A column by its name; all NaN when there is none."""
    if name not in names:
        return np.full(len(X), np.nan)
    return X[:, list(names).index(name)]


def make_rows(matrix: FeatureMatrix, labels: Labels, milder: Labels) -> Rows:
    """Lay features and labels of one panel out as rows, dropping those without any outcome.

    Parameters
    ----------
    matrix : FeatureMatrix
    labels, milder : Labels
        Of the events, and of the milder ones: they say nothing about which rows there are.

    Raises
    ------
    ModelError
        When they are not about the same symbols, bars and horizons.
    """
    for given in (labels, milder):
        _need_same(matrix, given, labels.horizons_h)
    n_symbols, n_bars = len(matrix.symbols), len(matrix.times)
    y = _early(labels)
    longest = int(np.argmax(labels.horizons_h))
    order = np.arange(n_symbols * n_bars).reshape(n_symbols, n_bars).T.ravel()
    known = np.isfinite(y).any(axis=(2, 3)).ravel()[order]
    order = order[known]
    row, bar = np.divmod(order, n_bars)
    return Rows(
        bar=matrix.bar,
        symbols=np.array(matrix.symbols)[row],
        times=matrix.times[bar],
        end=labels.end[bar, longest],
        names=matrix.names,
        families=dict(matrix.families),
        X=matrix.rows()[order],
        horizons_h=labels.horizons_h,
        y=y.reshape(-1, *y.shape[2:])[order],
        milder=_early(milder).reshape(-1, *y.shape[2:])[order],
    )


def _early(labels: Labels) -> FloatArray:
    """Outcomes of the bars that can still warn: NaN while an event of the side runs."""
    return np.where(labels.running[..., None], np.nan, labels.y)


def _need_same(matrix: FeatureMatrix, labels: Labels, horizons_h: tuple[int, ...]) -> None:
    same = matrix.symbols == labels.symbols and np.array_equal(matrix.times, labels.times)
    if not same or labels.horizons_h != horizons_h:
        raise ModelError(
            f"features are of {matrix.symbols} over {len(matrix.times)} bars, labels of "
            f"{labels.symbols} over {len(labels.times)} with horizons {labels.horizons_h}: "
            f"expected the same, and horizons {horizons_h}"
        )


def joined(main: Rows, extra: Iterable[Rows]) -> Rows:
    """Rows of a panel with those of other panels added, for training.

    The features are the main panel's; what another panel lacks is NaN there. An asset's same bar
    counts once: the main panel's, else that of the first panel and symbol to have it.

    Raises
    ------
    ModelError
        When a panel has bars or horizons of its own.
    """
    parts = [main]
    seen = set(_cells(main))
    for rows in extra:
        if rows.bar != main.bar or rows.horizons_h != main.horizons_h:
            raise ModelError(
                f"training rows have {rows.bar} bars and horizons {rows.horizons_h}, "
                f"expected {main.bar} and {main.horizons_h}"
            )
        parts.append(_aligned(rows.take(_unseen(rows, seen)), main))
    return _ordered(parts)


def _unseen(rows: Rows, seen: set[tuple[str, int]]) -> NDArray[np.intp]:
    """Rows whose asset and bar are not in `seen` yet; they are afterwards."""
    new = []
    for k, cell in enumerate(_cells(rows)):
        if cell not in seen:
            seen.add(cell)
            new.append(k)
    return np.array(new, dtype=np.intp)


def _cells(rows: Rows) -> list[tuple[str, int]]:
    assets = {symbol: asset_of(symbol) for symbol in np.unique(rows.symbols)}
    seconds = epoch_seconds(rows.times)
    return [(assets[s], int(t)) for s, t in zip(rows.symbols, seconds, strict=True)]


def _aligned(rows: Rows, main: Rows) -> Rows:
    columns = [rows.column(name) for name in main.names]
    X = np.column_stack(columns) if columns else np.empty((len(rows), 0))
    return replace(rows, names=main.names, families=main.families, X=X)


def _ordered(parts: list[Rows]) -> Rows:
    symbols = np.concatenate([part.symbols for part in parts])
    times = np.concatenate([part.times for part in parts])
    order = np.lexsort((symbols, times))
    return replace(
        parts[0],
        symbols=symbols[order],
        times=times[order],
        end=np.concatenate([part.end for part in parts])[order],
        X=np.concatenate([part.X for part in parts])[order],
        y=np.concatenate([part.y for part in parts])[order],
        milder=np.concatenate([part.milder for part in parts])[order],
    )
