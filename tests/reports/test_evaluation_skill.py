from liqwarn.reports.evaluation_skill import calibration_section, molchan_section, skill_section


def test_every_model_is_in_the_forest_with_its_interval(document):
    charts = skill_section(document).charts

    assert [chart.side for chart in charts] == ["long", "short"]
    assert all(len(chart.marks) == 8 for chart in charts)
    assert [mark.name for mark in charts[0].marks if mark.ours] == ["liqwarn"]
    assert all(mark.low is not None for mark in charts[0].marks)


def test_the_four_hour_tables_are_full_and_the_others_compact(document):
    titles = [table.title for table in skill_section(document).tables]

    assert titles == [
        "Ranking, long side, 4 h",
        "Ranking, short side, 4 h",
        "Other horizons, long side",
        "Other horizons, short side",
    ]


def test_every_diagram_has_its_table(document):
    calibration, molchan = calibration_section(document), molchan_section(document)

    assert [chart.kind for chart in calibration.charts] == ["reliability"] * 2
    bins = [table for table in calibration.tables if table.title.startswith("Reliability")]
    assert [len(table.rows) for table in bins] == [10, 10]
    assert len(molchan.charts) == len(molchan.tables) == 2


def test_the_area_skill_of_both_is_said(document):
    assert any("liqwarn 0.52, HAR 0.52" in text for text in molchan_section(document).lead)


def test_without_curves_the_molchan_diagram_is_said_to_be_missing(document):
    for row in document["results"]:
        del row["molchan"]

    assert molchan_section(document).missing
    assert not calibration_section(document).missing


def test_nothing_evaluated():
    assert all(make({}).missing for make in (skill_section, calibration_section, molchan_section))
