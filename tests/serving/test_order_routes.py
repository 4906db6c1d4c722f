"""Orders over HTTP: an admin's key alone, bounded, refused with a reason, and carried out once."""

import orjson
import pytest

from liqwarn.errors import StoreError
from liqwarn.serving.app import create_app
from liqwarn.serving.auth import KEY_ID
from liqwarn.serving.order_routes import MAX_ORDER
from liqwarn.serving.order_schema import IN_FORCE, ORDER_ASK, ORDERED, OrderAnswer, OrdersAnswer
from liqwarn.serving.ports import Sources
from liqwarn.serving.shelf import FlagShelf


class Desk:
    """Takes every order, or none."""

    def __init__(self, accepted=True, fault=None):
        self.accepted, self.fault, self.asked = accepted, fault, []

    def ask(self, order, by):
        self.asked.append((order, by))
        if self.fault is not None:
            raise self.fault
        changes = {} if self.accepted else {"accepted": False, "sides": [], "refused": ["T5"]}
        return {"schema": "liqwarn.order/1", **ORDERED, "by": by, **changes}

    def in_force(self):
        if self.fault is not None:
            raise self.fault
        return IN_FORCE["orders"]


@pytest.fixture
def send(ask, policy, clock):
    def send(method, body=None, *, desk=None, key="0123456789ab", query=b""):
        sources = Sources(orders=desk)
        app = create_app(FlagShelf(), policy=policy, clock=clock, sources=sources)
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        scope = {} if key is None else {KEY_ID: key}
        return ask(app, method, "/v1/orders", pieces=[content], query_string=query, **scope)

    return send


def test_an_order_of_an_admin_is_carried_out(send):
    desk = Desk()

    answer = send("POST", ORDER_ASK, desk=desk)

    assert answer.status == 200
    OrderAnswer.model_validate(answer.json)
    ((order, by),) = desk.asked
    assert by == "key 0123456789ab"
    assert (order.id, order.action.value, order.tier.name) == (ORDER_ASK["id"], "tighten", "T3")
    assert order.lasts.total_seconds() == 14_400


def test_what_is_in_force_is_shown(send):
    answer = send("GET", desk=Desk())

    assert answer.status == 200
    assert OrdersAnswer.model_validate(answer.json).model_dump() == IN_FORCE


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_server_without_keys_takes_no_orders(send, method):
    desk = Desk()

    answer = send(method, ORDER_ASK, desk=desk, key=None)

    assert answer.status == 403
    assert "API keys" in answer.json["detail"]
    assert desk.asked == []


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"action": "fault"}, "action: Input should be"),
        ({"tier": None}, "expected a tier"),
        ({"action": "halt"}, "expected no tier"),
        ({"action": "loosen"}, r"expected 2 different"),
        ({"names": []}, "names: List should have at least 1"),
        ({"reason": "two\nlines"}, "on one line"),
        ({"id": "../x"}, "id: String should match"),
        ({"lasts_s": 0}, "lasts_s: Input should be greater"),
        ({"lasts_s": float("inf")}, "lasts_s"),
        ({"more": 1}, "more: Extra inputs"),
    ],
)
def test_what_is_no_order_is_said(send, changes, why):
    desk = Desk()
    body = orjson.dumps({**ORDER_ASK, **changes})
    if changes.get("lasts_s") == float("inf"):
        body = body.replace(b"null", b"1e999")

    answer = send("POST", body, desk=desk)

    assert answer.status in (400, 422)
    assert answer.status == 400 or why in answer.json["detail"]
    assert desk.asked == []


def test_an_order_that_is_refused_is_a_conflict_with_its_reason(send):
    answer = send("POST", ORDER_ASK, desk=Desk(accepted=False))

    assert answer.status == 409
    assert answer.json["refused"] == ["T5"]
    OrderAnswer.model_validate(answer.json)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("desk", [None, Desk(fault=StoreError("the loop took no order"))])
def test_without_a_loop_there_are_no_orders(send, method, desk):
    answer = send(method, ORDER_ASK, desk=desk)

    assert answer.status == 503
    assert "loop" in answer.json["detail"]


def test_a_body_is_bounded_and_must_be_json(send):
    assert send("POST", b"x" * (MAX_ORDER + 1), desk=Desk()).status == 413
    assert send("POST", b"{", desk=Desk()).status == 400
    assert send("POST", ORDER_ASK, desk=Desk(), query=b"x=1").status == 422
