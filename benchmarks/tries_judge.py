"""How a try is judged: two looks inside the first training block, paired with the model kept.

The first look walks forward: trained on all that was known, tested on the next two months, five
times. The second leaves two months out at a time among months that the first look never tests, and
has other seeds; a try has to hold in both.
"""

import ast
import hashlib
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson

from liqwarn.durable import write_bytes
from liqwarn.frames import SIDES, FloatArray
from liqwarn.models.bootstrap import draw_weights, interval, week_codes
from liqwarn.models.calibration import fit_platt
from liqwarn.models.ranking import IntArray, rank_rows, roc_auc, weighted_pr_auc
from liqwarn.models.rows import Rows
from liqwarn.models.splits import EMBARGO, trainable
from tries_scorers import Maker

DRAWS: Final = 2000
VERSION: Final = 1
EMBARGO_S: Final = np.timedelta64(int(EMBARGO.total_seconds()), "s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Which months are tested, and from what.

    Attributes
    ----------
    name : str
    starts : tuple of str
        First month of each test block, and the month after the last.
    forward : bool
        Train on the past alone; else on all rows of the first block outside the test months.
    seeds : tuple of int
    """

    name: str
    starts: tuple[str, ...]
    forward: bool
    seeds: tuple[int, ...]

    def split(self, rows: Rows) -> Iterator[tuple[Rows, Rows]]:
        """Training and test rows, purged by label end, a day apart."""
        moments = [np.datetime64(start, "s") for start in self.starts]
        for start, end in pairwise(moments):
            test = np.flatnonzero((rows.times >= start) & (rows.times < end))
            train = trainable(rows.times, rows.end, start)
            if not self.forward:
                after = rows.end[test].max() + EMBARGO_S
                train = np.concatenate([train, np.flatnonzero(rows.times > after)])
            yield rows.take(train), rows.take(test)


FIRST: Final = Look(
    name="first",
    starts=("2020-12", "2021-02", "2021-04", "2021-06", "2021-08", "2021-10"),
    forward=True,
    seeds=(0, 1, 2),
)
SECOND: Final = Look(
    name="second",
    starts=("2020-04", "2020-06", "2020-08", "2020-10", "2020-12"),
    forward=False,
    seeds=(10, 11, 12),
)


THIRD: Final = Look(
    name="third",
    starts=("2020-09", "2020-11", "2021-01", "2021-03", "2021-05", "2021-07", "2021-09", "2021-10"),
    forward=True,
    seeds=(20, 21, 22),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scored:
    """Out-of-sample scores of one look.

    Attributes
    ----------
    times : ndarray of datetime64[s], shape (n_rows,)
    block : ndarray of int, shape (n_rows,)
        Test block of the row.
    y : ndarray of float64, shape (n_rows, 2)
    raw : ndarray of float64, shape (n_seeds, n_rows, 2)
    """

    times: Any
    block: Any
    y: FloatArray
    raw: FloatArray


def scored(make: Maker, rows: Rows, look: Look) -> Scored:
    """Train and score every block and seed."""
    tests, raws = [], []
    for train, test in look.split(rows):
        raws.append(np.stack([make(seed=s).fit(train).raw(test)[:, :, 0] for s in look.seeds]))
        tests.append(test)
    return Scored(
        times=np.concatenate([test.times for test in tests]),
        block=np.repeat(np.arange(len(tests)), [len(test) for test in tests]),
        y=np.concatenate([test.at_horizon(4).y[:, :, 0] for test in tests]),
        raw=np.concatenate(raws, axis=1),
    )


def losses(found: Scored) -> tuple[FloatArray, FloatArray]:
    """Log-loss and squared error of each seed, row and side; NaN where the outcome is unknown.

    Scores become probabilities by Platt's two numbers, fitted on the other test blocks: a try is
    not punished for a scale that calibration would put right, and not flattered by its own rows.
    """
    log_loss, square = np.full(found.raw.shape, np.nan), np.full(found.raw.shape, np.nan)
    for s, k in np.ndindex(found.raw.shape[0], 2):
        x, y = found.raw[s, :, k], found.y[:, k]
        for block in np.unique(found.block):
            out = found.block == block
            p = np.clip(fit_platt(x[~out], y[~out], 0.01)(x[out]), 1e-6, 1.0 - 1e-6)
            hit = y[out]
            log_loss[s, out, k] = -(hit * np.log(p) + (1.0 - hit) * np.log1p(-p))
            square[s, out, k] = (hit - p) ** 2
    return log_loss, square


def ranks(found: Scored, weights: FloatArray, weeks: IntArray) -> FloatArray:
    """PR-AUC of each seed, side and resample."""
    out = np.empty((found.raw.shape[0], 2, len(weights)))
    for s, k in np.ndindex(out.shape[:2]):
        known = np.isfinite(found.y[:, k])
        ranked = rank_rows(found.y[known, k], found.raw[s, known, k], weeks[known])
        out[s, k] = weighted_pr_auc(ranked, weights)
    return out


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """What the bootstrap needs of one model: point figures, and samples by seed and side."""

    point: Mapping[str, FloatArray]
    samples: Mapping[str, FloatArray]


def measured(found: Scored) -> Measured:
    """PR-AUC, ROC-AUC, log-loss (nats) and Brier; better is higher: losses carry a minus."""
    weeks, n_weeks = week_codes(found.times)
    weights = draw_weights(n_weeks, DRAWS, 0)
    log_loss, square = losses(found)
    point: dict[str, FloatArray] = {"pr_auc": ranks(found, np.ones((1, n_weeks)), weeks)[..., 0]}
    samples = {"pr_auc": ranks(found, weights, weeks)}
    for name, loss in (("log_loss", -log_loss), ("brier", -square)):
        samples[name] = _weekly_means(loss, weeks, weights)
        point[name] = _weekly_means(loss, weeks, np.ones((1, n_weeks)))[..., 0]
    point["roc_auc"] = np.array(
        [[_of_known(roc_auc, found.y[:, k], raw[:, k]) for k in range(2)] for raw in found.raw]
    )
    return Measured(point=point, samples=samples)


def _of_known(figure: Callable[..., float], y: FloatArray, x: FloatArray) -> float:
    known = np.isfinite(y)
    return figure(y[known], x[known])


def _weekly_means(loss: FloatArray, weeks: IntArray, weights: FloatArray) -> FloatArray:
    """Mean over rows of each seed and side under each draw of weeks, shape (seeds, 2, draws)."""
    out = np.empty((loss.shape[0], 2, len(weights)))
    for s, k in np.ndindex(out.shape[:2]):
        known = np.isfinite(loss[s, :, k])
        total = np.bincount(weeks[known], loss[s, known, k], minlength=weights.shape[1])
        count = np.bincount(weeks[known], minlength=weights.shape[1])
        out[s, k] = (weights @ total) / (weights @ count)
    return out


def compared(mine: Measured, other: Measured) -> dict[str, Any]:
    """Figures of `mine`, and its gain over `other`; positive is better.

    A resample draws weeks, and a seed of each model: the interval covers the chance in both.
    """
    n_seeds = len(mine.point["pr_auc"])
    pick = np.random.default_rng(1).integers(n_seeds, size=(2, DRAWS))
    draws = np.arange(DRAWS)
    out: dict[str, Any] = {"figures": {n: _by_side(v.mean(axis=0)) for n, v in mine.point.items()}}
    for name, samples in mine.samples.items():
        gain = samples[pick[0], :, draws] - other.samples[name][pick[1], :, draws]
        point = (mine.point[name] - other.point[name]).mean(axis=0)
        out[f"delta_{name}"] = {
            **{
                side: {"mean": float(point[k]), "ci": list(interval(gain[:, k]))}
                for k, side in enumerate(SIDES)
            },
            "pooled": {"mean": float(point.mean()), "ci": list(interval(gain.mean(axis=1)))},
        }
    roc = (mine.point["roc_auc"] - other.point["roc_auc"]).mean(axis=0)
    out["delta_roc_auc"] = _by_side(roc)
    return out


def _by_side(values: FloatArray) -> dict[str, float]:
    return {side: float(values[k]) for k, side in enumerate(SIDES)}


FIGURES: Final = ("log_loss", "brier", "pr_auc")


def won(first: Mapping[str, Any]) -> list[str]:
    """Figures whose pooled interval lies above 0."""
    return [f for f in FIGURES if first[f"delta_{f}"]["pooled"]["ci"][0] > 0.0]


def promising(first: Mapping[str, Any]) -> bool:
    """Whether the second look is worth its time: something won, or log-loss down and none worse."""
    return bool(won(first)) or (
        first["delta_log_loss"]["pooled"]["mean"] > 0.0 and not _worse(first)
    )


def verdict(looks: Mapping[str, Any]) -> str:
    """Kept only if a pooled interval lies above 0, no side is worse, and the second look agrees."""
    first, gains = looks["first"], won(looks["first"])
    if not gains:
        lost = any(first[f"delta_{f}"]["pooled"]["ci"][1] < 0.0 for f in FIGURES)
        return "dropped: worse" if lost or _worse(first) else "dropped: tie"
    if _worse(first):
        return "dropped: one side worse"
    if "second" not in looks:
        return "no second look yet"
    second = looks["second"]
    agrees = any(second[f"delta_{f}"]["pooled"]["mean"] > 0.0 for f in gains)
    return "passes" if agrees and not _worse(second) else "dropped: the second look disagrees"


def _worse(look: Mapping[str, Any]) -> bool:
    return any(look[f"delta_{f}"][s]["ci"][1] < 0.0 for f in FIGURES for s in SIDES)


def signature(make: object) -> str:
    """What a candidate is, to the letter: names, arguments, and the code of its classes."""
    if isinstance(make, partial):
        inner = [signature(make.func), *(signature(a) for a in make.args)]
        inner += [f"{k}={signature(v)}" for k, v in sorted(make.keywords.items())]
        return f"partial({', '.join(inner)})"
    if isinstance(make, type):
        return "".join(_code(c) for c in make.__mro__[:-1])
    if inspect.isfunction(make):
        return _code(make)
    if isinstance(make, list | tuple):
        return f"[{', '.join(signature(item) for item in make)}]"
    return _value(make)


def _value(given: object) -> str:
    if isinstance(given, Rows):
        return f"rows({len(given)}, {float(np.nansum(given.y))})"
    if is_dataclass(given):
        parts = [f"{f.name}={signature(getattr(given, f.name))}" for f in fields(given)]
        return f"{_code(type(given))}({', '.join(parts)})"
    return repr(given)


def _code(thing: type | Callable[..., object]) -> str:
    """Source without comments, docstrings and layout."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(thing)))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            node.body = body[1:]
    return ast.unparse(tree)


def key_of(make: Maker, look: Look, digest: str) -> str:
    """Hash of the candidate, the look and the data."""
    told = f"{VERSION}|{signature(make)}|{look}|{digest}"
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def cached(make: Maker, rows: Rows, look: Look, digest: str, cache: Path) -> Scored:
    """Scores of a candidate, computed once."""
    file = cache / f"{key_of(make, look, digest)}.npz"
    if not file.exists():
        found = scored(make, rows, look)
        cache.mkdir(parents=True, exist_ok=True)
        part = file.with_name(f"{file.stem}.part.npz")
        times = found.times.astype(np.int64)
        np.savez(part, times=times, block=found.block, y=found.y, raw=found.raw)
        part.replace(file)
    with np.load(file, allow_pickle=False) as saved:
        return Scored(
            times=saved["times"].astype("datetime64[s]"),
            block=saved["block"],
            y=saved["y"],
            raw=saved["raw"],
        )


def saved_json(document: Mapping[str, Any], file: Path) -> None:
    write_bytes(file, orjson.dumps(document, option=orjson.OPT_INDENT_2))
