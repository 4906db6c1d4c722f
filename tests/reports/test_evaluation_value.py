import pytest

from liqwarn.reports.evaluation_value import novelty_section, utility_section


def differences(document):
    return [
        (line.cells[0], line.cells[-1]) for line in utility_section(document).tables[1].rows[:3]
    ]


def test_of_a_loss_less_is_better(document):
    assert differences(document) == [
        ("P&L, breaker less volatility target", "tie"),
        ("P&L, breaker less unrestricted", "better"),
        ("loss in events, breaker less volatility target", "better"),
    ]
    for row in document["utility"]:
        if row["strategy"] == "breaker":
            row["delta_loss_in_events_vs_volatility_target"] = {"mean": 0.1, "ci": [0.05, 0.2]}
    assert differences(document)[2][1] == "worse"


def test_every_strategy_has_a_row_and_ours_is_marked(document):
    rows = utility_section(document).tables[0].rows

    assert [line.cells[1] for line in rows if line.ours] == ["breaker", "breaker"]
    assert rows[1].cells[2:6] == ("3.00", "55.0 %", "25.0 %", "−10.0 %")


def test_novel_rows_are_told_from_familiar_ones(document):
    section = novelty_section(document)

    assert section.lead[0].startswith("3.4 %")
    assert [len(table.rows) for table in section.tables] == [4, 1, 4]
    assert section.tables[0].rows[2].cells[5] == "−0.010"


@pytest.mark.parametrize(
    ("detected", "said"), [(50, "50"), (0.98, "98 %"), (True, "yes"), (False, "no"), (None, "–")]
)
def test_faults_found_are_counts_shares_or_a_word(detected, said):
    found = {"injected": [{"fault": "stale_feed", "n": 50, "detected": detected}]}

    assert novelty_section({"novelty": found}).tables[0].rows[0].cells == ("stale feed", "50", said)


@pytest.mark.parametrize("found", [None, {}, [], 3])
def test_novelty_that_was_not_measured(found):
    assert novelty_section({"novelty": found}).missing


def test_utility_that_was_not_measured():
    assert utility_section({}).missing
