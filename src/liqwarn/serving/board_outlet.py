"""The board as a target of publications: every flag with the moment it dies by a steady clock."""

from liqwarn.board.clocks import epoch_ns
from liqwarn.board.deadline import deadline_for
from liqwarn.board.writer import BoardWriter
from liqwarn.serving.clock import Clock
from liqwarn.serving.flag_file import FlagSet

__all__ = ["BoardOutlet"]


class BoardOutlet:
    """Writes publications to a board, and its heartbeat.

    Parameters
    ----------
    writer : BoardWriter
    clock : Clock
        Its monotonic clock is the one that readers of the board compare deadlines with.
    """

    def __init__(self, writer: BoardWriter, *, clock: Clock) -> None:
        self._writer = writer
        self._clock = clock

    def publish(self, flags: FlagSet) -> None:
        """Write every flag; one that has expired already dies at once."""
        wall_ns, boot_ns = epoch_ns(self._clock.wall()), int(self._clock.monotonic() * 1e9)
        for flag in flags.flags.values():
            deadline_ns = deadline_for(flag, wall_ns=wall_ns, boot_ns=boot_ns)
            self._writer.write(flag, deadline_ns=deadline_ns)
        self.beat()

    def beat(self) -> None:
        """Say that the writer lives."""
        self._writer.beat(int(self._clock.monotonic() * 1e9))

    def close(self) -> None:
        """Give the board up: readers see that nobody writes it any more."""
        self._writer.close()
