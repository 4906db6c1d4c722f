"""freqtrade without a network, and one folder of candles for all tests."""

import pytest
from market import no_network, write_candles


@pytest.fixture(scope="session")
def datadir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    write_candles(folder)
    return folder


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    no_network(monkeypatch)
