"""What the engine remembers goes through bytes and on with the same bits, or is refused."""

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.data.bars.replay_feed import column_at
from liqwarn.errors import StoreError
from liqwarn.liquidation.live_maps import SymbolTerms
from liqwarn.live.engine import LiveEngine
from liqwarn.live.snapshot import pack_memory, unpack_memory
from liqwarn.pipelines.live_start import start_live

BACK = 60


@pytest.fixture(scope="module")
def terms(study):
    job = study.map_job
    return SymbolTerms(symbols=study.market.frame.symbols, venue=job.venue, config=job.config)


@pytest.fixture(scope="module")
def packed(study, bundle, policy):
    engine = start_live(study, bundle, policy, at=study.market.frame.shape[1] - BACK)
    for position in range(study.market.frame.shape[1] - BACK, study.market.frame.shape[1] - 40):
        engine.step(column_at(study.market.frame, position))
    panel = study.market.panel
    return engine, b"".join(pack_memory(engine.memory, panel, panel_sha256="p"))


def test_it_goes_on_as_if_nothing_had_happened(study, bundle, policy, packed, terms):
    engine, data = packed
    panel, frame = study.market.panel, study.market.frame
    memory, as_of = unpack_memory(BytesIO(data), panel, terms, panel_sha256="p")
    again = LiveEngine(panel, bundle, bundle.model, policy, memory)

    assert as_of == engine.as_of == again.as_of
    for position in range(frame.shape[1] - 40, frame.shape[1]):
        column = column_at(frame, position)
        ours, theirs = again.step(column), engine.step(column)
        for name in ("features", "raw", "probability", "quantile", "in_progress", "quality"):
            a, b = getattr(ours.scores, name), getattr(theirs.scores, name)
            np.testing.assert_array_equal(a, b, err_msg=name)
        assert ours.decisions == theirs.decisions


def test_of_another_panel_it_is_refused(study, packed, terms):
    with pytest.raises(StoreError, match=r"snapshot is of .*expected"):
        unpack_memory(BytesIO(packed[1]), study.market.panel, terms, panel_sha256="another")


@given(where=st.floats(0.0, 1.0, exclude_max=True), bit=st.integers(0, 7))
@settings(max_examples=60, deadline=None)
def test_any_bit_turned_is_found(study, packed, terms, where, bit):
    data = bytearray(packed[1])
    data[int(where * len(data))] ^= 1 << bit

    with pytest.raises(StoreError, match="snapshot"):
        unpack_memory(BytesIO(data), study.market.panel, terms, panel_sha256="p")


@given(where=st.floats(0.0, 1.0, exclude_max=True))
@settings(max_examples=30, deadline=None)
def test_any_cut_is_found(study, packed, terms, where):
    data = packed[1][: int(where * len(packed[1]))]

    with pytest.raises(StoreError, match="snapshot"):
        unpack_memory(BytesIO(data), study.market.panel, terms, panel_sha256="p")
