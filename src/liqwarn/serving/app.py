"""The HTTP application: the newest flags, honest about their age, and what stands behind them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final

from fastapi import FastAPI

from liqwarn import __version__
from liqwarn.policy.tiers import Policy
from liqwarn.serving.answers import add_error_answers
from liqwarn.serving.clock import Clock
from liqwarn.serving.data_routes import add_event_route, add_history_route, add_map_route
from liqwarn.serving.documents import MAX_CACHE_S, FlagDocuments
from liqwarn.serving.event_file import EventFile
from liqwarn.serving.examples import NOT_HTTP, problem
from liqwarn.serving.flag_routes import add_flag_routes
from liqwarn.serving.health_routes import add_health_routes
from liqwarn.serving.history_file import HistoryFile
from liqwarn.serving.keeper import FlagKeeper
from liqwarn.serving.order_routes import add_order_routes
from liqwarn.serving.pairlist import pairlist_router
from liqwarn.serving.ports import Announcer, FlagSource, Sources
from liqwarn.serving.push_hub import PushHub, PushSettings
from liqwarn.serving.push_socket import add_socket_route
from liqwarn.serving.push_sse import add_stream_route
from liqwarn.serving.score_routes import add_score_route
from liqwarn.serving.waiting_room import WaitingRoom
from liqwarn.signing import SigningKey

__all__ = ["MAX_CACHE_S", "create_app", "folder_sources"]

_NOTHING: Final = Sources()
_ABOUT: Final = """Risk flags of liquidation cascades.

Expired flags are served as stale. `/v1/ws` is a WebSocket with the query and the events of
`/v1/stream`. Errors say `{"detail": …}`; an unknown query parameter is one.
"""


def folder_sources(folder: Path) -> Sources:
    """What the folder of a scoring has beside its flags: their history and the events."""
    return Sources(history=HistoryFile(folder), events=EventFile(folder))


def create_app(
    source: FlagSource,
    *,
    policy: Policy,
    clock: Clock,
    sources: Sources = _NOTHING,
    key: SigningKey | None = None,
    push: PushSettings | None = None,
) -> FastAPI:
    """An application that serves flags.

    Parameters
    ----------
    source : FlagSource
        A file of flags, or the live loop's shelf.
    policy : Policy
        What an expired flag and an unknown symbol mean.
    clock : Clock
        Where the time comes from.
    sources : Sources
        What else is served; a route whose source is missing answers 503.
    key : SigningKey or None
        Signs every document, once each time it changes.
    push : PushSettings or None
        Bounds of the streams.

    Returns
    -------
    FastAPI
        ``app.state.hub`` is the :class:`~liqwarn.serving.push_hub.PushHub`; its ``close`` ends all
        streams, which a server should do before it waits for its connections.
    """
    keeper = FlagKeeper(source, policy=policy, clock=clock)
    documents = FlagDocuments(keeper, clock=clock, key=key)
    hub = PushHub(documents, clock=clock, settings=push)
    if isinstance(source, Announcer):
        source.listen(hub.wake)
    app = FastAPI(
        title="liqwarn",
        version=__version__,
        description=_ABOUT,
        docs_url=None,  # these two pages load scripts from other hosts
        redoc_url=None,
        redirect_slashes=False,
        responses={400: NOT_HTTP},
        lifespan=_watching(hub),
    )
    app.state.hub = hub
    add_error_answers(app)
    add_flag_routes(app, documents, policy)
    _add_sources(app, sources)
    add_stream_route(app, hub)
    add_socket_route(app, hub)
    add_health_routes(app, documents, sources.render_metrics)
    pairs = pairlist_router(lambda: [one.flag for one in documents.standing().values()], clock.wall)
    app.include_router(pairs, responses={422: problem("query.stake: String should match")})
    return app


def _add_sources(app: FastAPI, sources: Sources) -> None:
    readers = WaitingRoom(at_once=2)
    add_history_route(app, sources.history, readers)
    add_event_route(app, sources.events, readers)
    add_map_route(app, sources.maps, readers)
    add_score_route(app, sources.scorer, WaitingRoom(at_once=1, seats=48))
    add_order_routes(app, sources.orders, WaitingRoom(at_once=2, seats=8))


def _watching(hub: PushHub) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        hub.start()
        yield
        await hub.stop()

    return lifespan
