"""What tests of fetched APIs share: a server, a clock, quick patience."""

import runpy
from datetime import UTC, date, datetime
from pathlib import Path

from liqwarn.pipelines.fetch_api import ApiJob
from liqwarn.sources.web import Patience

ROOT = Path(__file__).parents[2]
API = runpy.run_path(str(ROOT / "tests" / "sources" / "fake_api.py"))
QUICK = Patience(attempts=3, first_wait_s=0.001, longest_wait_s=0.01, read_s=0.3, grace_s=0.1,
                 between_s=1e-6)  # fmt: skip


def run_job(fetch, api, url, out, **changes):
    """Fetch at the moment the server believes it to be."""
    keep = {k: changes.pop(k) for k in list(changes) if k not in ApiJob.__dataclass_fields__}
    told = {"names": ("BTC",), "since": date(2024, 1, 1), "out": out, "base_url": url,
            "patience": QUICK, "clock": lambda: api.now / 1_000}  # fmt: skip
    return fetch(ApiJob(**(told | changes)), on_fetch=lambda _: None, **keep)


def at(text):
    """Milliseconds since the epoch."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000)


def table(path):
    """Rows of a recorded file, by column."""
    header, *rows = [line.split(",") for line in path.read_text().splitlines()]
    return [dict(zip(header, row, strict=True)) for row in rows]
