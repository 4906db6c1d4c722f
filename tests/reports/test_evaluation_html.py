import copy
import re
from html.parser import HTMLParser

import pytest

from liqwarn.reports.evaluation_html import evaluation_html

VOID = {"meta", "path", "circle", "br", "link", "img", "input"}


class Outline(HTMLParser):
    """Checks that tags nest, and collects ids, links and what would be fetched."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links, self.fetched = [], [], [], []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found["href"]] if "href" in found else []
        self.fetched += [found[key] for key in ("src", "data", "srcset") if key in found]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


def outline(page):
    found = Outline()
    found.feed(page)
    assert found.open == []
    return found


def test_the_page_stands_alone(document):
    page = evaluation_html(document)
    found = outline(page)

    assert found.fetched == []
    assert all(link.startswith("#") for link in found.links)
    assert "<script" not in page
    assert not re.search(r"url\(|@import|https?://", page)


def test_every_link_of_the_page_leads_somewhere_once(document):
    found = outline(evaluation_html(document))

    assert {link[1:] for link in found.links} <= set(found.ids)
    assert len(found.ids) == len(set(found.ids))


def test_the_answer_comes_first_then_the_marks(document):
    ids = outline(evaluation_html(document)).ids

    assert ids[:3] == ["answer", "marks", "skill"]
    assert ids[-2:] == ["reading", "provenance"]


def test_every_picture_has_words_and_every_chart_a_table(document):
    page = evaluation_html(document)

    for svg in re.findall(r"<svg [^>]*>", page):
        assert re.search(r'role="img" aria-label="[^"]{20,}"', svg)
    for section in re.findall(r"<section.*?</section>", page, re.DOTALL):
        assert "<figure" not in section or "<table" in section


def test_figures_are_those_of_the_document(document):
    page = evaluation_html(document)
    ours = next(r for r in document["results"] if r["horizon_h"] == 4 and r["side"] == "short")

    assert f"{ours['pr_auc']:.3f} [{ours['pr_auc_ci'][0]:.3f}, " in page
    assert "1.90× [1.45, 2.35]" in page


def test_no_text_from_outside_becomes_markup(document):
    bad = "<script>alert(1)</script>"
    document["panel"] = bad
    for part, key in (("by_symbol", "symbol"), ("ablation", "family"), ("placebo", "kind")):
        document[part][0][key] = bad
    document["results"][0]["model"] = bad
    document["novelty"]["by_quarter"][0]["quarter"] = bad
    page = evaluation_html(document)

    assert "<script" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("filler", [None, float("nan"), float("inf"), "x", {}, []], ids=str)
def test_no_figure_at_all_still_makes_a_page(document, emptied, filler):
    page = evaluation_html(emptied(document, filler)).split("</style>")[1]
    outline("<html><head>" + page)

    assert not re.search(r"\bnan\b|\binf\b|\bNone\b", page, re.IGNORECASE)
    assert ">reached<" not in page


@pytest.mark.parametrize("part", ["results", "severe", "placebo", "novelty", "utility", "test"])
def test_any_part_may_be_missing(document, part):
    del document[part]
    page = evaluation_html(document)
    outline(page)

    if part != "test":
        assert "Not measured in this run." in page


def test_an_older_evaluation_says_what_it_lacks(evaluation):
    page = evaluation_html(evaluation)

    assert page.count("Not measured in this run.") == 5
    assert "(no interval)" in page


def test_a_leak_is_told_beside_the_answer(document):
    document["placebo"][0]["roc_auc_ci"] = [0.6, 0.7]
    answer = evaluation_html(document).split('id="marks"')[0]

    assert "Something leaks" in answer


def test_a_simulated_market_is_told_from_a_real_one(document):
    assert "Simulated market." in evaluation_html(document | {"market": "simulated"})
    assert "Simulated market." not in evaluation_html(document)


def test_the_same_evaluation_makes_the_same_page(document):
    assert evaluation_html(document) == evaluation_html(copy.deepcopy(document))
