"""Fixtures every test may use."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real market history, or a skip that says why."""
    root = Path(os.environ.get("LIQWARN_REAL_DATA", Path(__file__).parents[2] / "shared" / "data"))
    folder = root / "real"
    if not folder.is_dir():
        pytest.skip(f"no real market data at {root}: set LIQWARN_REAL_DATA")
    return folder
