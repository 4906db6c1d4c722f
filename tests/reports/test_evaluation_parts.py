from liqwarn.reports.evaluation_parts import READING, parts, provenance


def test_the_parts_come_in_the_order_of_a_sceptical_reader(document):
    assert [section.key for section in parts(document)] == [
        "skill", "calibration", "molchan", "alarms", "budgets", "severe", "symbols",
        "years",
        "robustness", "ablation", "placebo", "utility", "novelty",
    ]  # fmt: skip
    assert not any(section.missing for section in parts(document))


def test_every_chart_has_a_table(document):
    assert all(section.tables for section in parts(document) if section.charts)


def test_every_missing_part_says_so():
    for section in parts({}):
        assert section.missing
        assert not section.tables
        assert not section.charts


def test_what_was_recorded_of_the_run_is_said(document):
    assert dict(provenance(document | {"version": "0.2.0", "config_sha256": "ab12"})) == {
        "Test span": "2023-02-01 00:00 to 2024-08-05 03:00 UTC",
        "Symbols": "10",
        "Training rows added from": "other",
        "Seeds": "0, 1, 2",
        "Minutes of computing": "31.4",
        "Version": "0.2.0",
        "Configuration": "ab12",
    }


def test_every_term_is_explained():
    assert all(any(term in line for line in READING) for term in ("PR-AUC", "ECE", "tie", "Lead"))
