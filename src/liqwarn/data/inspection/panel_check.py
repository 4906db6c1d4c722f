"""A panel's files looked at: nothing is written, nothing is left unsaid."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from liqwarn.data.ingest import panel_files
from liqwarn.data.inspection.clock import Clock, clock_doubts, measure_clock
from liqwarn.data.inspection.columns import Range, column_doubts, measure_ranges
from liqwarn.data.inspection.doubts import Doubt, listed
from liqwarn.data.inspection.flow_doubts import flow_doubts
from liqwarn.data.inspection.labels import label_doubts
from liqwarn.data.inspection.preview import ShownRow, first_rows
from liqwarn.data.inspection.price_doubts import price_doubts
from liqwarn.data.inspection.prices import Market, Prices, gather_prices
from liqwarn.data.inspection.reading import Limits, Place, Reading, read_place
from liqwarn.data.known import lag_s
from liqwarn.data.panel import ALL_SYMBOLS, Calendar, Panel, Source
from liqwarn.data.queries import DataPlace
from liqwarn.data.sql import Question
from liqwarn.errors import DataError

__all__ = ["FileLook", "PanelCheck", "SourceLook", "check_panel"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLook:
    """What one provider file shows.

    Attributes
    ----------
    read, total : int
        Rows that were read, and rows of the file; 0 when it cannot be read.
    kept, other : int
        Of those read: rows the ingest would keep; rows of other symbols, filtered out or outside
        the validity.
    clock : Clock or None
        None when no row would be kept.
    """

    file: str
    read: int
    total: int
    kept: int
    other: int
    first: tuple[ShownRow, ...]
    clock: Clock | None
    ranges: tuple[Range, ...]
    doubts: tuple[Doubt, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLook:
    """What a source's files show, one by one and together.

    Attributes
    ----------
    files : tuple of FileLook
    skipped : int
        Files between the first and the last of each symbol, which were not read.
    lag_s : int
        How long after its stamp a value is known, as the panel says.
    """

    told: Source | Calendar
    files: tuple[FileLook, ...]
    skipped: int
    lag_s: int
    doubts: tuple[Doubt, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelCheck:
    """What a panel's files show."""

    panel: str
    sources: tuple[SourceLook, ...]

    def doubts(self, level: str) -> list[tuple[str, Doubt]]:
        """Every doubt of a level, with its source or file."""
        return [
            (place, doubt)
            for look in self.sources
            for place, found in _placed(look)
            for doubt in found
            if doubt.level == level
        ]

    @property
    def is_wrong(self) -> bool:
        """Whether something is surely wrong."""
        return bool(self.doubts("wrong"))

    def to_dict(self) -> dict[str, object]:
        """The check as plain data, for ``--json``."""
        return {
            "panel": self.panel,
            **{level: len(self.doubts(level)) for level in ("wrong", "doubt", "note")},
            "sources": [
                {
                    "source": look.told.name,
                    "lag_s": look.lag_s,
                    "files_not_read": look.skipped,
                    "doubts": [asdict(doubt) for doubt in look.doubts],
                    "files": [asdict(file) for file in look.files],
                }
                for look in self.sources
            ],
        }


def _placed(look: SourceLook) -> Iterator[tuple[str, tuple[Doubt, ...]]]:
    yield look.told.name, look.doubts
    for file in look.files:
        yield f"{look.told.name}: {file.file}", file.doubts


def check_panel(panel: Panel, data_dir: Path | DataPlace, limits: Limits) -> PanelCheck:
    """Look at the first and last file of every source and symbol, and compare them.

    Nothing is raised for a bad file or query: what the ingest would stop with is a doubt that is
    ``wrong``. Nothing is written.

    Raises
    ------
    ConfigError
        When the address of a database is not told, or the driver is not installed.
    """
    where = DataPlace.of(data_dir)
    found = {told.name: _read_source(panel, told, where, limits) for told in panel.declared}
    readings = [reading for mine, _, _ in found.values() for reading in mine]
    prices = gather_prices(panel, readings)
    looks = (_source_look(panel, told, found[told.name], prices) for told in panel.declared)
    return PanelCheck(panel=panel.name, sources=tuple(looks))


_Found = tuple[list[Reading], int, tuple[Doubt, ...]]


def _read_source(panel: Panel, told: Source | Calendar, where: DataPlace, limits: Limits) -> _Found:
    """Readings, how many files were left out, and what is wrong with the files as a set."""
    question = Question.of(told, where) if isinstance(told, Source) else None
    if question is not None:
        place = Place(file=question.name, question=question)
        return [read_place(panel, told, place, limits)], 0, ()
    everywhere = isinstance(told, Calendar) and told.gives == "macro"
    places: list[Place] = []
    doubts: tuple[Doubt, ...] = ()
    try:
        for path, symbol in panel_files(panel, told, where.folder):
            named = ALL_SYMBOLS if everywhere else symbol
            file = str(path.relative_to(where.folder))
            places.append(Place(path=path, file=file, symbol=named))
    except (DataError, OSError, ValueError) as error:
        doubts = (Doubt(level="wrong", kind="files", text=str(error)),)
    chosen = _ends_of_each(places)
    readings = [read_place(panel, told, place, limits) for place in chosen]
    return readings, len(places) - len(chosen), doubts


def _ends_of_each(places: list[Place]) -> list[Place]:
    """First and last file of each symbol."""
    mine: dict[str | None, list[Place]] = {}
    for place in places:
        mine.setdefault(place.symbol, []).append(place)
    ends = {id(place) for group in mine.values() for place in (group[0], group[-1])}
    return [place for place in places if id(place) in ends]


def _source_look(
    panel: Panel, told: Source | Calendar, found: _Found, prices: Mapping[str, Prices]
) -> SourceLook:
    readings, skipped, doubts = found
    if isinstance(told, Source):
        doubts = (*doubts, *_symbol_doubts(panel, told, readings, skipped))
        doubts = (*doubts, *_market_doubts(told, readings, prices))
    step = told.time.step if told.time.label == "start" else None
    return SourceLook(
        told=told,
        files=tuple(_file_look(reading) for reading in readings),
        skipped=skipped,
        lag_s=lag_s(told) + (0 if step is None else int(step.total_seconds())),
        doubts=doubts,
    )


def _market_doubts(
    source: Source, readings: list[Reading], prices: Mapping[str, Prices]
) -> Iterator[Doubt]:
    """What the source says beside the prices of each symbol."""
    for symbol, known in prices.items():
        market = Market.of(source, readings, symbol, known)
        if market is not None:
            yield from price_doubts(market)
            yield from flow_doubts(market)


def _symbol_doubts(
    panel: Panel, source: Source, readings: list[Reading], skipped: int
) -> Iterator[Doubt]:
    if not readings:
        yield Doubt(level="note", kind="files", text="no file matches; the source is optional")
        return
    whole = not skipped and all(r.sample is not None and r.sample.whole for r in readings)
    if any(reading.rows is None for reading in readings):
        return
    seen = {str(name) for r in readings if r.rows is not None for name in set(r.rows.symbol)}
    absent = [name for name in panel.symbol_names if name not in seen]
    fixed = source.symbol is not None and source.symbol.fixed is not None
    if absent and not fixed:
        yield Doubt(
            level="doubt",
            kind="symbols",
            text=f"no row of {listed(absent)}" + ("" if whole else " in the rows read"),
        )


def _file_look(reading: Reading) -> FileLook:
    clock, ranges, sample = measure_clock(reading), measure_ranges(reading), reading.sample
    wrong = [Doubt(level="wrong", kind="unreadable", text=reading.error)] if reading.error else []
    if reading.rows is not None and not len(reading.rows):
        wrong = [Doubt(level="wrong", kind="empty", text="no row would be kept")]
    found = (
        *wrong,
        *clock_doubts(reading, clock),
        *label_doubts(reading, clock),
        *column_doubts(reading, ranges),
    )
    return FileLook(
        file=reading.place.file,
        read=0 if sample is None else len(sample.table),
        total=0 if sample is None else sample.total,
        kept=0 if reading.rows is None else len(reading.rows),
        other=reading.other,
        first=first_rows(reading),
        clock=clock,
        ranges=ranges,
        doubts=found,
    )
