"""The series that features are given."""

from datetime import timedelta

import numpy as np
import pytest

from liqwarn.features.feature import CLOCK
from liqwarn.features.inputs import Inputs, leader_row
from liqwarn.features.past import reveal
from liqwarn.frames import MarketFrame, bar_times

HOUR = timedelta(hours=1)


@pytest.fixture
def frame():
    return MarketFrame(
        symbols=("AAA", "BTC"),
        times=bar_times(np.datetime64("2024-01-01T03:00"), 14, HOUR),
        bar=HOUR,
        fields={"volume": np.arange(28.0).reshape(2, 14), "close": np.full((2, 14), np.inf)},
        ages={},
    )


@pytest.mark.parametrize(
    ("symbols", "row"),
    [
        (("AAVEUSDT", "BTCDOMUSDT", "BTCUSDT"), 2),
        (("BTC", "BTCUSDT"), 0),
        (("ADAUSDT", "ETHUSDT"), 0),
        (("BTC-USDT-SWAP", "ETH-USDT-SWAP"), 0),
    ],
)
def test_the_leader_is_plain_bitcoin_else_the_first(symbols, row):
    assert leader_row(symbols) == row


def test_an_input_is_made_once_and_shared(frame):
    inputs = Inputs(frame, whole_panel=False)

    assert inputs.past("volume", "base") is inputs.past("volume", "1h")
    assert inputs.past("volume", "8h") is inputs.past("volume", "8h")


def test_a_coarse_input_is_anchored_to_the_epoch(frame):
    inputs = Inputs(frame, whole_panel=True)
    eight = inputs.past("volume", "8h")

    # bars 03:00 … 16:00; the cell that closes at 08:00 lacks two bars, the next one is whole
    np.testing.assert_equal(reveal(eight), [[np.nan, 76.0], [np.nan, 188.0]])
    seen = inputs.seen(eight, "8h")
    assert np.isnan(seen[:, :13]).all()
    assert seen[:, 13].tolist() == [76.0, 188.0]
    assert reveal(eight.leader()).tolist()[0][1] == 188.0


def test_infinite_is_missing_and_so_is_a_field_that_is_not_there(frame):
    inputs = Inputs(frame, whole_panel=False)

    assert np.isnan(reveal(inputs.past("close", "base"))).all()
    assert np.isnan(reveal(inputs.past("open_interest", "8h"))).all()


def test_the_clock_is_hours_since_the_epoch(frame):
    clock = reveal(Inputs(frame, whole_panel=False).past(CLOCK, "base"))

    assert clock[:, 0].tolist() == [473_355.0, 473_355.0]
    assert clock[0, 1] - clock[0, 0] == 1.0
