"""The tries of shape, target and loss, and the list of all. Nothing here has seen the test span."""

from dataclasses import replace
from functools import partial
from typing import Any

from liqwarn.models.rows import Rows
from tries_kinds import Try, both, grown, trees_of
from tries_list_columns import blend_tries, column_tries, mirrored_tries
from tries_others import (
    Flat,
    Searched,
    Volatility,
    every_fourth,
    focal,
    half_life,
    heavy_positives,
    one_per_event,
    unique,
)
from tries_rows import Material
from tries_scorers import Growth, Maker, NoStart, Staged
from tries_sides import Hazard
from tries_transfer import transfer_tries


def shape_tries() -> list[Try]:
    def of(
        name: str,
        what: str,
        why: str,
        **kwargs: Any,  # noqa: ANN401  any of Staged's fields
    ) -> Try:
        return Try(name=name, group="shape", what=what, why=why, make=partial(Staged, **kwargs))

    fewer = "less variance a tree, trees less alike"
    return [
        Try(
            name="har_only",
            group="shape",
            what="no trees at all: HAR of either side",
            why="what the trees are worth inside the block",
            make=Volatility,
        ),
        of("bag_5", "five seeds averaged", "takes the chance of the fit away", bag=5),
        of("features_10", "a tenth of the features", fewer, **grown(feature_fraction=0.1)),
        of("features_05", "a twentieth of the features", fewer, **grown(feature_fraction=0.05)),
        of(
            "features_10_bag_5",
            "a tenth of the features, five seeds averaged",
            "both",
            bag=5,
            **grown(feature_fraction=0.1),
        ),
        of("leaves_4", "4 leaves", "no interactions beyond two or three", **grown(num_leaves=4)),
        of("leaves_16", "16 leaves", "room for interactions", **grown(num_leaves=16)),
        of("stumps", "2 leaves: an additive model", "no interactions", **grown(num_leaves=2)),
        of("slow", "half the learning rate", "shrinks towards HAR", **grown(learning_rate=0.015)),
        of(
            "slow_long",
            "a third of the learning rate, three times the trees",
            "smoother ensemble of the same strength",
            **trees_of(300, 150, learning_rate=0.01),
        ),
        of("trees_50_25", "half the trees", "shrinks towards HAR", **trees_of(50, 25)),
        of("trees_200_100", "twice the trees", "the fit may be too shy", **trees_of(200, 100)),
        of("shared_alone", "no side trees", "direction may not be learnable", **trees_of(100, 0)),
        of("side_alone", "no shared trees", "is sharing worth it", **trees_of(0, 100)),
        of("side_25", "25 side trees", "direction is little", **trees_of(100, 25)),
        of(
            "exact_splits",
            "best thresholds instead of random ones",
            "the usual trees",
            **grown(extra_trees=False),
        ),
        of(
            "big_leaves",
            "at least 400 rows a leaf",
            "a leaf is many weeks",
            **grown(min_data_in_leaf=400),
        ),
        of("l2_100", "ten times the leaf penalty", "shrinks rare leaves", **grown(lambda_l2=100.0)),
        of("no_start", "trees without the HAR start", "is the start worth it", start=NoStart),
        Try(
            name="forest",
            group="shape",
            what="random forest of 200 trees a side, HAR as a column",
            why="averages deep trees instead of summing shy ones",
            make=partial(Flat, "forest"),
        ),
        Try(
            name="hist",
            group="shape",
            what="scikit-learn's histogram boosting a side, HAR as a column",
            why="another implementation, exact thresholds",
            make=partial(Flat, "hist"),
        ),
        Try(
            name="searched",
            group="shape",
            what="40 trials of Optuna (TPE, median pruning), purged folds of 2020-03 to 2020-11",
            why="a search instead of a hand",
            make=partial(Searched, "2020-11-29"),
            second=False,
        ),
    ]


def target_tries(given: Material) -> list[Try]:
    def of(name: str, what: str, why: str, make: Maker) -> Try:
        return Try(name=name, group="target and loss", what=what, why=why, make=make)

    out = [
        of(
            "hazard_stacked",
            "hazards of (0,1] and (1,4] h in one model, the interval a feature",
            "twice the rows, fuel shared by near and far",
            partial(Hazard, together=True),
        ),
        of(
            "hazard_apart",
            "hazards of (0,1] and (1,4] h, a model each",
            "the last hour may look different",
            partial(Hazard, together=False),
        ),
        of(
            "unique",
            "weights by average uniqueness of the label spans",
            "4-h labels overlap",
            partial(Staged, weights=unique),
        ),
        of(
            "one_per_event",
            "every event weighs the same, however many rows announce it",
            "an event cut short by another counts less",
            partial(Staged, weights=one_per_event),
        ),
        of(
            "every_fourth",
            "one row of four, labels do not overlap",
            "overlapping rows are not evidence",
            partial(Staged, weights=every_fourth),
        ),
        of(
            "heavy_positives",
            "positive rows ten times as heavy",
            "leaves need hessian to split on rare rows",
            partial(Staged, weights=heavy_positives),
        ),
        of(
            "milder_first",
            "shared trees first on milder events (2σ, 80th percentile)",
            "three times the events, the same mechanism",
            partial(Staged, first=(given.mild, Growth())),
        ),
        of(
            "milder_only_shared",
            "shared trees on milder events only, side trees on these",
            "the same, without a second shared stage",
            partial(Staged, first=(given.mild, Growth()), either=Growth(trees=0)),
        ),
        of(
            "from_24h",
            "trees grown on 24-h labels, half of them, then 4 h",
            "six times the positive rows",
            partial(Staged, first=(_day(given.rows), Growth(trees=50))),
        ),
    ]
    out += [
        of(
            f"focal_{gamma:.0f}",
            f"focal loss, γ = {gamma:.0f}",
            "easy quiet hours stop to matter",
            partial(Staged, **both(objective=focal(gamma))),
        )
        for gamma in (1.0, 2.0)
    ]
    out += [
        of(
            f"{objective}_{span.replace(' ', '_')}",
            f"{objective}, rows ranked within a {span}",
            "alarms are a ranking; a slow feature cannot name the week it is ranked in",
            partial(Staged, **both(query_h=hours, params={"objective": objective})),
        )
        for objective in ("lambdarank", "rank_xendcg")
        for hours, span in ((168, "week"), (720, "30 days"))
    ]
    out += [
        of(
            f"decay_{days}",
            f"weights halve every {days} days",
            "markets change",
            partial(Staged, weights=partial(half_life, float(days))),
        )
        for days in (90, 180, 365)
    ]
    return out


def _day(rows: Rows) -> Rows:
    """The same rows with the 24-h outcome in place of the 4-h one."""
    return replace(rows, horizons_h=(4,), y=rows.at_horizon(24).y)


def all_tries(given: Material) -> list[Try]:
    """Every try, the reference not among them."""
    return [
        *shape_tries(),
        *target_tries(given),
        *column_tries(),
        *mirrored_tries(given),
        *blend_tries(),
        *transfer_tries(given),
    ]
