"""``Retry-After``: how long a server asks to be left alone."""

from datetime import UTC
from email.utils import parsedate_to_datetime

__all__ = ["seconds_to_wait"]


def seconds_to_wait(header: str | None, *, now: float) -> float | None:
    """Seconds from now that a header asks for; None when it asks for nothing that can be read.

    Parameters
    ----------
    header : str or None
        Whole seconds, or an HTTP date.
    now : float
        Seconds since the epoch.

    Examples
    --------
    >>> seconds_to_wait("120", now=0.0)
    120.0
    >>> seconds_to_wait("Thu, 01 Jan 1970 00:01:00 GMT", now=50.0)
    10.0
    >>> seconds_to_wait("soon", now=0.0) is None
    True
    """
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    moment = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, moment.timestamp() - now)
