"""The tries of columns, of both sides as one, and of linear models and blends."""

from functools import partial

import tries_columns as columns
from tries_kinds import Try, both
from tries_others import Bag, Blend, Ridge, RidgeStart, Stack, Volatility
from tries_rows import Material
from tries_scorers import Growth, Maker, Staged, same
from tries_sides import Mirrored, MirroredAfter


def column_tries() -> list[Try]:
    def of(name: str, what: str, why: str, make: Maker) -> Try:
        return Try(name=name, group="columns and sides", what=what, why=why, make=make)

    views = (
        (
            "interactions",
            "products of fuel × open interest × nearness beside the columns",
            "the mechanism is a product; 8 leaves cannot find it in 50 events",
            columns.interactions,
        ),
        (
            "crowding_only",
            "HAR, funding, open interest, leverage and map only",
            "fewer columns to be fooled by",
            columns.crowding_only,
        ),
        (
            "mechanism_only",
            "HAR and 23 columns picked by mechanism",
            "fewer columns to be fooled by",
            columns.mechanism_only,
        ),
        (
            "volatility_only",
            "volatility columns only",
            "is fuel learnable at all",
            columns.volatility_only,
        ),
        (
            "no_clusters",
            "without the liquidation map",
            "what the map is worth",
            columns.without_clusters,
        ),
        ("no_levels", "without price levels", "what levels are worth", columns.without_levels),
        ("no_flows", "without exchange flows", "revised, weak evidence", columns.without_flows),
        ("no_calendar", "without the calendar", "hours of few events", columns.without_calendar),
        (
            "no_slow",
            "without windows of 30 days and more (HAR stays)",
            "slow features name the weeks of the few events",
            columns.without_slow,
        ),
    )
    out = [of(name, what, why, partial(Staged, view=view)) for name, what, why, view in views]
    out += [
        of(
            "monotone_vol",
            "more volatility is never less risk, in the shared trees",
            "the sign is known",
            partial(Staged, **both(signs=columns.volatility_signs)),
        ),
        of(
            "monotone_all",
            "signs of volatility, crowding, fuel and nearness fixed",
            "the signs are known; noise cannot turn them",
            partial(Staged, **both(signs=columns.signs)),
        ),
    ]
    return out


def mirrored_tries(given: Material) -> list[Try]:
    def of(name: str, what: str, why: str, make: Maker) -> Try:
        return Try(name=name, group="both sides as one", what=what, why=why, make=make)

    fifty, none = Growth(trees=50), Growth(trees=0)
    blind = partial(Mirrored, either=none, tell=False)
    tenth = Growth(params={"feature_fraction": 0.1})
    after = partial(MirroredAfter, either=none, tell=False)
    return [
        of(
            "mirrored",
            "100 shared trees, then 50 on rows turned towards the side, both sides pooled",
            "direction learned from both sides' events",
            partial(Mirrored, either=Growth(), turned=fifty),
        ),
        of(
            "mirrored_100",
            "the same with 100 turned trees",
            "the same",
            partial(Mirrored, either=Growth(), turned=Growth()),
        ),
        of(
            "mirrored_alone",
            "no shared trees, 150 on turned rows",
            "one model, twice the events",
            partial(Mirrored, either=none, turned=Growth(trees=150)),
        ),
        of(
            "mirrored_blind",
            "150 turned trees that are not told the side",
            "full symmetry of up and down",
            partial(Mirrored, either=none, turned=Growth(trees=150), tell=False),
        ),
        of(
            "mirrored_sides",
            "shared, 50 turned, then 25 side trees",
            "symmetric first, what differs after",
            partial(Mirrored, either=Growth(), turned=fifty, side=Growth(trees=25)),
        ),
        of(
            "mirrored_interactions",
            "turned trees with the products",
            "both",
            partial(Mirrored, either=Growth(), turned=fifty, view=columns.interactions),
        ),
        of(
            "mirrored_monotone",
            "turned trees with the signs fixed",
            "both",
            partial(
                Mirrored,
                either=Growth(signs=columns.signs),
                turned=Growth(trees=50, signs=columns.signs),
            ),
        ),
        of(
            "blind_80",
            "mirrored_blind with 80 turned trees",
            "shrinks towards HAR",
            partial(blind, turned=Growth(trees=80)),
        ),
        of(
            "blind_250",
            "mirrored_blind with 250 turned trees",
            "twice the rows bear more trees",
            partial(blind, turned=Growth(trees=250)),
        ),
        of(
            "blind_features_10",
            "mirrored_blind, a tenth of the features",
            "less variance a tree",
            partial(blind, turned=Growth(trees=150, params={"feature_fraction": 0.1})),
        ),
        of(
            "blind_bag_5",
            "mirrored_blind, five seeds averaged",
            "takes the chance of the fit away",
            partial(Bag, partial(blind, turned=Growth(trees=150))),
        ),
        of(
            "blind_features_10_bag_5",
            "mirrored_blind, a tenth of the features, five seeds averaged",
            "all three",
            partial(
                Bag,
                partial(blind, turned=Growth(trees=150, params={"feature_fraction": 0.1})),
            ),
        ),
        of(
            "blind_monotone",
            "mirrored_blind with the signs of a side fixed",
            "crowding and fuel of the own side can only add risk",
            partial(blind, turned=Growth(trees=150, signs=columns.signs)),
        ),
        of(
            "blind_interactions",
            "mirrored_blind with the products",
            "fuel of the own side from both sides' events",
            partial(blind, turned=Growth(trees=150), view=columns.interactions),
        ),
        of(
            "blind_sides",
            "mirrored_blind with 100 turned trees, then 50 a side",
            "symmetric first, what differs after",
            partial(blind, turned=Growth(), side=fifty),
        ),
        of(
            "blind_milder",
            "100 turned trees on milder events first, then 100 on these, told no side",
            "six times the events: milder ones, of both sides",
            partial(after, other=given.mild, before=Growth(), turned=Growth()),
        ),
        of(
            "blind_milder_short",
            "blind_milder with 50 and 50 trees",
            "a neighbour: is it the number of trees",
            partial(after, other=given.mild, before=fifty, turned=fifty),
        ),
        of(
            "blind_milder_150_50",
            "blind_milder with 150 and 50 trees",
            "a neighbour: milder events teach nearly all",
            partial(after, other=given.mild, before=Growth(trees=150), turned=fifty),
        ),
        of(
            "blind_milder_features_10",
            "blind_milder, a tenth of the features",
            "a neighbour: less variance a tree",
            partial(after, other=given.mild, before=tenth, turned=tenth),
        ),
        of(
            "told_milder",
            "blind_milder that is told the side",
            "a neighbour: up and down need not be symmetric",
            partial(MirroredAfter, either=none, other=given.mild, before=Growth(), turned=Growth()),
        ),
        of(
            "blind_shocks",
            "100 turned trees on price shocks first, then 100 on these, told no side",
            "four times the events: without deleveraging, of both sides",
            partial(after, other=given.price, before=Growth(), turned=Growth()),
        ),
        of(
            "blend_blind",
            "mean log-odds of the model kept and mirrored_blind",
            "errors of different kinds",
            partial(Blend, (Staged, partial(blind, turned=Growth(trees=150)))),
        ),
    ]


def blend_tries() -> list[Try]:
    def of(name: str, what: str, why: str, make: Maker) -> Try:
        return Try(name=name, group="linear and blends", what=what, why=why, make=make)

    b6 = partial(Ridge, same, 1000.0)
    mechanism = partial(Ridge, columns.mechanism_only, 100.0)
    smooth = "linear terms extrapolate where trees cannot"
    return [
        of("ridge_all", "ridge logistic on all columns (1000), HAR nearly free", smooth, b6),
        of("ridge_all_3000", "the same, 3000", smooth, partial(Ridge, same, 3000.0)),
        of(
            "ridge_mechanism",
            "ridge logistic on 23 mechanism columns (100) and HAR",
            smooth,
            mechanism,
        ),
        of(
            "ridge_interactions",
            "ridge logistic on all columns and the products (1000)",
            smooth,
            partial(Ridge, columns.interactions, 1000.0),
        ),
        of(
            "start_ridge",
            "trees started from the ridge logistic of all columns (3000)",
            "linear first, trees for the rest",
            partial(Staged, start=partial(RidgeStart, same, 3000.0)),
        ),
        of(
            "start_mechanism",
            "trees started from the mechanism logistic (100)",
            "linear first, trees for the rest",
            partial(Staged, start=partial(RidgeStart, columns.mechanism_only, 100.0)),
        ),
        of(
            "blend_ridge",
            "mean log-odds of trees and ridge logistic (1000)",
            "errors of different kinds",
            partial(Blend, (Staged, b6)),
        ),
        of(
            "blend_mechanism",
            "mean log-odds of trees and mechanism logistic",
            "errors of different kinds",
            partial(Blend, (Staged, mechanism)),
        ),
        of(
            "blend_mirrored",
            "mean log-odds of trees and mirrored trees",
            "errors of different kinds",
            partial(Blend, (Staged, partial(Mirrored, either=Growth(), turned=Growth(trees=50)))),
        ),
        of(
            "stack",
            "non-negative weights for trees, ridge and HAR from inner folds",
            "lets the data say",
            partial(Stack, (Staged, b6, Volatility)),
        ),
    ]
