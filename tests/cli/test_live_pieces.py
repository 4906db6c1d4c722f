"""Bundles are checked by keys or a human said not to; one that does not fit says why."""

from types import SimpleNamespace

import pytest

from liqwarn.cli.live_options import ServeOptions
from liqwarn.cli.live_pieces import open_models
from liqwarn.errors import ConfigError, ModelError

PANEL = SimpleNamespace(name="another")


@pytest.fixture
def told():
    verdicts = []
    return SimpleNamespace(verdicts=verdicts, bundle=verdicts.append)


@pytest.mark.parametrize("trust", [True, False], ids=["both", "neither"])
def test_keys_are_never_named_and_then_not_asked(small_bundle_folder, tmp_path, told, trust):
    options = ServeOptions(
        model=small_bundle_folder, trust=tmp_path if trust else None, unsigned=trust
    )

    with pytest.raises(ConfigError, match="either --trust KEYS, or --unsigned"):
        open_models(options, PANEL, tmp_path, told)


def test_a_bundle_of_another_panel_is_refused_with_its_reason(small_bundle_folder, tmp_path, told):
    options = ServeOptions(model=small_bundle_folder, unsigned=True)

    with pytest.raises(ModelError, match=r"was trained on panel .* expected 'another'"):
        open_models(options, PANEL, tmp_path, told)

    assert [verdict.accepted for verdict in told.verdicts] == [False]
