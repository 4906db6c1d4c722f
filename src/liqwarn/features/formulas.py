"""Formulas that several families use."""

from liqwarn.features.past import Past, maximum, minimum, where

__all__ = ["average_true_range", "cell_return", "imbalance", "log_change", "realised_volatility"]


def log_change(series: Past, hours: float) -> Past:
    """Natural logarithm of the value over the one that many hours ago."""
    return series.log() - series.log().lag(hours)


def cell_return(close: Past) -> Past:
    """Log return from one cell to the next."""
    logs = close.log()
    return logs - logs.previous()


def realised_volatility(returns: Past, hours: float) -> Past:
    """Root of the mean squared log return, per square root of an hour; about zero, not the mean."""
    return ((returns * returns).mean(hours) / returns.cell_hours).sqrt()


def average_true_range(high: Past, low: Past, close: Past, hours: float) -> Past:
    """Mean true range of the window's cells, in price (Wilder 1978, with a plain mean).

    The true range of a cell runs over its high, its low and the close before it.
    """
    before = close.previous()
    top = maximum(high, before.fill(high))
    bottom = minimum(low, before.fill(low))
    return (top - bottom).mean(hours)


def imbalance(more: Past, less: Past) -> Past:
    """``(more - less) / (more + less)``, -1 to 1; 0 where both are 0."""
    both = more + less
    return where(both > 0, (more - less) / both, 0.0)
