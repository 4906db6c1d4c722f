"""A server that lets its listeners go before it waits for them, and does not stop to tidy up."""

import gc
import socket
import threading

import uvicorn

from liqwarn.serving.push_hub import PushHub

__all__ = ["FlagServer"]


class FlagServer(uvicorn.Server):
    """uvicorn, with streams that end when it is told to stop.

    Without this a stream, which never ends, keeps a stopping server up until it gives up waiting.

    Run in a process's main thread, it has the collector pass by all that was made before: looking
    through the routes and their schemas again takes a tenth of a second, and every request waits.

    Parameters
    ----------
    config : uvicorn.Config
    hub : PushHub
        ``app.state.hub`` of the application, whatever stands in front of it.
    """

    def __init__(self, config: uvicorn.Config, *, hub: PushHub) -> None:
        super().__init__(config)
        self._hub = hub

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until told to stop."""
        if threading.current_thread() is threading.main_thread():
            gc.collect()
            gc.freeze()
        super().run(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell every client why, then stop as uvicorn does."""
        self._hub.close()
        await super().shutdown(sockets)
