"""Notes beside the panels: facts of the event, and nothing where nothing is known."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from liqwarn.reports.event_notes import panel_notes

made = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("event_documents.py"))))


@pytest.fixture
def document():
    return made.event_document()


def test_what_is_noted(document):
    interest, funding, liquidations = panel_notes(document)

    assert interest == "largest loss,\nonset to end:\n6.4 %"
    assert funding == "at onset:\n+0.010 %\nlongs pay"
    assert liquidations.startswith("onset to end:\n↑ shorts $2.1 M\n↓ longs $31.4 M")


@pytest.mark.parametrize(("rate", "who"), [(0.0, "nobody pays"), (-0.0001, "shorts pay")])
def test_funding_is_the_rate_known_as_the_onset_bar_began(document, rate, who):
    document["series"]["funding_8h"][made.ONSET - 1] = rate
    document["series"]["funding_8h"][made.ONSET] = 0.5

    assert panel_notes(document)[1].endswith(who)


def test_nothing_is_noted_of_what_is_not_known(document):
    for name in ("long_liq_usd", "short_liq_usd", "funding_8h"):
        document["series"][name] = [None] * made.BARS

    assert panel_notes(document)[1:] == ("", "")
