"""A freqtrade strategy asks liqwarn before it takes risk, never before it gives some up."""

from liqwarn_freqtrade.mixin import LiqwarnMixin

__all__ = ["LiqwarnMixin"]
