"""A venue's tier file, checked whole: every fault is named at once."""

import math
from collections.abc import Mapping
from datetime import date
from difflib import get_close_matches
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from liqwarn.errors import ConfigError, FrameError
from liqwarn.liquidation.tiers import Tier, TierTable, VenueTiers, with_amounts

__all__ = ["parse_tiers"]

_DEFAULT: Final = ("*",)
_Number = Annotated[float, Field(allow_inf_nan=False)]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Row(_Shape):
    cap: _Number | None = None
    rate: _Number
    leverage: _Number | None = None
    amount: _Number | None = None


class _Table(_Shape):
    symbols: Annotated[list[str], Field(min_length=1)]
    contract: Literal["linear", "inverse"]
    effective: date | None
    source: Annotated[str, Field(min_length=1)]
    measure: Literal["notional", "coins"] = "notional"
    fee_rate: Annotated[_Number, Field(ge=0.0, lt=1.0)] = 0.0
    tiers: Annotated[list[_Row], Field(min_length=1)]


class _File(_Shape):
    schema_: Annotated[Literal["liqwarn.margin_tiers/1"], Field(alias="schema")]
    venue: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    tables: Annotated[list[Any], Field(min_length=1)]


def parse_tiers(raw: Mapping[str, object]) -> VenueTiers:
    """Check a tier file whole and freeze it.

    Parameters
    ----------
    raw : mapping
        Content of the YAML file; ``docs/margin.md`` explains every key.

    Raises
    ------
    ConfigError
        With all faults, one a line: unknown keys with the nearest known one, wrong types, tiers
        out of order, maintenance amounts that jump, two tables for one day, no default.

    Examples
    --------
    >>> try:
    ...     parse_tiers({"schema": "liqwarn.margin_tiers/1", "venu": "binance", "tables": [1]})
    ... except ConfigError as error:
    ...     print(error)
    margin tiers have 3 faults:
    - venue: required and missing
    - venu: unknown key, did you mean 'venue'?
    - tables[0]: found 1, expected keys and values
    """
    faults: list[str] = []
    try:
        _File.model_validate(raw)
    except ValidationError as error:
        faults += [_fault(problem, _File, "") for problem in error.errors()]
    venue, listed = str(raw.get("venue", "?")), raw.get("tables")
    tables = [
        table
        for number, content in enumerate(listed if isinstance(listed, list) else [])
        if (table := _table(venue, content, f"tables[{number}]", faults)) is not None
    ]
    found = _venue(venue, tables, faults)
    if found is None or faults:
        count = f"{len(faults)} fault{'s' if len(faults) > 1 else ''}"
        raise ConfigError(f"margin tiers have {count}:\n" + "\n".join(f"- {f}" for f in faults))
    return found


def _table(venue: str, content: object, where: str, faults: list[str]) -> TierTable | None:
    if not isinstance(content, Mapping):
        faults.append(f"{where}: found {content!r}, expected keys and values")
        return None
    try:
        shape = _Table.model_validate(content)
    except ValidationError as error:
        faults += [_fault(problem, _Table, where) for problem in error.errors()]
        return None
    try:
        return _frozen(venue, shape)
    except FrameError as error:
        faults += [f"{where}: {line}" for line in str(error).splitlines()]
        return None


def _frozen(venue: str, shape: _Table) -> TierTable:
    last = len(shape.tiers) - 1
    if any(row.cap is None for row in shape.tiers[:last]):
        raise FrameError("a tier before the last has no cap, expected only the last one open")
    plain = tuple(
        Tier(
            cap=math.inf if row.cap is None else row.cap,
            rate=row.rate,
            max_leverage=row.leverage,
            amount=row.amount or 0.0,
        )
        for row in shape.tiers
    )
    rows = plain
    if shape.measure == "notional":
        rows = with_amounts(plain, tuple(row.amount for row in shape.tiers))
    return TierTable(
        venue=venue,
        symbols=tuple(shape.symbols),
        contract=shape.contract,
        effective=shape.effective,
        source=shape.source,
        measure=shape.measure,
        tiers=rows,
        fee_rate=shape.fee_rate,
    )


def _venue(venue: str, tables: list[TierTable], faults: list[str]) -> VenueTiers | None:
    defaults = [table for table in tables if table.symbols == _DEFAULT]
    if len(defaults) != 1:
        if not faults:
            faults.append(f"tables: found {len(defaults)} with symbols ['*'], expected one default")
        return None
    try:
        return VenueTiers(
            venue=venue,
            tables=tuple(table for table in tables if table is not defaults[0]),
            default=defaults[0],
        )
    except FrameError as error:
        faults.append(f"tables: {error}")
        return None


def _fault(problem: Any, shape: type[BaseModel], where: str) -> str:  # noqa: ANN401 - pydantic's ErrorDetails is not exported
    place = where
    for part in problem["loc"]:
        place += f"[{part}]" if isinstance(part, int) else f".{part}"
    place = place.removeprefix(".")
    if problem["type"] == "missing":
        return f"{place}: required and missing"
    if problem["type"] == "extra_forbidden":
        known = _Row if len(problem["loc"]) > 1 else shape
        names = [field.alias or name for name, field in known.model_fields.items()]
        near = get_close_matches(str(problem["loc"][-1]), names, n=1, cutoff=0.5)
        hint = f"did you mean '{near[0]}'?" if near else f"expected one of {', '.join(names)}"
        return f"{place}: unknown key, {hint}"
    return f"{place}: found {problem['input']!r}. {problem['msg']}"
