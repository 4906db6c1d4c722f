import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from liqwarn.reports.page import render_report

SECTIONS = (
    "flags", "tiers", "probability", "drivers", "events", "skill", "calibration", "ledger",
    "quality", "reading",
)  # fmt: skip
EVIL = "<script>alert(1)</script>\"'&"
VOID = {"meta", "input", "br", "link", "img", "hr"}


class Outline(HTMLParser):
    """Tags that were opened and closed, and every address in the page."""

    def __init__(self):
        super().__init__()
        self.open, self.faults, self.addresses, self.tags = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in {"src", "href", "action"}]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)


def outline(page):
    parser = Outline()
    parser.feed(page)
    return parser


@pytest.fixture(scope="module")
def page(content):
    return render_report(content)


def test_every_section_is_there(page):
    for name in SECTIONS:
        assert f'<section id="{name}">' in page
        assert f'href="#{name}"' in page


def test_it_is_well_formed(page):
    found = outline(page)

    assert (found.open, found.faults) == ([], [])


def test_it_needs_nothing_from_outside(page):
    addresses = outline(page).addresses

    assert {a for a in addresses if not a.startswith("#")} == {"events.csv", "scores.parquet"}
    assert not re.search(r"https?://|@import|url\(", page)


def test_the_same_content_gives_the_same_bytes(content, page):
    assert render_report(content) == page


def test_a_simulated_market_is_said_first_and_a_real_one_is_not_called_simulated(content, page):
    real = render_report(replace(content, meta=replace(content.meta, market="real")))

    assert page.index("Simulated market.") < page.index("<h1>")
    assert "simulated market" not in real.lower()
    assert "real market data" in real


def test_every_tier_is_said_in_words_beside_its_colour(page):
    badges = re.findall(r'class="badge t(\d)"[^>]*>([^<]*)<', page)

    assert badges
    assert all(f"T{tier}" in text for tier, text in badges)


def test_foreign_text_is_escaped_everywhere(content):
    flags = tuple(
        {
            **flag,
            "symbol": EVIL,
            "quality": EVIL,
            "sides": {k: {**v, "reasons": [EVIL], "state": EVIL} for k, v in flag["sides"].items()},
        }
        for flag in content.flags[:1]
    )
    one = content.scores[content.scores["symbol"] == "BTCUSDT"]
    evaluation = {
        "panel": EVIL,
        "results": [{"side": "long", "horizon_h": 4, "model": EVIL}],
        "ablation": [{"family": EVIL, "side": EVIL}],
        "placebo": [{"kind": EVIL}],
    }
    changed = replace(
        content,
        flags=flags,
        scores=one.assign(symbol=EVIL, driver_1=EVIL, quality=EVIL),
        events=content.events.assign(symbol=EVIL, flags=EVIL),
        evaluation=evaluation,
        meta=replace(
            content.meta, panel=EVIL, notes=(EVIL,), hashes={EVIL: EVIL}, quarantined={EVIL: 1}
        ),
    )
    page = render_report(changed)

    assert "alert(1)" in page
    assert "<script>alert" not in page
    assert outline(page).tags.count("script") == 2
    assert outline(page).faults == []


def test_an_evaluation_that_is_missing_is_said(content):
    page = render_report(replace(content, evaluation=None))

    assert "Skill has not been measured." in page
    assert "Calibration has not been measured." in page
    assert "better than HAR" not in page


def test_nothing_at_all_is_still_an_honest_page(content):
    page = render_report(
        replace(
            content,
            flags=(),
            scores=content.scores.iloc[:0],
            events=content.events.iloc[:0],
            evaluation=None,
        )
    )

    assert "There are no flags." in page
    assert "There are no scores to draw." in page
    assert "No cascade was found" in page
    assert outline(page).faults == []


def test_missing_numbers_are_dashes_and_never_zero_or_nan(content):
    scores = content.scores.copy()
    numbers = ["p_1h", "p_4h", "p_24h", "quantile", "base_rate", "completeness"]
    scores[[*numbers, "contribution_1", "contribution_2", "contribution_3"]] = np.nan
    scores[["driver_1", "driver_2", "driver_3"]] = None
    none = {f"p_{h}h": None for h in (1, 4, 24)}
    flags = tuple(
        {**flag, "sides": {side: {**row, **none} for side, row in flag["sides"].items()}}
        for flag in content.flags
    )
    page = render_report(replace(content, scores=scores, flags=flags))
    text = re.sub(r"<(script|style).*?</\1>", "", page, flags=re.DOTALL)

    assert not re.search(r"\bnan\b|\bNone\b|\bNaT\b|\binf\b", text)
    assert "NaN" not in page.split('id="series">')[1].split("</script>")[0]
    assert 'data-label="Chance 4 h">–<' in text


def test_a_few_events_are_said_beside_the_panel(content, evaluation):
    for row in evaluation["results"]:
        row["events"] = 9

    assert render_report(replace(content, evaluation=evaluation)).count("Only 9 events") == 6


def test_a_placebo_with_skill_cannot_be_overlooked(content, evaluation):
    evaluation["placebo"][0]["roc_auc_ci"] = [0.55, 0.6]
    page = render_report(replace(content, evaluation=evaluation))

    assert "<details open>\n    <summary>Placebo runs: <strong>WARNING" in page


def test_ten_symbols_and_two_and_a_half_years_stay_below_the_bound(content, build):
    """Tiers that change every other bar are the worst case for a run-length timeline."""
    stamps = pd.date_range(end=content.scores["time"].max(), periods=21_900, freq="h")
    symbols = sorted(content.scores["symbol"].unique())
    n = len(stamps)
    rng = np.random.default_rng(3)
    parts = [
        content.scores.iloc[[0] * n].assign(
            symbol=symbol,
            side=side,
            time=stamps,
            tier=rng.choice(["T0", "T1", "T2", "T3"], n, p=[0.7, 0.1, 0.1, 0.1]),
            p_4h=rng.uniform(0.001, 0.5, n),
        )
        for symbol in symbols
        for side in ("long", "short")
    ]
    events = pd.concat([build["events"](seed=s) for s in range(20)], ignore_index=True)
    scores = pd.concat(parts, ignore_index=True)
    page = render_report(replace(content, scores=scores, events=events))

    assert len(page.encode()) <= 1_500_000


def test_a_map_is_shown_inside_the_page_and_only_if_there_is_one(content, page):
    shown = render_report(replace(content, map_png=b"\x89PNG pretend"))

    assert '<section id="map">' in shown
    assert 'src="data:image/png;base64,iVBORyBwcmV0ZW5k"' in shown
    assert outline(shown).faults == []
    assert '<section id="map">' not in page
    assert 'href="#map"' not in page
