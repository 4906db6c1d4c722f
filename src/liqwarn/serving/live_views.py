"""What the application shows of the live loop beside its flags: scores, maps, history."""

from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any, Final

import numpy as np

from liqwarn.decisions import HORIZONS_H
from liqwarn.errors import FrameError, ModelError, StoreError
from liqwarn.frames import FloatArray
from liqwarn.liquidation.by_price import profile_of
from liqwarn.models.fast_cascade import FastCascade
from liqwarn.reports.map_export import profile_dict
from liqwarn.serving.bundles import BundleHolder
from liqwarn.serving.live_service import LiveService
from liqwarn.serving.ports import ScoreReply

__all__ = ["HeldScorer", "LiveMapSource"]

_WAIT_S: Final = 1.0
"""For the loop to end its bar: whoever waits holds one of the few threads of all requests."""


class HeldScorer:
    """Scores a caller's rows with the bundle in use; a whole reply by one bundle."""

    def __init__(self, holder: BundleHolder) -> None:
        self._holder = holder
        self._lock = Lock()
        self._made: tuple[str, FastCascade] | None = None

    def score(self, rows: FloatArray, names: Sequence[str]) -> ScoreReply:
        """See :class:`liqwarn.serving.ports.Scorer`."""
        loaded = self._holder.current()
        model = loaded.bundle.model
        try:
            X = model.aligned(rows, names)
        except ModelError as error:
            raise FrameError(str(error)) from error
        quick = self._quick(loaded.id.sha256, loaded.bundle.model)
        probability = quick.calibrated(quick.raw(X))
        wanted = [model.horizons_h_.index(h) for h in HORIZONS_H if h in model.horizons_h_]
        novelty = model.novelty_.score(X)
        novel = novelty > model.novelty_.limit_
        return ScoreReply(
            probability=np.ascontiguousarray(probability[:, :, wanted]),
            model=loaded.bundle.stamp,
            quality=["degraded" if one else "ok" for one in novel.tolist()],
            novelty=novelty,
        )

    def _quick(self, sha256: str, model: Any) -> FastCascade:  # noqa: ANN401  a fitted model
        with self._lock:
            if self._made is None or self._made[0] != sha256:
                self._made = (sha256, FastCascade(model))
            return self._made[1]


class LiveMapSource:
    """The liquidation maps that the loop's engine holds now."""

    def __init__(self, service: LiveService) -> None:
        self._service = service

    def profile(self, symbol: str) -> Mapping[str, Any] | None:
        """The profile of a symbol; None where there is no such symbol or no price yet."""
        loop = self._service.loop
        if loop is None:
            raise StoreError("the live loop is being begun: no maps yet")
        if not loop.lock.acquire(timeout=_WAIT_S):
            raise StoreError("the live loop is fitting the maps of a new quarter: none to show")
        try:
            engine = loop.engine
            if symbol not in engine.symbols:
                return None
            maps = engine.memory.maps
            state, weights, as_of = maps.state(symbol), maps.weights(), engine.as_of
        finally:
            loop.lock.release()
        if not np.isfinite(state.close):
            return None
        moment = np.datetime64(as_of.replace(tzinfo=None), "s")
        return profile_dict(profile_of(symbol, moment, state, weights, engine.bar_s))
