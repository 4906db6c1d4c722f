"""Whether a bundle may score this panel here: a good signature says who made it, not for what."""

from liqwarn.data.panel import Panel
from liqwarn.features.builder import all_features
from liqwarn.models.bundle import Bundle

__all__ = ["misfit"]


def misfit(bundle: Bundle, panel: Panel) -> str | None:
    """What keeps a bundle from scoring a panel live; None when nothing does.

    A feature that is not computed here would be missing at every bar, and a model of another panel
    may be one of other bars: both would score, and nothing would look wrong.

    Parameters
    ----------
    bundle : Bundle
        Verified and loaded.
    panel : Panel
        Whose bars it is to score.
    """
    trained = bundle.training.panel
    if trained != panel.name:
        return f"it was trained on panel '{trained}', expected '{panel.name}'"
    unknown = sorted(set(bundle.model.names_) - {one.name for one in all_features()})
    if unknown:
        return f"it needs features that are not computed here: {', '.join(unknown)}"
    if 4 not in bundle.model.horizons_h_:
        return f"it has no 4-h probability, only of {list(bundle.model.horizons_h_)} h"
    return None
