"""liqwarn order: halt, tighten, loosen and release by hand, on the machine of the live service."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from secrets import token_hex
from typing import Annotated, Final, cast

import typer

from liqwarn.cli.app import app
from liqwarn.cli.console import emit
from liqwarn.cli.options import Options, command
from liqwarn.data.mapping import parse_duration
from liqwarn.decisions import Tier, iso_utc
from liqwarn.errors import ConfigError, PolicyError, StoreError
from liqwarn.frames import SIDES, Side
from liqwarn.policy.orders import Action, Order
from liqwarn.serving.order_desk import place, withdraw
from liqwarn.serving.order_journal import OrderEntry, entries_behind, read_entries

__all__: list[str] = []

_LOOK_S: Final = 0.02
_TIERS: Final = tuple(tier.name for tier in Tier)

orders = typer.Typer(
    help="Halt, tighten, loosen and release by hand, in a live service on this machine.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(orders, name="order")


@dataclass(frozen=True, kw_only=True)
class OrderOptions(Options):
    """What every order takes."""

    live: Annotated[Path, typer.Option(help="Folder of the live service (its --out).")]
    name: Annotated[list[str], typer.Option(help="Who decided; may be repeated.")]
    reason: Annotated[str, typer.Option(help="A sentence; readers of the flag see it.")]
    symbol: Annotated[list[str] | None, typer.Option(help="Symbol; may be repeated.")] = None
    all: Annotated[bool, typer.Option("--all", help="Every symbol of the panel.")] = False
    side: Annotated[str, typer.Option(help="long, short or both.")] = "both"
    id: Annotated[
        str | None, typer.Option(help="Of the order: one is carried out once [default: random].")
    ] = None
    wait: Annotated[float, typer.Option(help="Seconds to wait for the service.", min=0.0)] = 15.0


@dataclass(frozen=True, kw_only=True)
class TierOptions(OrderOptions):
    """An order that names a tier and may have an end."""

    tier: Annotated[str, typer.Option(help="T1 to T5; to loosen, T0 to T4.")]
    lasts: Annotated[
        str | None, typer.Option("--for", help="How long, such as 4h [default: until released].")
    ] = None


@command(
    orders,
    "halt",
    OrderOptions,
    example='liqwarn order halt --live runs/live --all --name Ada --reason "exchange is down"',
)
def halt(options: OrderOptions) -> None:
    """T5 at once, until two people release it."""
    _order(options, Action.HALT)


@command(
    orders,
    "tighten",
    TierOptions,
    example="liqwarn order tighten --live runs/live --symbol BTCUSDT --side long --tier T3 "
    '--for 4h --name Ada --reason "maintenance announced"',
)
def tighten(options: TierOptions) -> None:
    """Hold sides at a tier or higher, at once."""
    _order(options, Action.TIGHTEN, tier=options.tier, lasts=options.lasts)


@command(
    orders,
    "loosen",
    TierOptions,
    example="liqwarn order loosen --live runs/live --symbol BTCUSDT --tier T1 --for 1h "
    '--name Ada --name Bob --reason "the tick was bad"',
)
def loosen(options: TierOptions) -> None:
    """Hold sides at a lower tier for a while; it takes two names and an end within the policy's."""
    _order(options, Action.LOOSEN, tier=options.tier, lasts=options.lasts)


@command(
    orders,
    "release",
    OrderOptions,
    example="liqwarn order release --live runs/live --all --name Ada --name Bob "
    '--reason "the exchange is back"',
)
def release(options: OrderOptions) -> None:
    """Take back what was tightened by hand or halted for a fault; it takes two names."""
    _order(options, Action.RELEASE)


@dataclass(frozen=True, kw_only=True)
class ListOptions(Options):
    """Options of ``liqwarn order list``."""

    live: Annotated[Path, typer.Option(help="Folder of the live service (its --out).")]
    last: Annotated[int, typer.Option(help="So many of the newest.", min=1)] = 20


@command(orders, "list", ListOptions, example="liqwarn order list --live runs/live")
def list_orders(options: ListOptions) -> None:
    """Show the newest orders and what came of them."""
    shown = list(read_entries(options.live))[-options.last :]
    emit(
        {"orders": [entry.to_dict() for entry in shown]},
        as_json=options.json,
        text="\n".join(_line(entry) for entry in shown) or "no orders",
    )


def _order(
    options: OrderOptions, action: Action, *, tier: str | None = None, lasts: str | None = None
) -> None:
    order = _order_of(options, action, tier, lasts)
    if not (options.live / "bars").is_dir():
        raise ConfigError(f"{options.live}: no live service has run here, expected its --out")
    entry = _answer(options, order, place(options.live, order))
    if not entry.accepted:
        raise PolicyError(f"refused, nothing has changed: {'; '.join(entry.refused)}")
    emit(entry.to_dict(), as_json=options.json, text=_told(entry))


def _order_of(options: OrderOptions, action: Action, tier: str | None, lasts: str | None) -> Order:
    if options.all == bool(options.symbol):
        raise ConfigError("expected either --all or --symbol")
    if options.side not in (*SIDES, "both"):
        raise ConfigError(f"--side is {options.side!r}, expected {', '.join(SIDES)} or both")
    if tier is not None and tier not in _TIERS:
        raise ConfigError(f"--tier is {tier!r}, expected one of {', '.join(_TIERS)}")
    return Order(
        id=options.id or token_hex(8),
        action=action,
        symbols=tuple(dict.fromkeys(options.symbol or ())),
        sides=SIDES if options.side == "both" else (cast("Side", options.side),),
        tier=None if tier is None else Tier[tier],
        names=tuple(options.name),
        reason=options.reason,
        lasts=None if lasts is None else _duration(lasts),
    )


def _answer(options: OrderOptions, order: Order, placed: Path) -> OrderEntry:
    """What came of the order: its line in the journal, which is on disk."""
    look = _looking(options.live, order)
    found = _within(options.wait, look)
    if found is None and order.action in (Action.LOOSEN, Action.RELEASE) and withdraw(placed):
        raise StoreError(f"no live service took the order within {options.wait:g} s: withdrawn")
    found = found or _within(1.0, look)
    if found is None:
        raise StoreError(
            f"no live service took the order within {options.wait:g} s: it waits in {placed.parent}"
            " and is carried out when one runs"
        )
    return found


def _within(wait_s: float, look: Callable[[], OrderEntry | None]) -> OrderEntry | None:
    until = time.monotonic() + wait_s
    while (found := look()) is None and time.monotonic() < until:
        time.sleep(_LOOK_S)
    return found


def _looking(live: Path, order: Order) -> Callable[[], OrderEntry | None]:
    """Looks for the journal's line of this very order; another's with its id is none."""
    at = 0

    def look() -> OrderEntry | None:
        nonlocal at
        entries, at = entries_behind(live, at)
        return next((one for one in entries if one.order == order), None)

    return look


def _duration(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except (OverflowError, ValueError) as error:
        raise ConfigError(str(error)) from error


def _line(entry: OrderEntry) -> str:
    order = entry.order
    what = order.action if order.tier is None else f"{order.action} {order.tier.name}"
    came = f"{len(entry.sides)} sides" if entry.accepted else "refused: " + "; ".join(entry.refused)
    return f"{iso_utc(entry.at)}  {what:12} {' and '.join(order.names)}: {order.reason}  ({came})"


def _told(entry: OrderEntry) -> str:
    rows = [f"{one.symbol} {one.side}: {one.before.name} -> {one.tier.name}" for one in entry.sides]
    rows += [f"not {why}" for why in entry.refused]
    return "\n".join([f"order {entry.order.id} is in force since {iso_utc(entry.at)}", *rows])
