"""The command line's entry point: loads every command, then runs the one asked for."""

import liqwarn.cli.bundle_commands
import liqwarn.cli.data_commands
import liqwarn.cli.event_command
import liqwarn.cli.explain_command
import liqwarn.cli.keys_commands
import liqwarn.cli.map_commands
import liqwarn.cli.model_commands
import liqwarn.cli.position_command
import liqwarn.cli.replay_command
import liqwarn.cli.serve_command
import liqwarn.cli.service_commands
import liqwarn.cli.simulate_commands  # noqa: F401  imported so that they register
from liqwarn.cli.app import app

__all__ = ["main"]


def main() -> None:
    """Run ``liqwarn``; exits with 0 on success, 1 on a refusal, 2 on wrong usage."""
    app()
