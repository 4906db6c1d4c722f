import json
import re
import runpy
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest

from liqwarn.errors import FrameError
from liqwarn.reports.channel_view import CHANNELS
from liqwarn.reports.contagion_view import DEEPEST
from liqwarn.reports.simulation_page import (
    render_closed_loop,
    render_scenario,
    render_worst_case,
)

made = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("simulation_documents.py"))))
TEMPLATES = Path(__file__).parents[2] / "src" / "liqwarn" / "reports" / "templates"
EVIL = "<script>alert(1)</script>\"'&"
VOID = {"meta", "input", "br", "link", "img", "hr"}
PAGES = {
    "scenario": (render_scenario, made.scenario_document),
    "closed_loop": (render_closed_loop, made.closed_loop_document),
    "worst_case": (render_worst_case, made.worst_case_document),
}
every_page = pytest.mark.parametrize("kind", PAGES)


class Outline(HTMLParser):
    """Tags that were opened and closed, addresses, anchors and pictures without a name."""

    def __init__(self):
        super().__init__()
        self.open, self.faults, self.tags = [], [], []
        self.addresses, self.ids, self.nameless = [], [], []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.append(tag)
        self.addresses += [v for name, v in attrs if name in {"src", "href", "action"}]
        self.ids += [found["id"]] if "id" in found else []
        if tag == "svg" and not (found.get("role") == "img" and found.get("aria-label")):
            self.nameless.append(attrs)
        if tag not in VOID and not self.get_starttag_text().endswith("/>"):
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


def page_of(kind, **changes):
    render, document = PAGES[kind]
    return render(document(**changes))


def text_of(page):
    """What a reader sees: no scripts, no styles, no tags."""
    visible = re.sub(r"<(script|style).*?</\1>", "", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", visible)))


@every_page
def test_it_is_well_formed_and_every_link_has_its_section(kind):
    found = outline(page_of(kind))

    assert (found.open, found.faults) == ([], [])
    assert {a.removeprefix("#") for a in found.addresses} <= set(found.ids)
    assert len(found.addresses) >= 6
    assert sorted(set(found.ids)) == sorted(found.ids)


@every_page
def test_every_chart_says_what_it_is(kind):
    assert outline(page_of(kind)).nameless == []


@every_page
def test_it_needs_nothing_from_outside(kind):
    page = page_of(kind)

    assert all(a.startswith("#") for a in outline(page).addresses)
    assert not re.search(r"https?://|@import|url\(", page)


@every_page
def test_the_same_document_gives_the_same_bytes_also_after_json(kind):
    render, document = PAGES[kind]

    assert render(document()) == render(document())
    assert render(json.loads(json.dumps(document()))) == render(document())


@every_page
def test_it_says_first_that_it_is_simulated(kind):
    page = page_of(kind)

    assert page.index("<strong>SIMULATED.</strong>") < page.index("<h1>")


@every_page
def test_foreign_text_is_escaped_everywhere(kind):
    render, document = PAGES[kind]
    symbols = made.SYMBOLS[:1]
    raw = document() if kind == "closed_loop" else document(symbols=symbols)
    page = render(made.poisoned(raw, EVIL))

    assert "alert(1)" in page
    assert "<script>alert" not in page
    assert outline(page).tags.count("script") == 4
    assert outline(page).faults == []


@every_page
def test_nulls_are_dashes_and_never_zero_or_nan(kind):
    render, document = PAGES[kind]
    page = render(made.nothing(document()))
    shown = text_of(page)

    assert not re.search(r"\bnan\b|\bNone\b|\bnull\b|\binf\b|(?<![\d.])0\.00?\b", shown)
    assert shown.count("–") >= 30
    assert outline(page).faults == []


@every_page
def test_a_document_of_another_kind_is_refused(kind):
    render, document = PAGES[kind]

    with pytest.raises(FrameError, match=r"schema 'other/1', expected 'liqwarn\.\w+/1'"):
        render(document() | {"schema": "other/1"})


@every_page
def test_a_document_with_little_more_than_its_schema_is_still_a_page(kind):
    render, document = PAGES[kind]
    page = render({"schema": document()["schema"], "symbols": []})

    assert outline(page).faults == []
    assert 'class="empty"' in page


def test_a_scenario_says_its_headline_figures_with_units_and_intervals():
    shown = text_of(page_of("scenario"))

    assert "Liquidations at risk, 95 % 940.0 M USD [830.0 M, 1.1 B]" in shown
    assert "Trough, worst 5 % of paths −16.3 % [−18.4, −14.2]" in shown
    assert "Chance of auto-deleveraging 8.1 % [7.6 %, 8.6 %]" in shown
    assert "Amplification, strongest 1.83× NEARUSDT [1.76×, 1.89×]" in shown
    assert "Insurance fund left, mean 62.0 %" in shown
    assert "10,000 paths of 24 h in steps of 1 min, seed 1." in shown


def test_paths_that_diverged_cannot_be_overlooked():
    calm, loud = page_of("scenario"), page_of("scenario", diverged=37)

    assert 'role="alert"' not in calm
    assert "Diverged paths none" in text_of(calm)
    assert 'role="alert"' in loud
    assert "37 of 10,000 paths (0.4 %) diverged" in text_of(loud)
    assert '<li class="t4"><span>Diverged paths</span><strong>37</strong>' in loud


def test_a_state_from_real_data_is_said_and_its_paths_are_still_simulated():
    real = made.state(kind="store", as_of="2025-02-02T20:00:00Z", notes=["depth is assumed"])
    page = page_of("scenario", market="from real data", initial=real)
    shown = text_of(page)

    assert "state estimated from real data as of 2025-02-02 20:00 UTC" in shown
    assert "did not happen" in shown
    assert "depth is assumed" in shown
    assert "state from real data" in shown
    assert "simulated state" not in shown


def test_every_shock_is_on_the_time_axis():
    page = page_of("scenario")

    assert page.count('<i class="force"') == 7
    assert "Price −12.0 % over 30 min, each symbol by its beta" in text_of(page)
    assert "Nothing is shocked" in page_of("scenario", shocks=[])


def test_every_channel_has_a_colour_in_words_and_numbers():
    page = page_of("scenario")

    for key, (name, _) in CHANNELS.items():
        assert f'<span class="key ch-{key}"></span>{name}' in page
        assert f'class="seg ch-{key}"' in page
        assert f"--c-{key}:" in page
        assert f"BTCUSDT, {name}: " in page


def test_a_market_that_feeds_itself_is_an_alarm():
    contagion = made.scenario_document()["contagion"] | {"spectral_radius": 1.2, "ci": [1.1, 1.3]}
    page = page_of("scenario", contagion=contagion)

    assert '<p class="alarm">Above 1: ' in page
    assert '<p class="alarm">' not in page_of("scenario")


def test_ten_thousand_points_of_fan_stay_below_the_bound():
    document = made.scenario_document()
    scales = [1.0] * len(made.SYMBOLS)
    document["fan"] = made.fan(made.SYMBOLS, scales, points=10_000)

    assert len(render_scenario(document).encode()) <= 1_000_000


def test_the_closed_loop_shows_where_the_breaker_hurts_before_its_figures():
    page = page_of("closed_loop", hurts=["It is dearer.", "It is slower."])

    assert page.index("It is slower.") < page.index('class="tiles"')
    assert "<li>It is dearer.</li><li>It is slower.</li>" in page


def test_differences_that_are_worse_are_said_even_without_a_sentence():
    document = made.closed_loop_document(hurts=[])
    document["against"]["none"]["plain"]["recovery"] = {"mean": 9.0, "ci": [3.0, 15.0]}
    shown = text_of(render_closed_loop(document))

    assert "No sentence was recorded, but 1 of the differences below is worse." in shown
    assert "+9.0 % worse [+3.0, +15.0]" in shown


def test_a_breaker_that_never_hurts_is_not_called_proven():
    shown = text_of(page_of("closed_loop", hurts=[]))

    assert "No metric of this run is worse" in shown
    assert "That is not proof" in shown


def test_the_closed_loop_marks_better_and_tie_and_defines_its_metrics():
    page = page_of("closed_loop")
    shown = text_of(page)

    assert "−53.7 % better [−59.7, −47.7]" in shown
    assert "−2.7 % tie [−8.7, +3.3]" in shown
    assert "– not measured" in shown
    assert "240.0 M [211.2 M, 268.8 M]" in shown
    assert "<dt>Recovery</dt><dd>Hours until half of the fall is made good.</dd>" in page


def test_the_worst_case_says_how_plausible_and_how_much_worse_than_random():
    shown = text_of(page_of("worst_case"))

    assert "Worst loss, radius 5 25.1 % [23.6, 26.9]" in shown
    assert "Days seen beyond it –" in shown
    assert "Against the best of random +22.0 %" in shown
    assert "3 12.9 [12.2, 13.8] 10.6 +22.0 % 2.94 1.1 % 4.98 % 0.40 6.0 % 400" in shown


def test_the_worst_case_of_liquidations_is_in_usd():
    document = made.worst_case_document(objective="liquidated")
    for row in document["radii"]:
        row["worst"] = {"value": 4e8 * row["radius"], "ci": [3e8, 3e9]}
    shown = text_of(render_worst_case(document))

    assert "Worst liquidated volume, radius 5 2.0 B USD [300.0 M, 3.0 B]" in shown


# Colours that carry text or a meaning must be told from what they lie on (WCAG 2.1, AA).


def themes():
    """Every colour by name, in the light and in the dark theme."""
    css = "".join((TEMPLATES / name).read_text() for name in ("report.css", "simulation.css"))
    dark = " ".join(
        re.findall(r"prefers-color-scheme: dark\) \{\s*:root \{(.*?)\}", css, re.DOTALL)
    )
    light = " ".join(re.findall(r"^:root \{(.*?)\}", css, re.DOTALL | re.MULTILINE))
    found = {}
    for name, block in (("light", light), ("dark", dark)):
        found[name] = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})", block))
    return found


def channels_of(colour):
    digits = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
    return [int(digits[i : i + 2], 16) for i in (0, 2, 4)]


def luminance(rgb):
    linear = [c / 3294.6 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def mixed(colour, ground, share):
    return [share * c + (1 - share) * g for c, g in zip(colour, ground, strict=True)]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_are_told_apart(theme):
    colours = {name: channels_of(value) for name, value in themes()[theme].items()}
    card = colours["card"]
    strong = DEEPEST / 100

    assert len(colours) >= 30
    for key in CHANNELS:
        assert contrast(colours[f"c-{key}"], card) >= 3.0, key
    for cell in ("accent", "c-against"):
        assert contrast(colours["ink"], mixed(colours[cell], card, strong)) >= 4.5, cell
    assert contrast(colours["bad"], mixed(colours["bad"], card, 0.1)) >= 4.5
    assert contrast(colours["good"], card) >= 4.5
