"""From nothing to a panel: an archive in Binance's layout is fetched, ingested and judged.

The archive is a folder of simulated days behind a server on this machine; a real one is
``liqwarn fetch binance`` without ``--base-url``.

Run: python examples/05_from_an_archive_to_a_panel.py
"""

import tempfile
import threading
import zipfile
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from liqwarn.pipelines.fetch import FetchJob, fetch_binance
from liqwarn.pipelines.market import MarketJob
from liqwarn.pipelines.quality import check_quality
from liqwarn.simulation.config import DEFAULT_SPECS, MarketConfig
from liqwarn.simulation.market import simulate_market

ROOT = Path(__file__).parents[1]
START, DAYS, LOST = datetime(2024, 3, 1, tzinfo=UTC), 12, 6
HOUR = timedelta(hours=1)
METRICS = (
    "create_time,symbol,sum_open_interest,sum_open_interest_value,"
    "count_toptrader_long_short_ratio,sum_toptrader_long_short_ratio,"
    "count_long_short_ratio,sum_taker_long_short_vol_ratio"
)


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, *_: object) -> None:
        """No line a request."""


def publish(folder: Path, name: str, lines: list[str]) -> None:
    """One table of one day, zipped, with its checksum beside it."""
    path = folder / "data/futures/um/daily" / f"{name}.zip"
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{path.stem}.csv", "\n".join(lines) + "\n")
    digest = sha256(path.read_bytes()).hexdigest()
    path.with_name(f"{path.name}.CHECKSUM").write_text(f"{digest}  {path.name}\n")


folder = Path(tempfile.mkdtemp())
config = MarketConfig(specs=DEFAULT_SPECS[:1], start=START, n_bars=24 * DAYS)
frame = simulate_market(config, seed=7).frame
symbol = frame.symbols[0]
column = {name: values[0] for name, values in frame.fields.items()}
for day in range(DAYS):
    date = f"{START + timedelta(days=day):%Y-%m-%d}"
    bars, oi = [], []
    for n in range(24 * day, 24 * (day + 1)):
        opens, closes = START + n * HOUR, START + (n + 1) * HOUR
        start, end = (int(at.timestamp() * 1_000) for at in (opens, closes))
        prices = ",".join(f"{column[name][n]:.8f}" for name in ("open", "high", "low", "close"))
        taker, coins = column["taker_buy_volume"][n], column["open_interest"][n]
        bars.append(f"{start},{prices},{column['volume'][n]:.6f},{end - 1},0,0,{taker:.6f},0,0")
        oi.append(f"{closes:%Y-%m-%d %H:%M:%S},{symbol},{coins:.6f},0,0,0,1,1")
    publish(folder, f"klines/{symbol}/1h/{symbol}-1h-{date}", bars)
    if day != LOST:  # the provider lacks a day of open interest
        publish(folder, f"metrics/{symbol}/{symbol}-metrics-{date}", [METRICS, *oi])

server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
order = FetchJob(
    symbols=(symbol,),
    since=START.date(),
    until=(START + timedelta(days=DAYS - 1)).date(),
    interval="1h",
    out=folder / "fetched",
    base_url=f"http://127.0.0.1:{server.server_port}",
    template=ROOT / "conf/panels/binance_um_5m.yaml",
)
now = START + timedelta(days=DAYS + 3)
done = fetch_binance(order, now=now, on_fetch=lambda _: None)
again = fetch_binance(order, now=now, on_fetch=lambda _: None)
server.shutdown()

print("The market is simulated.")
print(
    f"{done.report.count('fetched')} files fetched, the second time {again.report.count('fetched')}"
)
print(*(line for line in done.to_text().splitlines() if line.startswith("metrics")), sep="\n")
job = MarketJob(panel=done.panel, data=done.folder, store=folder / "store")
account = check_quality(job, now=now)
for field in account.fields:
    if field.field in ("close", "open_interest"):
        print(f"{field.field}: {field.coverage:.1%} of {field.promised} bars are known")
        for hole in field.holes:
            print(f"  {hole.bars} bars in a row are not, from {hole.first:%d %b %H:%M}")
