"""Attacks on the harness for look-ahead; what they found is in docs/leak-hunt.md.

Run as ``python benchmarks/leak_hunt.py --data /path/to/files --out /path/to/write``; name attacks
to run some of them. An attack that has its answer in the out folder is not run again.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leak_eras import eras
from leak_tools import (
    MODEL,
    averaged,
    blocks,
    calibrated,
    deltas,
    features_of,
    forward,
    joined,
    knows,
    makers,
    moved,
    only,
    rows_of,
    screen,
)
from liqwarn.features.builder import FeatureBuilder
from liqwarn.frames import SIDES, FloatArray, TimeArray
from liqwarn.models.alarms import alarm_thresholds
from liqwarn.models.baselines import BASELINES
from liqwarn.models.events import detect_events, in_progress
from liqwarn.models.folds import FoldTask, run_fold
from liqwarn.models.labels import make_labels
from liqwarn.models.rows import make_rows
from liqwarn.models.splits import trainable
from liqwarn.pipelines.liquidation_map import with_map
from liqwarn.pipelines.market import MarketJob, open_market
from liqwarn.pipelines.study import Study, build_study

Positions = NDArray[np.intp]
ROOT = Path(__file__).parents[1]
PRICES = ("open", "high", "low", "close")
SOURCES: dict[str, tuple[str, ...]] = {
    "price and volume": (*PRICES, "volume"),
    "mark and index": ("mark", "index"),
    "funding": ("funding_rate", "funding_interval_h", "funding_rate_2", "funding_interval_2_h"),
    "open interest": ("open_interest",),
    "leverage ratio": ("leverage_ratio",),
    "taker volume": ("taker_buy_volume", "taker_sell_volume"),
    "exchange flows": ("inflow", "outflow", "netflow", "reserve", "whale_ratio"),
    "liquidations": ("long_liq_usd", "short_liq_usd"),
    "depth": ("bid_depth_usd", "ask_depth_usd"),
    "positioning": ("long_short_ratio",),
}
LATER = ("price and volume", "open interest", "exchange flows")
SPLICE = "2023-01-01"


def targets(study: Study) -> dict[str, FloatArray]:
    """What fields do, as numbers whose next value an honest feature should hardly know."""
    frame = study.market.frame

    def step(name: str) -> FloatArray:
        x = frame.field(name)[0]
        return np.append(np.nan, np.diff(np.log(np.where(x > 0, x, np.nan))))

    return {
        "return": step("close"),
        "volume": np.log(np.maximum(frame.field("volume")[0], 1e-9)),
        "open interest": step("open_interest"),
        "netflow": frame.field("netflow")[0],
        "taker imbalance": frame.field("taker_buy_volume")[0] - frame.field("taker_sell_volume")[0],
        "long liquidations": frame.field("long_liq_usd")[0],
        "basis": (frame.field("mark") / frame.field("index"))[0],
    }


def next_bar_screen(study: Study, _data: Path) -> list[dict[str, Any]]:
    """What a feature knows of the next bar: as built, and with one source known a bar too early."""
    wanted = targets(study)
    out = [{"source": "as built", **vars(s)} for s in screen(study.matrix, wanted)]
    planted = {
        "price and volume": "return",
        "open interest": "open interest",
        "exchange flows": "netflow",
        "taker volume": "taker imbalance",
        "liquidations": "long liquidations",
    }
    for source, target in planted.items():
        matrix = features_of(study, moved(study.market.frame, SOURCES[source], -1))
        seen = screen(matrix, {target: wanted[target]})
        out += [{"source": f"{source}, a bar early", **vars(s)} for s in seen]
    return out


def proxy_screen(study: Study, _data: Path) -> list[dict[str, Any]]:
    """Does the proxy of open interest know flows an hour before the flows are known?

    It is made of the leverage ratio and the running netflow, the last hour's included.
    """
    frame, wanted = study.market.frame, targets(study)
    eras = {
        "proxy": frame.times < np.datetime64(SPLICE, "s"),
        "measured": frame.times >= np.datetime64("2023-04-17", "s"),
    }
    late = features_of(study, moved(frame, ("open_interest",), 1))
    out = []
    for era, bars in eras.items():
        target = np.where(bars, wanted["netflow"], np.nan)
        for what, matrix in (("as built", study.matrix), ("an hour later", late)):
            rho = knows(matrix, "oi_change_1h", target)
            out.append({"open interest": era, "known": what, "rho": rho})
    return out


def lags(study: Study, _data: Path) -> list[dict[str, Any]]:
    """Every source a bar too early, three a bar later: B6 on all features, paired with itself."""
    found = forward(rows_of(study.matrix, study), "B2", "B6")
    out = []
    for source, fields in SOURCES.items():
        for bars in (-1, 1) if source in LATER else (-1,):
            rows = rows_of(features_of(study, moved(study.market.frame, fields, bars)), study)
            names = ("B2", "B6") if source.startswith("price") else ("B6",)
            other = forward(rows, *names)
            both = joined(found, {f"{n} moved": other.p[n] for n in names})
            about = {"source": source, "bars": bars}
            out += [{**about, "model": n, **deltas(both, f"{n} moved", n)} for n in names]
            say(f"  {source} {bars:+d}")
    return out


def label_ends(study: Study, _data: Path) -> dict[str, Any]:
    """Cut the market at a moment: are the labels that claim to be known by then the final ones?"""
    frame, rng = study.market.frame, np.random.default_rng(0)
    starts = [
        int(np.searchsorted(frame.times, np.datetime64(e.confirmed.replace(tzinfo=None), "s")))
        for e in study.events
    ]
    inside = rng.choice([b for b in starts if b > 3000], 12, replace=False)
    cuts = sorted({*rng.integers(3000, frame.shape[1] - 100, 8).tolist(), *inside.tolist()})
    checked = different = early = masked = 0
    for cut in cuts:
        past = frame.between(0, cut)
        labels = make_labels(past, detect_events(past, study.definition), study.definition)
        whole = study.labels.y[:, :cut]
        known = labels.end[None, :, None, :] <= frame.times[cut - 1]
        known = np.broadcast_to(known, whole.shape)
        checked += int(known.sum())
        same = (labels.y == whole) | (np.isnan(labels.y) & np.isnan(whole))
        different += int((known & ~same).sum())
        sooner = np.isfinite(labels.y) & ~known
        early += int(sooner.sum())
        running = study.labels.running[:, :cut]
        masked += int((running & ~labels.running).sum())
    return {
        "cuts": len(cuts),
        "labels": checked,
        "different": different,
        "known_before_their_end": early,
        "mask_rows_not_yet_known": masked,
    }


def purge(study: Study, _data: Path) -> list[dict[str, Any]]:
    """Leave out embargo and purge; leave out the order of time altogether."""
    rows = rows_of(study.matrix, study)
    names = ("B2", "B6", MODEL)
    found = forward(rows, *names)
    odd = found.rows.times.astype("datetime64[D]").astype(int) % 2 == 1

    def unpurged(times: TimeArray, _end: TimeArray, start: np.datetime64) -> Positions:
        return np.flatnonzero(times < start)

    def anytime(times: TimeArray, _end: TimeArray, start: np.datetime64) -> Positions:
        """Every other day of the future trains, too: its neighbours are tested."""
        day = times.astype("datetime64[D]").astype(int)
        return np.flatnonzero((times < start) | (day % 2 == 0))

    out = []
    for what, chosen in (("no purge, no embargo", unpurged), ("no order of time", anytime)):
        other = forward(rows, *names, chosen=chosen)
        both = joined(found, {f"{n} so": other.p[n] for n in names})
        judged = only(both, odd) if chosen is anytime else both
        out += [{"what": what, "model": n} | deltas(judged, f"{n} so", n) for n in names]
    return out


def thresholds(study: Study, _data: Path) -> dict[str, Any]:
    """Turn the test block over: do calibration, alarm thresholds or other rows' scores move?"""
    rows = rows_of(study.matrix, study)
    rng, out = np.random.default_rng(0), {}
    start, test = next(iter(blocks(rows.times)))
    train, tested = rows.take(trainable(rows.times, rows.end, start)), rows.take(test)
    turned = replace(tested, X=rng.permutation(tested.X), y=1.0 - tested.y)
    for name in ("B2", "B6"):
        a, b = (
            run_fold(FoldTask(train=train, test=t, makers=makers(name), seed=0))
            for t in (tested, turned)
        )
        out[name] = {"thresholds_same": bool((a.thresholds[name] == b.thresholds[name]).all())}
    one = np.arange(len(tested)) == len(tested) - 1
    changed = replace(tested, X=np.where(one[:, None], 0.0, tested.X))
    model = calibrated(BASELINES["B6"], 0).fit(train)
    alone, beside = (model.predict_proba(t)[:-1] for t in (tested, changed))
    out["B6"]["scores_depend_on_other_rows"] = bool((alone != beside).any())
    found = forward(rows, "B2", "B6")
    for name in ("B2", "B6"):
        for k, side in enumerate(SIDES):
            own = alarm_thresholds(found.p[name][:, k, -1])
            out[name][side] = {
                "alarm_time": found.alarms[name][:, k, -1].mean(axis=0).round(4).tolist(),
                "with_thresholds_of_the_test_itself": [
                    round(float((found.p[name][:, k, -1] > t).mean()), 4) for t in own
                ],
            }
    return out


def scaling(study: Study, _data: Path) -> list[dict[str, Any]]:
    """Cut the market: map (fitted anew) and features must be the same bits up to the cut."""
    frame, out = study.market.frame, []
    for cut in (12_345, 23_456, 34_567):
        past = FeatureBuilder().build(with_map(frame.between(0, cut), study.map_job))
        whole = study.matrix.values[:, :cut]
        same = (past.values == whole) | (np.isnan(past.values) & np.isnan(whole))
        out.append(
            {
                "until": str(frame.times[cut - 1]),
                "values": int(same.size),
                "different": int((~same).sum()),
            }
        )
    return out


def vintages(study: Study, data: Path) -> dict[str, Any]:
    """Daily flows of two downloads in place of the hourly ones: features, scores and skill."""
    path = data / "exchange_flows" / "coinmetrics_btc_exchange_flows_1d.parquet"
    table = pd.read_parquet(path)
    frame, made = study.market.frame, {}
    for vintage, part in table.groupby("vintage"):
        days = part["ts_utc"].dt.tz_localize(None).to_numpy().astype("datetime64[s]")
        order = np.argsort(days)
        at = np.searchsorted(days[order], frame.times - np.timedelta64(48, "h"), side="right") - 1
        planes = dict(
            frame.fields
        )  # a day's total is known a day after it ended, as a 24th an hour
        for name in ("inflow", "outflow", "netflow"):
            values = part[f"{name}_btc"].to_numpy()[order][at] / 24.0
            planes[name] = np.ascontiguousarray(values[None, :])
        planes |= {n: np.full(frame.shape, np.nan) for n in ("reserve", "whale_ratio")}
        made[str(vintage)] = features_of(study, replace(frame, fields=planes))
    first, second = sorted(made)
    names = [n for n, f in study.matrix.families.items() if f == "flows"]
    a, b = (made[v] for v in (first, second))
    rho = {}
    for n in names:
        x, y = pd.Series(a.column(n)[0]), pd.Series(b.column(n)[0])
        if x.nunique() > 2:
            rho[n] = float(x.corr(y, method="spearman"))
    runs = {v: forward(rows_of(made[v], study), "B2", "B6") for v in (first, second)}
    both = joined(runs[first], {"revised": runs[second].p["B6"]})
    scores = {
        side: float(
            pd.Series(both.p["B6"][:, k, -1]).corr(
                pd.Series(both.p["revised"][:, k, -1]), method="spearman"
            )
        )
        for k, side in enumerate(SIDES)
    }
    return {"features": rho, "scores": scores, "delta": deltas(both, "revised", "B6")}


def splice(study: Study, _data: Path) -> dict[str, Any]:
    """The proxy of 2020 to 2022 known an hour later; all open interest an hour later; the splice.

    A fresher number is worth something without being a leak. If the proxy leaked, an hour's delay
    would cost more where open interest is the proxy than where it was measured.
    """
    frame = study.market.frame
    found = forward(rows_of(study.matrix, study), "B2")
    late = {
        "model": study.matrix,
        "proxy late": features_of(study, moved(frame, ("open_interest",), 1, SPLICE)),
        "all late": features_of(study, moved(frame, ("open_interest",), 1)),
    }
    both = joined(found, {name: averaged(rows_of(m, study)) for name, m in late.items()})
    times = both.rows.times
    proxy = times < np.datetime64(SPLICE, "s")
    gap = int(np.argmax(np.diff(times).astype("timedelta64[h]")))
    weeks = np.timedelta64(14, "D")
    near = (times >= times[gap + 1]) & (times <= times[gap + 1] + weeks)
    onsets = np.array([np.datetime64(e.onset.replace(tzinfo=None), "s") for e in study.events])
    inside = (onsets >= times[gap + 1]) & (onsets <= times[gap + 1] + weeks)
    out: dict[str, Any] = {
        "gap": [str(times[gap]), str(times[gap + 1])],
        "events_in_two_weeks_after": int(inside.sum()),
        "without_two_weeks": {"model over B2": deltas(only(both, ~near), "model", "B2")},
    }
    for era, rows in (("all", proxy | ~proxy), ("proxy", proxy), ("measured", ~proxy)):
        part = only(both, rows)
        out[era] = {
            "proxy late less model": deltas(part, "proxy late", "model"),
            "all late less model": deltas(part, "all late", "model"),
            "model over B2": deltas(part, "model", "B2"),
            "proxy late over B2": deltas(part, "proxy late", "B2"),
        }
    return out


def running_mask(study: Study, _data: Path) -> dict[str, Any]:
    """Mask by what was known at each bar, in place of hindsight, in training and testing."""
    frame, labels = study.market.frame, study.labels
    seen = in_progress(frame, study.events)
    quiet = study.definition.quiet // frame.bar
    live = seen.copy()
    for late in range(1, quiet + 1):
        live[:, late:] |= seen[:, :-late]
    hindsight = labels.running & ~live
    rows = make_rows(study.matrix, replace(labels, running=live), study.milder).up_to(4)
    found = forward(rows, "B2", "B6")
    masked = forward(rows_of(study.matrix, study), "B2", "B6")
    out: dict[str, Any] = {
        "rows_masked_by_hindsight": int(hindsight.sum()),
        "rows_masked": int(labels.running.sum()),
        "masked_live_only": int((live & ~labels.running).sum()),
    }
    for name, run in (("as built", masked), ("live mask", found)):
        out[name] = {"B6 over B2": deltas(run, "B6", "B2")}
    return out


ATTACKS: dict[str, Callable[[Study, Path], Any]] = {
    f.__name__: f
    for f in (
        next_bar_screen,
        proxy_screen,
        label_ends,
        thresholds,
        scaling,
        running_mask,
        vintages,
        purge,
        splice,
        eras,
        lags,
    )
}


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("attacks", nargs="*", default=list(ATTACKS), choices=list(ATTACKS))
    shared = Path(os.environ.get("LIQWARN_REAL_DATA", ROOT.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=shared / "real", help="the panels' files")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "leak_hunt")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    job = MarketJob(
        panel=ROOT / "conf" / "panels" / "btc_core.yaml",
        data=options.data,
        store=options.out / "store",
    )
    study = build_study(open_market(job, now=datetime.now(UTC)))
    for name in options.attacks:
        path = options.out / f"{name}.json"
        if not path.exists():
            began = time.monotonic()
            found = ATTACKS[name](study, options.data)
            path.write_text(
                json.dumps({"minutes": (time.monotonic() - began) / 60, "found": found}, indent=1)
            )
        print(name, path.read_text())


if __name__ == "__main__":
    main()
