"""kill -9 in the middle of a fetch of an API with a key: nothing lost, nothing twice, nothing torn.

Three kills by default, 100 with LIQWARN_FAULTS=full.
"""

import json
import os
import random
import runpy
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KEYED = runpy.run_path(str(ROOT / "tests" / "sources" / "fake_keyed_api.py"))
KILLS = 100 if os.environ.get("LIQWARN_FAULTS") == "full" else 3
FIRST, NOW = date(2023, 1, 1), datetime(2024, 1, 15, 12, tzinfo=UTC)
COINS = ("BTC", "ETH")
BARS = (NOW - datetime(2023, 1, 1, tzinfo=UTC)).days * 6 + 3

PROGRAM = """
import json, sys
from datetime import date
from pathlib import Path
from liqwarn.pipelines.fetch_api import ApiJob
from liqwarn.pipelines.fetch_coinglass import fetch_coinglass
from liqwarn.sources.coinglass import CoinGlassOrder
from liqwarn.sources.web import Patience

told = json.loads(sys.argv[1])
job = ApiJob(
    names=tuple(told["coins"]), since=date.fromisoformat(told["since"]), out=Path(told["folder"]),
    base_url=told["url"], clock=lambda: told["now"],
    patience=Patience(first_wait_s=0.01, longest_wait_s=0.1, between_s=1e-6),
)
order = CoinGlassOrder(kinds=("liquidations", "taker", "liquidations-all"), balances=())
sys.stdout.write("go\\n")
sys.stdout.flush()
fetch_coinglass(job, order=order, on_fetch=lambda _: None)
"""


@pytest.fixture
def api():
    return KEYED["CoinGlass"](int(NOW.timestamp() * 1_000), 0)


def rows(folder):
    """Rows of every file in its place by its name, each whole and its times going up."""
    found = {}
    for path in sorted(folder.glob("*/*/[!.]*.csv")):
        header, *lines = path.read_text().splitlines()
        cells = [line.split(",") for line in lines]
        assert all(len(row) == len(header.split(",")) for row in cells), path
        times = [int(row[0]) for row in cells]
        assert times == sorted(set(times)), path
        found[path.name] = cells
    return found


def killed(told, seconds):
    """Start a fetch and kill it so long after it began; whether it was done before."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, json.dumps(told)],
        stdout=subprocess.PIPE, cwd=ROOT, env=os.environ | {"LIQWARN_COINGLASS_KEY": KEYED["KEY"]},
    )  # fmt: skip
    assert process.stdout.readline() == b"go\n"
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
    process.stdout.close()
    return process.wait() == 0


@pytest.mark.timeout(3_600)
def test_kills_in_the_middle_lose_nothing_and_double_nothing(api, tmp_path):
    folder, dice, kills, done = tmp_path / "coinglass", random.Random(7), 0, False
    with KEYED["Serving"](api) as serving:
        told = {"coins": COINS, "since": FIRST.isoformat(), "folder": str(folder),
                "url": serving.url, "now": NOW.timestamp()}  # fmt: skip
        while kills < KILLS:
            held = rows(folder)

            done = killed(told, dice.uniform(0.02, 0.4))

            kills += not done
            after = rows(folder)
            for name, cells in held.items():
                assert set(map(tuple, cells)) <= set(map(tuple, after[name])), name
            if done:  # begin anew, kills are wanted
                for path in sorted(folder.glob("*/*/[!.]*.csv"))[::2]:
                    path.unlink()
        assert killed(told, 60.0)

    assert not [path for path in folder.rglob("*") if ".tmp" in path.name]
    assert not (folder / "revised").exists()
    counts = {}
    for name, cells in rows(folder).items():
        series = name.rsplit("-", 2)[0]
        counts[series] = counts.get(series, 0) + len(cells)
    assert len(counts) == 3 * len(COINS)
    assert set(counts.values()) == {BARS}
    account = json.loads((folder / "fetch.json").read_text())
    assert all(series["gaps"] == [] for series in account["series"])
