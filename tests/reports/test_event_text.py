"""An event in words: every sentence is a fact of the document, and a miss says why."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from liqwarn.reports.event_text import (
    catalogue_text,
    event_lines,
    event_title,
    happened_line,
    model_line,
    probability_line,
    reason_lines,
    verdict_line,
)

made = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("event_documents.py"))))


@pytest.fixture
def document():
    return made.event_document()


@pytest.fixture
def missed():
    return made.missed_document()


def reasons(document):
    return " ".join(reason_lines(document))


def test_the_title_says_what_where_and_when(document):
    assert event_title(document) == "BTCUSDT: severe long cascade, onset 2024-05-01 21:00 UTC"
    document["market"] = "simulated"
    document["event"]["flags"] = []
    assert event_title(document).startswith("BTCUSDT (SIMULATED market): long cascade")


@pytest.mark.parametrize(("side", "word"), [("long", "fell"), ("short", "rose")])
def test_what_happened(side, word):
    assert happened_line(made.event_document(side)) == (
        f"The price {word} by 8.0 % to its peak at 2024-05-02 00:00, with an open interest loss of "
        "6.4 % and published liquidations of $31.4 M of longs and $2.1 M of shorts; confirmed at "
        "22:00, over at 2024-05-02 00:00. Severity 5.2."
    )


def test_liquidations_that_nobody_knows_are_not_told(document):
    document["event"] |= {"long_liq_usd": None, "short_liq_usd": float("nan")}

    assert "liquidations" not in happened_line(document)


@pytest.mark.parametrize(
    ("leads", "told"),
    [
        ((None, 120.0), "Warned 120 min ahead at 10 %, missed at 5 % time in alarm."),
        ((60.0, 180.0), "Warned 180 min ahead at 10 %, 60 min ahead at 5 % time in alarm."),
        ((60.0, 60.0), "Warned 60 min ahead at 10 % and 5 % time in alarm."),
        ((None, None), "Missed, at 5 % and at 10 % time in alarm."),
    ],
)
def test_the_verdict(document, leads, told):
    budgets = zip(("0.05", "0.10"), leads, strict=True)
    document["warning"]["budgets"] = {name: made.budget(0.02, lead) for name, lead in budgets}

    assert verdict_line(document) == told


def test_the_probability_stands_beside_what_an_alarm_asks(document):
    assert probability_line(document) == (
        "In the 4 h before the onset the long side's 4-h probability was highest at 20:00: 1.55 %, "
        "1.6 times its base rate, percentile 93 of its last 180 days. An alarm asks for 3.10 % "
        "(5 % time in alarm) and 1.25 % (10 % time in alarm)."
    )
    document["warning"]["peak"] = None
    assert probability_line(document) == "No probability was known in the 4 h before the onset."


def test_an_event_warned_of_at_every_budget_needs_no_reason(document):
    document["warning"]["budgets"]["0.05"] = made.budget(0.01, 60.0)

    assert reason_lines(document) == []


def test_a_miss_says_how_far_the_probability_reached_and_what_held_it_down(missed):
    assert "the probability reached 25 % of what 5 % asks and 50 % of what 10 % asks" in reasons(
        missed
    )
    assert "What held it down most was oi_drawdown_24h = 0.0123 (percentile 9, −0.31)." in reasons(
        missed
    )
    missed["warning"]["peak"]["lowered"] = [made.driver("weekend", -0.05)]
    assert "No feature held it down by much; most did weekend" in reasons(missed)
    missed["warning"]["peak"]["lowered"] = []
    assert "held it down" not in reasons(missed)


def test_a_budget_that_warned_is_no_part_of_the_reasons(document):
    assert "reached 50 % of what 5 % asks." in reasons(document)


@pytest.mark.parametrize(
    ("percentile", "told"),
    [
        (0.31, "calm before: 1-day volatility stood at percentile 31 of its last 180 days. A"),
        (0.7, "neither calm nor violent"),
        (0.95, "violent already"),
        (None, None),
    ],
)
def test_calm_or_violence_before(missed, percentile, told):
    missed["warning"]["inputs"]["volatility"]["percentile"] = percentile

    assert ("volatility" not in reasons(missed)) if told is None else (told in reasons(missed))


def test_missing_inputs(missed):
    inputs = missed["warning"]["inputs"]
    inputs |= {"missing_fields": ["funding_rate"], "unknown_features": 9}

    assert "Not in the data at that time: funding_rate; 9 of 100 features were" in reasons(missed)
    inputs["quality"] = "degraded"
    assert "Data quality was degraded: funding_rate was missing." in reasons(missed)


def test_alarms_that_do_not_count_are_told(missed):
    early, late = made.at(2), made.at(made.ONSET)
    missed["warning"]["budgets"] = {
        "0.05": made.budget(0.05, late=late),
        "0.10": made.budget(0.03, earlier=early, late=late),
    }
    assert "too early to count: last at 03:00 (10 % time in alarm)." in reasons(missed)
    assert "above a threshold: at 21:00 (10 % and 5 % time in alarm)." in reasons(missed)


def test_other_events_before_are_told(missed):
    missed["warning"]["running_before"] = [made.event("short", onset=made.at(15), end=made.at(17))]

    assert "A short cascade ran before: 2024-05-01 16:00 to 18:00." in reasons(missed)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"judged_bars": 0}, "lay in an event of the long side or in the quiet time"),
        ({"judged_bars": 4, "peak": None}, "nothing could be scored"),
        ({"bars": 0, "judged_bars": 0}, "the data begin too late"),
    ],
)
def test_why_no_early_warning_could_exist(document, changes, told):
    document["warning"] |= changes
    for one in document["warning"]["budgets"].values():
        one |= {"verdict": "no early warning", "lead_minutes": None, "first_alarm": None}

    assert verdict_line(document) == "No early warning could exist."
    assert told in reasons(document)


def test_a_model_that_has_seen_the_event_says_so_loudly(document):
    assert model_line(document).startswith("Out of sample: the model knew outcomes until 2024-04-")
    document["model"] |= {"seen_bars": 7, "fitted": False}
    assert "on the first 7 bars shown" in model_line(document)
    document["model"]["seen_event"] = True
    assert model_line(document).startswith("THE MODEL HAS SEEN THIS EVENT")
    assert "prove nothing" in model_line(document)


def test_the_choice_is_explained(document):
    other = made.event("short", onset=made.at(30))
    document["choice"] |= {"others": [other]}
    assert event_lines(document)[-1] == "Also that day: BTCUSDT short 2024-05-02 07:00 (+8.0 %)."
    document["choice"] |= {"exact": False, "others": [], "asked": "2024-04-30"}
    assert event_lines(document)[-1] == "No event ran on 2024-04-30; this is the nearest one."


def test_every_line_has_something_to_say(document, missed):
    for one in (document, missed):
        lines = event_lines(one)
        assert all(line.strip() and "None" not in line and "nan" not in line for line in lines)
        assert any(line.startswith("Tier of the long side: T1 watch") for line in lines)
        assert any(line.startswith("Raised most, in log-odds, by rv_6h") for line in lines)


def test_the_catalogue_is_a_line_an_event():
    row = {
        "symbol": "BTCUSDT", "side": "long", "onset": pd.Timestamp("2024-08-05T00:00Z"),
        "move": -0.122, "oi_loss": 0.077, "severity": 7.7, "flags": "severe;flow_confirmed",
    }  # fmt: skip

    lines = catalogue_text(pd.DataFrame([row])).splitlines()

    assert lines[1] == (
        "2024-08-05 00:00  BTCUSDT      long   −12.2 %    7.7 %      7.7  severe, flow confirmed"
    )
    assert lines[-1] == "1 events"
