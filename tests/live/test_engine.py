"""The engine: what it refuses leaves it as it was, and one model follows another."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from liqwarn.data.bars.message import BarColumn
from liqwarn.data.bars.replay_feed import column_at
from liqwarn.decisions import Tier
from liqwarn.errors import FrameError, ModelError
from liqwarn.frames import SIDES
from liqwarn.liquidation.live_maps import LiveMaps
from liqwarn.live.engine import LiveEngine
from liqwarn.live.snapshot import pack_memory
from liqwarn.models.fast_cascade import FastCascade
from liqwarn.models.score_memory import ScoreMemory
from liqwarn.pipelines.live_start import start_live

BACK = 30


@pytest.fixture
def start(study):
    return study.market.frame.shape[1] - BACK


@pytest.fixture
def engine(study, bundle, policy, start):
    return start_live(study, bundle, policy, at=start)


def packed(engine, study):
    return list(pack_memory(engine.memory, study.market.panel, panel_sha256="p"))


def remade(column, **changes):
    given = {name: getattr(column, name) for name in ("time", "symbols", "fields", "ages", "bar_s")}
    return BarColumn(**(given | changes))


def test_it_knows_where_it_is(engine, study, start):
    frame = study.market.frame

    assert engine.number == frame.first_bar + start - 1
    assert np.datetime64(engine.as_of.replace(tzinfo=None), "s") == frame.times[start - 1]
    assert engine.symbols == frame.symbols
    assert engine.bar_s == 3_600
    assert engine.bundle.stamp.version == "7"


@pytest.mark.parametrize("ahead", [-25, -1, 1, 2, 24])
def test_a_bar_that_is_not_the_next_is_refused_and_changes_nothing(engine, study, start, ahead):
    before = packed(engine, study)

    with pytest.raises(FrameError, match=r"bar closes at .*, expected .* of 1:00:00 bars"):
        engine.step(column_at(study.market.frame, start + ahead))

    assert packed(engine, study) == before


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"bar_s": 1_800}, "bar closes at"),
        ({"symbols": ("BTCUSDT", "ETHUSDT")}, "bar has symbols .*, expected"),
    ],
)
def test_a_bar_of_something_else_is_refused_and_changes_nothing(engine, study, start, changes, why):
    before = packed(engine, study)

    with pytest.raises(FrameError, match=why):
        engine.step(remade(column_at(study.market.frame, start), **changes))

    assert packed(engine, study) == before


def test_a_bar_of_other_fields_is_refused_and_changes_nothing(engine, study, start):
    before = packed(engine, study)

    with pytest.raises(ModelError, match=r"the bar has fields .*, expected"):
        engine.step(remade(column_at(study.market.frame, start), fields={}))

    assert packed(engine, study) == before


def test_a_quarter_without_maps_is_refused_and_changes_nothing(engine, study, start, monkeypatch):
    before = packed(engine, study)
    column = column_at(study.market.frame, start)
    with monkeypatch.context() as patch:
        patch.setattr(LiveMaps, "knows", lambda *_: False)
        assert not engine.ready_for(column.time)
        with pytest.raises(FrameError, match="no liquidation maps were chosen for the quarter"):
            engine.step(column)

    assert packed(engine, study) == before
    assert engine.ready_for(column.time)
    assert engine.step(column).number == engine.number


def test_another_model_scores_the_next_bar_and_percentiles_keep_their_past(
    engine, study, start, other_bundle
):
    frame = study.market.frame
    for position in range(start, start + 5):
        engine.step(column_at(frame, position))
    memory = ScoreMemory.from_bytes(engine.memory.ranks.to_bytes(), frame.bar)
    column = column_at(frame, start + 5)

    engine.swap(other_bundle, FastCascade(other_bundle.model))
    found = engine.step(column).scores

    X = study.matrix.aligned(other_bundle.model.names_)[:, start + 5]
    np.testing.assert_array_equal(
        found.probability, other_bundle.model.predict_proba(X).reshape(found.probability.shape)
    )
    own = found.probability[:, :, found.horizons_h.index(4)]
    np.testing.assert_array_equal(found.quantile, memory.place(own))
    assert np.isfinite(found.quantile).all()
    assert engine.bundle is other_bundle


def test_models_that_disagree_are_told_apart(engine, study, start, bundle, other_bundle):
    """The test above can fail: the two models do not say the same."""
    X = study.matrix.aligned(bundle.model.names_)[:, start + 5]
    assert (bundle.model.predict_proba(X) != other_bundle.model.predict_proba(X)).any()


def test_a_bar_that_brings_nothing_is_stale_and_decided_upon(engine, study, start):
    frame = study.market.frame
    engine.step(column_at(frame, start))
    whole = column_at(frame, start + 1)
    nothing = np.full(2, np.nan)
    empty = remade(
        whole,
        fields=dict.fromkeys(whole.fields, nothing),
        ages=dict.fromkeys(whole.ages, nothing),
    )

    bar = engine.step(empty)

    assert bar.scores.quality.tolist() == ["stale", "stale"]
    assert np.isnan(bar.scores.probability).all()
    assert not bar.scores.scored().any()
    assert set(bar.decisions) == {(symbol, side) for symbol in frame.symbols for side in SIDES}
    assert not bar.scores.in_progress.any()


def test_a_symbol_begins_with_its_first_score_and_stays(engine, study, start):
    frame = study.market.frame
    whole = column_at(frame, start)
    without = {name: np.array([values[0], np.nan]) for name, values in whole.fields.items()}

    first = engine.step(remade(whole, fields=without))
    second = engine.step(column_at(frame, start + 1))
    nothing = {name: np.full(2, np.nan) for name in whole.fields}
    third = engine.step(remade(column_at(frame, start + 2), fields=nothing))

    assert {symbol for symbol, _ in first.decisions} == {frame.symbols[0]}
    assert {symbol for symbol, _ in second.decisions} == set(frame.symbols)
    assert set(third.decisions) == set(second.decisions)
    assert set(engine.memory.positions) == set(second.decisions)


def test_a_scorer_is_asked_for_the_model_s_own_columns(study, bundle, policy, start):
    asked = []

    class Spy:
        def __init__(self):
            self.quick = FastCascade(bundle.model)

        def raw(self, X):
            asked.append(X.copy())
            return self.quick.raw(X)

        def calibrated(self, raw):
            return self.quick.calibrated(raw)

    memory = start_live(study, bundle, policy, at=start).memory
    engine = LiveEngine(study.market.panel, bundle, Spy(), policy, memory)
    engine.step(column_at(study.market.frame, start))

    expected = study.matrix.aligned(bundle.model.names_)[:, start]
    np.testing.assert_array_equal(asked[0], expected)


def test_a_feature_that_the_tape_does_not_know_is_missing(study, bundle, policy, start):
    seen = []

    class Model:
        def __getattr__(self, name):
            return getattr(bundle.model, name)

    class Spy:
        def raw(self, X):
            seen.append(X)
            return np.zeros((len(X), 2, len(bundle.model.horizons_h_)))

        def calibrated(self, raw):
            return np.broadcast_to(np.linspace(0.1, 0.3, raw.shape[2]), raw.shape).copy()

    model = Model()
    model.names_ = ("no_such_feature", *bundle.model.names_[1:])
    other = replace(bundle, model=model)
    memory = start_live(study, bundle, policy, at=start).memory
    bar = LiveEngine(study.market.panel, other, Spy(), policy, memory).step(
        column_at(study.market.frame, start)
    )

    assert np.isnan(seen[0][:, 0]).all()
    assert bar.scores.as_of.tzinfo is not None
    assert timedelta(0) == bar.scores.as_of.utcoffset()


def test_flags_are_good_for_as_long_as_the_policy_of_now_says(study, bundle, policy, engine, start):
    """Positions outlive a policy: those of a snapshot must not bring its validity along."""
    engine.step(column_at(study.market.frame, start))
    shorter = replace(policy, grace=timedelta(0))
    panel, scorer = study.market.panel, FastCascade(bundle.model)

    again = LiveEngine(panel, bundle, scorer, shorter, engine.memory)
    bar = again.step(column_at(study.market.frame, start + 1))

    assert shorter.valid_for(panel.bar) < policy.valid_for(panel.bar)
    for decision in bar.decisions.values():
        assert decision.after.valid_for == shorter.valid_for(panel.bar)


def test_a_side_is_held_no_looser_than_elsewhere(engine, study, start):
    engine.step(column_at(study.market.frame, start))
    positions = engine.memory.positions
    (one, mine), (other, theirs), *rest = list(positions.items())
    stricter = replace(mine, tier=Tier.T5)
    looser = replace(theirs, tier=Tier.T0)
    before = dict(rest)

    engine.hold({one: stricter, other: looser})

    assert positions[one].tier == Tier.T5
    assert positions[other].tier == max(theirs.tier, Tier.T0)
    assert {key: positions[key] for key in before} == before
    engine.hold({one: mine})
    assert positions[one].tier == Tier.T5
