"""From venues' sockets to a flag, in real time: about twenty-five minutes.

Run: python examples/drill/collect_and_serve.py [FOLDER]

Two venues on loopback play a simulated market in Binance's and Bybit's formats. `liqwarn collect`
records them, `liqwarn feed` has `liqwarn tape tables` make tables of the tape and sends the bars,
`liqwarn serve` answers with flags. Then collector, feed and server are killed with -9 and started
again, a venue falls silent, and the feed stays away; what the flag said is written down with times.
"""

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import yaml
from market import BAR, ROOT, SYMBOLS, make_market
from played_market import MINUTE_MS, load_market
from run import BAR_S, COMMAND, Drill, liqwarn
from watch import status_of, text_of

from liqwarn.client import open_gate
from liqwarn.collectors.tape import read_tape

VENUES = {"binance": 0, "bybit": 1}
SECOND_AGE = "3min"  # after so long without Bybit its funding is missing


def write_panel(path: Path, last: datetime) -> None:
    """The shipped panel of our own tape on short bars, Bybit's funding, and a simulated past."""
    panel = yaml.safe_load((ROOT / "conf/panels/collected_5m.yaml").read_text())
    demo = yaml.safe_load((ROOT / "conf/panels/demo.yaml").read_text())
    step = f"{BAR.total_seconds() / 60:.0f}min"
    second = {
        "name": "bybit_state",
        "file": "bybit/{symbol}/state/{symbol}-state-*.parquet",
        "time": {"column": "time", "label": "end", "step": "1min"},
        "fields": {"funding_rate_2": "funding_rate", "funding_interval_2_h": "funding_interval_h"},
        "optional": True,
    }
    taped = [*panel["sources"], second]
    given = {field for source in taped for field in source["fields"]}
    past = demo["sources"][0]
    past["time"]["step"] = step
    past["fields"] = {name: told for name, told in past["fields"].items() if name in given}
    past["valid"] = {"end": last.isoformat()}
    past["priority"] = -1
    panel |= {"name": "drill_collected", "market": "simulated", "symbols": list(SYMBOLS)}
    panel |= {"bar": step, "sources": [past, *taped]}
    panel["max_age"] = dict.fromkeys(second["fields"], SECOND_AGE)
    path.write_text(yaml.safe_dump(panel, sort_keys=False))


@dataclass(frozen=True)
class Flag:
    """What matters of a flag."""

    as_of: float
    tier: str
    quality: str
    reason: str


class Chain(Drill):
    """Venues, collector, feed and server, each a process."""

    patience_s = 40

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, make_market(folder, datetime.now(UTC), write_panel))
        self.data, self.tape = folder / "files", folder / "tape"
        self.began = time.time()
        self.venues: dict[str, subprocess.Popen[bytes]] = {}
        self.collector: subprocess.Popen[bytes] | None = None
        self.port = int(self.url.rpartition(":")[2]) + 1

    def say(self, text: str) -> None:
        """A line of the transcript."""
        print(f"{time.time() - self.began:7.1f} s  {text}", flush=True)

    def start(self, name: str, *words: object) -> "subprocess.Popen[bytes]":
        """A process whose words go to a log."""
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(list(map(str, words)), stdout=log, stderr=log)

    def play(self) -> None:
        """Open the venues."""
        script = Path(__file__).with_name("venue_player.py")
        for name, k in VENUES.items():
            self.venues[name] = self.start(
                name, sys.executable, script, name, self.files.coming, self.port + k
            )

    def collect(self) -> None:
        """Start the collector."""
        words: list[object] = [COMMAND, "collect", "--venues", ",".join(VENUES)]
        words += ["--symbols", ",".join(SYMBOLS), "--out", self.tape]
        for name, k in VENUES.items():
            words += ["--url", f"{name}=ws://127.0.0.1:{self.port + k}"]
            words += ["--http", f"{name}=http://127.0.0.1:{self.port + k}"]
        self.collector = self.start("collect", *words)

    def send(self) -> None:
        """Start the feed."""
        refresh = f"{COMMAND} tape tables --symbols {','.join(SYMBOLS)} --tape {self.tape}"
        self.producer = self.start(
            "feed", COMMAND, "feed", "--panel", self.files.panel, "--data", self.data,
            "--store", self.files.store, "--to", self.feed, "--patience-s", self.patience_s - 10,
            "--wait-s", 12, "--every-s", 1, "--refresh", f"{refresh} --out {self.data}",
        )  # fmt: skip

    def kill_collector(self) -> None:
        """With -9; what it had acknowledged must be on the tape, and is counted."""
        if self.collector is None:
            return
        self.collector.send_signal(signal.SIGKILL)
        self.collector.wait()
        told = json.loads((self.tape / "status.json").read_text())["venues"]
        self.collect()
        time.sleep(3)
        for name, one in told.items():
            until, count = one["acknowledged_until_ms"], one["acknowledged_records"]
            found = read_tape(self.tape, name, since_ms=0, until_ms=until + 1)
            n_found = sum(1 for _ in found)
            self.say(f"{name}: {count:,} records were acknowledged, {n_found:,} of that time found")

    def flag(self) -> Flag | None:
        """The newest flag over HTTP."""
        try:
            told = json.loads(text_of(f"{self.url}/v1/flags/{SYMBOLS[0]}", self.token))
        except (OSError, ValueError):
            return None
        sides = told["sides"]
        side = max(sides, key=lambda one: sides[one]["tier"])
        as_of = datetime.fromisoformat(told["as_of"]).timestamp()
        return Flag(as_of, sides[side]["tier"], told["quality"], sides[side]["reasons"][0])

    def next_flag(self, close: float) -> float:
        """Seconds from a close until its flag is answered; says what the flag says."""
        while time.time() < close + 1.5 * BAR_S:
            found = self.flag()
            if found is not None and found.as_of >= close:
                took = time.time() - close
                at = datetime.fromtimestamp(close, UTC)
                self.say(f"bar {at:%H:%M}: flag {took:.1f} s after the close, {found.tier}, "
                         f"{found.quality}: {found.reason}")  # fmt: skip
                return took
            time.sleep(0.1)
        self.say(f"no flag of the bar that closed at {datetime.fromtimestamp(close, UTC):%H:%M}")
        return float("nan")

    def wait_for(self, test: Callable[[Flag], bool], bars: int, what: str) -> None:
        """Wait for a flag that passes a test, and say how long it took."""
        began, last = time.time(), None
        while time.time() < began + bars * BAR_S:
            found = self.flag()
            if found is not None and found != last:
                last = found
                self.say(f"flag {found.tier}, {found.quality}: {found.reason}")
            if found is not None and test(found):
                self.say(f"{what}: {time.time() - began:.1f} s")
                return
            time.sleep(0.2)
        self.say(f"{what}: never")

    def board_says(self) -> None:
        """What a gate on the board answers."""
        with open_gate(f"board:{self.board}", keys=self.folder / "flags-public") as gate:
            found = gate(SYMBOLS[0], "long")
        behind = time.time() - found.as_of_s
        self.say(f"board: long T{found.tier}, {found.quality}, as of {behind:.0f} s ago, "
                 f"{'may open' if found.new_risk else 'denied'}")  # fmt: skip

    def end(self) -> None:
        """Stop everything."""
        for one in (self.collector, *self.venues.values()):
            if one is not None and one.poll() is None:
                one.send_signal(signal.SIGCONT)
                one.terminate()
                one.wait()
        super().end()


def close_after(moment: float) -> float:
    """The next close of a bar."""
    return (moment // BAR_S + 1) * BAR_S


def run(folder: Path) -> None:
    """The drill."""
    print("The market is simulated.", flush=True)
    chain = Chain(folder)
    latencies: list[float] = []
    try:
        _start(chain, latencies)
        _kill_each(chain, latencies)
        _silence(chain)
        _no_feed(chain)
        _account(chain)
    finally:
        chain.end()
    told = ", ".join(f"{one:.1f}" for one in latencies)
    print(f"\nfrom a close to its flag: {told} s\nlogs, tape and tables are in {folder}")


def _start(chain: Chain, latencies: list[float]) -> None:
    chain.say("venues, collector, feed and server start")
    chain.play()
    time.sleep(2)
    chain.collect()
    time.sleep(2)
    chain.send()
    alive, ready = chain.serve()
    chain.say(f"server: /healthz after {alive:.1f} s, /readyz after {ready:.1f} s")
    chain.wait_for(lambda flag: flag.quality == "ok", 4, "until a flag of a whole bar")
    latencies += [chain.next_flag(close_after(time.time())) for _ in range(2)]
    chain.board_says()


def _kill_each(chain: Chain, latencies: list[float]) -> None:
    chain.say("kill -9 the collector, and start it again")
    chain.kill_collector()
    latencies.append(chain.next_flag(close_after(time.time())))
    chain.say("kill -9 the feed, and start it again")
    chain.silence()
    chain.send()
    latencies.append(chain.next_flag(close_after(time.time())))
    chain.say("kill -9 the server, and start it again")
    chain.kill()
    alive, ready = chain.serve()
    chain.say(f"server: /healthz after {alive:.1f} s, /readyz after {ready:.1f} s")
    latencies.append(chain.next_flag(close_after(time.time())))


def _silence(chain: Chain) -> None:
    chain.say("Bybit falls silent")
    chain.venues["bybit"].send_signal(signal.SIGSTOP)
    chain.wait_for(lambda flag: flag.quality == "degraded", 4, "until the flag is degraded")
    chain.venues["bybit"].send_signal(signal.SIGCONT)
    chain.say("Bybit speaks again")
    chain.wait_for(lambda flag: flag.quality == "ok", 4, "until the flag is ok")


def _no_feed(chain: Chain) -> None:
    chain.say("kill -9 the feed")
    chain.silence()
    chain.wait_for(lambda flag: flag.tier >= "T3", 4, "until the flag is at T3")
    chain.board_says()
    chain.send()
    chain.say("start it again")
    chain.wait_for(lambda flag: flag.quality == "ok", 4, "until the flag is ok")
    chain.board_says()


def _account(chain: Chain) -> None:
    """What was played is what is in the tables, in every minute that was listened to."""
    market, same, minutes = load_market(chain.files.coming), 0, 0
    for name in VENUES:
        for symbol, played in market.items():
            for path in sorted((chain.data / name / symbol / "liquidations").glob("*.parquet")):
                table = pd.read_parquet(path)
                for row in table[table["covered_s"] == 60.0].to_dict("records"):
                    second = int(row["time"].timestamp()) - MINUTE_MS // 1_000
                    n_said = sum(len(list(played.orders(second + s))) for s in range(60))
                    minutes += 1
                    same += n_said == row["long_count"] + row["short_count"]
    chain.say(f"liquidations: {same} of {minutes} minutes that were listened to hold what was said")
    print(liqwarn("tape", "show", "--tables", chain.data), end="", flush=True)
    since = ["--from", f"{datetime.fromtimestamp(chain.began, UTC):%Y-%m-%d}"]
    print(liqwarn("quality", "--panel", chain.files.panel, "--data", chain.data,
                  "--store", chain.files.store, *since), end="", flush=True)  # fmt: skip
    print(liqwarn("audit", "verify", chain.folder / "live" / "audit.jsonl"), end="", flush=True)
    chain.say(f"/readyz {status_of(chain.url + '/readyz', chain.token)}")


if __name__ == "__main__":
    words = sys.argv[1:]
    where = Path(words[0]) if words else Path(tempfile.mkdtemp(prefix="liqwarn-chain-"))
    where.mkdir(exist_ok=True)
    run(where)
