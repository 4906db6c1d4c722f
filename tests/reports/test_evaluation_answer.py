import pytest

from liqwarn.reports.aims import aims
from liqwarn.reports.evaluation_answer import aims_section, answer_sentence, answers


def with_delta(document, side, ci):
    for row in document["results"]:
        if (row["side"], row["horizon_h"], row["model"]) == (side, 4, "liqwarn"):
            row["delta_pr_auc_vs_har"] = {"mean": 0.01, "ci": ci}


def test_each_side_gets_its_own_verdict(document):
    with_delta(document, "long", [-0.01, 0.03])
    with_delta(document, "short", [-0.03, -0.01])
    said = answer_sentence(document)

    assert "a tie with HAR on the long side and worse than HAR on the short side" in said
    assert [answer.tone for answer in answers(document)] == ["quiet", "bad"]


def test_the_marks_reached_are_counted_from_their_table(document):
    found = [aim.status for side in ("long", "short") for aim in aims(document, side)]

    assert f"{found.count('reached')} of {len(found)} marks are reached" in answer_sentence(
        document
    )


def test_the_table_says_what_the_aims_say(document):
    section = aims_section(document)

    assert [table.title for table in section.tables[:2]] == ["Long side, 4 h", "Short side, 4 h"]
    assert [(table.brief, table.page) for table in section.tables] == [
        (False, True), (False, True), (True, False),
    ]  # fmt: skip
    for table, side in zip(section.tables[:2], ("long", "short"), strict=True):
        assert [line.cells[-1] for line in table.rows] == [a.status for a in aims(document, side)]
        tones = {(line.cells[-1], line.tone) for line in table.rows}
        assert tones <= {("reached", "good"), ("missed", "bad"), ("not measured", "quiet")}


def test_the_best_other_baseline_is_named_beside_har(document):
    facts = dict(answers(document)[0].facts)

    assert facts["Best other baseline"].startswith("B6 logistic on all features, 0.0")
    assert facts["Events"] == "168"


def test_few_events_are_said(document):
    for row in document["results"]:
        row["events"] = 12

    assert all("Only 12 events" in answer.sentence for answer in answers(document))
    assert answers(document)[0].caveat


@pytest.mark.parametrize("found", [{}, {"results": None}, {"results": []}])
def test_nothing_evaluated_claims_nothing(found):
    assert answers(found) == ()
    assert "nothing can be said about skill" in answer_sentence(found)
    assert aims_section(found).missing


def test_a_run_without_liqwarn_claims_nothing(document):
    document["results"] = [row for row in document["results"] if row["model"] != "liqwarn"]

    assert "nothing can be said" in answer_sentence(document)
