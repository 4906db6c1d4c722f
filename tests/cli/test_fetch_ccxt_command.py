"""``liqwarn fetch ccxt`` with a made-up ccxt in an environment of its own."""

import runpy
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

PLACE = Path(__file__).parents[1] / "sources" / "ccxt_environment.py"
SINCE = datetime.now(UTC).date() - timedelta(days=2)


@pytest.fixture
def words(tmp_path):
    made = runpy.run_path(str(PLACE))["Environment"](tmp_path / "env")
    made.tell(now=int(time.time() * 1_000))
    return made, ("fetch", "ccxt", "--exchange", "gate", "--symbols", "BTC/USDT:USDT",
                  "--from", SINCE, "--python", made.python, "--out", tmp_path / "out")  # fmt: skip


def test_it_tells_what_was_recorded(run, words):
    told = run(*words[1], "--json").json

    assert [series["kind"] for series in told["series"]] == ["funding", "open-interest-1h"]
    assert all(series["new"] > 0 for series in told["series"])


def test_what_is_refused_ends_with_1_after_the_others(run, words):
    words[0].tell(now=int(time.time() * 1_000), funding=["bad"])

    told = run(*words[1])

    assert (told.code, told.out) == (1, "")
    assert told.err.splitlines()[-1].startswith("liqwarn: series refused: 1, the first: funding of")


def test_without_a_python_the_way_to_one_is_told(run, words):
    told = run(*(word for word in words[1] if word not in ("--python", words[0].python)))

    assert "python3 -m venv ccxt-env && ccxt-env/bin/pip install ccxt" in told.refusal
