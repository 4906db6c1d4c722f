import numpy as np
import orjson
import pytest

from liqwarn.decisions import ModelStamp
from liqwarn.errors import FrameError, ModelError
from liqwarn.serving.app import create_app
from liqwarn.serving.data_schema import ScoreAnswer
from liqwarn.serving.ports import ScoreReply, Sources
from liqwarn.serving.score_request import MAX_BODY
from liqwarn.serving.shelf import FlagShelf

ROWS = {"names": ["a", "b"], "rows": [[0.1, 0.2], [None, 0.3]]}


class Doubler:
    """Scores that can be told from the rows; another model each time."""

    def __init__(self):
        self.version = 0

    def score(self, rows, names):
        if "a" not in names:
            raise FrameError(f"names are {list(names)}, expected a")
        self.version += 1
        first = rows[:, list(names).index("a")]
        probability = np.stack([first, first * 2, first * 3], axis=1)
        return ScoreReply(
            probability=np.stack([probability, probability], axis=1),
            model=ModelStamp(version=str(self.version), sha256="9f2c"),
            quality=["unknown" if np.isnan(p) else "ok" for p in first],
            novelty=np.where(np.isnan(first), np.nan, 0.5),
        )


class NoModel:
    def score(self, rows, names):
        raise ModelError("no bundle has been loaded")


@pytest.fixture
def post(ask, policy, clock):
    def post(body, scorer, *, query=b"", pieces=1):
        app = create_app(FlagShelf(), policy=policy, clock=clock, sources=Sources(scorer=scorer))
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        cut = -(-len(content) // pieces)
        parts = [content[n * cut : (n + 1) * cut] for n in range(pieces)]
        return ask(app, "POST", "/v1/score", query_string=query, pieces=parts)

    return post


@pytest.mark.parametrize("pieces", [1, 5])
def test_rows_are_scored_in_their_order_by_one_model(post, pieces):
    answer = post(ROWS, Doubler(), pieces=pieces)
    ScoreAnswer.model_validate(answer.json)
    assert answer.json["model"] == {"version": "1", "sha256": "9f2c"}
    known, unknown = answer.json["rows"]
    assert known["long"] == known["short"]
    assert known["long"]["p_4h"] == pytest.approx(0.2)
    assert (known["quality"], known["novelty"]) == ("ok", 0.5)
    assert unknown["long"] == {"p_1h": None, "p_4h": None, "p_24h": None}
    assert (unknown["quality"], unknown["novelty"]) == ("unknown", None)


def test_records_are_scored_as_rows(post):
    body = {"records": [{"a": 0.1, "b": 0.2}, {"b": 0.3}]}
    assert post(body, Doubler()).json == post(ROWS, Doubler()).json


@pytest.mark.parametrize(
    ("body", "scorer", "status", "detail"),
    [
        (ROWS, None, 503, "scoring is not configured here"),
        (ROWS, NoModel(), 503, "no bundle has been loaded"),
        ({"names": ["z"], "rows": [[1]]}, Doubler(), 422, "names are ['z'], expected a"),
        (b"{", Doubler(), 400, "body is not JSON"),
        (b"", Doubler(), 400, "body is not JSON"),
        ([], Doubler(), 422, "body is list, expected an object"),
        (b" " * (MAX_BODY + 1), Doubler(), 413, f"body has more than {MAX_BODY} bytes"),
    ],
)
def test_what_cannot_be_scored_says_why(post, body, scorer, status, detail):
    answer = post(body, scorer)
    assert answer.status == status
    assert answer.json["detail"].startswith(detail)


def test_it_takes_no_parameters(post):
    assert post(ROWS, Doubler(), query=b"model=2").status == 422
