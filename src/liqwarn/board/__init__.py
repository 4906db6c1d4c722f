"""The flag board: a fixed-layout mapped file that any process on the host reads without a call.

Byte by byte in ``docs/board.md``; for C in ``liqwarn_board.h`` beside this file.
"""

from liqwarn.board.deadline import deadline_for
from liqwarn.board.flag import BoardFlag, Refusal
from liqwarn.board.reader import BoardReader
from liqwarn.board.writer import BoardWriter

__all__ = ["BoardFlag", "BoardReader", "BoardWriter", "Refusal", "deadline_for"]
