"""Hyperliquid's frames gone wrong: right happenings, a gap or a refusal; nothing else is kept.

``LIQWARN_FAULTS=full`` runs the counts that docs/venues.md reports.
"""

import os
import runpy
from pathlib import Path

import pytest

from liqwarn.collectors.hyperliquid import Hyperliquid

HERE = Path(__file__).parent
SESSION = runpy.run_path(str(HERE / "hyperliquid_frames.py"))["session"]()
RUN = runpy.run_path(str(HERE / "wire_mutations.py"))["run_mutated"]
COUNT = 10_000 if os.environ.get("LIQWARN_FAULTS") == "full" else 200


@pytest.mark.parametrize("seed", range(3))
def test_frames_gone_wrong(seed):
    seen = RUN(Hyperliquid(), ["BTCUSDT"], SESSION, COUNT, seed)

    assert seen["refused"] > COUNT / 2
    assert seen["read"] > 0
