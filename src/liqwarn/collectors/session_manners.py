"""How a line is held: what is waited for, and how long."""

from dataclasses import dataclass

__all__ = ["Manners"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """Times in seconds.

    Attributes
    ----------
    open_s, send_s : float
        Longest wait for a connection, and for the venue to take what is sent.
    first_wait_s, longest_wait_s : float
        Before a line is tried again, doubled each time, and the bound.
    healthy_s : float
        A line that held so long begins with the first wait again.
    life_s : float
        After so long a line is replaced; venues cut theirs after a day.
    overlap_s : float
        How long both connections are held then.
    again_s : float
        A topic that is refused is asked for again after so long, one that stays silent at the
        latest then.
    """

    open_s: float = 10.0
    send_s: float = 10.0
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0
    healthy_s: float = 60.0
    life_s: float = 23 * 3_600.0
    overlap_s: float = 5.0
    again_s: float = 3_600.0
