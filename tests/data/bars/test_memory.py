import numpy as np
import pytest

from liqwarn.data.bars.memory import NEIGHBOURS, Memory

HOUR = 3_600


@pytest.fixture
def planes(panel):
    def make(**values):
        plane = np.full((len(panel.fields), len(panel.symbol_names)), np.nan)
        for name, value in values.items():
            plane[panel.fields.index(name)] = value
        return plane

    return make


def test_only_last_values_are_carried_and_only_to_those_who_spoke(panel, planes):
    memory = Memory(panel)
    memory.learn(0, planes(close=1.0, volume=2.0, open_interest=3.0), planes(open_interest=60.0))
    values, ages = planes(), planes()

    memory.carry(HOUR, values, ages, np.array([True, False]))

    oi = panel.fields.index("open_interest")
    assert (values[oi, 0], ages[oi, 0]) == (3.0, HOUR + 60.0)
    assert np.isnan(values[:, 1]).all()
    assert np.isfinite(values).sum() == 1


def test_a_value_is_carried_up_to_its_cap_and_no_further(panel, planes):
    memory = Memory(panel)
    memory.learn(0, planes(open_interest=3.0), planes(open_interest=0.0))
    oi, spoke = panel.fields.index("open_interest"), np.array([True, True])

    at_cap, past_cap = planes(), planes()
    memory.carry(4 * HOUR, at_cap, planes(), spoke)
    memory.carry(4 * HOUR + 1, past_cap, planes(), spoke)

    assert (at_cap[oi] == 3.0).all()
    assert np.isnan(past_cap[oi]).all()


def test_a_stated_value_past_its_cap_is_not_used(panel, planes):
    values, ages = planes(open_interest=3.0), planes(open_interest=4 * HOUR + 1.0)

    Memory(panel).learn(0, values, ages)

    assert np.isnan(values).all()
    assert np.isnan(ages).all()


def test_a_price_twenty_times_off_is_a_spike_while_its_neighbour_is_recent(panel, planes):
    memory = Memory(panel)
    assert not memory.spikes(0, planes(close=1.0)).any()
    memory.learn(0, planes(close=1.0), planes(close=0.0))

    close = panel.fields.index("close")
    assert memory.spikes(HOUR, planes(close=20.0))[close].all()
    assert memory.spikes(HOUR, planes(close=0.05))[close].all()
    assert not memory.spikes(HOUR, planes(close=19.9, open_interest=1e9)).any()
    assert not memory.spikes((NEIGHBOURS + 1) * HOUR, planes(close=20.0)).any()
