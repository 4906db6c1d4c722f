import re

from liqwarn.reports.evidence_page import evidence_markdown


def test_every_panel_and_side_stands_in_the_first_table(document):
    text = evidence_markdown({"one": document, "two": document}, memory_gib=1.25)
    rows = re.findall(r"^\| (one|two) \| (long|short) \|", text, re.MULTILINE)

    assert rows == [(panel, side) for panel in ("one", "two") for side in ("long", "short")]
    assert "Minutes: one 31.4, two 31.4. Peak memory: 1.2 GiB." in text


def test_pages_are_one_level_down_and_reading_is_said_once(document):
    text = evidence_markdown({"one": document, "two": document})

    assert re.findall(r"^# .*", text, re.MULTILINE) == ["# Evidence"]
    assert text.count("\n## Evaluation of simulated_10\n") == 2
    assert text.count("How to read this page") == 1


def test_few_events_are_said_in_the_first_table(document):
    for row in document["results"]:
        row["events"] = 5

    assert "too few events |" in evidence_markdown({"one": document})


def test_nothing_evaluated():
    assert "Nothing was evaluated." in evidence_markdown({"one": {}})
    assert "Nothing was evaluated." in evidence_markdown({})
