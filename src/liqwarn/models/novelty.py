"""Is a row unlike anything the model was trained on? Then its probability stands on nothing.

A row's novelty is how far its strangest feature lies outside everything training showed, in robust
deviations. Markets drift, so being a little outside is ordinary; the limit is what all but half a
per cent of rows kept to that lay after the rows they were compared with, in purged inner folds.
Combined distances (Mahalanobis) were tried and found no fault that this does not; docs/novelty.md.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from liqwarn.errors import ModelError
from liqwarn.frames import BoolArray, FloatArray
from liqwarn.models.robust_scale import FARTHEST, RobustScale
from liqwarn.models.rows import Rows
from liqwarn.models.splits import InnerFolds
from liqwarn.windows.arguments import compiled

__all__ = ["Novelty"]

SHARE: Final = 0.005
"""Share of unseen training rows that may be novel."""
LEAST_LIMIT: Final = 1.0
_CHUNK: Final = 1 << 15


class Novelty:
    """Says which rows are unlike training, and what is strange about them.

    Attributes
    ----------
    names_ : tuple of str
        Features, the columns of every `X`.
    families_ : tuple of str
        Family of each.
    scale_ : RobustScale
        Of the features that were already known in the training rows of an inner fold: of one that
        is newer nobody can say how it drifts, so it is not looked at.
    limit_ : float
        Deviations beyond the range of training above which a row is novel, at least 1.
    """

    def fit(self, rows: Rows, inner: InnerFolds | None = None) -> Self:
        """Learn the range of a training block, and how far later rows go beyond such a range."""
        self.names_ = rows.names
        self.families_ = tuple(rows.families[name] for name in rows.names)
        unseen: list[FloatArray] = []
        judged: set[int] = set()
        for train, test in (inner or InnerFolds()).split(rows.times, rows.end):
            scale = RobustScale().fit(rows.X[train])
            judged |= set(scale.kept_.tolist())
            unseen += [_farthest(_look_of(scale), part) for part in _parts(rows.X[test])]
        self.scale_ = RobustScale().fit(rows.X).only(judged)
        if unseen:
            beyond = float(np.quantile(np.concatenate(unseen), 1.0 - SHARE, method="higher"))
            self.limit_ = max(LEAST_LIMIT, beyond)
        else:
            self.limit_ = 2.0 * FARTHEST  # nothing was compared, so nothing is called novel
        return self

    def score(self, X: FloatArray) -> FloatArray:
        """Deviations by which the strangest feature is outside training, shape (n_rows,).

        0 for a row inside; a missing value is never strange. The same bits for one row as for many.
        """
        chunks = self._parts(X)
        if self.__dict__.get("_looks", (None,))[0] is not self.scale_:
            self._looks = self.scale_, _look_of(self.scale_)
        parts = [_farthest(self._looks[1], chunk) for chunk in chunks]
        return np.concatenate(parts) if parts else np.empty(0)

    def novel(self, X: FloatArray) -> BoolArray:
        """Whether each row is unlike training."""
        return self.score(X) > self.limit_

    def describe(self, X: FloatArray) -> list[str]:
        """What is strange about each row in words; empty for a row that is not novel.

        The strangest feature of each family beyond the limit, the strangest family first.
        """
        words = [""] * len(X)
        novel = np.flatnonzero(self.novel(X))
        if novel.size:
            for row, beyond in zip(novel.tolist(), _beyond(self.scale_, X[novel]), strict=True):
                words[row] = self._words(beyond)
        return words

    def _words(self, beyond: FloatArray) -> str:
        told: dict[str, str] = {}
        for k in np.argsort(-beyond, kind="stable"):
            if beyond[k] <= self.limit_:
                break
            column = self.scale_.kept_[k]
            words = f"{self.names_[column]} is {beyond[k]:,.0f} robust deviations"
            told.setdefault(self.families_[column], words)
        return "; ".join(told.values()) + " beyond anything in training" if told else ""

    def _parts(self, X: FloatArray) -> Iterator[FloatArray]:
        if not hasattr(self, "limit_"):
            raise ModelError("novelty is not fitted")
        if X.ndim != 2 or X.shape[1] != len(self.names_):
            raise ModelError(f"rows have shape {X.shape}, expected {len(self.names_)} columns")
        return _parts(X)

    def to_dict(self) -> dict[str, Any]:
        """Everything learned, as JSON can say it: text and finite numbers."""
        return {
            "names": list(self.names_),
            "families": list(self.families_),
            "scale": self.scale_.to_dict(),
            "limit": self.limit_,
        }

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> "Novelty":
        """Read back what `to_dict` gave."""
        novelty = cls()
        novelty.names_ = tuple(raw["names"])
        novelty.families_ = tuple(raw["families"])
        novelty.scale_ = RobustScale.from_dict(raw["scale"])
        novelty.limit_ = float(raw["limit"])
        return novelty


def _parts(X: FloatArray) -> Iterator[FloatArray]:
    """A few rows at a time: a history of all symbols would need its memory several times over."""
    return (X[start : start + _CHUNK] for start in range(0, len(X), _CHUNK))


def _beyond(scale: RobustScale, X: FloatArray) -> FloatArray:
    return scale.beyond(scale.transform(X))


class _Look(NamedTuple):
    """A scale as the compiled loop reads it."""

    kept: NDArray[np.intp]
    logged: BoolArray
    learned: FloatArray
    logs_of: NDArray[np.intp]
    floors: FloatArray


def _look_of(scale: RobustScale) -> _Look:
    return _Look(
        kept=scale.kept_,
        logged=scale.logged_,
        learned=np.stack([scale.centre_, scale.scale_, scale.low_, scale.high_]),
        logs_of=scale.kept_[scale.logged_],
        floors=scale.floor_[scale.logged_],
    )


def _farthest(look: _Look, X: FloatArray) -> FloatArray:
    """Of the strangest feature of each row alone, in the arithmetic of :func:`_beyond`."""
    # by numpy's own logarithm: a compiled one may differ in its last bit
    logs = np.log(np.maximum(X[:, look.logs_of], look.floors))
    out = np.empty(len(X))
    _strangest(np.ascontiguousarray(X), logs, look, out)
    return out


@compiled
def _strangest(X: FloatArray, logs: FloatArray, look: _Look, out: FloatArray) -> None:
    for row in range(out.size):
        farthest, log = 0.0, 0
        for k in range(look.kept.size):
            value = X[row, look.kept[k]]
            if look.logged[k]:
                value = logs[row, log]
                log += 1
            deviation = (value - look.learned[0, k]) / look.learned[1, k]
            if not np.isnan(deviation):
                deviation = min(max(deviation, -FARTHEST), FARTHEST)
            for over in (deviation - look.learned[3, k], look.learned[2, k] - deviation):
                farthest = over if over > farthest else farthest  # NaN is not above
        out[row] = farthest
