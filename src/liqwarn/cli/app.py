"""The Typer application all commands register with."""

import typer

from liqwarn.cli.scenario_group import ScenarioGroup
from liqwarn.cli.sections import CommandSections

__all__ = ["app", "audit", "ledger", "maps", "simulations"]

app = typer.Typer(
    name="liqwarn",
    cls=CommandSections,
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
ledger = typer.Typer(
    help="What became of the flags that were issued, and which symbols are scored.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(ledger, name="ledger")
maps = typer.Typer(
    help="Show the liquidation map, and measure it against realised liquidations.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(maps, name="map")
simulations = typer.Typer(
    cls=ScenarioGroup,
    help="Simulate what comes of a scenario: liqwarn simulate SCENARIO.yaml --out DIR.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(simulations, name="simulate")
