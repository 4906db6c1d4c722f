"""A row is as it was told, or the field is named."""

import pytest

from liqwarn.errors import DataError
from liqwarn.sources.json_page import Number
from liqwarn.sources.row_shape import RowShape, as_list, as_object

SHAPE = RowShape(
    cells={"coin": "text", "rate": "number text", "time": "whole", "level": "number"},
    nullable=frozenset({"rate"}),
    extra={"note": "any"},
)
GOOD = {"coin": "BTC", "rate": "1e-05", "time": Number("7"), "level": Number("0.10")}


def test_cells_come_as_their_text():
    assert SHAPE.read(GOOD, "x") == {"coin": "BTC", "rate": "1e-05", "time": "7", "level": "0.10"}
    assert SHAPE.read({**GOOD, "rate": None, "note": []}, "x")["rate"] == ""


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"coin": Number("1")}, "row 3, field 'coin': found 1, expected text"),
        ({"rate": Number("0.1")}, "field 'rate': found 0.1, expected a number as text"),
        ({"rate": "inf"}, "field 'rate': found 'inf', expected a number as text"),
        ({"rate": ""}, "field 'rate': found '', expected"),
        ({"rate": "１"}, "field 'rate': found '１', expected"),
        ({"time": Number("7.5")}, "field 'time': found 7.5, expected a whole number"),
        ({"time": None}, "field 'time': found null, expected"),
        ({"level": "0.1"}, "field 'level': found '0.1', expected a number"),
        ({"level": True}, "field 'level': found True, expected a number"),
        ({"more": "x"}, "field 'more': new, expected coin, rate"),
    ],
)
def test_what_is_not_as_told_is_named(change, match):
    with pytest.raises(DataError, match=match):
        SHAPE.read({**GOOD, **change}, "reply, row 3")


def test_a_field_that_went_is_named_with_what_may_be_its_new_name():
    row = {k: v for k, v in GOOD.items() if k != "level"}

    with pytest.raises(DataError, match=r"field 'level': missing, found coin, rate, time$"):
        SHAPE.read(row, "reply")
    with pytest.raises(DataError, match=r"renamed to 'levels'\?"):
        SHAPE.read({**row, "levels": Number("1")}, "reply")


def test_lists_and_objects_are_told_apart():
    with pytest.raises(DataError, match=r"x: found \{\}, expected a list"):
        as_list({}, "x")
    with pytest.raises(DataError, match="x: found null, expected an object"):
        as_object(None, "x")
