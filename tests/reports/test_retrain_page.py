"""The page and the text of one run: what came of it, the gate's table, what was checked."""

from math import nan

import orjson

from liqwarn.models.gate import Difference, LeftOut, Sample, SideEvidence
from liqwarn.reports.retrain_gate import evidence_of, gate_rows
from liqwarn.reports.retrain_page import retrain_html
from liqwarn.reports.retrain_text import retrain_text
from liqwarn.reports.retrain_view import retrain_view

BETTER = Difference(mean=0.02, low=0.01, high=0.03)
GOOD = SideEvidence(
    side="long", sample=Sample(onsets=60, weeks=20), not_finite=0, tied_frac=0.01,
    versus_har=BETTER, brier_skill_vs_har=0.02, calibration_slope=1.0, level_ratio=1.0,
    roc_auc=0.8, nearest_roc_auc=0.8, edge_roc_auc=0.6, compared=Sample(onsets=12, weeks=9),
    versus_champion=BETTER, roc_auc_low=0.7, left_out=LeftOut(symbol="AAA", rest=BETTER),
)  # fmt: skip
BAD = SideEvidence(
    side="short", sample=Sample(onsets=3, weeks=2), not_finite=0, tied_frac=0.01,
    versus_har=Difference(mean=nan, low=nan, high=nan), brier_skill_vs_har=nan,
    calibration_slope=1.5, level_ratio=1.0, roc_auc=0.8, nearest_roc_auc=0.8, edge_roc_auc=0.6,
    worse_symbols=("<b>AAA</b>",),
)  # fmt: skip


def raw(*sides):
    """Evidence as the journal has it."""
    return orjson.loads(orjson.dumps(list(sides)))


def line(step, figures=None, reasons=(), seconds=1.0):
    return {
        "step": step, "run": "f" * 64, "at": "2026-05-01T03:00:00.000Z", "seconds": seconds,
        "figures": figures or {}, "reasons": list(reasons),
    }  # fmt: skip


DATA = {
    "symbols": ["AAA"], "bars": 8760, "since": "2025-05-01T00:00:00+00:00",
    "until": "2026-05-01T00:00:00+00:00", "new_rows": 168, "data_sha256": "ab" * 32,
    "panel_sha256": "cd" * 32,
}  # fmt: skip
QUALITY = {"least_coverage": 1.0, "most_silent_bars": 0, "most_doubt": 0.0, "most_apart_bps": 4.0}
DRIFT = {"farthest": [{"feature": "rv_24h", "psi": 0.3, "ks": 0.2, "grade": "large"}]}
KEPT = [
    line("started"),
    line("data", DATA),
    line("quality", QUALITY),
    line("drift", DRIFT),
    line("judged", {"evidence": raw(GOOD, BAD)}, ["short: too few"]),
    line("finished", {"action": "kept", "champion": "3", "notes": ["mended"]}, ["short: too few"]),
]


def test_evidence_comes_back_from_the_journal():
    assert evidence_of(raw(GOOD)[0]) == GOOD
    back = evidence_of(raw(BAD)[0])
    assert back.worse_symbols == BAD.worse_symbols
    assert back.calibration_slope == 1.5
    assert back.versus_champion is None
    assert str(back.versus_har) == "not measured"


def test_the_table_says_which_rule_refuses_which_side():
    rows = {row.rule: row for row in gate_rows(raw(GOOD, BAD))}

    refused = {name for name, row in rows.items() if row.faults[1]}
    assert not any(row.faults[0] for row in rows.values())
    assert refused == {"sample", "over HAR", "Brier", "slope", "symbols"}
    assert rows["sample"].found == ("60 onsets in 20 weeks", "3 onsets in 2 weeks")
    assert rows["gain"].found[0].endswith("without AAA +0.0200 [+0.0100, +0.0300]")
    assert rows["champion"].found[1] == "–"


def test_a_page_tells_what_came_of_it_and_escapes_what_comes_from_outside():
    page = retrain_html("<demo>", KEPT)

    assert "The champion stays" in page
    assert "&lt;demo&gt;" in page
    assert "&lt;b&gt;AAA" in page
    assert "<script" not in page
    for told in ("short: too few", "version 3", "mended", "rv_24h", "8,760 from", "refused"):
        assert told in page, told
    assert retrain_html("<demo>", KEPT) == page


def test_a_text_has_the_same():
    text = retrain_text("demo", KEPT)

    assert text.splitlines()[0] == "demo: The champion stays; champion is version 3"
    assert "slope (calibration slope 0.8 to 1.2): long 1.000; short 1.500 REFUSED" in text
    assert "drift of rv_24h: PSI 0.300, KS 0.200, large" in text


def test_reasons_are_told_once():
    judged = line("judged", {}, ["long: too few"])
    kept = line("finished", {"action": "kept", "champion": "3", "notes": []}, ["long: too few"])
    mended = line("registered", {}, ["mended"])

    text = retrain_text("demo", [line("started"), mended, judged, kept])

    assert text.count("long: too few") == 1
    assert "registered: mended" in text


def test_a_run_that_stopped_failed_or_was_killed_has_a_page_too():
    stop = line("stopped", {"action": "stopped", "champion": "3", "notes": []}, ["stale: old"])
    fail = line("failed", {"error": "StoreError"}, ["no space"], seconds=None)

    assert retrain_view([line("started"), stop]).sentence.startswith("Stopped before training")
    assert retrain_view([line("started"), fail]).sentence.startswith("Broken off")
    assert retrain_view(KEPT[:3]).sentence == "Not finished"
    assert "No challenger was judged" in retrain_html("demo", [line("started"), stop])
    assert retrain_view([]).steps == ()
