"""The heat map as data for a canvas in a live page: one byte a cell, and a way back.

A cell is a level from 0 to 254 on a square-root scale, finer where there is little, with one top
for both sides; 255 says unknown. A page decodes it with ``top * (level / 254) ** 2``.
"""

import base64
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from liqwarn.errors import FrameError
from liqwarn.frames import FloatArray, epoch_seconds
from liqwarn.liquidation.heat_map import HeatMap
from liqwarn.reports.formats import finite

__all__ = ["error_bound", "heat_map_canvas", "heat_map_from_canvas"]

_SCHEMA: Final = "liqwarn.heat_map/1"
_LEVELS: Final = 254
_UNKNOWN: Final = 255
_PRICES: Final = ("high", "low", "close")

Bytes = NDArray[np.uint8]


def heat_map_canvas(heat_map: HeatMap) -> dict[str, Any]:
    """The heat map as JSON-able data, schema ``liqwarn.heat_map/1``.

    As JSON it takes 2.7 bytes for each moment and bin, and about 70 for each moment: 2.3 MB for
    2,000 moments of 400 bins, of which HTTP compression leaves about a fifth.

    Parameters
    ----------
    heat_map : HeatMap

    Returns
    -------
    dict
        ``schema``, ``symbol``, ``times`` (bar closes, seconds since the epoch), ``edges`` (quote
        per coin), ``shape`` (moments, bins), ``scale`` (``kind`` "square root", ``top`` in coins,
        ``levels`` 254, ``unknown`` 255), ``long``, ``short`` (base64 of one byte a cell, moment
        by moment), ``high``, ``low``, ``close`` (None where unknown).

    Raises
    ------
    FrameError
        When a volume is negative or infinite.
    """
    known = [plane[np.isfinite(plane)] for plane in (heat_map.long, heat_map.short)]
    top = float(max((plane.max() for plane in known if plane.size), default=0.0))
    return {
        "schema": _SCHEMA,
        "symbol": heat_map.symbol,
        "times": epoch_seconds(heat_map.times).tolist(),
        "edges": heat_map.edges.tolist(),
        "shape": list(heat_map.long.shape),
        "scale": {
            "kind": "square root",
            "unit": "coins",
            "top": top,
            "levels": _LEVELS,
            "unknown": _UNKNOWN,
        },
        "long": _text("long", heat_map.long, top),
        "short": _text("short", heat_map.short, top),
        **{name: [finite(p) for p in getattr(heat_map, name).tolist()] for name in _PRICES},
    }


def heat_map_from_canvas(data: Mapping[str, Any]) -> HeatMap:
    """The way back: what :func:`heat_map_canvas` wrote, within :func:`error_bound`.

    Parameters
    ----------
    data : mapping
        Schema ``liqwarn.heat_map/1``.

    Raises
    ------
    FrameError
        When the schema is another one, or a side's bytes do not fill the shape.

    Examples
    --------
    >>> heat_map = HeatMap(
    ...     symbol="X", times=np.array(["2024-01-01"], "datetime64[s]"),
    ...     edges=np.array([1.0, 4.0, 16.0]), long=np.array([[5.0, np.nan]]),
    ...     short=np.array([[0.0, 20.0]]), high=np.ones(1), low=np.ones(1), close=np.ones(1))
    >>> back = heat_map_from_canvas(heat_map_canvas(heat_map))
    >>> back.long.tolist(), back.short.tolist()
    ([[5.0, nan]], [[0.0, 20.0]])
    """
    if data.get("schema") != _SCHEMA:
        raise FrameError(f"canvas schema is {data.get('schema')!r}, expected '{_SCHEMA}'")
    times = np.asarray(data["times"], dtype=np.int64).astype("datetime64[s]")
    prices = {name: np.array(data[name], dtype=np.float64) for name in _PRICES}
    return HeatMap(
        symbol=str(data["symbol"]),
        times=times,
        edges=np.asarray(data["edges"], dtype=np.float64),
        long=_plane("long", data),
        short=_plane("short", data),
        **prices,
    )


def error_bound(coins: FloatArray, top: float) -> FloatArray:
    """How far a decoded volume may be from the true one: half a level, on the root's scale.

    The largest error is 0.4 % of `top`, at the top; below ``top / 258_064`` a volume may become 0.

    >>> error_bound(np.array([0.0, 100.0]), 100.0).round(4).tolist()
    [0.0004, 0.3941]
    """
    half = 0.5 / _LEVELS
    bound: FloatArray = 2.0 * half * np.sqrt(coins * top) + half**2 * top
    return bound


def _text(name: str, coins: FloatArray, top: float) -> str:
    bad = np.isinf(coins) | (coins < 0.0)
    if bad.any():
        value = float(coins[bad][0])
        raise FrameError(f"heat map '{name}' holds {value}, expected coins of 0 or more, or NaN")
    share = np.nan_to_num(coins) / top if top > 0.0 else np.zeros_like(coins)
    levels = np.rint(_LEVELS * np.sqrt(share)).astype(np.uint8)
    levels[np.isnan(coins)] = _UNKNOWN
    return base64.b64encode(levels.tobytes()).decode("ascii")


def _plane(name: str, data: Mapping[str, Any]) -> FloatArray:
    shape, scale = tuple(data["shape"]), data["scale"]
    levels: Bytes = np.frombuffer(base64.b64decode(data[name], validate=True), dtype=np.uint8)
    if levels.size != int(np.prod(shape)):
        raise FrameError(f"canvas '{name}' holds {levels.size} cells, expected shape {shape}")
    coins: FloatArray = scale["top"] * (levels / scale["levels"]) ** 2
    coins[levels == scale["unknown"]] = np.nan
    return coins.reshape(shape)
