"""``liqwarn simulate SCENARIO.yaml`` beside commands of the same group."""

from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from typer.core import TyperGroup

__all__ = ["RUN", "ScenarioGroup"]

RUN: Final = "run"
"""The command that a scenario file stands for."""


class ScenarioGroup(TyperGroup):
    """A group whose first word may be a file: ``simulate X.yaml`` is ``simulate run X.yaml``.

    What looks like a slip in a command's name is left to be refused as one.
    """

    def parse_args(
        self,
        ctx: Any,  # noqa: ANN401 - a click context, of the click that Typer brings along or not
        args: list[str],
    ) -> list[str]:
        """Put the command's name in front where it was left out."""
        if args and args[0] not in self.commands and args[0] not in self.get_help_option_names(ctx):
            slip = get_close_matches(args[0], self.commands, n=1, cutoff=0.7)
            if not slip or Path(args[0]).exists():
                args = [RUN, *args]
        return super().parse_args(ctx, args)
