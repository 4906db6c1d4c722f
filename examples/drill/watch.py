"""What a trading system sees during the drill: gates over board and HTTP, and the flag itself."""

import json
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from liqwarn.client import Decision, Gate, open_gate

EVERY_S = 0.25


@dataclass(frozen=True)
class Seen:
    """One thing that changed."""

    at_s: float
    source: str
    what: str


class Watcher:
    """Asks every gate for both sides of a symbol and notes what changes; seconds since its start.

    Parameters
    ----------
    sources : mapping of name to what `open_gate` takes
    """

    def __init__(self, sources: dict[str, str], symbol: str, keys: Path, api_key: str) -> None:
        self._symbol, self._began, self._key = symbol, time.monotonic(), api_key
        self._url = next(source for source in sources.values() if source.startswith("http"))
        self._gates: dict[str, Gate] = {
            name: open_gate(
                source, keys=keys, api_key=api_key if source.startswith("http") else None
            )
            for name, source in sources.items()
        }
        self._last: dict[str, str] = {}
        self._lock = threading.Lock()
        self.seen: list[Seen] = []
        self.tier = ""  # the stricter side's, by the newest flag
        self.decisions: dict[tuple[str, str], Decision] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def now(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began

    def note(self, source: str, what: str) -> None:
        """Write a line into the transcript."""
        with self._lock:
            self.seen.append(Seen(self.now(), source, what))
        print(f"{self.now():7.1f} s  {source:6} {what}", flush=True)

    def wait_for(self, test, within_s: float) -> float | None:  # noqa: ANN001
        """Seconds until every gate's long decision passes a test; None when it never did."""
        began, long = self.now(), [(name, "long") for name in self._gates]
        while self.now() - began < within_s:
            asked = [self.decisions.get(key) for key in long]
            if all(decision is not None and test(decision) for decision in asked):
                return self.now() - began
            time.sleep(EVERY_S / 2)
        return None

    def wait_for_tier(self, wanted, within_s: float) -> float | None:  # noqa: ANN001
        """Seconds until the flag's stricter side passes a test of its tier's name."""
        began = self.now()
        while self.now() - began < within_s:
            if self.tier and wanted(self.tier):
                return self.now() - began
            time.sleep(EVERY_S / 2)
        return None

    def close(self) -> None:
        """Stop asking."""
        self._stop.set()
        self._thread.join()
        for gate in self._gates.values():
            gate.close()

    def _run(self) -> None:
        while not self._stop.wait(EVERY_S):
            self._look_at_flag()
            for name, gate in self._gates.items():
                for side in ("long", "short"):
                    decision = gate(self._symbol, side)
                    self.decisions[name, side] = decision
                    self._changed(name, side, decision)

    def _look_at_flag(self) -> None:
        """The flag as the server says it: its tiers, before a client assumes any."""
        try:
            flag = json.loads(text_of(f"{self._url}/v1/flags/{self._symbol}", self._key))
        except (OSError, ValueError):
            return
        sides = {side: told["tier"] for side, told in flag["sides"].items()}
        now = f"long {sides['long']}, short {sides['short']}, {flag['quality']}"
        if self._last.get("flag") != now:
            self._last["flag"] = now
            self.tier = max(sides.values())
            self.note("flag", f"{now}: {flag['sides']['long']['reasons'][0]}")

    def _changed(self, name: str, side: str, decision: Decision) -> None:
        allowed = "may open" if decision.new_risk else "denied"
        now = f"{side:5} T{decision.tier} {decision.state:8} {decision.quality:8} {allowed}"
        if self._last.get(f"{name} {side}") != now:
            self._last[f"{name} {side}"] = now
            self.note(name, now if decision.new_risk else f"{now}: {decision.reason}")


def status_of(url: str, token: str | None = None, within_s: float = 1.0) -> int | None:
    """Status of a GET; None when nobody answers."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, headers=headers), timeout=within_s
        ) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def text_of(url: str, token: str) -> str:
    """Body of a GET."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return str(answer.read().decode())
