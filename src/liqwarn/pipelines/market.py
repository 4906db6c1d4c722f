"""From a panel file to the market it describes: bring the store up to date, then join as of."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from liqwarn.config import config_sha256, load_panel, load_settings
from liqwarn.data.asof import market_frame
from liqwarn.data.ingest import ingest
from liqwarn.data.panel import Panel
from liqwarn.data.quality import FrameQuality, measure_quality
from liqwarn.data.queries import DataPlace
from liqwarn.data.store import Store
from liqwarn.data.summary import IngestSummary
from liqwarn.errors import ConfigError
from liqwarn.frames import MarketFrame
from liqwarn.pipelines.progress import OnProgress, silent

__all__ = [
    "TIER_FOLDER",
    "Market",
    "MarketJob",
    "bring_up_to_date",
    "open_market",
    "tier_folder",
]


TIER_FOLDER: Final = Path("conf/margin_tiers")
"""Where the tables of the venues are, one file each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketJob:
    """Which market, from where.

    Attributes
    ----------
    panel : Path
        Panel file.
    data : Path or None
        Folder of provider files; None uses what the store holds already.
    store : Path or None
        Store folder; None is ``LIQWARN_HOME/store/PANEL``.
    replace : bool
        Accept values that differ from the stored ones.
    """

    panel: Path
    data: Path | None = None
    store: Path | None = None
    replace: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Market:
    """A panel's market as of its last bar, the hashes that name it, and where its tiers are."""

    panel: Panel
    panel_sha256: str
    frame: MarketFrame
    quality: FrameQuality
    data_sha256: str
    tiers: Path
    ingested: IngestSummary | None


def _store(job: MarketJob, panel: Panel) -> Store:
    return Store(job.store or load_settings().home / "store" / panel.name)


def tier_folder(panel: Path) -> Path:
    """Tier tables beside the panel's own folder, else those of the folder we are in."""
    beside = panel.parent.parent / TIER_FOLDER.name
    return beside if beside.is_dir() else TIER_FOLDER


def bring_up_to_date(
    job: MarketJob, *, now: datetime, on_progress: OnProgress = silent
) -> IngestSummary:
    """Read every provider file of the panel into its store.

    Raises
    ------
    ConfigError
        When the job names no data folder, or the folder is not there.
    """
    panel = load_panel(job.panel)
    if job.data is None or not job.data.is_dir():
        raise ConfigError(f"data folder is {job.data}, expected a folder of provider files")

    def files(file: str, done: int, total: int) -> None:
        on_progress(f"ingest {panel.name}", done, total)
        if file.startswith("query:"):  # nobody knows how many rows will come
            rows = int(file.rsplit("-", 1)[-1]) if "/rows-" in file else 0
            on_progress(f"rows of {file.split('/', 1)[0]}", rows, rows + 1)

    store = _store(job, panel)
    place = DataPlace(folder=job.data, databases=load_settings().databases)
    return ingest(panel, place, store, now=now, replace=job.replace, on_progress=files)


def open_market(job: MarketJob, *, now: datetime, on_progress: OnProgress = silent) -> Market:
    """The market frame of a panel, after ingesting what is new."""
    panel = load_panel(job.panel)
    store = _store(job, panel)
    summary = None
    if job.data is not None:
        summary = bring_up_to_date(job, now=now, on_progress=on_progress)
    on_progress("as-of join", 0, 1)
    frame = market_frame(store, panel)
    on_progress("as-of join", 1, 1)
    return Market(
        panel=panel,
        panel_sha256=config_sha256(job.panel),
        frame=frame,
        quality=measure_quality(frame, panel),
        data_sha256=store.sha256,
        tiers=tier_folder(job.panel),
        ingested=summary,
    )
