"""Frames shown in a browser of this machine, as they come: Motion JPEG, from the standard library alone.

The page is served at 127.0.0.1 under a name that cannot be guessed, so that neither other machines nor other
pages see what a camera sees.
"""

from __future__ import annotations

import secrets
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.errors import UsageError

__all__ = ["Page"]

JPEG_QUALITY = 90
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
CONTENT = (
    b"<!doctype html><meta charset=utf-8><title>Remend live</title>"
    b"<style>html,body{margin:0;height:100%;background:#111}"
    b"img{width:100%;height:100%;object-fit:contain}</style>"
    b'<img src="live.mjpg" alt="Live picture">'
)


class Page:
    """A page with the newest frame. Close it, or use it in ``with``.

    Args:
        port: to listen on; 0 = a free one.

    Raises:
        UsageError: the port is taken.
    """

    def __init__(self, port: int = 0) -> None:
        self.name = secrets.token_urlsafe(12)
        self._frame: NDArray[np.uint8] | None = None
        self._number, self._ended = 0, False
        self._came = Condition()
        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        except OSError as error:
            raise UsageError(
                f"the page cannot be shown at port {port} ({error.strerror}): choose another --port"
            ) from error
        self._server.daemon_threads = True
        Thread(target=self._server.serve_forever, name="page", daemon=True).start()

    def __enter__(self) -> Page:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/{self.name}/"

    def show(self, pixels: NDArray[Any]) -> None:
        """The next frame, (H, W, 3) RGB uint8 or uint16; encoded only where somebody looks."""
        with self._came:
            self._frame = pixels if pixels.dtype == np.uint8 else (pixels >> 8).astype(np.uint8)
            self._number += 1
            self._came.notify_all()

    def after(self, number: int) -> tuple[int, bytes] | None:
        """The newest frame after the one of a number, and its number, as JPEG; None = it is over."""
        with self._came:
            self._came.wait_for(lambda: self._number > number or self._ended)
            if self._ended or self._frame is None:
                return None
            frame, number = self._frame, self._number
        bgr = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
        _, coded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        return number, coded.tobytes()

    def close(self) -> None:
        """Show nothing more."""
        with self._came:
            self._ended = True
            self._came.notify_all()
        self._server.shutdown()
        self._server.server_close()


def _handler(page: Page) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == f"/{page.name}/":
                self._begin("text/html; charset=utf-8")
                self.wfile.write(CONTENT)
            elif self.path == f"/{page.name}/live.mjpg":
                self._begin("multipart/x-mixed-replace; boundary=frame")
                self._stream()
            else:
                self.send_error(404)

        def _begin(self, kind: str) -> None:
            self.send_response(200)
            for name, value in {"Content-Type": kind, **HEADERS}.items():
                self.send_header(name, value)
            self.end_headers()

        def _stream(self) -> None:
            number = 0
            try:
                while (found := page.after(number)) is not None:
                    number, coded = found
                    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(coded)}\r\n\r\n"
                    self.wfile.write(head.encode() + coded + b"\r\n")
            except OSError:
                return  # whoever looked has left

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: stderr tells frames a second."""

    return Handler
