"""The worker as a process: it may hang, die, talk without end or nonsense; we stay whole."""

import os
import runpy
import time
from pathlib import Path

import pytest

from liqwarn.errors import BusyError, ConfigError, DataError, RefusedError, SourceError
from liqwarn.sources import ccxt_process
from liqwarn.sources.ccxt_process import CcxtProcess
from liqwarn.sources.web import Patience

ENVIRONMENT = runpy.run_path(str(Path(__file__).parent / "ccxt_environment.py"))["Environment"]
ASKED = {"symbol": "BTC/USDT:USDT", "since": 0, "limit": 2, "params": {}}
QUICK = Patience(attempts=3, first_wait_s=1.0, longest_wait_s=1.5)


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    return ENVIRONMENT(tmp_path_factory.mktemp("ccxt") / "env")


@pytest.fixture
def start(environment):
    began, waits = [], []

    def run(exchange="gate", *, python=environment.python, handed=None, **changes):
        environment.tell(**changes.pop("acts", {}))
        made = CcxtProcess(
            python,
            exchange,
            environment=handed or {"PATH": os.environ["PATH"]},
            patience=QUICK,
            sleep=waits.append,
            **changes,
        )
        began.append(made)
        return made

    run.waits = waits
    yield run
    for made in began:
        made.__exit__(None, None, None)


def test_it_answers_with_the_digits_of_the_exchange(start, environment):
    worker = start()

    reply, size = worker.ask("funding", **ASKED)

    assert worker.opened["version"] == "4.5.90"
    assert reply["rows"] == [
        {"timestamp": "0", "fundingRate": "0.000000", "interval": None},
        {"timestamp": "28800000", "fundingRate": "0.000080", "interval": None},
    ]
    assert size > 100
    assert environment.asked == [["funding", "BTC/USDT:USDT", 0, 2, {}]]


def test_it_is_handed_nothing_of_our_environment(start, monkeypatch):
    monkeypatch.setenv("LIQWARN_COINGLASS_KEY", "secret")
    worker = start()

    told = Path(f"/proc/{worker._child.pid}/environ").read_bytes()

    assert b"secret" not in told
    assert b"PYTHONPATH" not in told


def test_it_ends_with_us(start):
    with start() as worker:
        pid = worker._child.pid

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize(
    ("act", "error", "match"),
    [
        ("die", SourceError, r"gate: the ccxt worker died \(code 3\), its last words: .*segmenta"),
        ("kill", SourceError, r"gate: the ccxt worker died \(signal 9\)"),
        ("bad", RefusedError, "gate: refused through ccxt: BadRequest contract not found"),
        ("bug", DataError, "gate: ccxt cannot read its reply: KeyError 'fundingTime'"),
        ("noise", DataError, "reply 2 of the ccxt worker: found b'Warning: old library'"),
        ("endless", DataError, "the ccxt worker says more than 1048576 bytes at once"),
    ],
)
def test_what_it_does_is_told(start, act, error, match, monkeypatch):
    monkeypatch.setattr(ccxt_process, "_REPLY_LIMIT", 1 << 20)
    worker = start(acts={"funding": [act]})

    with pytest.raises(error, match=match):
        worker.ask("funding", **ASKED)


def test_a_worker_that_hangs_is_ended(start):
    worker = start(acts={"funding": ["hang"]}, reply_s=2.0)
    began = time.monotonic()

    with pytest.raises(SourceError, match="said nothing for 2 s and was ended, its last words: a"):
        worker.ask("funding", **ASKED)
    assert time.monotonic() - began < 10
    with pytest.raises(SourceError, match=r"the ccxt worker died \(signal 9\)"):
        worker.ask("funding", **ASKED)


@pytest.mark.parametrize(
    ("script", "match"),
    [
        ("setsid sleep 20 >&- & exit 3", r"the ccxt worker died \(code 3\)"),
        ("exec >&-; echo bye >&2; exec sleep 20", "closed its output and was ended, .*: bye"),
        ("exec >&-; exec yes >&2", "closed its output and was ended, its last words: .*y y"),
    ],
)
@pytest.mark.timeout(30)
def test_another_program_that_leaves_its_pipes_open_is_not_waited_for(
    start, tmp_path, script, match
):
    other = tmp_path / "other"
    other.write_text(f"#!/bin/sh\n{script}\n")
    other.chmod(0o700)
    began = time.monotonic()

    with pytest.raises(SourceError, match=match):
        start(python=other)
    assert time.monotonic() - began < 10


def test_one_that_talks_a_lot_on_standard_error_is_listened_to(start):
    worker = start(acts={"funding": ["chatter"]})

    assert len(worker.ask("funding", **ASKED)[0]["rows"]) == 2
    assert len(worker._tail) <= 800


def test_what_passes_is_asked_again_with_growing_waits(start):
    worker = start(acts={"funding": ["busy", "busy"]})

    assert worker.ask("funding", **ASKED)[0]["told"] == "rows"
    assert start.waits == [1.0, 1.5]

    worker = start(acts={"funding": ["busy"] * 3})
    with pytest.raises(BusyError, match="asked 3 times through ccxt, the last: RateLimitExceeded"):
        worker.ask("funding", **ASKED)


def test_there_must_be_a_python_a_ccxt_and_an_exchange(start, tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere: cannot be run \(No such file.*pip install"):
        start(python=tmp_path / "nowhere")
    bare = ENVIRONMENT(tmp_path / "bare", ccxt=False)
    with pytest.raises(ConfigError, match=r"does not have it \(ModuleNotFoundError .*pip install"):
        start(python=bare.python)
    with pytest.raises(ConfigError, match="exchange is 'nosuch', expected one of gate, okx"):
        start("nosuch")


def test_a_market_that_is_none_is_told_with_some(start):
    with pytest.raises(RefusedError, match="no such market, expected one such as BTC/USD:BTC, BTC"):
        start().ask("market", symbol="DOGE/USDT:USDT")


REPLIES = [
    (b"", "found nothing, expected JSON"),
    (b"<html>", "a page of HTML or XML"),
    (b"[]", r"found \[\], expected an object"),
    (b'{"schema": "liqwarn-ccxt-1", "id": 2', "cut short"),
    (b'{"schema": "liqwarn-ccxt-2", "id": 2, "told": "rows"}', "'schema': found 'liqwarn-ccxt-2'"),
    (b'{"id": 2, "told": "rows"}', "field 'schema': found null"),
    (b'{"schema": "liqwarn-ccxt-1", "id": 1, "told": "rows"}', "field 'id': found 1, expected 2"),
    (b'{"schema": "liqwarn-ccxt-1", "id": "x", "told": "rows"}', "field 'id': found 'x'"),
    (b'{"schema": "liqwarn-ccxt-1", "told": "rows"}', "field 'id': found null"),
    (b'{"schema": "liqwarn-ccxt-1", "id": 2, "told": NaN}', "found NaN, expected a finite"),
    (b'{"schema": "liqwarn-ccxt-1", "id": 2, "told": null}', "field 'told': found null"),
    (b'{"schema": "liqwarn-ccxt-1", "id": 2, "id": 2}', "field 'id' is there twice"),
]


@pytest.mark.parametrize(("line", "match"), REPLIES)
def test_a_reply_that_is_none_is_refused(start, monkeypatch, line, match):
    worker = start()
    monkeypatch.setattr(worker, "_line", lambda _: line)

    with pytest.raises(DataError, match=match):
        worker.ask("funding", **ASKED)


def test_the_way_to_install_it_is_in_the_pages():
    root = Path(__file__).parents[2]

    assert ccxt_process.INSTALL in (root / "docs" / "fetch.md").read_text()
