"""Plain values, as YAML gives them, into the fields of frozen dataclasses; every fault is named."""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, fields
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from pathlib import PurePosixPath
from reprlib import repr as short
from typing import Any, Final, Literal, TypeVar, get_args, get_origin, get_type_hints

from liqwarn.errors import ConfigError

__all__ = ["Symbols", "duration_text", "key_of", "nearest_of", "plain_of", "read", "values_of"]

T = TypeVar("T")
Symbols = tuple[str, ...] | None
"""Names of symbols; None stands for all of them."""

_UNITS: Final = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_DURATION: Final = re.compile(r"([0-9]{1,6})([smhd])")


def nearest_of(word: str, known: Iterable[str]) -> str:
    """The nearest known word, or all of them where nothing comes close.

    >>> nearest_of("depht", ["depth", "price"])
    "did you mean 'depth'?"
    >>> nearest_of("xyz", ["depth", "price"])
    'expected one of depth, price'
    """
    words = list(known)
    near = get_close_matches(word, words, n=1, cutoff=0.5)
    return f"did you mean '{near[0]}'?" if near else f"expected one of {', '.join(words)}"


def duration_text(value: timedelta) -> str:
    """A duration as a file writes it, in the largest unit that leaves a whole number above 1.

    >>> duration_text(timedelta(minutes=90)), duration_text(timedelta(days=1))
    ('90m', '24h')
    """
    seconds = value // timedelta(seconds=1)
    fitting = (u for u, size in _UNITS.items() if seconds > size and seconds % size == 0)
    unit = next(fitting, "s")
    return f"{seconds // _UNITS[unit]}{unit}"


def key_of(item: Field[Any]) -> str:
    """The key of a field in a file: its name, unless that is a word of Python."""
    return str(item.metadata.get("key", item.name))


def read(
    kind: type[T], raw: object, where: str, faults: list[str], *, also: tuple[str, ...] = ()
) -> T | None:
    """A dataclass from plain values.

    Parameters
    ----------
    kind : type
        A dataclass that refuses impossible values with a :class:`ConfigError` of one fault a line.
    raw : object
        What a file holds; a mapping unless it is wrong.
    where : str
        Place of `raw` in the file, for the messages.
    faults : list of str
        Extended by what is wrong.
    also : tuple of str
        Further keys that are no fault, read by the caller.

    Returns
    -------
    object or None
        None when anything was wrong.
    """
    before = len(faults)
    values = values_of(kind, raw, where, faults, also=also)
    whole = len(faults) == before
    if not whole:  # what can be read may be impossible, too
        values = _defaults(kind) | values
        if not _required(kind) <= set(values):
            return None
    try:
        made = kind(**values)
    except ConfigError as error:
        faults += [f"{where}.{line}" for line in str(error).splitlines()]
        return None
    return made if whole else None


def _required(kind: type) -> set[str]:
    """Fields without which there is nothing."""
    return {item.name for item in fields(kind)} - set(_defaults(kind))


def _defaults(kind: type) -> dict[str, Any]:
    """Fields that may be left out."""
    found = {}
    for item in fields(kind):
        if item.default is not MISSING:
            found[item.name] = item.default
        elif item.default_factory is not MISSING:
            found[item.name] = item.default_factory()
    return found


def values_of(
    kind: type, raw: object, where: str, faults: list[str], *, also: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Fields of a dataclass that can be read or have a default; a type with no rule stays as is."""
    if not isinstance(raw, Mapping):
        faults.append(f"{where or 'file'}: found {short(raw)}, expected keys and values")
        return {}
    known = {key_of(item): item for item in fields(kind)}
    for key in raw:
        if key not in known and key not in also:
            hint = nearest_of(str(key), (*also, *known))
            faults.append(f"{where}.{key}: unknown key, {hint}".removeprefix("."))
    hints, found = get_type_hints(kind), {}
    for key, item in known.items():
        place = f"{where}.{key}".removeprefix(".")
        if key in raw:
            try:
                found[item.name] = _converted(raw[key], hints[item.name])
            except ValueError as error:
                faults.append(f"{place}: found {short(raw[key])}, expected {error}")
        elif item.default is not MISSING:
            found[item.name] = item.default
        elif item.default_factory is not MISSING:
            found[item.name] = item.default_factory()
        else:
            faults.append(f"{place}: required and missing")
    return found


def plain_of(value: Any) -> dict[str, Any]:  # noqa: ANN401 - any dataclass that was read here
    """What a file would say for a dataclass; the inverse of :func:`read`, defaults included."""
    return {key_of(item): _plain(getattr(value, item.name), item.name) for item in fields(value)}


def _plain(value: object, name: str) -> object:
    if name == "symbols":
        return "all" if value is None else list(value) if isinstance(value, tuple) else value
    if isinstance(value, timedelta):
        return duration_text(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value) if isinstance(value, PurePosixPath) else value


def _converted(value: object, hint: object) -> object:
    """The value as a field holds it; a ValueError says what was expected."""
    if get_origin(hint) is Literal:
        choices = get_args(hint)
        if value not in choices:
            raise ValueError(f"one of {', '.join(choices)}")
        return value
    return _RULES[hint](value) if hint in _RULES else value


def _duration(value: object) -> timedelta:
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("a duration such as 30s, 15m, 24h or 2d")
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]])


def _number(value: object) -> float:
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            number = float(value)
            if math.isfinite(number):
                return number
    except OverflowError:
        pass
    raise ValueError("a finite number, such as 0.05")


def _number_or_none(value: object) -> float | None:
    return None if value is None else _number(value)


def _numbers(value: object) -> tuple[float, ...]:
    if not isinstance(value, (list, tuple)):
        raise ValueError("a list of finite numbers")  # noqa: TRY004 - caught as a fault of the file
    return tuple(_number(item) for item in value)


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("a whole number")  # noqa: TRY004 - caught as a fault of the file
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text that is not empty")
    return value.strip()


def _path(value: object) -> PurePosixPath:
    return PurePosixPath(_text(value))


def _moment(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        if isinstance(moment, datetime) and moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError("a time with a timezone, such as 2025-02-02T20:00:00Z")


def _symbols(value: object) -> Symbols:
    if value == "all":
        return None
    if isinstance(value, (list, tuple)) and value and all(isinstance(v, str) for v in value):
        return tuple(value)
    raise ValueError("all, or a list of symbols")


_RULES: Final[dict[object, Callable[[object], object]]] = {
    timedelta: _duration,
    float: _number,
    float | None: _number_or_none,
    tuple[float, ...]: _numbers,
    int: _whole,
    str: _text,
    PurePosixPath: _path,
    datetime: _moment,
    Symbols: _symbols,
}
