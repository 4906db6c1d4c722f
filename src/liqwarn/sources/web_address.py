"""The address of a provider's server: https, or this machine; no password and no query in it."""

import ipaddress
import re

from liqwarn.errors import ConfigError
from liqwarn.sources.api_key import ApiKey

__all__ = ["check_address", "shown_address"]


def check_address(
    text: str, scheme: str, host: str, *, has_more: bool, key: ApiKey | None = None
) -> None:
    """Refuse an address that is none, or at which a key would go over a network in the clear.

    Parameters
    ----------
    text, scheme, host : str
        The address, and its parts as whoever asks there understands them.
    has_more : bool
        It has a user, a password or a query.
    key : ApiKey, optional
        It would be sent there.

    Raises
    ------
    ConfigError
        Without what may be a password or a key in the address.
    """
    told = shown_address(text)
    if scheme not in ("http", "https") or not host or has_more:
        raise ConfigError(f"base URL is {told!r}, expected https://host or https://host/path")
    if key is not None and scheme == "http" and not _is_loopback(host):
        raise ConfigError(
            f"base URL is {told!r}, expected https: the key of {key.terms.variable} is not sent "
            "over a network in the clear"
        )


def shown_address(text: str) -> str:
    """An address for a message: without user, password, query and fragment.

    Text that is no address at all may be a key that was put into the wrong variable.

    >>> shown_address("https://me:pa/ss@data.example/v1?api_key=abc")
    'https://***@data.example/v1?***'
    >>> shown_address("0123456789abcdef")
    '***'
    """
    if not re.match(r"[a-z]+:/|[^/]*[.:@]", text):
        return "***"
    place = re.sub(r"(?<=//).*@|^[^/]*@", "***@", text)
    return re.sub(r"([?#]).+", r"\1***", place)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
