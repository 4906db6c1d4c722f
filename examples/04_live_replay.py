"""Bar by bar: the live engine over the last days of a market, its flags on a board, and a gate.

Run: python examples/04_live_replay.py
"""

import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from liqwarn.board import BoardWriter
from liqwarn.client import open_gate
from liqwarn.config import load_policy
from liqwarn.data.bars.replay_feed import column_at
from liqwarn.live.bar import flags_of
from liqwarn.models.boosting import BoostSettings
from liqwarn.models.bundle import load_bundle
from liqwarn.pipelines.demo import write_simulated_market
from liqwarn.pipelines.live_start import start_live
from liqwarn.pipelines.market import MarketJob, open_market
from liqwarn.pipelines.study import build_study
from liqwarn.pipelines.train import TrainOrder, fit_bundle
from liqwarn.policy.flags import FlagSource
from liqwarn.simulation.config import DEFAULT_SPECS, MarketConfig

SYMBOLS = ("BTCUSDT", "DOGEUSDT")
DAYS, LIVE_DAYS, SEED = 150, 10, 6
ROOT = Path(__file__).parents[1]
TINY = BoostSettings(milder_trees=6, onset_trees=4, learning_rate=0.2, min_rows=20, min_hessian=0.1)

folder = Path(tempfile.mkdtemp())
now = datetime.now(UTC)
end = now.replace(minute=0, second=0, microsecond=0)  # close of the newest bar
live_from = end - timedelta(days=LIVE_DAYS)

# A market up to now, a panel of two symbols, and a model that saw nothing of the last days.
specs = tuple(spec for spec in DEFAULT_SPECS if spec.name in SYMBOLS)
start = end - timedelta(days=DAYS)
write_simulated_market(MarketConfig(specs=specs, start=start, n_bars=24 * DAYS), SEED, folder)
panel = yaml.safe_load((ROOT / "conf/panels/demo.yaml").read_text()) | {"symbols": list(SYMBOLS)}
(folder / "panel.yaml").write_text(yaml.safe_dump(panel))
job = MarketJob(panel=folder / "panel.yaml", data=folder, store=folder / "store")
study = build_study(open_market(job, now=now))
fit_bundle(study, (), TrainOrder(until=live_from, settings=TINY), folder / "model")

# The loop itself: one closed bar in, the flags of all symbols out.
policy = load_policy(ROOT / "conf/policy.yaml")
frame = study.market.frame
first = len(frame.times) - 24 * LIVE_DAYS
engine = start_live(study, load_bundle(folder / "model", version="1"), policy, at=first)
source = FlagSource(
    model=engine.bundle.stamp, data_sha256=study.market.data_sha256, completeness=0.0
)
tiers, changes, took = dict.fromkeys(SYMBOLS, ("T0", "T0")), [], []
for position in range(first, len(frame.times)):
    began = time.perf_counter()
    bar = engine.step(column_at(frame, position))
    flags = tuple(flags_of(bar, policy, source, issued_at=bar.scores.as_of))
    took.append(time.perf_counter() - began)
    for flag in flags:
        sides = flag.sides
        after = (sides["long"].tier.name, sides["short"].tier.name)
        if after != tiers[flag.symbol]:
            changes.append(
                f"{flag.as_of:%d %b %H:%M}  {flag.symbol:8} long {after[0]} short {after[1]}"
            )
            tiers[flag.symbol] = after

print("The market is simulated.")
print(
    f"{len(took)} bars of {len(SYMBOLS)} symbols, {1e3 * sorted(took)[len(took) // 2]:.2f} ms each"
)
print(f"{len(changes)} changes of tier, the last five:")
print(*changes[-5:], sep="\n")

# Another process would open the gate; what it does not hear, it takes for a no.
board = folder / "flags.board"
with open_gate(f"board:{board}") as gate:
    with BoardWriter.create(board, SYMBOLS) as writer:
        boot_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        for flag in flags:
            left = max(timedelta(0), flag.valid_until - datetime.now(UTC))
            writer.write(flag, deadline_ns=boot_ns + int(left.total_seconds() * 1e9))
        writer.beat(boot_ns)
        for symbol in SYMBOLS:
            said = gate(symbol, "long")
            print(f"gate: {symbol} long at T{said.tier}, new risk {said.new_risk}, {said.reason}")
    time.sleep(0.1)
    said = gate(SYMBOLS[0], "long")
    print(f"writer gone: new risk {said.new_risk}, {said.state}, {said.reason}")
