"""Map readings and features of closed months, kept: only what follows them is built.

A month is closed when a bar of a later one is there. Kept are its evidence for the map's fit, the
map's readings, the features, and, of the last closed months, the maps themselves, which go on from
there. Everything is the same bit for bit as built from the beginning: features see a bounded past,
the map is advanced by a pure step, and its fit sums the evidence of months.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from liqwarn.errors import StoreError
from liqwarn.features.builder import FeatureBuilder
from liqwarn.frames import FeatureMatrix, FloatArray, MarketFrame
from liqwarn.liquidation.cohort_map import MapState
from liqwarn.liquidation.fit import Draws, choose, evidence_since
from liqwarn.liquidation.readings import map_fields
from liqwarn.liquidation.schedule import Block, blocks_of
from liqwarn.liquidation.snapshot import from_bytes, to_bytes
from liqwarn.pipelines.feature_memory_file import read_month, write_month
from liqwarn.pipelines.feature_memory_keys import month_keys
from liqwarn.pipelines.liquidation_map import MapJob
from liqwarn.pipelines.progress import OnProgress, silent

__all__ = ["Derived", "FeatureMemory"]

_STATES: Final = 2  # months whose maps are kept: data of the last one may still be corrected
Month = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Derived:
    """What follows from a market frame: the maps in force, their readings, the features."""

    draws: Draws
    mapped: MarketFrame
    matrix: FeatureMatrix


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Kept:
    """The months that need not be built, and the maps of each symbol after them."""

    months: list[Month]
    states: Sequence[MapState]


class FeatureMemory:
    """The closed months of a panel in a folder; one file each, replaced when its key is another.

    Parameters
    ----------
    folder : Path
        Of this panel alone. Made when there is something to keep.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def derive(
        self,
        frame: MarketFrame,
        job: MapJob,
        panel_sha256: str,
        *,
        on_progress: OnProgress = silent,
    ) -> Derived:
        """Readings and features of a frame, those of closed months from the folder.

        Parameters
        ----------
        frame : MarketFrame
            With one bar or more.
        panel_sha256 : str
            Hash of the panel file.
        """
        blocks = blocks_of(frame.times)
        keys = list(month_keys(frame, blocks, job, panel_sha256))[:-1]
        kept = self._kept(blocks, keys, len(frame.symbols))
        built = _Build(frame, job, blocks, kept, on_progress)
        for k in range(len(kept.months), len(keys)):
            write_month(self._month_file(blocks[k]), keys[k], built.month(k))
        if keys and len(kept.months) < len(keys):
            write_month(self._state_file(blocks[-2]), keys[-1], _packed(built.states))
        self._prune(blocks[:-1])
        return built.derived

    def _month_file(self, block: Block) -> Path:
        return self.folder / f"{np.datetime64(block.month, 'M')}.month"

    def _state_file(self, block: Block) -> Path:
        return self._month_file(block).with_suffix(".state")

    def _kept(self, blocks: tuple[Block, ...], keys: list[str], n_symbols: int) -> _Kept:
        """As many months as go together with maps to go on from."""
        months: list[Month] = []
        for block, key in zip(blocks, keys, strict=False):
            month = read_month(self._month_file(block), key)
            if month is None:
                break
            months.append(month)
        while months:
            k = len(months) - 1
            states = _unpacked(read_month(self._state_file(blocks[k]), keys[k]), n_symbols)
            if states is not None:
                return _Kept(months=months, states=states)
            months.pop()
        return _Kept(months=[], states=())

    def _prune(self, closed: tuple[Block, ...]) -> None:
        known = {self._month_file(block) for block in closed}
        known |= {self._state_file(block) for block in closed[-_STATES:]}
        for pattern in ("*.month", "*.state"):
            for path in self.folder.glob(pattern):
                if path not in known:
                    path.unlink(missing_ok=True)


class _Build:
    """Builds what follows the kept months, and joins both."""

    def __init__(
        self,
        frame: MarketFrame,
        job: MapJob,
        blocks: tuple[Block, ...],
        kept: _Kept,
        on_progress: OnProgress,
    ) -> None:
        self._blocks, self._kept = blocks, kept
        self._first = len(kept.months)
        self._evidence, self.states = self._weighed(frame, job, on_progress)
        draws = choose(frame.times, np.sum(self._evidence, axis=0), job.config)
        mapped = self._read(frame, job, draws, on_progress)
        on_progress("features", 0, 1)
        matrix = self._featured(mapped)
        on_progress("features", 1, 1)
        self.derived = Derived(draws=draws, mapped=mapped, matrix=matrix)

    def month(self, k: int) -> Month:
        """What is kept of a month."""
        block = self._blocks[k]
        bars = slice(block.start, block.stop)
        fields = self.derived.mapped.fields
        return {
            "evidence": self._evidence[:, k],
            "readings": np.stack([fields[name][:, bars] for name in self._names]),
            "features": self.derived.matrix.values[:, bars],
        }

    def _since(self, row: int) -> tuple[int, MapState] | None:
        return (self._first, self._kept.states[row]) if self._first else None

    def _weighed(
        self, frame: MarketFrame, job: MapJob, on_progress: OnProgress
    ) -> tuple[FloatArray, list[MapState]]:
        """Evidence of all months, and every symbol's maps before the open one."""
        states, rows = [], []
        on_progress("map: evidence", 0, len(frame.symbols))
        for row, symbol in enumerate(frame.symbols):
            found, state = evidence_since(job.of(frame, symbol), self._since(row))
            before = [month["evidence"][row] for month in self._kept.months]
            rows.append(np.concatenate([np.array(before).reshape(-1, found.shape[1]), found]))
            states.append(state)
            on_progress("map: evidence", row + 1, len(frame.symbols))
        return np.array(rows), states

    def _read(
        self, frame: MarketFrame, job: MapJob, draws: Draws, on_progress: OnProgress
    ) -> MarketFrame:
        rows = []
        on_progress("map: readings", 0, len(frame.symbols))
        for row, symbol in enumerate(frame.symbols):
            rows.append(map_fields(job.of(frame, symbol), draws, self._since(row)))
            on_progress("map: readings", row + 1, len(frame.symbols))
        self._names = tuple(rows[0])
        return frame.joined(
            {
                name: np.concatenate(
                    [
                        *(month["readings"][k] for month in self._kept.months),
                        np.stack([row[name] for row in rows]),
                    ],
                    axis=1,
                )
                for k, name in enumerate(self._names)
            }
        )

    def _featured(self, mapped: MarketFrame) -> FeatureMatrix:
        builder = FeatureBuilder()
        if not self._first:
            return builder.build(mapped)
        new = self._blocks[self._first].start
        start = max(0, new - builder.lookback_bars(mapped.bar) + 1)
        tail = builder.build(mapped.between(start, len(mapped.times)))
        values = np.empty((*mapped.shape, len(tail.names)))
        for month, block in zip(self._kept.months, self._blocks, strict=False):
            values[:, block.start : block.stop] = month["features"]
        values[:, new:] = tail.values[:, new - start :]
        return FeatureMatrix(
            symbols=tail.symbols,
            times=mapped.times,
            bar=tail.bar,
            names=tail.names,
            families=tail.families,
            values=values,
        )


def _packed(states: Sequence[MapState]) -> Month:
    """The maps of all symbols as bytes, and where each ends."""
    parts = [to_bytes(state) for state in states]
    ends = np.cumsum([len(part) for part in parts]).astype(np.float64)
    return {"ends": ends, "maps": np.frombuffer(b"".join(parts), dtype=np.uint8)}


def _unpacked(packed: Month | None, n_symbols: int) -> list[MapState] | None:
    """The maps of each symbol; None when they are not there."""
    if packed is None or len(packed["ends"]) != n_symbols:
        return None
    ends = [0, *packed["ends"].astype(int).tolist()]
    whole = packed["maps"].tobytes()
    try:
        return [from_bytes(whole[start:stop]) for start, stop in pairwise(ends)]
    except StoreError:
        return None
