"""Every command: importing this registers them all."""

import liqwarn.cli.bundle_commands
import liqwarn.cli.collect_command
import liqwarn.cli.data_commands
import liqwarn.cli.event_command
import liqwarn.cli.explain_command
import liqwarn.cli.feed_command
import liqwarn.cli.fetch_api_commands
import liqwarn.cli.fetch_bybit_command
import liqwarn.cli.fetch_ccxt_command
import liqwarn.cli.fetch_command
import liqwarn.cli.fetch_derivatives_commands
import liqwarn.cli.fetch_onchain_commands
import liqwarn.cli.keys_commands
import liqwarn.cli.ledger_commands
import liqwarn.cli.map_commands
import liqwarn.cli.model_commands
import liqwarn.cli.order_commands
import liqwarn.cli.panel_commands
import liqwarn.cli.position_command
import liqwarn.cli.promote_commands
import liqwarn.cli.quality_command
import liqwarn.cli.registry_commands
import liqwarn.cli.replay_command
import liqwarn.cli.retrain_command
import liqwarn.cli.serve_command
import liqwarn.cli.service_commands
import liqwarn.cli.simulate_commands
import liqwarn.cli.standing_commands
import liqwarn.cli.tape_commands  # noqa: F401  imported so that they register

__all__: list[str] = []
