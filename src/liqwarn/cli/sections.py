"""Commands under headings, in the order in which they are used."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from typer.core import TyperGroup

__all__ = ["COMMANDS", "FETCHES", "CommandSections", "FetchSections"]

COMMANDS: Final[Mapping[str, tuple[str, ...]]] = {
    "Start": ("demo",),
    "Real data": ("fetch", "collect", "tape", "panel", "ingest", "quality"),
    "Study": ("features", "label", "map", "position", "evaluate", "event"),
    "Model": ("train", "retrain", "promote", "rollback", "models", "gc", "bundle"),
    "Flags": ("score", "report", "explain", "ledger", "audit"),
    "Live": ("serve", "feed", "order", "keys", "replay"),
    "What if": ("simulate",),
}
"""Headings of ``liqwarn --help`` and their commands."""

FETCHES: Final[Mapping[str, tuple[str, ...]]] = {
    "Years of history": ("binance", "bybit"),
    "More without a key": ("coinmetrics", "deribit-dvol", "hyperliquid", "ccxt"),
    "With a key": ("coinalyze", "coinglass", "cryptoquant", "glassnode"),
}
"""Headings of ``liqwarn fetch --help`` and their providers."""


class CommandSections(TyperGroup):
    """A group whose help has headings; what no heading names comes last, under *Other*."""

    sections: ClassVar[Mapping[str, tuple[str, ...]]] = COMMANDS

    def format_commands(
        self,
        ctx: Any,  # noqa: ANN401, ARG002 - click's context; its own signature
        formatter: Any,  # noqa: ANN401 - its formatter
    ) -> None:
        """Write each heading with its commands and their first sentences."""
        named = {name for names in self.sections.values() for name in names}
        other = tuple(name for name in self.commands if name not in named)
        width = formatter.width - 6 - max(map(len, self.commands))
        for heading, names in {**self.sections, "Other": other}.items():
            rows = [
                (name, self.commands[name].get_short_help_str(width))
                for name in names
                if name in self.commands
            ]
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows, col_spacing=2 + self._missing(names))

    def _missing(self, names: tuple[str, ...]) -> int:
        """Columns by which a section's names are narrower than the widest of the group."""
        here = max(len(name) for name in names if name in self.commands)
        return max(map(len, self.commands)) - here


class FetchSections(CommandSections):
    """``liqwarn fetch``: what is free comes first."""

    sections: ClassVar[Mapping[str, tuple[str, ...]]] = FETCHES
