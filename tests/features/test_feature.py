"""How a function becomes a feature."""

from dataclasses import FrozenInstanceError

import pytest

from liqwarn.errors import FrameError
from liqwarn.features.builder import all_features
from liqwarn.features.feature import feature, hours_of, registered


@pytest.fixture
def registry(monkeypatch):
    """An empty register, so that the tests' features are not built for anybody."""
    kept = {}
    monkeypatch.setattr("liqwarn.features.feature._REGISTRY", kept)
    return kept


def test_a_function_over_windows_is_a_feature_for_each(registry):
    @feature(inputs=("close",), unit="price", over=("4h",))
    @feature(inputs=("close",), unit="price", over=("7d",), resolution="1h")
    def drift(close, hours):
        """Mean price; positive.

        More about it.
        """
        return close.mean(hours)

    week, hours = registered()
    assert (week.name, week.resolution, hours.name) == ("drift_7d", "1h", "drift_4h")
    assert hours.function.keywords == {"hours": 4.0}
    assert hours.family == "test_feature"
    assert hours.summary == "Mean price; positive."


def test_a_function_without_windows_keeps_its_name(registry):
    @feature(inputs=("close",), unit="price")
    def level(close):
        """Price."""
        return close

    assert list(registry) == ["level"]
    assert registry["level"].function is level
    with pytest.raises(FrozenInstanceError, match="cannot assign"):
        registry["level"].name = "other"


def test_a_taken_name_an_unknown_field_and_a_silent_function_are_refused(registry):
    def level(close):
        """Price."""
        return close

    feature(inputs=("close",), unit="price")(level)
    with pytest.raises(FrameError, match="feature 'level' is written twice"):
        feature(inputs=("close",), unit="price")(level)
    with pytest.raises(FrameError, match=r"feature 'level' reads \['clsoe'\]"):
        feature(inputs=("clsoe",), unit="price")(level)
    level.__doc__ = None
    with pytest.raises(FrameError, match="feature 'level' has no docstring"):
        feature(inputs=("close",), unit="price")(level)


@pytest.mark.parametrize("window", ["", "h", "4", "4m", "xh"])
def test_a_window_that_is_no_window_is_refused(window):
    with pytest.raises(FrameError, match="expected a number and h or d"):
        hours_of(window)


def test_windows_are_hours_or_days():
    assert [hours_of(window) for window in ("1h", "0.5h", "30d")] == [1.0, 0.5, 720.0]


def test_all_features_are_registered_in_a_stable_order():
    assert sorted(f.name for f in all_features()) == sorted(f.name for f in registered())
