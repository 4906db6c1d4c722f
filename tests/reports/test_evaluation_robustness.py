from liqwarn.reports.evaluation_robustness import robustness_section, symbol_section, year_section


def test_the_headline_stands_first_beside_every_variant(document):
    rows = robustness_section(document).tables[0].rows

    assert [line.cells[0] for line in rows[:5]] == [
        "as evaluated above",
        "event thresholds −33 %",
        "event thresholds +33 %",
        "events by price alone",
        "combinatorial paths",
    ]
    assert [line.cells[1] for line in rows] == ["long"] * 5 + ["short"] * 5


def test_a_variant_is_better_only_with_its_whole_interval(document):
    rows = robustness_section(document).tables[0].rows

    assert [line.cells[-1] for line in rows[1:5]] == ["tie"] * 4
    assert [line.cells[-1] for line in rows[6:]] == ["better"] * 4


def test_the_spread_of_the_paths_is_said(document):
    said = " ".join(robustness_section(document).lead)

    assert "Long side: PR-AUC 0.020 to 0.060 over 5 paths, above HAR's on 4." in said


def test_paths_without_figures_are_passed_over(document):
    for row in document["robustness"]:
        row["path_pr_auc"] = [None, float("nan")]

    assert "paths, above" not in " ".join(robustness_section(document).lead)


def test_an_unknown_variant_keeps_its_name():
    row = {"variant": "other_thing", "side": "long"}

    assert robustness_section({"robustness": [row]}).tables[0].rows[0].cells[0] == "other thing"


def test_every_symbol_has_its_verdict(document):
    section = symbol_section(document)

    assert len(section.tables[0].rows) == 20
    assert {line.cells[-1] for line in section.tables[0].rows} == {"tie"}
    assert [len(chart.marks) for chart in section.charts] == [10, 10]


def test_every_year_has_its_verdict_and_the_lead_counts_them(document):
    section = year_section(document)

    assert [line.cells[0] for line in section.tables[0].rows] == ["2023", "2024", "2023", "2024"]
    assert section.tables[0].header[0] == "year"
    assert "Long side: better than HAR in 1 of 2 years, worse in 0" in section.lead[0]
    assert [len(chart.marks) for chart in section.charts] == [2, 2]
    assert year_section({}).missing


def test_one_symbol_needs_no_table(document):
    document["n_symbols"] = 1

    assert symbol_section(document).missing
    assert symbol_section({}).missing
    assert robustness_section({}).missing
