"""Features: what is known of a market at a bar's close, as columns for a model.

One file a family, one small function a feature. A feature is given :class:`Past` series, which
can be windowed backwards and not read, so that it cannot look ahead.
"""

from liqwarn.features.builder import FAMILIES, FeatureBuilder, all_features
from liqwarn.features.feature import Feature

__all__ = ["FAMILIES", "Feature", "FeatureBuilder", "all_features"]
