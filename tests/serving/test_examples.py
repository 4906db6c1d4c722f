"""Every answer is documented with an example that fits its schema."""

import pytest
from pydantic import TypeAdapter

from liqwarn.serving import data_schema, examples, schema
from liqwarn.serving.app import create_app
from liqwarn.serving.score_request import parse_rows
from liqwarn.serving.shelf import FlagShelf

FITS = [
    (schema.FlagAnswer, examples.FLAG),
    (schema.FlagsAnswer, examples.FLAGS),
    (schema.UnknownSymbol, examples.UNKNOWN),
    (schema.Unavailable, examples.UNAVAILABLE),
    (schema.Health, examples.HEALTH),
    (data_schema.HistoryAnswer, examples.HISTORY),
    (data_schema.EventsAnswer, examples.EVENTS),
    (data_schema.MapAnswer, examples.MAP),
    (data_schema.ScoreAnswer, examples.SCORES),
    (data_schema.ScoreRows, examples.SCORE_ASK),
]


@pytest.mark.parametrize(("model", "example"), FITS, ids=[model.__name__ for model, _ in FITS])
def test_an_example_fits_its_schema(model, example):
    TypeAdapter(model).validate_python(example)


def test_the_example_of_a_request_can_be_asked(policy):
    rows, names = parse_rows(b'{"names": ["oi_change_4h"], "rows": [[0.12]]}')
    assert (rows.tolist(), names) == ([[0.12]], ["oi_change_4h"])


def test_every_answer_in_openapi_has_an_example(policy, clock):
    api = create_app(FlagShelf(), policy=policy, clock=clock).openapi()
    bare = [
        (path, method, status)
        for path, methods in api["paths"].items()
        for method, operation in methods.items()
        for status, answer in operation["responses"].items()
        for content in answer.get("content", {}).values()
        if "example" not in content
    ]
    assert bare == [("/v1/freqtrade/pairlist", "get", "200")]  # its model has one
    assert "HTTPValidationError" not in api["components"]["schemas"]
