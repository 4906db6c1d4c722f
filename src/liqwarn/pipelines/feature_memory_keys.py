"""What a month's features depend on, as a hash: code, panel, tiers, and all data up to its end.

Features and the map see the past only, so nothing after a month's last bar is in its key: new bars
leave the keys of closed months as they are.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from typing import Final

import numpy as np

from liqwarn.features.builder import FeatureBuilder
from liqwarn.frames import FloatArray, MarketFrame
from liqwarn.liquidation.schedule import Block
from liqwarn.pipelines.liquidation_map import MapJob
from liqwarn.pipelines.source_hash import source_sha256

__all__ = ["month_keys"]

_SOURCES: Final = (
    "features",
    "windows",
    "liquidation",
    "frames.py",
    "pipelines/liquidation_map.py",
    "pipelines/feature_memory.py",
    "pipelines/feature_memory_file.py",
    "pipelines/feature_memory_keys.py",
)


def month_keys(
    frame: MarketFrame, blocks: tuple[Block, ...], job: MapJob, panel_sha256: str
) -> Iterator[str]:
    """The key of each month, in order.

    Parameters
    ----------
    blocks : tuple of Block
        Months of the frame.
    panel_sha256 : str
        Hash of the panel file.
    """
    names = FeatureBuilder().names
    told = (_source(), panel_sha256, job, names, frame.symbols, frame.bar)
    digest = sha256("\n".join(map(repr, told)).encode())
    planes = (*_sorted(frame.fields), *_sorted(frame.ages))
    digest.update(repr([name for name, _ in planes]).encode())
    for block in blocks:
        bars = slice(block.start, block.stop)
        digest.update(np.ascontiguousarray(frame.times[bars]).view(np.uint8).data)
        for _, plane in planes:
            digest.update(np.ascontiguousarray(plane[:, bars]).reshape(-1).view(np.uint8).data)
        yield digest.copy().hexdigest()


@cache
def _source() -> str:
    return source_sha256(_SOURCES, ("numpy", "scipy", "numba"))


def _sorted(planes: Mapping[str, FloatArray]) -> Iterator[tuple[str, FloatArray]]:
    for name in sorted(planes):
        yield name, planes[name]
