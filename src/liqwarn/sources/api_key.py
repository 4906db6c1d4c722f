"""The key of an API: sent as a header to one address, and never shown."""

import re
from dataclasses import dataclass, field
from typing import Final

from liqwarn.errors import ConfigError

__all__ = ["ApiKey", "KeyTerms"]

_VALUE: Final = re.compile(r"[!-~]{8,512}", re.ASCII)
_HIDDEN: Final = "***"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyTerms:
    """How a provider takes its key.

    Attributes
    ----------
    variable : str
        Of the environment, which holds the key.
    header : str
        It is sent as this header.
    before : str
        What stands before it there, such as ``Bearer`` and a space.
    """

    variable: str
    header: str
    before: str = ""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key; its value is in no text made of it.

    Raises
    ------
    ConfigError
        When it cannot be a key; the message does not show it.

    Examples
    --------
    >>> key = ApiKey(KeyTerms(variable="V", header="X-Api-Key"), "0123456789abcdef")
    >>> key
    ApiKey(terms=KeyTerms(variable='V', header='X-Api-Key', before=''))
    >>> key.hide(b"no such key: 0123456789abcdef")
    b'no such key: ***'
    """

    terms: KeyTerms
    value: str = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse what a header cannot hold, or what is too short to be told from numbers."""
        if not _VALUE.fullmatch(self.value):
            raise ConfigError(
                f"{self.terms.variable}: found {len(self.value)} characters, expected a key of "
                "8 to 512 letters, digits and signs, without spaces"
            )

    @property
    def headers(self) -> dict[str, str]:
        """What is sent."""
        return {self.terms.header: self.terms.before + self.value}

    def hide(self, content: bytes) -> bytes:
        """A reply without the key, should the server have said it."""
        pattern = b"".join(_said_as(letter) for letter in self.value)
        return re.sub(pattern, _HIDDEN.encode(), content)


def _said_as(letter: str) -> bytes:
    """The ways in which text, JSON, an address or a page writes a character."""
    plain, code = re.escape(letter), ord(letter)
    coded = rf"(?i:\\u{code:04x}|%{code:02x}|&#{code};|&#x{code:x};)"
    return rf"(?:\\?{plain}|{coded})".encode()
