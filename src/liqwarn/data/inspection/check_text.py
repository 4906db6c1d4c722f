"""A panel's check for a person."""

from collections.abc import Iterator

from liqwarn.data.inspection.clock import Clock
from liqwarn.data.inspection.doubts import Doubt, spell
from liqwarn.data.inspection.panel_check import FileLook, PanelCheck, SourceLook
from liqwarn.data.inspection.preview import utc_text
from liqwarn.data.panel import Calendar

__all__ = ["check_text"]


def check_text(check: PanelCheck) -> str:
    """Source by source: the first rows of its first file, its clock and lag, ranges, doubts."""
    lines = [line for look in check.sources for line in _source(look)]
    counts = {level: len(check.doubts(level)) for level in ("wrong", "doubt", "note")}
    total = (
        f"{check.panel}: {counts['wrong']} surely wrong, {counts['doubt']} doubts, "
        f"{counts['note']} notes; nothing was written"
    )
    return "\n".join([*lines, total])


def _source(look: SourceLook) -> Iterator[str]:
    yield f"{look.told.name}: {_lag(look)}"
    for place, file in enumerate(look.files):
        yield from _file(file, in_full=place == 0)
    if look.skipped:
        yield f"  {look.skipped:,} files between the first and the last of a symbol were not read"
    yield from (f"  {_line(doubt)}" for doubt in look.doubts)
    yield from _file_doubts(look)
    yield ""


def _lag(look: SourceLook) -> str:
    time = look.told.time
    if isinstance(look.told, Calendar):
        return f"events known {spell(-look.lag_s)} before their stamp"
    interval = (
        f"label {time.label}"
        + ("" if time.step is None else f", step {spell(time.step.total_seconds())}")
        + f", known_lag {spell(look.told.known_lag.total_seconds())}"
    )
    seen = look.told.seen
    live = "" if seen is None else f", or when '{seen.column}' says it was seen live"
    return f"a value is known {spell(look.lag_s)} after its stamp{live} ({interval})"


def _file(file: FileLook, *, in_full: bool) -> Iterator[str]:
    read = "all" if file.read == file.total else f"the first and last {file.read // 2:,}"
    rows = f"{file.total:,} rows, {read} read, {file.kept:,} kept" if file.total else "not read"
    yield f"  {file.file}: {rows}" + (f", {file.other:,} other" if file.other else "")
    if in_full:
        yield from (f"    {line}" for line in _first(file))
    if file.clock is not None:
        yield f"    {_clock(file.clock)}"
    if in_full:
        for span in file.ranges:
            missing = f", {span.missing:.1%} missing" if span.missing else ""
            yield (
                f"    {span.field}: {span.low:.6g} to {span.high:.6g}, median {span.median:.6g} "
                f"{span.unit}{missing}"
            )


def _first(file: FileLook) -> Iterator[str]:
    for shown in file.first:
        yield f"row {shown.row:,}"
        width = max(len(cell.name) for cell in shown.cells)
        raw = max(len(cell.raw) for cell in shown.cells)
        for cell in shown.cells:
            arrow = f" -> {cell.becomes}" if cell.becomes else ""
            yield f"  {cell.name:<{width}}  {cell.raw:<{raw}}{arrow}".rstrip()


def _clock(clock: Clock) -> str:
    step = "one row" if clock.step_s is None else f"step {spell(clock.step_s)}"
    steady = "" if clock.steady == 1.0 else f" ({clock.steady:.2%} of the distances)"
    unit = "stamps are no numbers" if clock.unit == "iso" else f"stamps in {clock.unit}"
    return (
        f"{utc_text(clock.first)} to {utc_text(clock.last)}, {unit}, "
        f"{step}{steady}, {clock.gaps:,} steps missing, {clock.duplicates:,} duplicates, "
        + ("in order" if clock.in_order else "not in order of time")
    )


def _file_doubts(look: SourceLook) -> Iterator[str]:
    """The same doubt about several files once."""
    places: dict[Doubt, list[str]] = {}
    for file in look.files:
        for doubt in file.doubts:
            places.setdefault(doubt, []).append(file.file)
    for doubt, files in places.items():
        many = f" ({len(files)} of {len(look.files)} files)" if len(look.files) > 1 else ""
        only = f" ({files[0]})" if len(files) == 1 and len(look.files) > 1 else many
        yield f"  {_line(doubt)}{only}"


def _line(doubt: Doubt) -> str:
    return f"{doubt.level.upper()} {doubt.kind}: {' '.join(doubt.text.split())}"
