from liqwarn.reports.evaluation_alarms import recall_section, severe_section


def test_recall_and_lead_times_are_drawn_a_side(document):
    section = recall_section(document)

    assert [chart.kind for chart in section.charts] == ["curves", "curves", "forest", "forest"]
    assert len(section.tables) == 4
    assert [table.brief for table in section.tables] == [True, False, True, False]


def test_lead_bars_are_quartiles(document):
    chart = recall_section(document).charts[2]
    mark = chart.marks[0]

    assert mark.text == "100 (40 to 165)"
    assert mark.low < mark.dot < mark.low + mark.width


def test_severe_events_stand_apart_with_their_caveat(document):
    section = severe_section(document)

    assert len(section.tables[0].rows) == 4
    assert "Long side: Only 17 events" in " ".join(section.lead)
    assert section.tables[0].rows[0].cells[:3] == ("long", "liqwarn", "17")


def test_severe_rows_of_other_horizons_are_left_out(document):
    document["severe"] += [row | {"horizon_h": 24} for row in document["severe"]]

    assert len(severe_section(document).tables[0].rows) == 4


def test_nothing_measured():
    assert recall_section({}).missing
    assert severe_section({"severe": []}).missing
