"""Exports that others made of an API's rows, read through a panel."""

from datetime import UTC, datetime

import yaml

from liqwarn.config import load_panel
from liqwarn.data.asof import market_frame
from liqwarn.data.ingest import ingest
from liqwarn.data.store import Store


def read_export(raw_samples, folder, symbols, bar, source):
    """What the ingest says of a file, and the frame it gives.

    A market has a close, which these files do not have: it is 1.
    """
    path = folder / "panel.yaml"
    source["fields"]["close"] = {"constant": 1.0}
    told = {"name": "export", "market": "real", "bar": bar, "symbols": symbols,
            "sources": [{"name": "rows", **source}]}  # fmt: skip
    path.write_text(yaml.safe_dump(told))
    panel, store = load_panel(path), Store(folder / "store")
    summary = ingest(panel, raw_samples, store, now=datetime(2026, 10, 1, tzinfo=UTC))
    return summary, market_frame(store, panel)
