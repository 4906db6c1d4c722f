"""A fold's fitted model as bytes, so that more test rows of the same fold need no other fit.

Only the trees are kept: the baselines are fitted faster than they would be worth keeping. No
pickle: LightGBM's own text and JSON, as in a bundle.
"""

from dataclasses import dataclass
from typing import Any, Final, cast

import lightgbm as lgb
import numpy as np
import orjson

from liqwarn.errors import ModelError
from liqwarn.frames import FloatArray
from liqwarn.models.boosting import BoostedTrees, BoosterKey
from liqwarn.models.calibration import Calibrated, Platt
from liqwarn.models.volatility import VolatilityBase

__all__ = ["KeptFit", "keep_fit", "refit"]

SCHEMA: Final = "liqwarn.kept_fit/1"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KeptFit:
    """What fitting a model on a training block gave.

    Attributes
    ----------
    model : bytes
        See :func:`keep_fit`.
    thresholds : ndarray of float64, shape (2, n_horizons, 4)
        By alarm budget, frozen on out-of-fold training probabilities.
    """

    model: bytes
    thresholds: FloatArray


def keep_fit(model: object) -> bytes | None:
    """A fitted model as bytes; None for one that is fitted anew faster."""
    if not isinstance(model, Calibrated) or not isinstance(model.scorer_, BoostedTrees):
        return None
    trees = model.scorer_
    document = {
        "schema": SCHEMA,
        "names": trees.names_,
        "horizons_h": trees.horizons_h_,
        "platts": [[[platt.slope, platt.intercept] for platt in row] for row in model.platts_],
        "base": trees.base_.to_dict(),
        "boosters": [
            [*key, booster.model_to_string()] for key, booster in sorted(trees.boosters_.items())
        ],
    }
    return orjson.dumps(document)


def refit(model: object, content: bytes) -> Calibrated:
    """Put a kept fit into an unfitted model of the same maker; it scores the same bits.

    Its out-of-fold probabilities are not kept.

    Raises
    ------
    ModelError
        When the bytes are no kept fit, or the model is none that is kept.
    """
    scorer = model.make() if isinstance(model, Calibrated) else None
    if not isinstance(model, Calibrated) or not isinstance(scorer, BoostedTrees):
        raise ModelError(f"{model!r} is no model that is kept, expected calibrated trees")
    try:
        document = orjson.loads(content)
        if document["schema"] != SCHEMA:
            raise ModelError(f"kept fit has schema {document['schema']}, expected {SCHEMA}")
        model.platts_ = [[_platt(one) for one in row] for row in document["platts"]]
        scorer.names_ = tuple(document["names"])
        scorer.horizons_h_ = tuple(document["horizons_h"])
        scorer.base_ = VolatilityBase.from_dict(document["base"])
        scorer.boosters_ = {
            cast("BoosterKey", (stage, hours, seed)): lgb.Booster(model_str=text)
            for stage, hours, seed, text in document["boosters"]
        }
    except (KeyError, TypeError, ValueError, lgb.basic.LightGBMError) as error:
        raise ModelError(f"kept fit is incomplete: {error!r}") from error
    model.scorer_ = scorer
    return model


def _platt(raw: list[Any]) -> Platt:
    slope, intercept = (np.nan if one is None else float(one) for one in raw)
    return Platt(slope, intercept)
