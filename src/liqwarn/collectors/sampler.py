"""A sample of what a line says: the newest value of each field, and every candle."""

from liqwarn.collectors.happenings import Candle, Happening, Reading

__all__ = ["Sampler"]


class Sampler:
    """Keeps the newest reading per symbol and field until it is taken; of the rest, everything.

    Examples
    --------
    >>> sampler = Sampler()
    >>> for value in (1.0, 2.0):
    ...     sampler.add(Reading(symbol="BTCUSDT", time_ms=5, field="mark", value=value))
    >>> [reading.value for reading in sampler.take()]
    [2.0]
    >>> sampler.take()
    ()
    """

    def __init__(self) -> None:
        self._readings: dict[tuple[str, str], Reading] = {}
        self._others: list[Happening] = []
        self._candles: dict[str, Candle] = {}

    def add(self, told: Happening) -> None:
        """Take a happening; a candle that is repeated word for word counts once."""
        if isinstance(told, Reading):
            self._readings[told.symbol, told.field] = told
        elif not isinstance(told, Candle):
            self._others.append(told)
        elif self._candles.get(told.symbol) != told:
            self._candles[told.symbol] = told
            self._others.append(told)

    def take(self) -> tuple[Happening, ...]:
        """What is to be recorded, which it then forgets."""
        if not self._readings and not self._others:
            return ()
        taken = (*self._others, *self._readings.values())
        self._others = []
        self._readings = {}
        return taken
