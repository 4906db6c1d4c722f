"""Rows whose scores are known to the last bit, to ask a loaded model whether it is the saved one.

A hash says that the bytes are whole, not that this machine's LightGBM reads them as the one that
wrote them did. Numbers are written in hexadecimal: nothing is rounded, and NaN can be said.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import orjson

from liqwarn.errors import ModelError
from liqwarn.frames import FloatArray
from liqwarn.models.cascade import CascadeModel

__all__ = ["PROBES", "Probes"]

PROBES: Final = 16
_SCHEMA: Final = "liqwarn.probes/1"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Probes:
    """A few training rows and what the model said of them when it was saved.

    Attributes
    ----------
    names : tuple of str
        Features, the columns of `rows`.
    rows : ndarray of float64, shape (n_probes, n_features)
    raw : ndarray of float64, shape (n_probes, 2, n_horizons)
        Raw scores; NaN where a horizon is not defined.
    """

    names: tuple[str, ...]
    rows: FloatArray
    raw: FloatArray

    @classmethod
    def of(cls, model: CascadeModel, X: FloatArray) -> "Probes":
        """Rows evenly spread over `X`, scored.

        Parameters
        ----------
        X : ndarray of float64, shape (n_rows, n_features)
            In the order of the model's features.
        """
        chosen = np.unique(np.linspace(0, len(X) - 1, min(PROBES, len(X))).astype(np.intp))
        rows = np.ascontiguousarray(X[chosen], dtype=np.float64)
        return cls(names=model.names_, rows=rows, raw=model.raw(rows))

    def fault(self, model: CascadeModel) -> str | None:
        """None when the model gives every score again bit for bit, else what it gives instead."""
        if model.names_ != self.names:
            return "its probes are rows of other features"
        return self.compare(model.raw(self.rows))

    def compare(self, found: FloatArray) -> str | None:
        """None when `found` are the scores expected, bit for bit, else where they are not."""
        if found.shape != self.raw.shape:
            return f"scores of probes have shape {found.shape}, expected {self.raw.shape}"
        same = (found == self.raw) | (np.isnan(found) & np.isnan(self.raw))
        if same.all():
            return None
        at = tuple(int(k) for k in np.argwhere(~same)[0])
        return (
            f"{int((~same).sum())} of {same.size} scores of probes differ; that at {at} is "
            f"{found[at]!r}, expected {self.raw[at]!r}"
        )

    def to_bytes(self) -> bytes:
        """The same as JSON."""
        content = {
            "schema": _SCHEMA,
            "names": self.names,
            "shape": self.raw.shape,
            "rows": [_hex(row) for row in self.rows],
            "raw": _hex(self.raw.ravel()),
        }
        return orjson.dumps(content, option=orjson.OPT_INDENT_2)

    @classmethod
    def from_bytes(cls, content: bytes) -> "Probes":
        """Read back what `to_bytes` gave.

        Raises
        ------
        ModelError
            When it is anything else, or no probe at all.
        """
        try:
            raw = orjson.loads(content)
            if raw["schema"] != _SCHEMA:
                raise ModelError(f"probes have schema {raw['schema']!r}, expected {_SCHEMA!r}")
            names = tuple(raw["names"])
            rows = np.array([_floats(row) for row in raw["rows"]], dtype=np.float64)
            scores = _floats(raw["raw"]).reshape(raw["shape"])
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"probes are unreadable: {error!r}") from error
        if rows.ndim != 2 or rows.shape[1] != len(names) or scores.shape[:1] != rows.shape[:1]:
            raise ModelError(
                f"probes have shape {rows.shape} and scores {scores.shape}, expected at least one "
                f"row of {len(names)} features and as many scores"
            )
        return cls(names=names, rows=rows, raw=scores)


def _hex(values: FloatArray) -> list[str]:
    return [float(value).hex() for value in values]


def _floats(told: list[str]) -> FloatArray:
    return np.array([float.fromhex(value) for value in told], dtype=np.float64)
