"""How long a flag may live by a clock that cannot jump."""

from liqwarn.board.clocks import epoch_ns
from liqwarn.decisions import Flag

__all__ = ["deadline_for"]


def deadline_for(flag: Flag, *, wall_ns: int, boot_ns: int) -> int:
    """The moment on the boot clock at which a flag that is known now has lived its life.

    Parameters
    ----------
    wall_ns : int
        The wall clock now, or a later moment that something else owns up to. A wall clock that is
        behind the flag's own times is not believed: it would lengthen its life.
    boot_ns : int
        The boot clock now.

    Returns
    -------
    int
        Boot-clock nanoseconds; `boot_ns` itself when the flag has expired.

    Examples
    --------
    A writer gives it with every flag::

        clocks = SYSTEM_CLOCKS
        writer.write(flag, deadline_ns=deadline_for(
            flag, wall_ns=clocks.wall_ns(), boot_ns=clocks.boot_ns()))
    """
    now = max(wall_ns, epoch_ns(flag.issued_at), epoch_ns(flag.as_of))
    return boot_ns + max(epoch_ns(flag.valid_until) - now, 0)
