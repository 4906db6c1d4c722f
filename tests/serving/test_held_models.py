"""The model of record: another bundle is given to the engine once, before the next bar."""

from types import SimpleNamespace

import numpy as np
import pytest

from liqwarn.decisions import ModelStamp
from liqwarn.models.bundle import load_bundle
from liqwarn.models.fast_cascade import FastCascade
from liqwarn.serving.held_models import FixedModels, HeldModels


class Engine:
    def __init__(self, stamp):
        self.bundle, self.scorers = SimpleNamespace(stamp=stamp), []

    def swap(self, bundle, scorer):
        self.bundle = bundle
        self.scorers.append(scorer)


class Holder:
    """Holds what it is told to."""

    def __init__(self, bundle, sha256="ab" * 32):
        self.put(bundle, sha256)

    def put(self, bundle, sha256):
        self.loaded = SimpleNamespace(bundle=bundle, id=SimpleNamespace(sha256=sha256))

    def current(self):
        return self.loaded


@pytest.fixture(scope="module")
def bundle(small_bundle_folder):
    return load_bundle(small_bundle_folder, version="1")


@pytest.fixture
def told():
    return []


@pytest.fixture
def models(bundle, told):
    return HeldModels(Holder(bundle), on_swap=told.append)


def test_the_model_that_the_engine_has_already_is_left(bundle, models, told):
    engine = Engine(bundle.stamp)
    models.refresh(engine)

    assert engine.scorers == []
    assert told == []


def test_another_one_is_given_once_and_made_quick(bundle, models, told):
    engine = Engine(ModelStamp(version="0", sha256="cd" * 32))
    for _ in range(3):
        models.refresh(engine)

    (scorer,) = engine.scorers
    assert isinstance(scorer, FastCascade)
    assert engine.bundle is bundle
    assert [one.bundle for one in told] == [bundle]
    X = np.random.default_rng(1).normal(size=(5, len(bundle.model.names_)))
    np.testing.assert_array_equal(scorer.raw(X), bundle.model.raw(X))


def test_a_rebuilt_engine_gets_the_model_made_before(bundle, models):
    first, second = (Engine(ModelStamp(version=str(k), sha256="cd" * 32)) for k in (0, 2))
    models.refresh(first)
    models.refresh(second)

    assert first.scorers[0] is second.scorers[0]


def test_a_swap_of_bundles_is_followed(bundle, small_bundle_folder, told):
    other = load_bundle(small_bundle_folder, version="2")
    holder = Holder(bundle)
    models = HeldModels(holder, on_swap=told.append)
    engine = Engine(ModelStamp(version="0", sha256="cd" * 32))
    models.refresh(engine)
    holder.put(other, "ef" * 32)
    models.refresh(engine)

    assert engine.bundle is other
    assert len({id(one) for one in engine.scorers}) == 2
    assert [one.bundle for one in told] == [bundle, other]


def test_a_fixed_model_stays(bundle):
    engine = Engine(ModelStamp(version="0", sha256="cd" * 32))
    FixedModels().refresh(engine)

    assert engine.scorers == []
