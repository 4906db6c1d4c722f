"""Warned, missed, or no early warning possible: from probabilities that are put there by hand."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from liqwarn.models.alarms import ALARM_BUDGETS
from liqwarn.pipelines.event_facts import tier_facts, warning_facts
from liqwarn.pipelines.event_forecast import Source, forecast
from liqwarn.pipelines.event_scene import Scene, span_of
from liqwarn.pipelines.risk import PRIMARY
from liqwarn.pipelines.signal_board import Chances, make_boards

FIVE, TEN = (ALARM_BUDGETS.index(budget) for budget in (0.05, 0.10))
QUIET, HIGH = 0.01, 0.5
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def plain(study, policy, bundle_folder):
    event = [e for e in study.events if (e.symbol, e.side) == ("BTCUSDT", "long")][-2]
    told = forecast(study, event.onset - 48 * HOUR, Source(model=bundle_folder, policy=policy))
    return Scene(study=study, event=event, span=span_of(study, event), forecast=told)


@pytest.fixture
def scene(plain):
    """The scene with thresholds of 0.2 (5 %) and 0.1 (10 %), and a 4-h probability by hour.

    Hours count from the onset's close; where nothing is given the probability is low.
    """

    def made(by_hour, *, running=(), **changes):
        scores = plain.forecast.decided.risk.scores
        p = scores.probability.copy()
        p[0, :, 0, PRIMARY] = QUIET
        at = plain.span.onset - plain.forecast.decided.risk.first
        for hour, value in by_hour.items():
            p[0, at + hour, 0, PRIMARY] = value
        flags = plain.study.labels.running.copy()
        for hour in running:
            flags[0, plain.span.onset + hour, 0] = True
        thresholds = np.full((2, len(ALARM_BUDGETS)), np.inf)
        thresholds[0, FIVE], thresholds[0, TEN] = 0.2, 0.1
        risk = replace(plain.forecast.decided.risk, scores=replace(scores, probability=p))
        decided = replace(plain.forecast.decided, risk=risk)
        study = replace(plain.study, labels=replace(plain.study.labels, running=flags))
        told = replace(plain.forecast, decided=decided, thresholds=thresholds)
        return replace(plain, study=study, forecast=told, **changes)

    return made


def test_the_lead_runs_from_the_first_alarm_to_the_start_of_the_onset_bar(scene, plain):
    told = warning_facts(scene({-3: 0.15, -2: HIGH, -1: HIGH}))["budgets"]

    assert (told["0.10"]["verdict"], told["0.10"]["lead_minutes"]) == ("warned", 120.0)
    assert (told["0.05"]["verdict"], told["0.05"]["lead_minutes"]) == ("warned", 60.0)
    first = datetime.fromisoformat(told["0.10"]["first_alarm"])
    assert first == plain.event.onset - 3 * HOUR
    assert (told["0.05"]["threshold"], told["0.10"]["threshold"]) == (0.2, 0.1)


def test_the_bar_just_before_the_onset_bar_has_lead_0(scene):
    assert warning_facts(scene({-1: HIGH}))["budgets"]["0.05"]["lead_minutes"] == 0.0


def test_a_probability_at_the_threshold_is_no_alarm(scene):
    assert warning_facts(scene({-2: 0.2}))["budgets"]["0.05"]["verdict"] == "missed"


def test_alarms_too_early_or_too_late_do_not_count_and_are_told(scene, plain):
    told = warning_facts(scene({-9: HIGH, -5: HIGH, 0: HIGH, 1: HIGH}))["budgets"]["0.05"]

    assert (told["verdict"], told["lead_minutes"], told["first_alarm"]) == ("missed", None, None)
    assert datetime.fromisoformat(told["earlier"]) == plain.event.onset - 5 * HOUR
    assert datetime.fromisoformat(told["late"]) == plain.event.onset


def test_bars_of_a_running_event_do_not_count(scene):
    facts = warning_facts(scene({-4: HIGH, -2: 0.05}, running=(-4, -3)))

    assert (facts["bars"], facts["judged_bars"]) == (4, 2)
    assert facts["budgets"]["0.05"]["verdict"] == "missed"
    assert facts["peak"]["probability"]["4h"] == 0.05


def test_where_every_bar_before_belongs_to_an_event_no_early_warning_exists(scene):
    facts = warning_facts(scene({-2: HIGH}, running=(-4, -3, -2, -1)))

    assert facts["judged_bars"] == 0
    assert {one["verdict"] for one in facts["budgets"].values()} == {"no early warning"}
    assert facts["peak"]["probability"]["4h"] == HIGH


def test_where_nothing_was_scored_there_is_no_peak(scene):
    facts = warning_facts(scene(dict.fromkeys((-4, -3, -2, -1), np.nan)))

    assert facts["peak"] is None
    assert facts["judged_bars"] == 4
    assert {one["verdict"] for one in facts["budgets"].values()} == {"no early warning"}
    assert facts["inputs"]["quality"] == "ok"


def test_the_peak_is_the_highest_bar_before_with_its_drivers(scene, plain):
    peak = warning_facts(scene({-4: 0.03, -2: 0.07, 0: HIGH}))["peak"]
    model, matrix = plain.forecast.decided.bundle.model, plain.study.matrix
    place = plain.span.onset - 2
    every = dict(
        model.drivers(matrix.aligned(model.names_)[0, [place]], top=len(model.names_))[0][0]
    )

    assert datetime.fromisoformat(peak["time"]) == plain.event.onset - 2 * HOUR
    assert peak["probability"]["4h"] == 0.07
    raised = [one["contribution"] for one in peak["raised"]]
    lowered = [one["contribution"] for one in peak["lowered"]]
    assert raised == sorted((c for c in every.values() if c > 0), reverse=True)[:3]
    assert lowered == sorted(c for c in every.values() if c < 0)[:3]
    for one in (*peak["raised"], *peak["lowered"]):
        assert one["contribution"] == every[one["feature"]]
        column = matrix.column(one["feature"])[0]
        assert one["value"] == pytest.approx(column[place], nan_ok=True)
        assert one["what"]
        assert one["unit"]


def test_a_percentile_is_the_share_of_the_past_below(scene, plain):
    volatility = warning_facts(scene({-1: 0.05}))["inputs"]["volatility"]
    column = plain.study.matrix.column("rv_1d")[0]
    place = plain.span.onset - 1
    past = column[:place][np.isfinite(column[:place])]

    assert volatility["value"] == column[place]
    assert volatility["percentile"] == pytest.approx((past < column[place]).mean(), abs=1e-3)


def test_a_percentile_is_the_one_of_the_signal_board(scene, plain):
    facts, study = warning_facts(scene({-1: 0.05})), plain.study
    told = [facts["inputs"]["volatility"], *facts["peak"]["raised"], *facts["peak"]["lowered"]]
    place, symbols = plain.span.onset - 1, study.matrix.symbols
    unknown = np.full((len(symbols), 2), np.nan)
    chances = Chances(
        p_4h=unknown, quantile=unknown, base_rate=unknown, tiers=np.zeros(unknown.shape, dtype=int)
    )
    board = make_boards(study.matrix, plain.forecast.decided.bundle.model, chances, at=place)[0]
    shown = {reading.feature: reading.percentile for reading in board.readings}

    both = [one for one in told if shown.get(one["feature"]) is not None]
    assert both
    assert [one["percentile"] for one in both] == [shown[one["feature"]] for one in both]


def test_with_under_30_days_there_is_no_percentile(scene, plain):
    matrix, place = plain.study.matrix, plain.span.onset - 1
    values = matrix.values.copy()
    values[0, : place - 719, matrix.names.index("rv_1d")] = np.nan
    made = scene({-1: 0.05})

    told = warning_facts(
        replace(made, study=replace(made.study, matrix=replace(matrix, values=values)))
    )["inputs"]["volatility"]

    assert told["value"] == values[0, place, matrix.names.index("rv_1d")]
    assert np.isnan(told["percentile"])


def test_missing_inputs_are_named(scene, plain):
    market = plain.study.market
    gone = np.full(market.frame.shape, np.nan)
    frame = market.frame.joined({"funding_rate": gone, "reserve": gone})
    made = scene({-1: 0.05})
    inputs = warning_facts(
        replace(made, study=replace(made.study, market=replace(market, frame=frame)))
    )["inputs"]

    assert inputs["missing_fields"] == ["funding_rate", "reserve"]
    assert inputs["features"] == len(plain.forecast.decided.bundle.model.names_)


def test_the_symbols_other_events_just_before_are_told(scene, plain):
    event = plain.event
    other = replace(
        event, side="short", onset=event.onset - 3 * HOUR, end=event.onset - 2 * HOUR, runs=()
    )
    long_ago = replace(other, onset=event.onset - 9 * HOUR, end=event.onset - 5 * HOUR)
    elsewhere = replace(other, symbol="DOGEUSDT")
    made = scene({})
    study = replace(made.study, events=(long_ago, other, elsewhere, event))

    told = warning_facts(replace(made, study=study))["running_before"]

    assert [(one["symbol"], one["side"]) for one in told] == [("BTCUSDT", "short")]


def test_tiers_before_at_during_and_after(scene, plain):
    made = scene({})
    history = made.forecast.decided.history
    tiers = np.zeros_like(history.tiers)
    at = plain.span.onset - plain.forecast.decided.risk.first
    tiers[0, at - 3, 0], tiers[0, at - 1, 0] = 2, 1
    tiers[0, at : at + 2, 0] = 4
    decided = replace(made.forecast.decided, history=replace(history, tiers=tiers))

    told = tier_facts(replace(made, forecast=replace(made.forecast, decided=decided)))

    assert [told[key] for key in ("before", "at_onset", "during", "after")] == [2, 1, 4, 0]
    steps = [(one["from"], one["to"]) for one in told["changes"]]
    assert steps == [(0, 2), (2, 0), (0, 1), (1, 4), (4, 0)]
    assert {one["side"] for one in told["changes"]} == {"long"}
    assert datetime.fromisoformat(told["changes"][3]["time"]) == plain.event.onset
