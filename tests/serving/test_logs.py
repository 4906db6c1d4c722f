"""Logs: lines a machine reads, without secrets, floods or failures of their own."""

import io
import logging
from functools import reduce

import orjson
import pytest
import uvicorn
import uvicorn.config

from liqwarn.serving.keys import new_key
from liqwarn.serving.logs import bound_context, get_logger, logs_to, lost_lines
from liqwarn.serving.webhook_post import WebhookTarget


@pytest.fixture
def written(clock):
    stream = io.BytesIO()
    with logs_to(stream, clock=clock, level="debug"):
        yield lambda: [orjson.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_says_when_where_and_what(written):
    get_logger("loop").bind(symbol="BTCUSDT").info("bar taken", latency_s=0.25)

    assert written() == [
        {
            "time": "2024-08-05T12:01:00.000Z",
            "level": "info",
            "part": "loop",
            "event": "bar taken",
            "symbol": "BTCUSDT",
            "latency_s": 0.25,
        }
    ]


def test_a_context_is_in_every_line_within(written):
    with bound_context(bundle="v3"):
        get_logger("loop").info("one")
        get_logger("http").info("two")
    get_logger("http").info("three")

    assert [line.get("bundle") for line in written()] == ["v3", "v3", None]


def test_nothing_is_written_before_or_after(clock):
    stream = io.BytesIO()
    get_logger("loop").error("before")
    with logs_to(stream, clock=clock):
        pass
    get_logger("loop").error("after")

    assert stream.getvalue() == b""


def test_a_level_leaves_out_what_is_below(clock):
    stream = io.BytesIO()
    with logs_to(stream, clock=clock, level="warning"):
        get_logger("loop").info("a")
        get_logger("loop").warning("b")

    assert stream.getvalue().count(b"\n") == 1


SECRETS = [
    {"authorization": "hunter2"},
    {"note": "the header was Bearer hunter2"},
    {"headers": [{"X-Api-Key": "hunter2"}]},
    {"raw": b"Authorization: Basic hunter2"},
    {"url": "https://desk:hunter2@example.org/hook"},
    {"url": "https://hunter2@example.org/hook"},
    {"pem": "-----BEGIN EC " + "PRIVATE KEY-----\nhunter2\n-----END"},
    {"nested": {"a": ({"password": "hunter2"},)}},
]


@pytest.mark.parametrize("fields", SECRETS)
def test_no_secret_is_written(written, fields):
    get_logger("http").info("asked", **fields)

    (line,) = written()
    assert "hunter2" not in str(line)


def fail(token):
    raise ValueError(token)


def test_no_token_is_written_wherever_it_is(written, noon):
    key, token = new_key("desk", ("read",), now=noon)
    log = get_logger("http")
    log.info(f"asked with {token}")
    log.bind(given=token).info("asked", deep=[{"a": f"x{token}y"}], other=Exception(token))
    try:
        fail(token)
    except ValueError:
        logging.getLogger("uvicorn.error").exception("failed %s", token)

    assert len(written()) == 3
    assert token.split("_", 2)[2] not in str(written())
    assert key.id in str(written()[0])


def test_a_flood_is_a_few_lines_and_a_count(written, clock):
    log = get_logger("http")
    for n in range(1_000):
        log.warning("refused", n=n)
    get_logger("loop").warning("refused")
    clock.run(seconds=11)
    log.warning("refused")

    lines = written()
    assert [line["n"] for line in lines[:6]] == list(range(6))
    assert lines[6]["part"] == "loop"
    assert lines[7]["repeated"] == 994
    assert len(lines) == 8


def test_every_symbol_is_told_when_the_whole_market_moves(written):
    log = get_logger("loop")
    for n in range(100):
        for side in ("long", "short"):
            log.warning("tier changed", symbol=f"S{n}", side=side)

    assert len(written()) == 200


def test_a_newline_cannot_forge_a_line(written):
    get_logger("http").info("asked", path='/a\n{"level": "error"}')

    assert len(written()) == 1


def test_long_text_is_cut_and_odd_values_are_shown(written):
    get_logger("http").info("asked", path="a" * 100_000, kind=object, gap=float("nan"))

    (line,) = written()
    assert line["path"].endswith("... (100000 characters)")
    assert line["kind"] == "<class 'object'>"
    assert line["gap"] is None


class Unspeakable:
    def __repr__(self):
        raise RuntimeError("no words")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a\udcffb", "a\\udcffb"),
        ({"\udcff": 1}, {"\\udcff": 1}),
        (2**70, hex(2**70)),
        (10**5_000, None),
        (Unspeakable(), "<Unspeakable>"),
        (reduce(lambda inner, _: [inner], range(3_000), 1), None),
        ({(1, 2): {3: "x"}}, {"(1, 2)": {"3": "x"}}),
    ],
    ids=["surrogate", "key", "integer", "huge", "repr", "deep", "keys"],
)
def test_nothing_that_is_logged_can_fail(written, value, shown):
    get_logger("loop").info("odd", value=value)

    (line,) = written()
    assert shown is None or line["value"] == shown


def test_a_record_that_does_not_fit_its_template_is_told(written):
    told = {"name": "library", "levelname": "WARNING", "msg": "%s and %s", "args": ("one",)}
    ours = next(
        h for h in logging.getLogger().handlers if type(h).__module__ == "liqwarn.serving.logs"
    )
    ours.emit(logging.makeLogRecord(told))

    assert [(line["event"], line["message"]) for line in written()] == [
        ("%s and %s", "cannot be formatted: TypeError")
    ]


def test_what_an_object_does_not_show_is_not_written(written):
    get_logger("loop").info("sent", target=WebhookTarget(url="https://desk.example/s3cr3t"))

    assert "s3cr3t" not in str(written())


def test_what_libraries_log_is_in_the_same_shape(written):
    logging.getLogger("uvicorn.error").warning("Invalid %s", "request")

    (line,) = written()
    assert (line["part"], line["level"]) == ("uvicorn.error", "warning")
    assert (line["event"], line["message"]) == ("Invalid %s", "Invalid request")


def test_a_server_that_set_up_its_own_logs_writes_nothing_beside_ours(clock, capfd):
    uvicorn.Config(lambda: None, log_config=uvicorn.config.LOGGING_CONFIG)
    ours, stream = logging.getLogger("uvicorn"), io.BytesIO()
    handlers = ours.handlers[:]
    logging.getLogger("uvicorn.error").disabled = True  # as alembic does to all it finds
    logging.getLogger("uvicorn.error").setLevel("CRITICAL")
    try:
        with logs_to(stream, clock=clock):
            logging.getLogger("uvicorn.error").warning("Invalid request")

        assert ours.handlers == handlers
        assert len(stream.getvalue().splitlines()) == 1
        assert capfd.readouterr() == ("", "")
    finally:
        for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
            one = logging.getLogger(name)
            one.handlers[:], one.propagate, one.disabled = [], True, False
            one.setLevel(logging.NOTSET)


def test_the_handlers_of_others_are_left_as_they_were(clock):
    before = logging.getLogger().handlers[:], logging.getLogger().level
    with logs_to(io.BytesIO(), clock=clock):
        pass

    assert (logging.getLogger().handlers, logging.getLogger().level) == before


def test_a_stream_that_fails_costs_the_line_alone(clock):
    class Full(io.BytesIO):
        def write(self, content):
            raise OSError(28, "No space left on device")

    before = lost_lines()
    with logs_to(Full(), clock=clock):
        get_logger("loop").info("a")
    closed = io.BytesIO()
    with logs_to(closed, clock=clock):
        closed.close()
        get_logger("loop").info("b")

    assert lost_lines() == before + 2
