"""Early warning of liquidation cascades in crypto perpetuals, and a circuit breaker on top.

The picture of the whole is in ``docs/architecture.md``; the words are in ``docs/glossary.md``.
"""

__version__ = "0.1.0"

__all__ = ["__version__"]
