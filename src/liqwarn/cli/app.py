"""The Typer application all commands register with."""

import typer

__all__ = ["app", "audit", "maps"]

app = typer.Typer(
    name="liqwarn",
    help="Early warning of liquidation cascades in crypto perpetuals, and a circuit breaker.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
audit = typer.Typer(
    help="Check and replay the audit log of decisions.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(audit, name="audit")
maps = typer.Typer(
    help="Show the liquidation map, and measure it against realised liquidations.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(maps, name="map")
