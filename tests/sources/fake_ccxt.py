"""What an environment that has ccxt looks like to the worker: a module of that name, made up.

`STATE` names a JSON file that tells it what to do; it notes there what it was asked.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import ClassVar

__version__ = "4.5.90"
exchanges = ["gate", "okx", "bybit", "quiet", "novel"]
STATE = Path(__file__).with_name("state.json")
HOUR = 3_600_000


class BaseError(Exception):
    pass


class NetworkError(BaseError):
    pass


class RateLimitExceeded(NetworkError):  # noqa: N818  ccxt's name
    pass


class BadRequest(BaseError):  # noqa: N818  ccxt's name
    pass


def _state():
    return json.loads(STATE.read_text())


def _die():
    print("segmentation of something", file=sys.stderr, flush=True)
    os._exit(3)


def _raise(error):
    raise error


def _endless():
    while True:
        os.write(1, b"x" * (1 << 20))


ACTS = {
    "hang": lambda: time.sleep(60),
    "die": _die,
    "kill": lambda: os.kill(os.getpid(), 9),
    "busy": lambda: _raise(RateLimitExceeded("429 Too Many Requests")),
    "bad": lambda: _raise(BadRequest("contract not found")),
    "bug": lambda: _raise(KeyError("fundingTime")),
    "noise": lambda: os.write(1, b"Warning: old library\n"),
    "endless": _endless,
    "chatter": lambda: sys.stderr.write("y" * (1 << 20)),
}


class Exchange:
    name = ""
    has: ClassVar = {"fetchFundingRateHistory": True, "fetchOpenInterestHistory": True}
    amount = "2851725"

    def __init__(self, told):
        self.told, self.number, self.markets = told, float, {}
        print("a library that prints")

    def _act(self, what, *asked):
        state = _state()
        state["asked"].append([what, *asked])
        queue = state["acts"].get(what, [])
        act = queue.pop(0) if queue else None
        STATE.write_text(json.dumps(state))
        if isinstance(act, str):
            ACTS[act]()
        return act["rows"] if isinstance(act, dict) else None

    def load_markets(self):
        self._act("markets")
        size = _state().get("size", "0.0001")
        for base in ("BTC", "ETH"):
            symbol = f"{base}/USDT:USDT"
            self.markets[symbol] = {
                "symbol": symbol, "base": base, "quote": "USDT", "settle": "USDT", "swap": True,
                "linear": True, "inverse": False, "contractSize": size,
            }  # fmt: skip
        inverse = {"symbol": "BTC/USD:BTC", "swap": True, "linear": False, "inverse": True}
        self.markets["BTC/USD:BTC"] = inverse

    def market(self, symbol):
        return self.markets[symbol]

    def _times(self, since, limit, step):
        """Forward from `since`, as most exchanges do; `until` is not known here."""
        state = _state()
        first = max(-(-since // step) * step, state["first"])
        return list(range(first, state["now"], step))[:limit]

    def fetch_funding_rate_history(self, symbol, since, limit, params):
        rows = self._act("funding", symbol, since, limit, params)
        if rows is not None:
            return rows
        return [
            {"symbol": symbol, "fundingRate": self.number(f"0.{t // HOUR % 97:05d}0"),
             "timestamp": t, "datetime": "", "info": {}}
            for t in self._times(since, limit, 8 * HOUR)
        ]  # fmt: skip

    def fetch_open_interest_history(self, symbol, timeframe, since, limit, params):
        rows = self._act("open-interest", symbol, timeframe, since, limit, params)
        if rows is not None:
            return rows
        return [
            {"symbol": symbol, "openInterestAmount": self.number(self.amount),
             "openInterestValue": self.number("9872386.7775"), "timestamp": t, "info": {}}
            for t in self._times(since, limit, {"1h": HOUR, "5m": HOUR // 12}[timeframe])
        ]  # fmt: skip


class gate(Exchange):  # noqa: N801  ccxt's name
    pass


class okx(Exchange):  # noqa: N801  ccxt's name
    pass


class bybit(Exchange):  # noqa: N801  ccxt's name
    pass


class novel(Exchange):  # noqa: N801  ccxt's name
    pass


class quiet(Exchange):  # noqa: N801  ccxt's name
    has: ClassVar = {"fetchFundingRateHistory": None, "fetchOpenInterestHistory": False}
