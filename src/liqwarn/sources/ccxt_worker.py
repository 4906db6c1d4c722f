"""Asks exchanges through ccxt, in a process and an environment of its own.

This file is run as a script by a Python that has ccxt; it imports nothing else but the standard
library, and nothing of liqwarn. It reads one JSON object a line from its standard input and writes
one a line to its standard output, each with the schema and the number of the question. Numbers are
text. What ccxt or a library prints goes to standard error.
"""

import importlib
import json
import sys
from collections.abc import Callable
from typing import Any, Final

__all__ = ["SCHEMA", "main"]

SCHEMA: Final = "liqwarn-ccxt-1"

_SAID: Final = 500

Answer = dict[str, Any]


class _Asked(Exception):  # noqa: N818  it is an answer, not a fault of the worker
    """A question that is answered with a refusal."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class _Desk:
    """Answers questions about one exchange."""

    def __init__(self) -> None:
        self._ccxt: Any = None
        self._exchange: Any = None
        self._answers: dict[str, Callable[[Answer], Answer]] = {
            "open": self._open,
            "market": self._market,
            "funding": self._funding,
            "open-interest": self._open_interest,
        }

    def answer(self, asked: Answer) -> Answer:
        """What is said to a question; a fault of the exchange is an answer too."""
        try:
            return self._answers[asked["ask"]](asked)
        except _Asked as refusal:
            return {"told": "error", "kind": refusal.kind, "text": str(refusal)}
        except Exception as error:  # whatever ccxt raises is told, not died of
            return {"told": "error", "kind": self._kind(error), "text": _said(error)}

    def _kind(self, error: Exception) -> str:
        """Whether it may pass by itself, concerns this question, or is a fault of ccxt."""
        for name, kind in (("NetworkError", "passing"), ("BaseError", "refused")):
            known = getattr(self._ccxt, name, None)
            if isinstance(known, type) and isinstance(error, known):
                return kind
        return "broken"

    def _open(self, asked: Answer) -> Answer:
        try:
            self._ccxt = importlib.import_module("ccxt")
        except ImportError as error:
            raise _Asked("no ccxt", _said(error)) from error
        name = asked["exchange"]
        if name not in self._ccxt.exchanges:
            raise _Asked("no exchange", ", ".join(self._ccxt.exchanges))
        made = getattr(self._ccxt, name)
        self._exchange = made({"enableRateLimit": True, "timeout": asked["timeout_ms"]})
        self._exchange.number = str  # digits as the exchange wrote them
        known = self._exchange.has
        return {
            "told": "open",
            "version": str(self._ccxt.__version__),
            "funding": bool(known.get("fetchFundingRateHistory")),
            "open-interest": bool(known.get("fetchOpenInterestHistory")),
        }

    def _market(self, asked: Answer) -> Answer:
        self._exchange.load_markets()
        if asked["symbol"] not in self._exchange.markets:
            swaps = (m for m in self._exchange.markets.values() if m.get("swap"))
            raise _Asked("no market", ", ".join(sorted(m["symbol"] for m in swaps)))
        market = self._exchange.market(asked["symbol"])
        told: Answer = {name: _text(market.get(name)) for name in ("base", "quote", "settle")}
        told |= {name: bool(market.get(name)) for name in ("swap", "linear", "inverse")}
        return {"told": "market", **told, "contractSize": _text(market.get("contractSize"))}

    def _funding(self, asked: Answer) -> Answer:
        rows = self._exchange.fetch_funding_rate_history(
            asked["symbol"], asked["since"], asked["limit"], asked["params"]
        )
        return _rows(rows, asked["symbol"], ("fundingRate", "interval"))

    def _open_interest(self, asked: Answer) -> Answer:
        rows = self._exchange.fetch_open_interest_history(
            asked["symbol"], asked["timeframe"], asked["since"], asked["limit"], asked["params"]
        )
        return _rows(rows, asked["symbol"], ("openInterestAmount", "openInterestValue"))


def main() -> None:
    """Answer questions until there are none."""
    out, sys.stdout = sys.stdout, sys.stderr
    desk = _Desk()
    for line in sys.stdin:
        asked = json.loads(line)
        told = {"schema": SCHEMA, "id": asked["id"], **desk.answer(asked)}
        out.write(json.dumps(told, allow_nan=False) + "\n")
        out.flush()


def _rows(found: Any, symbol: str, names: tuple[str, ...]) -> Answer:  # noqa: ANN401  ccxt's own
    """Rows of a unified reply; one of another market is told as such."""
    rows = []
    for row in found:
        told = row.get("symbol")
        if told is not None and told != symbol:
            raise _Asked("broken", f"a row of {told}, expected {symbol}")
        rows.append({"timestamp": row["timestamp"], **{n: _text(row.get(n)) for n in names}})
    return {"told": "rows", "rows": rows}


def _text(value: Any) -> str | None:  # noqa: ANN401  ccxt's own
    """A number as its text, and text as it is."""
    return None if value is None else str(value)


def _said(error: Exception) -> str:
    text = " ".join(f"{type(error).__name__} {error}".split())
    return text[:_SAID]


if __name__ == "__main__":
    main()
