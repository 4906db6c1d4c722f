"""Whether a frame of a stream is new, a late or repeated one, or says that time went back."""

from typing import Final, Literal

__all__ = ["BACK_MS", "stream_time"]

BACK_MS: Final = 60_000
"""A frame older than the newest by more than this is no repetition: one of the two times lies."""


def stream_time(newest: int | None, now: int) -> Literal["new", "old", "back"]:
    """What the time of a frame is against the newest of its stream.

    ``old`` frames say nothing new; after ``back`` the stream begins anew, so that one wrong time
    cannot silence it for good.

    Examples
    --------
    >>> stream_time(None, 5), stream_time(5, 5), stream_time(6, 5), stream_time(100_000, 5)
    ('new', 'new', 'old', 'back')
    """
    if newest is None or now >= newest:
        return "new"
    return "old" if newest - now <= BACK_MS else "back"
