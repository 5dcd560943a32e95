"""A camera as a source of frames: whoever is slow gets the newest one, and the others are dropped."""

from __future__ import annotations

import time
from collections.abc import Iterator
from threading import Condition, Thread
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.errors import UsageError

__all__ = ["Camera", "Capture", "camera_number", "open_camera"]

PATIENCE_S = 10.0  # for which a camera may say nothing


class Capture(Protocol):
    """What is needed of OpenCV's ``VideoCapture``."""

    def read(self) -> tuple[bool, Any]:
        """Wait for a frame, (H, W, 3) BGR uint8; false = there is none any more."""
        ...

    def release(self) -> None:
        """Close it."""
        ...


def camera_number(source: str) -> int | None:
    """The number of a camera; None where it is the name of a file."""
    return int(source) if source.isascii() and source.isdigit() else None


def open_camera(number: int) -> Capture:
    """The camera of a number, as OpenCV counts them.

    Raises:
        UsageError: there is none, or another program has it.
    """
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        capture = cv2.VideoCapture(number)
    finally:
        cv2.utils.logging.setLogLevel(level)
    if not capture.isOpened():
        capture.release()
        raise UsageError(
            f"camera {number} cannot be opened: see that one is connected and no other program has it, "
            "or give a video file"
        )
    return capture


class Camera:
    """Frames of a capture, read in a thread of its own. Close it, or use it in ``with``.

    Attributes:
        dropped: frames that came while the one before was worked on, and were never asked for.
    """

    def __init__(self, capture: Capture) -> None:
        self.capture = capture
        self.dropped = 0
        self._newest: tuple[NDArray[np.uint8], float] | None = None
        self._ended = False
        self._came = Condition()
        self._thread = Thread(target=self._read, name="camera", daemon=True)
        self._thread.start()

    def __enter__(self) -> Camera:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def frames(self) -> Iterator[tuple[NDArray[np.uint8], float]]:
        """The newest frame, (H, W, 3) RGB uint8, and when it came, in seconds; until there are no more.

        Raises:
            UsageError: the camera says nothing for ten seconds.
        """
        while True:
            with self._came:
                ready = self._came.wait_for(lambda: self._newest is not None or self._ended, PATIENCE_S)
                newest, self._newest = self._newest, None
            if not ready:
                raise UsageError(f"the camera has given no frame for {PATIENCE_S:.0f} s: connect it anew")
            if newest is None:
                return
            yield newest

    def close(self) -> None:
        """Let the camera go."""
        with self._came:
            self._ended = True
            self._came.notify_all()
        self._thread.join(timeout=PATIENCE_S)
        self.capture.release()

    def _read(self) -> None:
        while not self._ended:
            fine, frame = self.capture.read()
            when = time.monotonic()
            with self._came:
                if not fine:
                    self._ended = True
                elif not self._ended:
                    self.dropped += self._newest is not None
                    pixels = np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8)
                    self._newest = (pixels, when)
                self._came.notify_all()
