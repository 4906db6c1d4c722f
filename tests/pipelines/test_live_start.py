"""An engine begun anywhere in a history goes on with the batch's scores, bit for bit."""

from datetime import UTC, datetime

import numpy as np
import pytest

from liqwarn.data.bars.replay_feed import column_at
from liqwarn.errors import FrameError
from liqwarn.pipelines.live_start import start_live
from liqwarn.pipelines.risk import assess
from liqwarn.policy.position import first_position


@pytest.fixture(scope="module")
def assessed(study, bundle):
    return assess(study, bundle)


@pytest.mark.parametrize("at", [1, 2, 25, 24 * 89 + 5, 24 * 121, 24 * 180 - 3])
def test_the_next_bars_are_the_batch_s(study, bundle, policy, assessed, at):
    """From one bar of history, in the middle, before and after the end of training."""
    engine = start_live(study, bundle, policy, at=at)
    scores = assessed.scores
    for position in range(at, min(at + 30, 24 * 180)):
        if not engine.ready_for(study.market.frame.times[position]):
            break
        found = engine.step(column_at(study.market.frame, position)).scores
        np.testing.assert_array_equal(found.features, study.matrix.values[:, position])
        np.testing.assert_array_equal(found.raw, assessed.raw[:, position])
        for name in ("probability", "quantile", "in_progress", "quality"):
            ours, theirs = getattr(found, name), getattr(scores, name)[:, position]
            np.testing.assert_array_equal(ours, theirs, err_msg=f"{name} at {position}")
        np.testing.assert_array_equal(found.base_rate, scores.base_rate[0, position])


def test_by_default_it_is_after_the_last_bar(study, bundle, policy):
    told = []
    engine = start_live(study, bundle, policy, on_progress=lambda *step: told.append(step))

    assert engine.number == study.market.frame.first_bar + study.market.frame.shape[1] - 1
    assert told == [("live start", done, 4) for done in range(5)]
    assert engine.memory.positions == {}


def test_positions_of_an_earlier_run_are_taken_up_and_not_shared(study, bundle, policy):
    bar = study.market.frame.bar
    now = datetime(2022, 6, 29, tzinfo=UTC)
    stood = {("BTCUSDT", "long"): first_position("BTCUSDT", "long", now, bar=bar, policy=policy)}

    engine = start_live(study, bundle, policy, positions=stood)
    assert engine.memory.positions == stood
    engine.memory.positions.clear()

    assert len(stood) == 1


@pytest.mark.parametrize("at", [0, -1, 24 * 180 + 1])
def test_without_history_there_is_no_start(study, bundle, policy, at):
    with pytest.raises(FrameError, match=rf"bar {at} of 4320, expected one with history before it"):
        start_live(study, bundle, policy, at=at)
