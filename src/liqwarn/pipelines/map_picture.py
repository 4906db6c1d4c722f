"""The picture of the liquidation map that a scoring leaves for its report."""

from datetime import timedelta
from pathlib import Path
from typing import Final

import numpy as np

from liqwarn.features.inputs import leader_row
from liqwarn.liquidation.by_price import heat_map_of, profile_at
from liqwarn.pipelines.progress import OnProgress, silent
from liqwarn.pipelines.study import Study
from liqwarn.reports.charts import save_figure
from liqwarn.reports.heat_map import heat_map_figure

__all__ = ["MAP_PICTURE", "draw_leader_map"]

MAP_PICTURE: Final = "liquidation_map.png"

_SPAN: Final = timedelta(days=14)
_MOMENTS: Final = 168


def draw_leader_map(study: Study, folder: Path, *, on_progress: OnProgress = silent) -> Path | None:
    """Draw the last two weeks of the leading symbol's map; None where it has no open interest.

    The picture of an earlier scoring is removed first, so that none outlives its market.
    """
    path = folder / MAP_PICTURE
    path.unlink(missing_ok=True)
    frame = study.market.frame
    symbol = frame.symbols[leader_row(frame.symbols)]
    job = study.map_job.of(frame, symbol)
    bars = min(len(frame.times), int(_SPAN / frame.bar))
    known = np.isfinite(job.frame.field("open_interest")[0, -bars:])
    if not known.any():
        return None
    on_progress("map: picture", 0, 1)
    last = len(frame.times) - 1
    rows = np.arange(last, last - bars, -max(1, -(-bars // _MOMENTS)))[::-1]
    heat_map = heat_map_of(job, study.map_draws, rows.tolist())
    profile = profile_at(job, study.map_draws, last)
    simulated = study.market.panel.market == "simulated"
    title = f"{symbol}, simulated market" if simulated else symbol
    save_figure(heat_map_figure(heat_map, title=title, profile=profile), path)
    on_progress("map: picture", 1, 1)
    return path
