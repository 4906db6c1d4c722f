"""Collecting as a whole: folder, lock, status file, end."""

import json
import runpy
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from liqwarn.collectors.session_manners import Manners
from liqwarn.errors import ConfigError, StoreError
from liqwarn.pipelines.collect import CollectJob, collect

HERE = Path(__file__).parents[1] / "collectors"
_TINY = runpy.run_path(str(HERE / "tiny_venue.py"))
_FAKE = runpy.run_path(str(HERE / "fake_venue.py"))
_GIVEN = runpy.run_path(str(HERE / "collect_given.py"))
TinyVenue, FakeVenue, taped = _TINY["TinyVenue"], _FAKE["FakeVenue"], _GIVEN["taped"]


@pytest.fixture
def server():
    with FakeVenue() as running:
        running.pages["/oi"] = (200, b'{"k":"oi","s":"BTCUSDT","T":1780000000000,"p":5.0}')
        yield running


@pytest.fixture
def job(server, tmp_path):
    return CollectJob(
        venues=("tiny",),
        symbols=("BTCUSDT",),
        kinds=("liquidation", "mark", "open_interest", "depth"),
        out=tmp_path / "tape",
        sockets={"tiny": server.sockets},
        http={"tiny": server.http},
        for_s=1.0,
        sample_s=0.1,
        sync_s=0.05,
        status_s=0.1,
        manners=Manners(first_wait_s=0.05),
        known={"tiny": TinyVenue()},
    )


def liq(n):
    return {"k": "liq", "s": "BTCUSDT", "T": 1_780_000_000_000, "side": "long", "p": 1, "n": n}


def test_what_comes_is_on_the_tape_and_the_status_says_so(server, job):
    states = []

    def tell(state):
        states.append(state)
        json.dumps(state.to_dict())
        if len(states) == 2:
            server.do(server.tell, "/forced", liq(1))

    done = collect(job, on_state=tell)
    status = json.loads((job.out / "status.json").read_bytes())

    frames = [r.content for r in taped(job.out, "tiny", "frame")]
    assert frames[0] == b'{"k":"sizes"}'
    assert b'"n": 1' in frames[1]
    assert done.lost == []
    assert status["schema"] == "liqwarn.collect/1"
    assert status["venues"]["tiny"]["happenings"] == {"liquidation": 1, "reading": 1}
    assert status["venues"]["tiny"]["polls"]["oi"]["frames"] == 1
    assert len(states) > 4
    assert "2 lines" in done.to_line()
    assert "stopped" in done.to_line()
    assert "liquidation 1, reading 1" in done.to_line()


def test_one_collector_writes_a_folder(server, job):
    began, told = threading.Event(), []
    other = threading.Thread(
        target=lambda: told.append(collect(job, on_state=lambda _: began.set()))
    )
    other.start()
    try:
        assert began.wait(10)
        with pytest.raises(StoreError, match="another collector is writing there"):
            collect(job, on_state=lambda _: None)
    finally:
        other.join()
    assert told[0].lost == []


def test_a_venue_that_never_came_is_among_what_was_lost(server, job):
    server.handshake = 403

    done = collect(job, on_state=lambda _: None)

    assert len(done.lost) == 2
    assert "forced was never connected (status 403 instead of a socket)" in done.lost[0]


def test_all_faults_of_what_is_asked_for_are_told_together(job):
    wrong = replace(
        job,
        venues=("tiny", "tinny"),
        symbols=(),
        kinds=("depth", "everything"),
        sockets={"tiny": "http://x"},
        sample_s=0.0,
    )

    with pytest.raises(ConfigError) as caught:
        collect(wrong, on_state=lambda _: None)

    told = str(caught.value).splitlines()
    assert [line.split(" ")[0] for line in told] == [
        "symbols:", "kind", "venue", "tiny", "address", "a",
    ]  # fmt: skip


def test_a_folder_that_cannot_be_is_refused(job, tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(ConfigError, match="is a file, expected a folder"):
        collect(replace(job, out=tmp_path / "file" / "tape"), on_state=lambda _: None)
