"""The pointer is followed; a bad release changes nothing, before a restart and after."""

import shutil
import threading

import orjson
import pytest

from liqwarn.errors import ModelError
from liqwarn.serving.bundle_watch import LAST_GOOD, BundleWatch
from liqwarn.serving.bundles import BundleHolder
from liqwarn.serving.clock import SystemClock
from liqwarn.serving.releases import POINTER, point, release
from liqwarn.signing import generate_key

KEY = generate_key()


class Site:
    """A folder of releases, and servers that start from it."""

    def __init__(self, source, folder, clock):
        self.source, self.folder, self.clock = source, folder / "releases", clock
        self.state = folder / "state"
        self.refuses, self.asked = set(), 0

    def check(self, verified):
        self.asked += 1
        return "it sang" if verified.id.version in self.refuses else None

    def release(self, version):
        done = release(self.source, self.folder, KEY, version=version, check=lambda _: None)
        return done.folder

    def server(self):
        holder = BundleHolder((KEY.public,), clock=self.clock, check=self.check)
        watch = BundleWatch(holder, self.folder, state=self.state, clock=self.clock)
        return holder, watch


@pytest.fixture
def site(small_bundle_folder, tmp_path, clock):
    return Site(small_bundle_folder, tmp_path, clock)


def test_a_new_release_is_taken_at_the_next_look(site, clock):
    site.release("1")
    holder, watch = site.server()
    (started,) = watch.start()
    assert started.accepted
    site.release("2")

    assert watch.look() is None  # too soon
    clock.run(seconds=5)
    assert watch.look().id.version == "2"
    clock.run(seconds=5)
    assert watch.look() is None  # nothing changed
    assert holder.current().id.version == "2"
    assert watch.fault is None


def test_a_bad_release_is_told_once_and_the_old_one_serves(site, clock):
    site.release("1")
    holder, watch = site.server()
    watch.start()
    site.refuses = {"2"}
    bad = site.release("2")
    site.asked = 0

    told = []
    for _ in range(5):
        clock.run(seconds=5)
        told.append(watch.look())

    assert [verdict is not None for verdict in told] == [True, False, False, False, False]
    assert site.asked == 1
    assert holder.current().id.version == "1"
    assert watch.fault == f"{bad}: it sang"


def test_pointing_anew_asks_again(site, clock):
    site.release("1")
    holder, watch = site.server()
    watch.start()
    site.refuses = {"2"}
    bad = site.release("2")
    clock.run(seconds=5)
    watch.look()
    site.refuses = set()

    clock.run(seconds=5)
    assert watch.look() is None
    point(site.folder, bad.name)
    clock.run(seconds=5)
    assert watch.look().accepted
    assert holder.current().id.version == "2"
    assert watch.fault is None


def test_a_restart_does_not_need_the_newest_one_to_be_good(site):
    good = site.release("1")
    site.server()[1].start()
    site.refuses = {"2"}
    site.release("2")

    holder, watch = site.server()
    refused, kept = watch.start()

    assert (refused.accepted, kept.accepted) == (False, True)
    assert holder.current().id.version == "1"
    assert watch.fault.endswith("it sang")
    assert orjson.loads((site.state / LAST_GOOD).read_bytes())["folder"] == str(good)
    for broken in (site.folder / POINTER).unlink, (site.folder / POINTER).mkdir:
        broken()
        holder, watch = site.server()
        assert [verdict.accepted for verdict in watch.start()] == [True]
        assert "current" in watch.fault


def test_without_any_good_bundle_there_is_no_start(site):
    with pytest.raises(ModelError, match=r"no bundle to start with: no release: .*current"):
        site.server()[1].start()
    site.refuses = {"1"}
    folder = site.release("1")
    with pytest.raises(ModelError, match=rf"no bundle to start with: {folder}: it sang"):
        site.server()[1].start()


@pytest.mark.parametrize("content", [b"", b"[]", b'{"folder": 3}', b'{"folder": "/nowhere"}'])
def test_a_memory_that_says_nothing_is_no_memory(site, content):
    site.refuses = {"1"}
    site.release("1")
    site.state.mkdir()
    (site.state / LAST_GOOD).write_bytes(content)

    with pytest.raises(ModelError, match="no bundle to start with"):
        site.server()[1].start()


def test_a_memory_that_cannot_be_written_is_told_and_the_bundle_serves(site):
    site.release("1")
    site.state.write_bytes(b"a file where a folder should be")
    holder, watch = site.server()

    watch.start()

    assert holder.current().id.version == "1"
    assert "cannot be remembered" in watch.fault


def test_releases_that_vanish_change_nothing(site, clock):
    site.release("1")
    holder, watch = site.server()
    watch.start()
    shutil.rmtree(site.folder)

    clock.run(seconds=5)

    assert watch.look() is None
    assert "no release" in watch.fault
    assert holder.current().id.version == "1"


def test_a_thread_follows_until_it_is_told_to_stop(site):
    site.clock = SystemClock()
    site.release("1")
    holder = BundleHolder((KEY.public,), clock=site.clock, check=site.check)
    watch = BundleWatch(holder, site.folder, state=site.state, clock=site.clock, every_s=0.02)
    stop, seen, told = threading.Event(), threading.Event(), []

    def tell(verdict):
        told.append(verdict.id.version)
        seen.set()

    thread = threading.Thread(target=watch.run, args=(stop, tell))
    thread.start()
    assert seen.wait(20)
    stop.set()
    thread.join(20)
    assert not thread.is_alive()
    assert holder.current().id.version == "1"
    assert told == ["1"]


def test_who_is_told_cannot_end_the_following(site):
    holder = BundleHolder((KEY.public,), clock=SystemClock(), check=site.check)
    watch = BundleWatch(holder, site.folder, state=site.state, clock=SystemClock(), every_s=0.01)
    site.release("1")
    watch.start()
    stop, heard = threading.Event(), threading.Event()

    def tell(verdict):
        if verdict.id.version == "2":
            site.release("3")
            raise RuntimeError("deaf")
        heard.set()

    site.release("2")
    thread = threading.Thread(target=watch.run, args=(stop, tell), daemon=True)
    thread.start()

    assert heard.wait(10)
    assert holder.current().id.version == "3"
    stop.set()
    thread.join(5)
