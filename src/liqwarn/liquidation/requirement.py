"""What a venue requires of one position, and where that was read."""

from dataclasses import dataclass, replace
from datetime import date

from liqwarn.errors import FrameError
from liqwarn.liquidation.maintenance import Maintenance, flat_maintenance
from liqwarn.liquidation.position import Position
from liqwarn.liquidation.tiers import TierTable

__all__ = ["Requirement", "flat_requirement", "table_requirement"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Requirement:
    """Required margin of one position.

    Attributes
    ----------
    maintenance : Maintenance
        As a function of notional, the liquidation fee included.
    name : str
        The table, or the rate that was given.
    source : str
        Who says so.
    effective : date or None
        First day the table is known to have been in force; None for a given rate.
    assumed : bool
        True when the figures stand in for ones that are not known for this symbol or day.
    """

    maintenance: Maintenance
    name: str
    source: str
    effective: date | None = None
    assumed: bool = False


def flat_requirement(rate: float, *, fee_rate: float = 0.0) -> Requirement:
    """One maintenance rate for every size, as the caller gives it.

    >>> flat_requirement(0.01).name
    'flat rate 0.01'
    """
    return Requirement(
        maintenance=flat_maintenance(rate).plus_fee(fee_rate),
        name=f"flat rate {rate:.10g}",
        source="given by the caller",
    )


def table_requirement(
    table: TierTable, position: Position, *, fee_rate: float | None = None
) -> Requirement:
    """What a dated table requires of a position.

    Parameters
    ----------
    table : TierTable
        From :meth:`liqwarn.liquidation.tiers.VenueTiers.table_at`.
    position : Position
        Must fit the table: its size, and in a symbol's own table its leverage too.
    fee_rate : float, optional
        Instead of the table's liquidation fee rate.

    Raises
    ------
    FrameError
        When the table is for the other contract, or the venue allows no such position.
    """
    if table.contract != position.contract:
        raise FrameError(f"{table.name} is for {table.contract}, found {position.contract}")
    size = position.value if table.measure == "notional" else position.quantity
    most = table.tiers[table.tier_of(size)].max_leverage
    own = table.symbols != ("*",)
    if own and most is not None and position.leverage is not None and position.leverage > most:
        raise FrameError(
            f"leverage is {position.leverage:.10g}, expected at most {most:.10g} "
            f"for {size:,.10g} by {table.name}"
        )
    charged = table if fee_rate is None else replace(table, fee_rate=fee_rate)
    return Requirement(
        maintenance=charged.maintenance(position.quantity),
        name=table.name,
        source=table.source,
        effective=table.effective,
        assumed=table.assumed,
    )
