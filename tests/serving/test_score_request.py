import contextlib

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.serving import score_request as subject
from liqwarn.serving.answers import ServiceRefused
from liqwarn.serving.score_request import MAX_BODY, parse_rows

VALUES = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False),
                   st.integers(-(2**63), 2**63))  # fmt: skip
JSON = st.recursive(
    st.one_of(VALUES, st.booleans(), st.text(max_size=5)),
    lambda inside: st.one_of(
        st.lists(inside, max_size=4),
        st.dictionaries(
            st.sampled_from(["names", "rows", "records", "a", "b"]), inside, max_size=4
        ),
    ),
    max_leaves=20,
)


@given(st.lists(st.lists(VALUES, min_size=2, max_size=2), min_size=1, max_size=6))
def test_rows_come_through_as_they_are_and_null_is_nan(values):
    rows, names = parse_rows(orjson.dumps({"names": ["a", "b"], "rows": values}))
    expected = [[np.nan if v is None else float(v) for v in row] for row in values]
    np.testing.assert_array_equal(rows, expected)
    assert (names, rows.dtype) == (["a", "b"], np.float64)
    records = [dict(zip("ab", row, strict=True)) for row in values]
    np.testing.assert_array_equal(parse_rows(orjson.dumps({"records": records}))[0], expected)


def test_what_a_record_leaves_out_is_unknown():
    rows, names = parse_rows(b'{"records": [{"a": 1}, {"b": 2, "a": 3}]}')
    np.testing.assert_array_equal(rows, [[1, np.nan], [3, 2]])
    assert names == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "status", "why"),
    [
        (b"", 400, "body is not JSON"),
        (b"{", 400, "body is not JSON"),
        (b'{"names": ["a"], "rows": [[NaN]]}', 400, "body is not JSON"),
        (b"\xff\xfe", 400, "body is not JSON"),
        (b"[" * 100_000, 400, "body is not JSON"),
        (b"[]", 422, "body is list, expected an object"),
        (b"{}", 422, "body has keys .*, expected names and rows, or records"),
        (b'{"names": 1, "rows": [[]]}', 422, "names has length none, expected a list of 1 to 2000"),
        (b'{"names": [], "rows": [[]]}', 422, "names has length 0, expected a list of 1 to 2000"),
        (b'{"names": ["a"], "rows": []}', 422, "rows has length 0, expected a list of 1 to 4096"),
        (b'{"names": ["a", "a"], "rows": [[1, 2]]}', 422, "names are not distinct texts"),
        (b'{"names": ["a"], "rows": [[1], [1, 2]]}', 422, "row 1 is not a list of 1 values"),
        (b'{"names": ["a"], "rows": [5]}', 422, "row 0 is not a list of 1 values"),
        (b'{"names": ["a"], "rows": [["1"]]}', 422, "row 0 has .*str.*, expected numbers or null"),
        (b'{"names": ["a"], "rows": [[true]]}', 422, "row 0 has .*bool.*, expected numbers"),
        (b'{"names": ["a"], "rows": [[1]], "x": 1}', 422, "body has keys"),
        (b'{"names": [1], "rows": [[1]]}', 422, "names are not distinct texts"),
        (b'{"records": [{}]}', 422, "records name 0 features, expected 1 to 2000"),
        (b'{"records": [5]}', 422, "record 0 is not an object"),
        (b'{"records": [{"a": []}]}', 422, "row 0 has .*list.*, expected numbers"),
        (b'{"records": [{"a": 1}], "names": ["a"]}', 422, "body has keys"),
    ],
)
def test_what_is_no_table_of_numbers_is_refused_with_a_reason(content, status, why):
    with pytest.raises(ServiceRefused, match=why) as refusal:
        parse_rows(content)
    assert refusal.value.status == status


@given(JSON)
def test_no_json_breaks_it(raw):
    with contextlib.suppress(ServiceRefused):
        rows, names = parse_rows(orjson.dumps(raw))
        assert rows.shape[1] == len(names)
        assert not np.isinf(rows).any()


@pytest.mark.parametrize("number", [b"1e400", b"-1e400", b"1" * 400])
def test_a_number_beyond_floats_is_refused(number):
    with pytest.raises(ServiceRefused, match=r"not JSON|infinite|number"):
        parse_rows(b'{"names": ["a"], "rows": [[' + number + b"]]}")


def test_too_much_is_refused_before_it_is_read(monkeypatch):
    with pytest.raises(ServiceRefused, match="body has more than") as refusal:
        parse_rows(b" " * (MAX_BODY + 1))
    assert refusal.value.status == 413
    monkeypatch.setattr(subject, "MAX_CELLS", 3)
    for body in ({"names": ["a", "b"], "rows": [[1, 2]] * 2}, {"records": [{"a": 1, "b": 2}] * 2}):
        with pytest.raises(ServiceRefused, match="2 rows of 2 values, expected at most 3"):
            parse_rows(orjson.dumps(body))
