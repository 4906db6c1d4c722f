"""One bundle serves; whatever is offered, it is either better or refused."""

import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from liqwarn.errors import ConfigError, ModelError
from liqwarn.models.bundle import load_bundle
from liqwarn.models.signed_bundle import BUNDLE, sign_bundle
from liqwarn.serving.bundles import BundleHolder
from liqwarn.serving.canary import CanaryLimits
from liqwarn.signing import generate_key, save_verify_key

damage = runpy.run_path(str(Path(__file__).with_name("bundle_damage.py")))
ROOT = Path(__file__).parents[2]
KEY = generate_key()
POLICY = (ROOT / "conf" / "policy.yaml").read_bytes()


class Canary:
    """Says what it is told, and remembers what it was asked."""

    def __init__(self, says=None):
        self.says, self.asked = says, []

    def __call__(self, verified):
        self.asked.append(verified.id.version)
        return self.says


@pytest.fixture
def signed(small_bundle_folder, tmp_path):
    def make(name, **given):
        folder = shutil.copytree(small_bundle_folder, tmp_path / name)
        sign_bundle(folder, KEY, **given)
        return folder

    return make


@pytest.fixture
def check():
    return Canary()


@pytest.fixture
def holder(clock, check):
    return BundleHolder((KEY.public,), clock=clock, check=check)


def test_nothing_serves_before_the_first_offer(holder, tmp_path):
    with pytest.raises(ModelError, match="no bundle is loaded yet"):
        holder.current()
    verdict = holder.offer(tmp_path / "none")
    assert not verdict.accepted
    assert verdict.id is None
    assert "cannot be opened" in verdict.reason


def test_a_good_bundle_is_used_as_it_was_saved(holder, signed, check, clock):
    folder = signed("seven", policy=POLICY)

    verdict = holder.offer(folder)

    assert verdict.accepted
    loaded = holder.current()
    assert verdict.id == loaded.id
    assert loaded.id.version == loaded.bundle.stamp.version == "seven"
    assert loaded.policy.sha256
    assert check.asked == ["seven"]
    assert verdict.to_dict()["at"] == "2024-08-05T12:01:00.000Z"
    rows = np.random.default_rng(1).normal(size=(9, len(loaded.bundle.model.names_)))
    saved = load_bundle(folder, version="x").model
    np.testing.assert_array_equal(loaded.bundle.model.raw(rows), saved.raw(rows))


def test_only_a_canary_beside_a_bundle_in_use_gives_way(signed, clock, monkeypatch):
    given = []
    monkeypatch.setattr(
        "liqwarn.serving.bundles.canary", lambda _, limits: given.append(limits.nice)
    )
    holder = BundleHolder((KEY.public,), clock=clock)

    holder.offer(signed("one"))
    holder.offer(signed("two"))

    assert given == [0, CanaryLimits().nice]


def test_a_swap_leaves_what_a_request_holds(holder, signed):
    holder.offer(signed("one"))
    held = holder.current()

    assert holder.offer(signed("two")).accepted

    assert held.id.version == "one"
    assert holder.current().id.version == "two"
    assert held.policy is None


def test_a_refused_bundle_leaves_the_old_one_and_is_not_judged_again(signed, check, holder):
    holder.offer(signed("one"))
    bad = signed("bad")
    check.says = "the canary was killed by SIGSEGV"

    refused = holder.offer(bad)

    assert (refused.accepted, refused.reason) == (False, "the canary was killed by SIGSEGV")
    assert refused.id.version == "bad"
    assert holder.current().id.version == "one"
    assert holder.offer(bad) is refused
    assert check.asked == ["one", "bad"]
    assert holder.verdicts()[-1] is refused


def test_a_refused_bundle_is_judged_again_when_it_changed_or_somebody_asks(signed, check, holder):
    bad, check.says = signed("bad"), "no"
    refused = holder.offer(bad)
    check.says = None

    assert holder.offer(bad) is refused
    assert holder.offer(bad, again=True).accepted
    other = signed("other")
    (other / "extra").touch()
    assert "besides what is signed: 'extra'" in holder.offer(other).reason
    (other / "extra").unlink()
    assert holder.offer(other).accepted


def test_the_bundle_in_use_is_not_loaded_twice(signed, check, holder):
    folder = signed("one")
    first = holder.offer(folder)
    loaded = holder.current()

    assert holder.offer(folder) is first
    assert holder.offer(shutil.copytree(folder, folder.with_name("copy"))).accepted
    assert holder.current() is loaded
    assert check.asked == ["one"]


def test_going_back_to_an_earlier_bundle_is_a_swap(signed, holder):
    one, two = signed("one"), signed("two")
    for folder in (one, two, one):
        assert holder.offer(folder).accepted
        assert holder.current().id.version == folder.name


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (lambda f: (f / BUNDLE).unlink(), "is unsigned"),
        (lambda f: sign_bundle(f, generate_key()), "unknown key"),
        (lambda f: damage["other_leaf"](f, KEY), "loaded here it answers otherwise"),
        (lambda f: sign_bundle(f, KEY, policy=b"a: 1\n"), "policy.yaml: policy has"),
    ],
    ids=["unsigned", "stranger", "scores", "policy"],
)
def test_what_is_wrong_is_told(signed, holder, wrong, why):
    folder = signed("b")
    wrong(folder)

    assert why in holder.offer(folder).reason


def test_a_bundle_that_does_not_fit_here_is_refused(signed, clock):
    holder = BundleHolder(
        (KEY.public,), clock=clock, check=Canary(), fits=lambda b: f"{b.id.version} is too new"
    )

    assert holder.offer(signed("next")).reason == "next is too new"


def test_a_bug_that_a_bundle_hits_leaves_the_old_one(signed, clock):
    def breaks(_):
        raise ZeroDivisionError("by chance")

    holder = BundleHolder((KEY.public,), clock=clock, check=breaks)

    assert holder.offer(signed("b")).reason == "ZeroDivisionError: by chance"


def test_unsigned_bundles_only_where_somebody_said_so(small_bundle_folder, clock):
    with pytest.raises(ConfigError, match="no key to verify bundles with"):
        BundleHolder((), clock=clock)
    holder = BundleHolder((), clock=clock, unsigned=True, check=Canary())

    assert holder.offer(small_bundle_folder).accepted
    assert holder.current().id.key is None


def test_only_the_last_verdicts_are_remembered(holder, tmp_path):
    for k in range(80):
        holder.offer(tmp_path / str(k))

    assert len(holder.verdicts()) == 64
    assert holder.verdicts()[-1].folder.endswith("79")


SERVE = """
import pickle, sys, pickletools, _pickle
class Refused:
    def __init__(self, *a, **k): raise AssertionError("something unpickles")
def refuse(*a, **k): raise AssertionError("something unpickles")
def numba_alone(real):
    def call(*a, **k):
        of_numba = sys._getframe(1).f_globals["__name__"].startswith("numba.")
        return real(*a, **k) if of_numba else refuse()
    return call
read, reads = numba_alone(pickle.load), numba_alone(pickle.loads)
for module in (pickle, _pickle):
    module.load, module.loads = read, reads
    module.Unpickler = Refused
pickle._loads = pickle._load = refuse
from pathlib import Path
from liqwarn.serving.bundle_watch import BundleWatch
from liqwarn.serving.bundles import BundleHolder
from liqwarn.serving.clock import SystemClock
from liqwarn.signing import load_verify_keys
folder, keys = map(Path, sys.argv[1:])
holder = BundleHolder(load_verify_keys(keys), clock=SystemClock())
verdict = holder.offer(folder)
assert verdict.accepted, verdict
bundle = holder.current().bundle
bundle.model.predict_proba(bundle.probes.rows)
bundle.model.contributions(bundle.probes.rows)
bundle.model.novelty_.describe(bundle.probes.rows)
roots = {name.split(".")[0] for name in sys.modules}
assert not roots & {"mlflow", "dask", "skops", "dill"}, roots
print("served")
"""


def test_no_mlflow_and_no_unpickling_on_the_way_to_a_score(signed, tmp_path):
    """In a fresh interpreter in which every way to unpickle raises; the canary is the real one.

    numba reads its own cache of compiled functions, which lies with the installed package; nobody
    else may.
    """
    save_verify_key(KEY.public, tmp_path / "key.pem")
    words = [sys.executable, "-I", "-c", SERVE, signed("b", policy=POLICY), tmp_path / "key.pem"]

    done = subprocess.run(words, capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr, done.returncode) == ("served\n", "", 0)


def test_the_files_of_the_bundle_in_use_are_read_again(signed, holder):
    assert holder.fault() is None
    folder = signed("b", policy=POLICY)
    assert holder.offer(folder).accepted
    assert holder.fault() is None

    path = next(one for one in sorted((folder / "model").rglob("*")) if one.is_file())
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert path.name in holder.fault()
    path.write_bytes(whole)
    assert holder.fault() is None
    shutil.rmtree(folder)
    assert holder.fault() is None
    folder.mkdir()  # where a share was mounted
    assert holder.fault() is None


def test_a_changed_bundle_is_found_although_it_was_offered_again_and_refused(signed, holder):
    """Whoever follows the releases offers what changed within seconds."""
    folder = signed("b", policy=POLICY)
    holder.offer(folder)
    path = next(one for one in sorted((folder / "model").rglob("*")) if one.is_file())
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))

    assert not holder.offer(folder).accepted

    assert path.name in holder.fault()
    path.write_bytes(whole)
    assert holder.fault() is None
