"""The rows that tries are judged on: the first training block of btc_core, and what may help it.

Everything is built once from the data folder and cut before anything is looked at. Rows whose label
was not known by the end of the first block are not even written.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from liqwarn.frames import MarketFrame
from liqwarn.models.events import EventConfig, detect_events
from liqwarn.models.labels import make_labels
from liqwarn.models.rows import Rows, make_rows
from liqwarn.pipelines.demo import write_simulated_market
from liqwarn.pipelines.market import MarketJob, open_market
from liqwarn.pipelines.study import Study, build_study
from liqwarn.simulation.config import DEFAULT_SPECS, MarketConfig

ROOT = Path(__file__).parents[1]
END = np.datetime64("2021-10-01", "s")
SIMULATED = ("BTCUSDT", "DOGEUSDT", "ETHUSDT", "SOLUSDT")
SIMULATED_DAYS = 400
MILD = {"sigma_k": 2.0, "oi_quantile": 0.80, "price_floor": 0.010, "oi_floor": 0.005}
NO_DELEVERAGING = {"oi_quantile": 0.0, "oi_floor": -1.0}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Material:
    """What candidates may learn from.

    Attributes
    ----------
    rows : Rows
        The first training block, all horizons; without the features that are empty in it.
    mild : Rows
        The same bars with milder events as outcomes (2σ, 80th percentile of declines).
    price : Rows
        Bars from the first price on, with price shocks as outcomes: open interest is not asked.
    simulated : Rows
        Four symbols of the simulated market, its clock set to end before the real rows begin.
    digest : str
        Of all of it.
    """

    rows: Rows
    mild: Rows
    price: Rows
    simulated: Rows
    digest: str


def material(data: Path, cache: Path, tell: Callable[[str], None]) -> Material:
    """Build the rows, or read them back from `cache`."""
    makers: dict[str, Callable[[], dict[str, Rows]]] = {
        "real": lambda: _real(data, cache),
        "simulated": lambda: _simulated(cache),
    }
    parts = {"real": ("rows", "mild", "price"), "simulated": ("simulated",)}
    found: dict[str, Rows] = {}
    for kind, names in parts.items():
        files = {name: cache / f"{name}.npz" for name in names}
        if not all(file.exists() for file in files.values()):
            tell(f"building {kind} rows")
            cache.mkdir(parents=True, exist_ok=True)
            for name, rows in makers[kind]().items():
                _write(rows, files[name])
        found |= {name: _read(file) for name, file in files.items()}
    digest = hashlib.sha256()
    for name in sorted(found):
        for array in (found[name].X, found[name].y, found[name].times.astype(np.int64)):
            digest.update(np.ascontiguousarray(array).tobytes())
    return Material(**found, digest=digest.hexdigest())


def _study(panel: Path, data: Path, store: Path) -> Study:
    return build_study(
        open_market(MarketJob(panel=panel, data=data, store=store), now=datetime.now(UTC))
    )


def _real(data: Path, cache: Path) -> dict[str, Rows]:
    study = _study(ROOT / "conf" / "panels" / "btc_core.yaml", data, cache / "store")
    frame = study.market.frame
    rows = _cut(make_rows(study.matrix, study.labels, study.milder))
    filled = ~np.isnan(rows.X).all(axis=0)
    empty = [name for name, some in zip(rows.names, filled, strict=True) if not some]
    mild = _outcomes(study, frame, MILD)
    price = _outcomes(study, _without_interest(frame), NO_DELEVERAGING)
    return {
        "rows": rows.without(empty),
        "mild": _cut(mild).without(empty),
        "price": _cut(price).without(empty),
    }


def _outcomes(study: Study, frame: MarketFrame, changes: dict[str, float]) -> Rows:
    """The study's features with the outcomes of another definition of a cascade."""
    raw: dict[str, Any] = dict(changes)
    config = replace(EventConfig.for_bar(frame.bar), **raw)
    labels = make_labels(frame, detect_events(frame, config), config)
    return make_rows(study.matrix, labels, labels)


def _without_interest(frame: MarketFrame) -> MarketFrame:
    """A frame whose open interest never moves, so that only price can make an event."""
    fields = {**frame.fields, "open_interest": np.ones(frame.shape)}
    ages = {name: age for name, age in frame.ages.items() if name != "open_interest"}
    return replace(frame, fields=fields, ages=ages)


def _simulated(cache: Path) -> dict[str, Rows]:
    specs = tuple(spec for spec in DEFAULT_SPECS if spec.name in SIMULATED)
    config = MarketConfig(specs=specs, n_bars=24 * SIMULATED_DAYS)
    files = cache / "files"
    write_simulated_market(config, 1, files)
    raw = yaml.safe_load((ROOT / "conf" / "panels" / "demo.yaml").read_text())
    raw["symbols"] = list(SIMULATED)
    panel = cache / "simulated.yaml"
    panel.write_text(yaml.safe_dump(raw))
    study = _study(panel, files, cache / "simulated_store")
    rows = make_rows(study.matrix, study.labels, study.milder)
    back = np.timedelta64(4 * 364 * 24 * 3600, "s")
    return {"simulated": replace(rows, times=rows.times - back, end=rows.end - back)}


def _cut(rows: Rows) -> Rows:
    return rows.take(np.flatnonzero(rows.end <= END))


def _write(rows: Rows, file: Path) -> None:
    np.savez(
        file,
        bar=np.array(int(rows.bar.total_seconds())),
        symbols=rows.symbols,
        times=rows.times.astype(np.int64),
        end=rows.end.astype(np.int64),
        names=np.array(rows.names),
        families=np.array([rows.families[name] for name in rows.names]),
        X=rows.X,
        horizons_h=np.array(rows.horizons_h),
        y=rows.y,
        milder=rows.milder,
    )


def _read(file: Path) -> Rows:
    with np.load(file, allow_pickle=False) as saved:
        names = tuple(str(name) for name in saved["names"])
        families = (str(family) for family in saved["families"])
        return Rows(
            bar=timedelta(seconds=int(saved["bar"])),
            symbols=saved["symbols"],
            times=saved["times"].astype("datetime64[s]"),
            end=saved["end"].astype("datetime64[s]"),
            names=names,
            families=dict(zip(names, families, strict=True)),
            X=saved["X"],
            horizons_h=tuple(int(h) for h in saved["horizons_h"]),
            y=saved["y"],
            milder=saved["milder"],
        )
