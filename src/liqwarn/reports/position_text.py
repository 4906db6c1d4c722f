"""A position's three risks in words and in a table: liquidation, margin call, funding."""

import math
from typing import Final

from rich import box
from rich.markup import escape
from rich.table import Table

from liqwarn.liquidation.risk import PositionRisk
from liqwarn.reports.formats import DASH, finite, number, percent

__all__ = ["call_text", "erosion_text", "liquidation_text", "position_table", "price_text"]

_SIGNIFICANT: Final = 5


def price_text(price: float) -> str:
    """A price with five significant digits, at least two decimals when it is above 1.

    >>> price_text(60542.17), price_text(2.178), price_text(0.0000123456), price_text(math.inf)
    ('60,542.17', '2.178', '0.000012346', '–')
    """
    found = finite(price)
    if found is None:
        return DASH
    size = math.floor(math.log10(abs(found))) if found else 0
    decimals = max(2, _SIGNIFICANT - 1 - size)
    text = f"{found:,.{decimals}f}"
    whole, _, part = text.partition(".")
    return f"{whole}.{part.rstrip('0').ljust(2, '0')}"


def liquidation_text(risk: PositionRisk) -> str:
    """The first risk in one sentence: where the venue closes the position."""
    side = risk.position.side
    if risk.never:
        return f"Liquidation: no price liquidates this {side}; its margin covers the whole value."
    price, gone = price_text(risk.liquidation_price), price_text(risk.bankruptcy_price)
    if risk.margin_ratio >= 1.0:
        return (
            f"Liquidation: at {price_text(risk.mark)} this {side} is already beyond its "
            f"liquidation price {price}; the venue closes it."
        )
    moves = "falls" if side == "long" else "rises"
    return (
        f"Liquidation: the venue closes this {side} when the mark price {moves} "
        f"{percent(risk.distance_frac, 2)} to {price}, before the bankruptcy price {gone} "
        "where nothing is left of the margin."
    )


def call_text(risk: PositionRisk) -> str:
    """The second risk in one sentence: the earlier warning, which closes nothing."""
    share = percent(risk.warning_ratio, 0)
    if risk.call_price == 0.0 or math.isinf(risk.call_price):
        return f"Margin call: no price lifts the margin ratio to {share}."
    price, now = price_text(risk.call_price), percent(risk.margin_ratio, 1)
    if risk.margin_ratio >= risk.warning_ratio:
        return (
            f"Margin call: the margin ratio is {now if now != DASH else 'beyond any'}, past the "
            f"warning at {share} ({price}); add margin or reduce before liquidation does."
        )
    moves = "falls" if risk.position.side == "long" else "rises"
    return (
        f"Margin call: a warning only, due when the price {moves} "
        f"{percent(risk.call_distance_frac, 2)} to {price}, where maintenance margin is {share} of "
        f"equity (now {now})."
    )


def erosion_text(risk: PositionRisk) -> str:
    """The third risk in one sentence: what funding does while the price stands still."""
    if not risk.funding.rate:
        return "Funding erosion: no funding rate is given, so nothing is eroded here."
    unit = "quote units" if risk.position.contract == "linear" else "coins"
    amount = f"{price_text(abs(risk.funding_per_day))} {unit} a day"
    moved = f"{price_text(abs(risk.erosion_per_day))} a day"
    rate = (
        f"at {percent(risk.funding.rate, 4)} a settlement, "
        f"{risk.funding.settlements_per_day:.10g} a day"
    )
    if risk.funding_per_day < 0.0:
        return (
            f"Funding erosion: none, this {risk.position.side} receives {amount} {rate}; that "
            f"moves the liquidation price {moved} away."
        )
    days = f"{risk.days_funded:,.1f} days"
    return (
        f"Funding erosion: this {risk.position.side} pays {amount} {rate}; that moves the "
        f"liquidation price {moved} nearer, and alone liquidates it after {days} at this price."
    )


def position_table(risk: PositionRisk, *, symbol: str | None = None) -> Table:
    """All figures of a position as a rich table that fits 80 columns.

    Parameters
    ----------
    risk : PositionRisk
        From :func:`liqwarn.liquidation.risk.assess`.
    symbol : str, optional
        Perpetual, for the title.
    """
    title = f"{risk.position.side} {symbol or 'position'}, {_terms(risk)}"
    table = Table(box=box.SIMPLE_HEAD, title=escape(title), title_justify="left", show_header=False)
    table.add_column("what", no_wrap=True)
    table.add_column("value", overflow="fold")
    for name, value in _rows(risk):
        table.add_row(name, escape(value))
    return table


def _terms(risk: PositionRisk) -> str:
    held = risk.position
    lever = f"{held.effective_leverage:.4g}x "
    return f"{lever}{held.mode}, {held.contract}, entry {price_text(held.entry)}"


def _rows(risk: PositionRisk) -> list[tuple[str, str]]:
    unit = "quote" if risk.position.contract == "linear" else "coins"
    atr = "" if math.isnan(risk.distance_atr) else f", {number(risk.distance_atr, 1)} ATR"
    away = "none needed" if risk.never else f"{percent(risk.distance_frac, 2)}{atr}"
    ratio = "no equity left" if math.isinf(risk.margin_ratio) else percent(risk.margin_ratio, 2)
    days = "never" if math.isinf(risk.days_funded) else number(risk.days_funded, 1)
    assumed = " (assumed)" if risk.assumed else ""
    return [
        ("notional", f"{price_text(risk.position.notional)} quote"),
        ("mark price", price_text(risk.mark)),
        ("liquidation price", "none" if risk.never else price_text(risk.liquidation_price)),
        ("bankruptcy price", price_text(risk.bankruptcy_price)),
        (f"margin call at {percent(risk.warning_ratio, 0)}", price_text(risk.call_price)),
        ("distance to liquidation", away),
        ("margin ratio now", ratio),
        ("equity / maintenance", f"{_amount(risk.equity)} / {_amount(risk.maintenance)} {unit}"),
        ("funding paid a day", f"{_amount(risk.funding_per_day)} {unit}"),
        ("erosion a day", f"{_amount(risk.erosion_per_day)} quote per coin"),
        ("days funding can be paid", days),
        ("maintenance margin", f"{risk.requirement.name}{assumed}"),
        ("source", risk.requirement.source),
    ]


def _amount(value: float) -> str:
    return price_text(value).replace("-", "−")
