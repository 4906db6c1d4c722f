import re

import pytest

from liqwarn.errors import FrameError
from liqwarn.reports.contagion_view import DEEPEST, contagion_view, radius_sentence


def document(**changes):
    part = {"shock_pct": -5.0, "matrix": [[0.4, -0.1], [None, 0.2]], "spectral_radius": 0.5}
    return {"symbols": ["A", "B"], "contagion": part | {"ci": [0.4, 0.6]} | changes}


def test_rows_are_shocked_and_columns_are_hit():
    view = contagion_view(document())
    (name, (own, other)), (_, (unknown, _)) = view.rows

    assert (name, view.shock, view.symbols) == ("A", "−5.0", ("A", "B"))
    assert (own.text, own.depth, own.own, own.pushes) == ("+0.40", DEEPEST, True, "with")
    assert (other.text, other.own, other.pushes) == ("−0.10", False, "against")
    assert other.title == "A shocked, B hit: −0.100 per unit of the shock"
    assert (unknown.text, unknown.depth) == ("–", 0)


def test_the_radius_has_its_interval():
    view = contagion_view(document())

    assert (view.radius.text, view.radius.ci) == ("0.500", "[0.400, 0.600]")
    assert not view.feeds_itself


@pytest.mark.parametrize(
    ("radius", "ci", "said"),
    [
        (0.5, [0.4, 0.6], "Below 1"),
        (1.4, [1.2, 1.6], "Above 1"),
        (1.1, [0.9, 1.3], "The interval covers 1"),
        (0.9, [0.8, 1.0], "The interval covers 1"),
        (0.9, None, "Below 1"),
        (None, None, "The spectral radius could not be computed"),
    ],
)
def test_no_more_is_said_than_the_interval_allows(radius, ci, said):
    assert radius_sentence({"spectral_radius": radius, "ci": ci}).startswith(said)


def test_a_matrix_of_zeros_has_no_colour():
    view = contagion_view(document(matrix=[[0.0, 0.0], [0.0, 0.0]]))

    assert {cell.depth for _, row in view.rows for cell in row} == {0}


@pytest.mark.parametrize("matrix", [[[1.0]], [[1.0, 2.0]], [[1.0], [2.0, 3.0]]])
def test_a_matrix_that_does_not_fit_is_refused(matrix):
    with pytest.raises(FrameError, match=re.escape("expected 2 symbols")):
        contagion_view(document(matrix=matrix))


def test_without_a_matrix_there_is_no_view():
    assert contagion_view({"symbols": ["A"], "contagion": None}) is None
