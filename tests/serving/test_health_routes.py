import pytest

from liqwarn.serving.app import create_app
from liqwarn.serving.ports import Sources
from liqwarn.serving.schema import Health
from liqwarn.serving.shelf import FlagShelf


@pytest.fixture
def shelf():
    return FlagShelf()


@pytest.fixture
def get(ask, shelf, policy, clock):
    def get(path, *, query=b"", **sources):
        app = create_app(shelf, policy=policy, clock=clock, sources=Sources(**sources))
        return ask(app, path=path, query_string=query)

    return get


def test_it_lives_before_it_is_ready(get, shelf, flag_set, make_flag, clock):
    assert (get("/healthz").status, get("/readyz").status) == (200, 503)
    shelf.publish(flag_set(make_flag("A")))
    assert (get("/healthz").status, get("/readyz").status) == (200, 200)
    assert Health.model_validate(get("/readyz").json).status == "ready"
    clock.run(minutes=80)
    assert (get("/healthz").status, get("/readyz").status) == (200, 503)
    assert get("/healthz").json["stale"] == 1


def test_a_fault_of_the_loop_is_shown_and_not_ready(get, shelf, flag_set, make_flag):
    shelf.publish(flag_set(make_flag("A")))
    shelf.fail("no bar for 20 minutes")
    answer = get("/readyz")
    assert (answer.status, answer.json["fault"]) == (503, "no bar for 20 minutes")
    shelf.fail(None)
    assert get("/readyz").status == 200


@pytest.mark.parametrize(
    ("qualities", "status"),
    [(("ok", "ok"), 200), (("unknown", "degraded"), 200), (("stale", "unknown"), 503)],
)
def test_fresh_flags_that_say_nothing_do_not_make_it_ready(
    get, shelf, flag_set, make_flag, qualities, status
):
    """Of a silent feed every flag is stale; of a delisted symbol only its own is unknown."""
    flags = [make_flag(name, quality=q) for name, q in zip("AB", qualities, strict=True)]
    shelf.publish(flag_set(*flags))
    assert get("/readyz").status == status


def test_metrics_are_what_is_rendered(get):
    answer = get("/metrics", render_metrics=lambda: b"# TYPE x gauge\nx 1\n")
    assert (answer.status, answer.body) == (200, b"# TYPE x gauge\nx 1\n")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"


def test_metrics_that_are_not_configured_are_said_to_be(get):
    answer = get("/metrics")
    assert (answer.status, answer.json) == (503, {"detail": "metrics are not configured here"})


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_none_of_them_takes_a_parameter(get, path):
    assert get(path, query=b"x=1").status == 422
