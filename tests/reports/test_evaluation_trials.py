from liqwarn.reports.evaluation_trials import ablation_section, placebo_section


def test_a_family_says_what_it_adds_and_over_how_many_seeds(document):
    rows = ablation_section(document).tables[0].rows
    said = {line.cells[0]: line.cells[-1] for line in rows if line.cells[1] == "long"}

    assert said == {
        "funding": "adds skill",
        "open interest": "adds skill",
        "flows": "adds nothing",
        "clusters": "adds nothing",
        "market": "adds skill",
        "liquidations": "adds nothing",
    }
    assert {line.cells[3] for line in rows} == {"5"}


def test_harm_is_said(document):
    document["ablation"][0]["delta_pr_auc"] = {"mean": -0.02, "ci": [-0.03, -0.01]}
    line = ablation_section(document).tables[0].rows[0]

    assert (line.cells[-1], line.tone) == ("does harm", "bad")


def test_how_many_intervals_chance_alone_would_move_is_said(document):
    document["ablation"] *= 5

    assert "Of 60 intervals about 3 may be" in " ".join(ablation_section(document).lead)


def test_how_many_fits_were_averaged_is_said_where_it_is_known(document):
    for part, section in (("ablation", ablation_section), ("placebo", placebo_section)):
        for row in document[part]:
            row["seeds"] = 3
        assert section(document).lead[-1] == "Means over 3 fits; intervals draw weeks and fits."
        for row in document[part]:
            del row["seeds"]
        assert "Means over" not in " ".join(section(document).lead)


def test_the_largest_family_is_drawn_first(document):
    names = [mark.name for mark in ablation_section(document).charts[0].marks]

    assert names[:3] == ["market", "open interest", "funding"]


def test_placebos_and_control_are_judged_apart(document):
    section = placebo_section(document)
    said = {line.cells[0]: (line.cells[-1], line.tone) for line in section.tables[0].rows}

    assert said == {
        "shuffled features": ("no skill, as it must be", "good"),
        "shifted labels": ("a constant forecast: says nothing", "quiet"),
        "planted leak": ("found, as it must be", "good"),
    }
    assert section.alarm == ""
    assert section.charts[0].marks[-1].dot > section.charts[0].reference


def test_a_blind_harness_is_an_alarm(document):
    for row in document["placebo"]:
        if row["kind"] == "planted_leak":
            row["roc_auc_ci"] = [0.49, 0.6]
    section = placebo_section(document)

    assert "The harness is blind" in section.alarm
    assert section.tables[0].rows[-1].tone == "bad"


def test_a_shifted_placebo_is_shown_beside_har_and_is_no_leak_where_har_is_as_good(document):
    for row in document["placebo"]:
        if row["kind"] == "shifted_labels":
            row |= {
                "roc_auc": 0.54,
                "roc_auc_ci": [0.51, 0.57],
                "har_roc_auc": 0.553,
                "delta_pr_auc_vs_har": {"mean": -0.0012, "ci": [-0.004, 0.002]},
            }
    section = placebo_section(document)
    table = section.tables[0]
    line = next(line for line in table.rows if line.cells[:2] == ("shifted labels", "long"))
    said = dict(zip(table.header, line.cells, strict=True))

    assert said["HAR's ROC-AUC"] == "0.553"
    assert said["ΔPR-AUC vs HAR [95 %]"] == "−0.0012 [−0.0040, +0.0020]"
    assert (said["verdict"], line.tone) == ("no skill beyond HAR, as it must be", "good")
    assert section.alarm == ""
    assert {"HAR's ROC-AUC", "ΔPR-AUC vs HAR [95 %]"} <= set(table.beside)


def test_nothing_measured():
    assert ablation_section({}).missing
    assert placebo_section({"placebo": None}).missing
