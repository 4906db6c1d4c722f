"""The page of data sources names every provider that is fetched, every panel and every column."""

import re
from pathlib import Path

import pytest

from liqwarn.cli.sections import FETCHES
from liqwarn.collectors.venues import VENUES

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "data-sources.md").read_text()


def rows(heading):
    """Cells of the table's rows below a heading."""
    table = PAGE.split(f"{heading}\n", 1)[1].split("\n## ", 1)[0].split("\n### ", 1)[0]
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_table_of_sources_has_no_empty_cell():
    header, _, *sources = rows("## All sources")

    assert header == ["source", "key", "fields", "history", "limits", "lag", "completeness",
                      "licence"]  # fmt: skip
    assert len(sources) > len(VENUES) + sum(map(len, FETCHES.values()))
    for cells in sources:
        assert len(cells) == len(header), cells[0]
        assert all(cells), cells[0]


@pytest.mark.parametrize("provider", [name for names in FETCHES.values() for name in names])
def test_every_provider_has_its_command_and_what_it_was_tried_against(provider):
    told = rows("### What reads it, and what it was tried against")

    assert any(f"`liqwarn fetch {provider}`" in cells[1] and cells[3] for cells in told)


def test_every_shipped_panel_is_named():
    named = set(re.findall(r"`(\w+)`", " ".join(c[0] for c in rows("## Panels that come with"
                                                                     " liqwarn"))))  # fmt: skip

    assert named == {path.stem for path in (ROOT / "conf" / "panels").glob("*.yaml")}


def test_its_links_lead_somewhere():
    for page, anchor in re.findall(r"\]\(([\w/-]+\.md)?(?:#([\w-]+))?\)", PAGE):
        text = (ROOT / "docs" / page).read_text() if page else PAGE
        titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
        slugs = {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}
        assert not anchor or anchor in slugs, f"{page}#{anchor}"
