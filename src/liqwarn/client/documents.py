"""A published set of flags, row by row: a bad row denies its symbol and no other."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from liqwarn.board.clocks import epoch_ns
from liqwarn.board.flag import MAX_LIFE_NS, Refusal
from liqwarn.client.seen import Seen, seen_from_flag
from liqwarn.decisions import FLAG_SCHEMA, FLAGS_SCHEMA, flag_from_dict, moment_from_iso
from liqwarn.errors import PolicyError

if TYPE_CHECKING:
    from liqwarn.signing import VerifyKey

__all__ = ["Arrival", "Found", "read_documents"]

Found = Mapping[str, Seen | Refusal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """When a document came in.

    Attributes
    ----------
    wall_ns, boot_ns : int
        By the reader's clocks.
    written_ns : int
        When it was written, by the file system; 0 when nobody knows.
    """

    wall_ns: int
    boot_ns: int
    written_ns: int = 0


def read_documents(
    content: bytes,
    arrival: Arrival,
    before: Mapping[str, Seen],
    keys: "Sequence[VerifyKey]" = (),
) -> Found:
    """The flags of a published set, each good by itself or refused.

    Parameters
    ----------
    before : mapping of symbol to Seen
        The last good flag of each symbol until now.
    keys : sequence of VerifyKey
        When there are any, every row must be signed by one of them.

    Raises
    ------
    PolicyError
        When the whole is no set of flags: torn, of another schema, a symbol twice.
    """
    rows, generated_ns = _rows(content)
    written = max(arrival.wall_ns, arrival.written_ns, generated_ns)
    found: dict[str, Seen | Refusal] = {}
    for row in rows:
        symbol = row.get("symbol") if isinstance(row, dict) else None
        if not isinstance(symbol, str) or symbol in found:
            raise PolicyError(f"row of symbol {symbol!r}, expected each symbol once")
        found[symbol] = _refusal(row, keys) or _judged(row, written, arrival, before.get(symbol))
        time.sleep(0)  # let an order path that waits for the interpreter go first
    return found


def _rows(content: bytes) -> tuple[list[Any], int]:
    try:
        raw = orjson.loads(content)
    except ValueError as error:
        raise PolicyError(f"not JSON, or torn: {error}") from error
    schema = raw.get("schema") if isinstance(raw, dict) else None
    if schema != FLAGS_SCHEMA:
        raise PolicyError(f"schema is {schema!r}, expected {FLAGS_SCHEMA!r}")
    rows = raw.get("flags")
    if not isinstance(rows, list):
        raise PolicyError(f"flags are {type(rows).__name__}, expected a list")
    return rows, epoch_ns(moment_from_iso(raw.get("generated_at"), "generated_at"))


def _refusal(row: dict[str, Any], keys: "Sequence[VerifyKey]") -> Refusal | None:
    if row.get("schema") != FLAG_SCHEMA:
        detail = f"flag schema is {row.get('schema')!r}, expected {FLAG_SCHEMA!r}"
        return Refusal(kind="unknown version", detail=detail)
    if not keys:
        return None
    from liqwarn.signing import verify_document  # noqa: PLC0415  heavy, and needed with keys alone

    why = verify_document(row, keys)
    if why is None:
        return None
    return Refusal(kind="unsigned" if why.startswith("unsigned") else "bad signature", detail=why)


def _judged(
    row: dict[str, Any], written_ns: int, arrival: Arrival, before: Seen | None
) -> Seen | Refusal:
    try:
        flag = flag_from_dict(row)
        seen = seen_from_flag(flag, written_ns, arrival.boot_ns, before)
    except (PolicyError, TypeError, ValueError) as error:
        return Refusal(kind="inconsistent", detail=str(error))
    ahead = max(epoch_ns(flag.as_of), epoch_ns(flag.issued_at), flag.sequence * 1_000_000_000)
    if ahead - arrival.wall_ns > MAX_LIFE_NS:
        return Refusal(kind="inconsistent", detail="from more than a day ahead of the clock")
    return seen
