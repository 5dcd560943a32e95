"""The server process: sockets, signals, and an end that lets work in hand finish."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import cast

import uvicorn

from remend.serve.app import Application
from remend.serve.protocol import TimedProtocol

__all__ = ["Server", "run_server"]

UNWANTED_SECONDS = 30.0  # for a body whose answer is out already
CLOSE_SECONDS = 3  # for answers that are still going out
BACKLOG = 512


class Server(uvicorn.Server):
    """uvicorn, whose first SIGTERM or Ctrl-C drains and whose second one ends at once.

    While it drains it still answers, so that clients can fetch what is done; new work is refused.

    Args:
        config: uvicorn's.
        app: the application.
        started: called once the port is open.
    """

    def __init__(self, config: uvicorn.Config, app: Application, started: Callable[[], None]) -> None:
        super().__init__(config)
        self.application, self.tell_started = app, started
        self._drain: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the port, then say so."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets=sockets)
        if self.started:
            self.tell_started()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal came. It is not raised again afterwards: the exit code is 0."""
        if self.application.desk.ending.begun or self._loop is None:
            self.should_exit = True
            self.force_exit = sig == signal.SIGINT
            return
        self.application.desk.ending.begin()
        self._loop.call_soon_threadsafe(self._begin_drain)

    def _begin_drain(self) -> None:
        self._drain = asyncio.ensure_future(self._drained())

    async def _drained(self) -> None:
        await self.application.desk.drain()
        self.should_exit = True


def run_server(
    app: Application, *, socket: socket.socket, started: Callable[[], None] = lambda: None
) -> None:
    """Serve until a signal comes.

    Args:
        app: from `create_app`.
        socket: open and listening.
        started: called once requests are answered.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="remend: %(message)s")
    limits = app.desk.limits
    _allow_files(4 * limits.connections)
    protocol = partial(
        TimedProtocol,
        header_seconds=limits.header_seconds,
        body_seconds=UNWANTED_SECONDS,
        most=limits.connections,
    )
    config = uvicorn.Config(
        app,
        access_log=False,  # addresses can hold a link's token
        log_level="warning",
        log_config=None,
        server_header=False,
        proxy_headers=False,
        http=cast("type[asyncio.Protocol]", protocol),
        ws="none",
        loop="asyncio",
        lifespan="on",
        timeout_keep_alive=30,
        timeout_graceful_shutdown=CLOSE_SECONDS,
        backlog=BACKLOG,
    )
    Server(config, app, started).run(sockets=[socket])


def _allow_files(count: int) -> None:
    """Raise the number of files that may be open, as far as the system lets: a connection is one, and a
    request on its way in is up to three more."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
