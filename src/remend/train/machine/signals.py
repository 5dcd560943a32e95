"""SIGTERM and SIGINT as a request to stop after the current step, instead of an end in the middle of it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Stop", "stop_on_signal"]


class Stop:
    """Whether to stop, and why."""

    signal: signal.Signals | None = None

    def __bool__(self) -> bool:
        return self.signal is not None


@contextmanager
def stop_on_signal() -> Iterator[Stop]:
    """Catch SIGTERM and SIGINT while the block runs; a second one ends the process as usual."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop  # only the main thread may set handlers
        return

    def note(number: int, _: FrameType | None) -> None:
        stop.signal = signal.Signals(number)
        signal.signal(number, before[signal.Signals(number)])

    before = {}
    for caught in (signal.SIGTERM, signal.SIGINT):
        before[caught] = signal.signal(caught, note)
    try:
        yield stop
    finally:
        for caught, handler in before.items():
            signal.signal(caught, handler)
