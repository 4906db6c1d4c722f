"""What time it is at a server: a clock of ours that is off would stamp what was seen wrongly."""

from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

__all__ = ["seconds_ahead"]


def seconds_ahead(headers: Mapping[str, str], *, now: float) -> float | None:
    """How far our clock is ahead of a server's, negative when behind.

    Parameters
    ----------
    headers : mapping of str to str
        Of a reply; names in any case are for the mapping to match.
    now : float
        Seconds since the epoch when it came.

    Returns
    -------
    float or None
        None when the server does not say, or a cache answers, whose reply is of some time ago.

    Examples
    --------
    >>> seconds_ahead({"Date": "Thu, 01 Jan 1970 00:01:00 GMT"}, now=90.0)
    30.0
    >>> seconds_ahead({"Date": "Thu, 01 Jan 1970 00:01:00 GMT", "Age": "30"}, now=90.0) is None
    True
    """
    if "Date" not in headers or "Age" in headers:
        return None
    try:
        when = parsedate_to_datetime(headers["Date"])
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    moment = when if when.tzinfo else when.replace(tzinfo=UTC)
    return now - moment.timestamp()
