"""JSON replies, with each number as the text that came: nothing is rounded on its way."""

import json
from typing import Final, Never

from liqwarn.errors import DataError

__all__ = ["Number", "parse_page", "shown"]

_SHOWN: Final = 60


class Number(str):
    """A JSON number as its text, to be told from a string that holds one."""

    __slots__ = ()


def parse_page(content: bytes, where: str) -> object:
    """A reply as dicts, lists, text, :class:`Number`, booleans and None.

    Raises
    ------
    DataError
        Naming `where`: an empty reply, a page of HTML, no JSON, NaN, a key that is there twice.

    Examples
    --------
    >>> parse_page(b'{"a": [0.10, "0.10"]}', "x")
    {'a': ['0.10', '0.10']}
    >>> parse_page(b"<html>", "x")
    Traceback (most recent call last):
        ...
    liqwarn.errors.DataError: x: found a page of HTML or XML, expected JSON
    """
    if not content.strip():
        raise DataError(f"{where}: found nothing, expected JSON")
    if content.lstrip().startswith(b"<"):
        raise DataError(f"{where}: found a page of HTML or XML, expected JSON")

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise DataError(f"{where}: field {shown(twice)} is there twice, expected once")
        return found

    def no_number(text: str) -> Never:
        raise DataError(f"{where}: found {text}, expected a finite number")

    try:
        return json.loads(
            content,
            parse_float=Number,
            parse_int=Number,
            parse_constant=no_number,
            object_pairs_hook=once,
        )
    except RecursionError as error:
        raise DataError(f"{where}: nested too deeply, expected a page of rows") from error
    except ValueError as error:
        raise DataError(
            f"{where}: found {shown(content)}, expected JSON, cut short? ({error})"
        ) from error


def shown(value: object) -> str:
    """A value for a message, bounded, a number without the quotes of text.

    >>> shown(Number("1.50")), shown("1.50"), shown(None)
    ('1.50', "'1.50'", 'null')
    """
    if value is None:
        return "null"
    text = str(value) if isinstance(value, Number) else repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
