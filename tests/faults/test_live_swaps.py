"""Models swapped under load, over HTTP: every reply is of exactly one of them, flags and scores.

``LIQWARN_FAULTS=full`` runs the counts that docs/faults.md reports.
"""

import http.client
import math
import os
import random
import runpy
import socket
import threading
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
import uvicorn

from liqwarn.decisions import iso_utc
from liqwarn.models.boosting import BoostSettings
from liqwarn.models.bundle import load_bundle
from liqwarn.pipelines.train import TrainOrder, fit_bundle
from liqwarn.serving.app import create_app
from liqwarn.serving.bundles import BundleHolder
from liqwarn.serving.clock import SystemClock
from liqwarn.serving.held_models import HeldModels
from liqwarn.serving.live_views import HeldScorer
from liqwarn.serving.ports import Sources
from liqwarn.serving.shelf import FlagShelf

FULL = os.environ.get("LIQWARN_FAULTS") == "full"
SWAPS = 100 if FULL else 6
REQUESTS = 10_000 if FULL else 200
GIVEN = runpy.run_path(str(Path(__file__).parent / "live_given.py"))
at, bars_of, history = GIVEN["at"], GIVEN["bars_of"], GIVEN["history"]
OTHER = BoostSettings(
    milder_trees=5, onset_trees=3, learning_rate=0.3, min_rows=40, min_hessian=0.1, l2=1.0
)
SIDES = ("long", "short")


@pytest.fixture(scope="module")
def folders(study, bundle_folder, tmp_path_factory):
    """Two models of the same market."""
    other = tmp_path_factory.mktemp("other") / "two"
    until = at(study.market.frame.times[-1]) - timedelta(days=70)
    fit_bundle(study, (), TrainOrder(until=until, seed=5, settings=OTHER), other)
    return bundle_folder, other


def hold(folder):
    holder = BundleHolder((), clock=SystemClock(), unsigned=True, check=lambda _: None)
    assert holder.offer(folder).accepted
    return holder


@pytest.fixture
def listening():
    """Serve an application on loopback; gives its port."""
    running = []

    def serve(app):
        probe = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [probe]}, daemon=True)
        thread.start()
        running.append((server, thread, probe))
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.005)
        return probe.getsockname()[1]

    yield serve
    for server, thread, probe in running:
        server.should_exit = True
        thread.join(20)
        probe.close()


def expected_flags(begun, folder, place):
    """What one model says of every bar, never swapped."""
    models = HeldModels(hold(folder))
    service, parts, frame = begun(place, bars=SWAPS, models=models)
    for time_, messages in bars_of(frame, random.Random(3)):
        parts.feed.put_bar(time_, messages)
    parts.feed.end = True
    service.start()
    assert service.ended.wait(300)
    service.stop()
    table = history(parts.folder)
    return {(iso_utc(t), s, side): p for (t, s, side), p in table["p_4h"].items()}


def stamp_of(said):
    return said["model"]["version"], said["model"]["sha256"]


class Asker(threading.Thread):
    """Asks for scores and flags in turn, and keeps what it is told."""

    def __init__(self, port, body, stop):
        super().__init__(daemon=True)
        self._link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._body, self._stop_ = body, stop
        self.scores, self.flags, self.statuses = [], [], Counter()

    def run(self):
        while not self._stop_.is_set():
            said = self._ask("POST", "/v1/score", self._body)
            self.scores.append((stamp_of(said), said["rows"]))
            self.flags += self._ask("GET", "/v1/flags", None)["flags"]
            self.flags.append(self._ask("GET", "/v1/flags/BTCUSDT", None))
        self._link.close()

    def _ask(self, method, path, body):
        self._link.request(method, path, body)
        answer = self._link.getresponse()
        content = answer.read()
        self.statuses[answer.status] += 1
        assert answer.status == 200, content
        return orjson.loads(content)


@pytest.mark.timeout(3_000)
def test_every_reply_is_of_one_model_while_they_are_swapped(
    begun, folders, listening, tmp_path, policy
):
    names = list(load_bundle(folders[0], version="").model.names_)
    rows = [[random.Random(n).gauss(0, 1) for _ in names] for n in range(3)]
    body = orjson.dumps({"names": names, "rows": rows})
    flags = {}
    for n, folder in enumerate(folders):
        stamp = hold(folder).current().bundle.stamp
        flags[stamp.version, stamp.sha256] = expected_flags(begun, folder, tmp_path / str(n))
    assert len(flags) == 2
    scores = {}
    for folder in folders:
        only = Sources(scorer=HeldScorer(hold(folder)))
        alone = create_app(FlagShelf(), policy=policy, clock=SystemClock(), sources=only)
        asker = Asker(listening(alone), body, threading.Event())
        said = asker._ask("POST", "/v1/score", body)
        scores[stamp_of(said)] = said["rows"]
        asker._link.close()
    assert scores.keys() == flags.keys()
    assert len({str(one) for one in scores.values()}) == 2

    holder = hold(folders[0])
    service, parts, frame = begun(tmp_path / "live", bars=SWAPS, models=HeldModels(holder))
    sources = Sources(scorer=HeldScorer(holder))
    app = create_app(parts.shelf, policy=parts.policy, clock=parts.clock, sources=sources)
    service.start()
    bars = bars_of(frame, random.Random(3))
    parts.feed.put_bar(*next(bars))
    parts.feed.drained()
    stop = threading.Event()
    port = listening(app)
    askers = [Asker(port, body, stop) for _ in range(4)]
    for asker in askers:
        asker.start()
    swapped = 0
    while swapped < SWAPS or asked(askers) < REQUESTS:
        assert holder.offer(folders[(swapped + 1) % 2]).accepted
        swapped += 1
        bar = next(bars, None)
        if bar is not None:
            parts.feed.put_bar(*bar)
            parts.feed.drained()
        while asked(askers) < REQUESTS * min(1.0, swapped / SWAPS):
            assert all(asker.is_alive() for asker in askers)
            time.sleep(0.002)
    stop.set()
    for asker in askers:
        asker.join(60)
    service.stop()
    check(askers, scores, flags, swapped)


def asked(askers):
    return sum(sum(asker.statuses.values()) for asker in askers)


def check(askers, scores, flags, swapped):
    seen, by_bar = Counter(), {}
    for asker in askers:
        for stamp, rows in asker.scores:
            assert rows == scores[stamp]
            seen["scores by", stamp[0]] += 1
        for flag in asker.flags:
            stamp, moment = stamp_of(flag), flag["as_of"]
            by_bar.setdefault(moment, set()).add(stamp)
            for side in SIDES:
                told = flag["sides"][side]["p_4h"]
                expected = flags[stamp][moment, flag["symbol"], side]
                assert told == expected or (told is None and math.isnan(expected))
            seen["flags by", stamp[0]] += 1
    assert all(len(stamps) == 1 for stamps in by_bar.values())
    assert len(seen) == 4
    print(f"{asked(askers)} requests over {swapped} swaps: {dict(seen)}")
