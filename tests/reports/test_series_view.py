import json

import numpy as np
import pandas as pd

from liqwarn.reports.series_view import DAYS, series_view


def test_the_last_90_days_of_every_symbol(content):
    view = series_view(content.scores, content.events)

    assert len(view.symbols) == 10
    assert view.time.end - view.time.start == DAYS * 86_400
    assert all(len(symbol.sides) == 2 for symbol in view.symbols)


def test_the_strictest_symbol_comes_first(content):
    view = series_view(content.scores, content.events)
    now = [max(side.last_tier for side in symbol.sides) for symbol in view.symbols]

    assert now == sorted(now, reverse=True)


def test_only_events_of_the_span_are_marked(content):
    view = series_view(content.scores, content.events)
    onsets = content.events["onset"]
    since = pd.Timestamp(view.time.start, unit="s", tz="UTC")

    assert sum(len(s.markers) for s in view.symbols) == int((onsets >= since).sum())


def test_no_scores_give_no_timeline(content):
    assert series_view(content.scores.iloc[:0], content.events) is None


def test_missing_probabilities_are_gaps_and_valid_json(build):
    scores = build["scores"](symbols=("BTCUSDT",), days=3)
    scores["p_4h"] = np.nan
    view = series_view(scores, build["events"]().iloc[:0])

    assert view.symbols[0].sides[0].line == ""
    assert json.loads(json.dumps(view.payload(), allow_nan=False))["symbols"]["BTCUSDT"]


def test_coarse_bars_have_one_point_a_bar(build):
    scores = build["scores"](symbols=("BTCUSDT",), days=30, bar_h=4)
    view = series_view(scores, build["events"]())

    assert len(view.symbols[0].sides[0].peaks) == 30 * 6


def test_the_row_order_of_the_table_does_not_matter(content):
    shuffled = content.scores.sample(frac=1, random_state=1)

    assert series_view(shuffled, content.events) == series_view(content.scores, content.events)
