"""A panel's liquidation map, fitted as it goes: evidence of each month, draws of each quarter.

What is done for a symbol is a pure function of that symbol alone, so symbols can be worked on
anywhere and in any order; only their evidence is summed. Memory is bounded by one symbol's maps
and one month of bars, whatever the length of the history.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from liqwarn.frames import FloatArray, MarketFrame, TimeArray
from liqwarn.liquidation.cohort_map import MapState, Passage, Reader, advance
from liqwarn.liquidation.evidence import adverse_moves, log_likelihood, realised_coins
from liqwarn.liquidation.frame_bars import bars_of, liquidated_usd
from liqwarn.liquidation.market_path import Bars
from liqwarn.liquidation.parameters import MapParameters, at_venue
from liqwarn.liquidation.posterior import candidates, heaviest, posterior_weights
from liqwarn.liquidation.schedule import Block, blocks_of
from liqwarn.liquidation.tiers import VenueTiers

__all__ = [
    "WARM_S",
    "Draws",
    "FitConfig",
    "SymbolJob",
    "choose",
    "evidence_since",
    "passages",
    "readers_of",
    "symbol_evidence",
    "under_tiers",
]

WARM_S: Final = 7 * 86_400
"""Age below which a map still shows that its first open interest was given one entry price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FitConfig:
    """How a map is fitted.

    Attributes
    ----------
    n_candidates : int
        Candidates that cover the prior, a power of two.
    n_draws : int
        Likeliest candidates whose maps are in force.
    n_effective : float
        Effective number of candidates that must carry the posterior.
    position_usd : float
        Notional of a typical position, for its maintenance tier.
    seed : int
        Of the candidates.
    """

    n_candidates: int = 64
    n_draws: int = 24
    n_effective: float = 16.0
    position_usd: float = 100_000.0
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SymbolJob:
    """One symbol's work.

    Attributes
    ----------
    frame : MarketFrame
        Of this symbol alone.
    venue : VenueTiers or None
        Maintenance tiers of its venue; None is a flat rate.
    config : FitConfig
    """

    frame: MarketFrame
    venue: VenueTiers | None
    config: FitConfig

    @property
    def symbol(self) -> str:
        """The symbol."""
        return self.frame.symbols[0]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draws:
    """Which candidates are in force in each month.

    Attributes
    ----------
    blocks : tuple of Block
        Months of the panel.
    posterior : ndarray of float64, shape (n_blocks, n_candidates)
        Weights of the candidates, by what was known before the month's quarter.
    drawn : tuple of mapping of int to float
        For each month the candidates in force, and their weights, which sum to 1.
    """

    blocks: tuple[Block, ...]
    posterior: FloatArray
    drawn: tuple[Mapping[int, float], ...]


def passages(
    job: SymbolJob,
    parameters: Sequence[MapParameters],
    readers: Sequence[Reader | None],
    since: tuple[int, MapState] | None = None,
) -> Iterator[tuple[Block, Bars, MapState, Passage]]:
    """Walk a symbol's history month by month.

    Parameters
    ----------
    readers : sequence of Reader or None
        One a month walked.
    since : tuple of int and MapState, or None
        Position of the first month to walk, and the state before it; None begins anew.

    Yields
    ------
    Block, Bars, MapState, Passage
        The month, its bars, the state before it, and what happened in it.
    """
    bars = bars_of(job.frame, job.symbol)
    first, state = since or (0, MapState.fresh(len(parameters)))
    blocks = blocks_of(job.frame.times)[first:]
    for block, reader in zip(blocks, readers, strict=True):
        month = bars.between(block.start, block.stop)
        after, passage = advance(state, month, in_force(job, block, month, parameters), reader)
        yield block, month, state, passage
        state = after


def in_force(
    job: SymbolJob, block: Block, bars: Bars, parameters: Sequence[MapParameters]
) -> list[MapParameters]:
    """Parameters under the venue's tiers of a month, at its first known price."""
    priced = bars.close[bars.priced()]
    if job.venue is None or not priced.size:
        return list(parameters)
    day = job.frame.times[block.start].astype("datetime64[D]").astype(date)
    return under_tiers(parameters, job.venue, job.symbol, (day, float(priced[0])), job.config)


def under_tiers(
    parameters: Sequence[MapParameters],
    venue: VenueTiers,
    symbol: str,
    at: tuple[date, float],
    config: FitConfig,
) -> list[MapParameters]:
    """Parameters under the tiers a venue has for a symbol on a day, at a price."""
    day, price = at
    return [
        at_venue(one, venue.table_at(symbol, day, one.contract), config.position_usd, price)
        for one in parameters
    ]


def symbol_evidence(job: SymbolJob) -> FloatArray:
    """What each month of a symbol says of each candidate: shape (n_blocks, n_candidates), nats."""
    return evidence_since(job)[0]


def evidence_since(
    job: SymbolJob, since: tuple[int, MapState] | None = None
) -> tuple[FloatArray, MapState]:
    """What each month from one on says of each candidate, and their maps before the last month.

    Parameters
    ----------
    since : tuple of int and MapState, or None
        Position of that month, and the maps of all candidates before it; None begins anew.

    Returns
    -------
    ndarray of float64, shape (n_blocks - first, n_candidates)
        Nats.
    MapState
        Of all candidates.
    """
    cloud = candidates(job.config.n_candidates, job.config.seed)
    first, before = since or (0, MapState.fresh(len(cloud)))
    n_blocks = len(blocks_of(job.frame.times)) - first
    liquidated = liquidated_usd(job.frame, job.symbol)
    evidence = np.zeros((n_blocks, len(cloud)))
    walk = passages(job, cloud, [None] * n_blocks, (first, before))
    for k, (block, bars, before, passage) in enumerate(walk):
        realised = realised_coins(
            liquidated[block.start : block.stop], bars, before.close, before.stock
        )
        realised[passage.runs.age * bars.bar_s < WARM_S] = np.nan
        moves = adverse_moves(bars, before.close)
        for side in range(2):
            evidence[k] += log_likelihood(
                passage.swept[:, :, side], realised[:, side], moves[:, side], bars.bar_s
            )
    return evidence, before


def choose(times: TimeArray, evidence: FloatArray, config: FitConfig) -> Draws:
    """The maps of each month, by evidence of the quarters before its own.

    Parameters
    ----------
    times : ndarray of datetime64[s]
        Bar closes of the panel.
    evidence : ndarray of shape (n_blocks, n_candidates)
        Summed over symbols.
    config : FitConfig
    """
    blocks = blocks_of(times)
    months = np.array([block.month for block in blocks])
    posterior = np.empty((len(blocks), evidence.shape[1]))
    drawn = []
    for k, block in enumerate(blocks):
        past = evidence[months < block.evidence_until].sum(axis=0)
        posterior[k] = posterior_weights(past, config.n_effective)
        ours = heaviest(posterior[k], config.n_draws)
        whole = float(posterior[k, list(ours)].sum())
        drawn.append({one: float(posterior[k, one]) / whole for one in ours})
    return Draws(blocks=blocks, posterior=posterior, drawn=tuple(drawn))


def readers_of(draws: Draws, edges: FloatArray) -> tuple[tuple[int, ...], list[Reader]]:
    """The candidates ever in force, and for each month which of them to read.

    Returns
    -------
    tuple of int
        Candidates, ascending: the maps to advance.
    list of Reader
        Positions among them.
    """
    ever = tuple(sorted({one for month in draws.drawn for one in month}))
    place = {one: k for k, one in enumerate(ever)}
    readers = [
        Reader(edges=edges, weights={place[one]: weight for one, weight in month.items()})
        for month in draws.drawn
    ]
    return ever, readers
