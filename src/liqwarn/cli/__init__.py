"""The command line: one function a command, options as data, errors as one line."""

from liqwarn.cli.commands import main

__all__ = ["main"]
