"""What is written beside the panels of an event's picture, a few short lines each."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from liqwarn.reports.event_axes import column, days
from liqwarn.reports.formats import compact, finite, percent, signed

__all__ = ["panel_notes"]

Document = Mapping[str, Any]


def panel_notes(document: Document) -> tuple[str, str, str]:
    """Notes on open interest, funding and liquidations."""
    return (
        f"largest loss,\nonset to end:\n{percent(document['event']['oi_loss'])}",
        _funding(document),
        _liquidations(document),
    )


def _funding(document: Document) -> str:
    """The rate known as the onset bar began."""
    start = float(days([document["event"]["onset_start"]])[0])
    at = days(document["series"]["time"])
    known = column(document, "funding_8h")[at <= start + 1e-9]
    rate = finite(float(known[-1])) if known.size else None
    if rate is None:
        return ""
    who = "nobody pays" if rate == 0.0 else "longs pay" if rate > 0.0 else "shorts pay"
    return f"at onset:\n{signed(100 * rate, 3)} %\n{who}"


def _liquidations(document: Document) -> str:
    event = document["event"]
    if not any(np.isfinite(column(document, f"{s}_liq_usd")).any() for s in ("long", "short")):
        return ""
    told = {side: compact(event[f"{side}_liq_usd"]) for side in ("short", "long")}
    sums = f"↑ shorts ${told['short']}\n↓ longs ${told['long']}"
    return f"onset to end:\n{sums}\n(published,\ntruncated)"
