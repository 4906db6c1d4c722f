"""Where the model of record comes from."""

import numpy as np
import pytest

from liqwarn.config import Settings
from liqwarn.errors import ModelError
from liqwarn.models.registry import RunRecord
from liqwarn.pipelines.champion import open_bundle, open_champion, registry_of


def test_a_panel_without_a_champion_is_told_what_to_do(settings):
    assert open_champion("demo", settings) is None
    with pytest.raises(ModelError, match=r"'demo' has no champion.*`liqwarn train`.*--model"):
        open_bundle(None, "demo", settings)


def test_a_bundle_in_a_folder_is_named_after_it_and_no_registry_is_asked(bundle_folder, tmp_path):
    nowhere = Settings(home=tmp_path / "none", mlflow_uri="http://127.0.0.1:9")

    found = open_bundle(bundle_folder, "demo", nowhere)

    assert found.stamp.version == bundle_folder.name
    assert not nowhere.home.exists()


def test_the_champion_is_the_bundle_that_was_registered(bundle_folder, bundle, settings):
    registry = registry_of("demo", settings)
    done = registry.register(bundle_folder, RunRecord(name="first"))
    assert open_champion("demo", settings) is None
    registry.point("champion", done.version, "the first")

    found = open_bundle(None, "demo", settings)

    assert found.stamp.version == done.version == "1"
    assert found.stamp.sha256 == bundle.stamp.sha256
    assert found.training == bundle.training
    rows = np.random.default_rng(2).normal(size=(20, len(bundle.model.names_)))
    np.testing.assert_array_equal(found.model.predict_proba(rows), bundle.model.predict_proba(rows))
    assert open_champion("other", settings) is None


def test_artifacts_lie_below_home(bundle_folder, settings):
    registry_of("demo", settings).register(bundle_folder, RunRecord(name="first"))

    assert list(settings.home.rglob("calibrator.json"))
    assert list(settings.home.rglob("*.pkl")) == []
