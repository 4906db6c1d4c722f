"""What price shocks of 23 other coins add to the trees: a development row, chosen for nothing.

Prices of ``wide_30m`` begin in 2023, so this can only be judged on part of the test span, 2024; see
the section on it in ``benchmarks/tries_notes.md``. Run as ``python benchmarks/tries_wide.py --data
DIR``; it prints the table.
"""

import argparse
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Self

for variable in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import lightgbm as lgb  # noqa: E402  threads are set before anything that starts them is imported
import numpy as np  # noqa: E402

from liqwarn.features.builder import FeatureBuilder  # noqa: E402
from liqwarn.frames import SIDES, FloatArray, MarketFrame, epoch_seconds  # noqa: E402
from liqwarn.models.boosting import FIXED, MILDER, ONSET, BoostedTrees  # noqa: E402
from liqwarn.models.events import EventConfig, detect_events  # noqa: E402
from liqwarn.models.labels import make_labels  # noqa: E402
from liqwarn.models.rows import Rows, asset_of, joined, make_rows  # noqa: E402
from liqwarn.models.splits import EMBARGO  # noqa: E402
from liqwarn.models.volatility import VolatilityBase  # noqa: E402
from liqwarn.pipelines.market import MarketJob, open_market  # noqa: E402
from liqwarn.pipelines.study import build_study  # noqa: E402
from tries_judge import Look, compared, measured, scored  # noqa: E402

PANELS: Final = Path(__file__).parents[1] / "conf" / "panels"
LOOK: Final = Look(
    name="development", starts=("2024-01", "2024-07", "2025-01"), forward=True, seeds=(0, 1, 2)
)
HOUR: Final = timedelta(hours=1)
SHOWN: Final = (("pr_auc", 1.0, 3), ("log_loss", 1e3, 2))


class WideTrees(BoostedTrees):
    """The model's stages, with rows of other coins in one or both stages of trees.

    The volatility baseline learns from the given rows alone. Without other rows this is
    :class:`BoostedTrees`, to the bit.

    Parameters
    ----------
    wide : mapping of stage to Rows
        Rows of other coins, 4 h ahead; those whose outcome is known when the given rows' are.
    """

    def __init__(self, wide: Mapping[str, Rows], *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.wide = wide

    def fit(self, rows: Rows) -> Self:
        rows = rows.at_horizon(4)
        self.names_, self.horizons_h_ = rows.names, rows.horizons_h
        self.base_ = VolatilityBase().fit(rows)
        self.boosters_ = {}
        for stage in (MILDER, ONSET):
            given = self._with_wide(rows, stage)
            X = self._of_both_sides(given.X)
            start = np.tile(self._base(given.X)[:, 0], len(SIDES)) + self._mean(X, MILDER, 4)
            outcome = (given.milder if stage == MILDER else given.y)[:, :, 0]
            self._grow(self._table(X), (stage, 4), np.ascontiguousarray(outcome.T).ravel(), start)
        return self

    def _with_wide(self, rows: Rows, stage: str) -> Rows:
        other = self.wide.get(stage)
        if other is None:
            return rows
        return joined(rows, (other.take(np.flatnonzero(other.end <= rows.end.max())),))

    def _table(self, X: FloatArray) -> lgb.Dataset:
        params = {**FIXED, "num_threads": self.threads}
        names = list(self.names_)
        return lgb.Dataset(X, feature_name=names, params=params, free_raw_data=False).construct()


def wide_rows(frame: MarketFrame) -> Rows:
    """Full hours of every coin but BTC before the last fold, with price shocks as outcomes.

    Features are of 30-minute bars, BTC's among them where they look at other coins; there is no
    open interest, so neither a map nor anything that reads one.
    """
    last = np.datetime64(LOOK.starts[-2], "s")
    frame = frame.between(0, int(np.searchsorted(frame.times, last, side="right")))
    config = EventConfig.for_bar(frame.bar).price_only()
    others = frame.select(tuple(s for s in frame.symbols if asset_of(s) != "BTC"))
    labels = make_labels(others, detect_events(others, config), config, (4,))
    rows = make_rows(FeatureBuilder().build(frame, others.symbols), labels, labels)
    full = np.flatnonzero(epoch_seconds(rows.times) % 3600 == 0)  # bars are named by their close
    return replace(rows.take(full), bar=HOUR)


def core_rows(data: Path, store: Path) -> Rows:
    """Hourly rows of BTC with the model's own outcomes, to the end of the last fold."""
    job = MarketJob(panel=PANELS / "btc_core.yaml", data=data, store=store)
    study = build_study(open_market(job, now=datetime.now(UTC)))
    rows = make_rows(study.matrix, study.labels, study.milder)
    return rows.take(np.flatnonzero(rows.times < np.datetime64(LOOK.starts[-1], "s")))


def filled(rows: Rows) -> Rows:
    """Without the features that are empty before the first fold."""
    some = ~np.isnan(rows.X[rows.times < np.datetime64(LOOK.starts[0], "s")]).all(axis=0)
    return rows.without(name for name, has in zip(rows.names, some, strict=True) if not has)


def variants(wide: Rows) -> dict[str, Callable[..., WideTrees]]:
    return {
        "the model, BTC alone": partial(WideTrees, {}),
        "shocks among the milder onsets": partial(WideTrees, {MILDER: wide}),
        "shocks among the onsets, too": partial(WideTrees, {MILDER: wide, ONSET: wide}),
    }


def told(rows: Rows, wide: Rows, tell: Callable[[str], None]) -> None:
    """Print how much there is to learn from, and the table."""
    for start in LOOK.starts[:-1]:
        known = np.datetime64(start, "s") - np.timedelta64(EMBARGO)
        mine, other = (r.take(np.flatnonzero(r.end <= known)) for r in (rows, wide))
        tell(
            f"before {start}: {len(mine)} rows of BTC ({_hits(mine.at_horizon(4).y)} before an "
            f"onset, {_hits(mine.at_horizon(4).milder)} before a milder one), {len(other)} of "
            f"other coins ({_hits(other.y)} before a price shock)"
        )
    found = {}
    for name, make in variants(wide).items():
        found[name] = measured(scored(make, rows, LOOK))
        first = next(iter(found.values()))
        tell(_row(name, compared(found[name], first)))


def _hits(y: FloatArray) -> int:
    return int(np.nansum(y))


def _row(name: str, result: Mapping[str, Any]) -> str:
    figures = result["figures"]
    cells = [name]
    for figure, sign, digits in (("pr_auc", 1, 3), ("roc_auc", 1, 3), ("log_loss", -1, 4)):
        cells.append(", ".join(f"{sign * figures[figure][side]:.{digits}f}" for side in SIDES))
    for figure, scale, digits in SHOWN:
        for side in ("pooled", *SIDES):
            gain = result[f"delta_{figure}"][side]
            low, high = (scale * end for end in gain["ci"])
            cells.append(
                f"{scale * gain['mean']:+.{digits}f} [{low:+.{digits}f}, {high:+.{digits}f}]"
            )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    data = parser.parse_args().data
    with TemporaryDirectory() as stores:
        rows = filled(core_rows(data, Path(stores) / "core"))
        job = MarketJob(panel=PANELS / "wide_30m.yaml", data=data, store=Path(stores) / "wide")
        wide = wide_rows(open_market(job, now=datetime.now(UTC)).frame)
    told(rows, wide, partial(print, flush=True))


if __name__ == "__main__":
    main()
