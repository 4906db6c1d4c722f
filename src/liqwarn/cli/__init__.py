"""The command line: one function a command, options as data, errors as one line."""

import sys
from importlib import import_module

from liqwarn.cli.app import app
from liqwarn.cli.lean_import import lean_import
from liqwarn.config import settle_environment

__all__ = ["main"]

_ALONE = {"serve": "liqwarn.cli.serve_command"}
"""A server that comes back must not wait for what training and reports import."""

_BY_ITSELF = {
    "collect": "liqwarn.cli.collect_command",
    "feed": "liqwarn.cli.feed_command",
    "promote": "liqwarn.cli.promote_commands",
    "rollback": "liqwarn.cli.promote_commands",
    "tape": "liqwarn.cli.tape_commands",
}
"""Neither must a collector, a feed that has tables made before each look, nor a hand at night."""


def main() -> None:
    """Run ``liqwarn``; exits with 0 on success, 1 on a refusal, 2 on wrong usage."""
    settle_environment()
    asked = sys.argv[1] if len(sys.argv) > 1 else ""
    if asked in _ALONE:
        lean_import(_ALONE[asked])
    else:
        import_module(_BY_ITSELF.get(asked, "liqwarn.cli.commands"))
    app()
