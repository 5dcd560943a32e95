"""uvicorn's HTTP protocol with a clock on headers and a bound on connections, which uvicorn has not."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["TimedProtocol"]

# Sent as they are: there is no request yet that could be answered through h11.
TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
FULL = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n"


class TimedProtocol(H11Protocol):
    """One connection.

    From its first byte, or from the answer before, a request's headers may take ``header_seconds``, however
    busily they drip. A body that nobody wants any more, because the answer is out, may take ``body_seconds``.
    Where there are ``most`` connections, the one that has waited longest for its headers makes way.

    Args:
        header_seconds, body_seconds, most: as above.
        more: uvicorn's own.
    """

    def __init__(self, *, header_seconds: float, body_seconds: float, most: int, **more: Any) -> None:
        super().__init__(**more)
        self.header_seconds, self.body_seconds, self.most = header_seconds, body_seconds, most
        self._timer: asyncio.TimerHandle | None = None
        self._waited_for: str | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has come."""
        super().connection_made(transport)
        if len(self.connections) > self.most:
            waiting = [
                other
                for other in self.connections
                if isinstance(other, TimedProtocol) and other._timer is not None and other is not self
            ]
            if not waiting:
                self._hang_up(FULL)
                return
            min(waiting, key=lambda other: other._timer.when() if other._timer else 0.0)._hang_up(FULL)
        self._look()

    def data_received(self, data: bytes) -> None:
        """Some bytes of a request."""
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        """The answer is out; uvicorn's own clock runs until the next request begins."""
        super().on_response_complete()
        self._look(begun=False)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._set_timer(None)
        super().connection_lost(exc)

    def _look(self, *, begun: bool = True) -> None:
        """Start the clock when something is waited for, and stop it when it has come."""
        waited_for = None
        if self.conn.their_state is h11.IDLE and begun:
            waited_for = "headers"
        elif self.conn.their_state is h11.SEND_BODY and self.conn.our_state in (h11.DONE, h11.MUST_CLOSE):
            waited_for = "body"
        if waited_for != self._waited_for:
            self._set_timer(waited_for)

    def _set_timer(self, waited_for: str | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._waited_for = waited_for
        if waited_for == "headers":
            self._timer = self.loop.call_later(self.header_seconds, self._hang_up, TOO_SLOW)
        elif waited_for == "body":
            self._timer = self.loop.call_later(self.body_seconds, self._hang_up, b"")

    def _hang_up(self, answer: bytes) -> None:
        self._set_timer(None)
        if self.transport.is_closing():
            return
        if self.conn.our_state is h11.IDLE:
            self.transport.write(answer)
        self.transport.close()
        # Who does not read would keep it open.
        self.loop.call_later(1.0, self.transport.abort)
