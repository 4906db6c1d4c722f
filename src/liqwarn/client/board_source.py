"""A board as the source of a gate."""

from typing import Any

from liqwarn.board import BoardFlag, BoardReader, Refusal
from liqwarn.client.seen import Seen, seen_from_board

__all__ = ["BoardSource"]


class BoardSource:
    """Reads a board in the caller's own thread: no call leaves the process while it is unchanged.

    Parameters
    ----------
    reader : BoardReader
        With its keys and its bounds.
    """

    def __init__(self, reader: BoardReader) -> None:
        self._reader = reader
        self._read = reader.read
        self._seen: dict[str, tuple[BoardFlag, Seen]] = {}

    def find(self, symbol: str) -> Seen | Refusal:
        """What is known of a symbol now."""
        flag = self._read(symbol)
        try:
            known, seen = self._seen[symbol]
        except KeyError:
            known = None
        if flag is None:
            again = self._reader.look(symbol)
            if isinstance(again, Refusal):
                return again
            flag = again
        if known is flag:
            return seen
        seen = seen_from_board(flag)
        self._seen[symbol] = (flag, seen)
        return seen

    def status(self) -> dict[str, Any]:
        """Seconds since the writer's heartbeat, None without a board."""
        silence = self._reader.silence_s
        known = silence != float("inf")
        return {"age_s": silence if known else None, "fault": None if known else "no board"}

    def close(self) -> None:
        """Let go of the file."""
        self._reader.close()
        self._seen = {}
