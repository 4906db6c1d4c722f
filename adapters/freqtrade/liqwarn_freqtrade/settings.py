"""What the ``liqwarn`` section of a freqtrade configuration says."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from liqwarn.errors import ConfigError

__all__ = ["Settings", "parse_settings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a bot reads its flags and what it does about them.

    Attributes
    ----------
    source : str or None
        For live and dry runs, as :func:`liqwarn.client.open_gate` takes it. None denies.
    keys : str or None
        Public keys; with them an unsigned flag is refused.
    api_key : str or None
        For an HTTP source. freqtrade can take it from ``FREQTRADE__LIQWARN__API_KEY``.
    max_wait_s : float
        Longest time a question may take.
    history, policy : str or None
        For backtests: the flag history of ``liqwarn score`` or ``liqwarn replay``, and the policy
        file it was decided by, for a history has tiers and no limits. None denies.
    delay_s : float
        For backtests: how long after its bar's close a flag could be read.
    derisk_tier : int or None
        Leave a position whose side is at this tier or higher, 4 or 5. None never does.
    lock_pairs, lock_in_backtest : bool
        Whether denied pairs are locked. In a backtest a lock changes no result and costs time.
    keep_exit_veto : bool
        Whether a strategy's own ``confirm_trade_exit`` may refuse an exit.
    symbols : mapping of pair to symbol
        Where they are not base and quote together.
    """

    source: str | None = None
    keys: str | None = None
    api_key: str | None = field(default=None, repr=False)
    max_wait_s: float = 0.005
    history: str | None = None
    policy: str | None = None
    delay_s: float = 0.0
    derisk_tier: int | None = None
    lock_pairs: bool = True
    lock_in_backtest: bool = False
    keep_exit_veto: bool = False
    symbols: Mapping[str, str] = field(default_factory=dict)


def parse_settings(raw: Mapping[str, Any] | None) -> Settings:
    """Read the section; without one everything is denied.

    Raises
    ------
    ConfigError
        For an unknown key, and a tier that no position is left at.

    Examples
    --------
    >>> parse_settings({"source": "file:flags.json"}).max_wait_s
    0.005
    """
    known = {item.name for item in fields(Settings)}
    unknown = sorted(set(raw or {}) - known)
    if unknown:
        raise ConfigError(f"liqwarn section has {unknown}, expected only {sorted(known)}")
    settings = Settings(**(raw or {}))
    if settings.derisk_tier not in (None, 4, 5):
        raise ConfigError(f"derisk_tier is {settings.derisk_tier!r}, expected 4, 5 or none")
    if not settings.delay_s >= 0:
        raise ConfigError(f"delay_s is {settings.delay_s!r}, expected 0 or more")
    return settings
