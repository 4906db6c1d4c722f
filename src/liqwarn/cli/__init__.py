"""The command line: one function a command, options as data, errors as one line."""

import sys
from importlib import import_module

from liqwarn.cli.app import app

__all__ = ["main"]

_ALONE = {"serve": "liqwarn.cli.serve_command"}
"""A server that comes back must not wait for what training and reports import."""


def main() -> None:
    """Run ``liqwarn``; exits with 0 on success, 1 on a refusal, 2 on wrong usage."""
    asked = sys.argv[1] if len(sys.argv) > 1 else ""
    import_module(_ALONE.get(asked, "liqwarn.cli.commands"))
    app()
