"""A bundle of another panel, of features nobody computes, or without the deciding horizon."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from liqwarn.models.bundle import load_bundle
from liqwarn.serving.bundle_fit import misfit


@pytest.fixture
def bundle(small_bundle_folder):
    loaded = load_bundle(small_bundle_folder, version="1")
    loaded.model.names_ = ("price_return_4h", "oi_change_4h")[: len(loaded.model.names_)]
    return loaded


@pytest.fixture
def panel(bundle):
    return SimpleNamespace(name=bundle.training.panel)


def test_its_own_panel_fits(bundle, panel):
    assert misfit(bundle, panel) is None


def test_another_panel_is_named(bundle, panel):
    other = replace(bundle, training=replace(bundle.training, panel="majors_4h"))

    assert misfit(other, panel) == (f"it was trained on panel 'majors_4h', expected '{panel.name}'")


def test_features_that_are_not_computed_are_named(bundle, panel):
    bundle.model.names_ = ("price_return_4h", "zodiac")

    assert misfit(bundle, panel) == "it needs features that are not computed here: zodiac"


def test_the_deciding_horizon_must_be_there(bundle, panel):
    bundle.model.horizons_h_ = (1, 24)

    assert misfit(bundle, panel) == "it has no 4-h probability, only of [1, 24] h"
