"""Damaged bundles, killed releases, swaps under load. LIQWARN_FAULTS=full runs the full counts."""

import os
import runpy
import shutil
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from liqwarn.models.bundle import load_bundle
from liqwarn.models.signed_bundle import BUNDLE, sign_bundle, verify_bundle
from liqwarn.serving.bundles import BundleHolder
from liqwarn.serving.canary import canary
from liqwarn.serving.clock import SystemClock
from liqwarn.serving.releases import pointed, release
from liqwarn.signing import generate_key

FULL = os.environ.get("LIQWARN_FAULTS") == "full"
DAMAGED = 1_000 if FULL else 40
SIGNED_DAMAGE = 100 if FULL else 2
KILLS = 200 if FULL else 8
SWAPS = 100 if FULL else 12
REQUESTS = 10_000 if FULL else 300
SERVING = Path(__file__).parents[1] / "serving"
damage = runpy.run_path(str(SERVING / "bundle_damage.py"))
KEY, STRANGER = generate_key(), generate_key()
CLOCK = SystemClock()


def good(_):
    return None


@pytest.fixture(scope="module")
def signed(small_bundle_folder, tmp_path_factory):
    folder = shutil.copytree(small_bundle_folder, tmp_path_factory.mktemp("signed") / "good")
    sign_bundle(folder, KEY)
    return folder


@pytest.fixture
def asked():
    return []


@pytest.fixture
def serving(signed, asked):
    """A holder that serves the good bundle, and counts its canaries."""

    def counted(verified):
        asked.append(verified.id)
        return canary(verified)

    holder = BundleHolder((KEY.public,), clock=CLOCK, check=counted)
    assert holder.offer(signed).accepted
    asked.clear()
    return holder


def files_of(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def flip(folder, rng):
    path = rng.choice(files_of(folder))
    content = bytearray(path.read_bytes())
    content[rng.integers(len(content))] ^= 1 << int(rng.integers(8))
    path.write_bytes(content)


def cut(folder, rng):
    path = rng.choice(files_of(folder))
    os.truncate(path, int(rng.integers(path.stat().st_size)))


def lengthen(folder, rng):
    with rng.choice(files_of(folder)).open("ab") as stream:
        stream.write(rng.bytes(int(rng.integers(1, 100))))


def remove(folder, rng):
    rng.choice(files_of(folder)).unlink()


def add(folder, rng):
    (folder / rng.choice(["", "model", "training"]) / f"extra{rng.integers(9)}").touch()


def link(folder, rng):
    path = rng.choice(files_of(folder))
    moved = path.rename(folder.parent / f"{folder.name}-{path.name}")
    path.symlink_to(moved)


def exchange(folder, rng):
    one, two = rng.choice(files_of(folder), 2, replace=False)
    content = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(content)


def unsigned(folder, rng):
    (folder / BUNDLE).unlink()


def stranger(folder, rng):
    sign_bundle(folder, STRANGER)


HOW = (flip, flip, flip, cut, cut, lengthen, remove, add, link, exchange, unsigned, stranger)


def test_no_damaged_or_unsigned_bundle_is_loaded(serving, signed, asked, tmp_path):
    rng = np.random.default_rng(11)
    before = serving.current()
    for k in range(DAMAGED):
        folder = shutil.copytree(signed, tmp_path / f"{k}")
        how = HOW[k % len(HOW)]
        how(folder, rng)

        verdict = serving.offer(folder)

        assert not verdict.accepted, (how.__name__, folder)
        assert verdict.reason
        assert serving.current() is before
        assert asked == []  # it did not get as far as being parsed, even in a child
        shutil.rmtree(folder)


def flip_text(files, rng, trees):
    name = rng.choice(trees)
    content = bytearray(files[name])
    for _ in range(int(rng.integers(1, 4))):
        content[rng.integers(len(content))] = rng.choice(list(b"0123456789-. e"))
    files[name] = bytes(content)


@pytest.mark.timeout(3600)  # a child process a bundle
def test_damage_that_was_signed_never_reaches_the_server(serving, signed, tmp_path):
    """Cut texts are refused; edited ones may score the same, and then they may serve."""
    rng = np.random.default_rng(12)
    trees = [path.name for path in signed.glob("model/*.txt")]
    rows = serving.current().bundle.probes.rows
    refused = 0
    for k in range(SIGNED_DAMAGE):
        before = serving.current()
        folder = shutil.copytree(signed, tmp_path / f"{k}")
        cuts = k % 2 == 0
        if cuts:
            damage["cut_tree"](folder, KEY, share=rng.uniform(0.02, 0.999), name=rng.choice(trees))
        else:
            damage["rewrite"](folder, KEY, lambda files: flip_text(files, rng, trees))

        verdict = serving.offer(folder)

        if verdict.accepted:
            assert not cuts
            np.testing.assert_array_equal(
                serving.current().bundle.model.raw(rows), before.bundle.probes.raw
            )
            assert serving.offer(signed).accepted
        else:
            assert serving.current() is before
            assert verdict.reason.startswith(("the canary", "loaded here"))
            assert "did not answer" not in verdict.reason
            refused += 1
    print(f"{refused} of {SIGNED_DAMAGE} refused, the others score the same")


def test_a_release_killed_at_any_moment_leaves_the_pointer_on_a_whole_bundle(
    small_bundle_folder, tmp_path
):
    """A releaser a kill, at a random moment of its first releases."""
    rng = np.random.default_rng(13)
    releases = tmp_path / "releases"
    began = time.perf_counter()
    release(small_bundle_folder, releases, KEY, version="0", check=good)
    length = max(time.perf_counter() - began, 0.02)
    seen = set()
    for k in range(KILLS):
        child = os.fork()
        if child == 0:
            try:
                for n in range(100):
                    release(small_bundle_folder, releases, KEY, version=f"{k}.{n}", check=good)
            finally:
                os._exit(1)
        time.sleep(rng.uniform(0.0, 2.5 * length))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert os.WTERMSIG(status) == signal.SIGKILL

        folder = pointed(releases)
        seen.add(verify_bundle(folder, (KEY.public,)).version)
    assert len(seen) > KILLS // 4  # it was killed on both sides of the pointer's change
    assert release(small_bundle_folder, releases, KEY, version="z", check=good).id.version == "z"
    assert not list(releases.glob(".incoming-*"))


def test_every_answer_under_load_is_of_exactly_one_bundle(small_bundle_folder, signed, tmp_path):
    """Threads score while the bundle is swapped; each names the bundle that it took."""
    other = tmp_path / "other"
    runpy.run_path(str(SERVING.parent / "models" / "small_bundle.py"))["save_small_bundle"](
        other, 5
    )
    sign_bundle(other, KEY)
    rows = np.random.default_rng(14).normal(
        size=(3, len(load_bundle(other, version="").model.names_))
    )
    expected = {
        verify_bundle(folder, (KEY.public,)).sha256: load_bundle(folder, version="").model.raw(rows)
        for folder in (signed, other)
    }
    one, two = expected.values()
    assert not np.array_equal(one, two)
    holder = BundleHolder((KEY.public,), clock=CLOCK, check=good)
    holder.offer(signed)
    answers, stop = [], threading.Event()

    def ask():
        while not stop.is_set():
            loaded = holder.current()
            raw = loaded.bundle.model.raw(rows)
            answers.append((loaded.id.sha256, loaded.bundle.stamp.sha256, raw))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    swapped = 0
    while swapped < SWAPS or len(answers) < REQUESTS:
        assert holder.offer((other, signed)[swapped % 2]).accepted
        swapped += 1
        time.sleep(0.01)
    stop.set()
    for thread in threads:
        thread.join()

    assert {digest for digest, _, _ in answers} == set(expected)
    assert len({(digest, model) for digest, model, _ in answers}) == 2
    for digest, _, raw in answers:
        np.testing.assert_array_equal(raw, expected[digest])
    print(f"{len(answers)} answers over {swapped} swaps")
