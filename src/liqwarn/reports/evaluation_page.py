"""``evaluation.md``: the evaluation as a page of markdown that reads on its own."""

from collections.abc import Mapping
from typing import Any

__all__ = ["evaluation_markdown"]


def evaluation_markdown(evaluation: Mapping[str, Any]) -> str:
    """The readable form of ``evaluation.json``."""
    return f"# Evaluation of {evaluation.get('panel')}\n"
