"""Where the time of a step goes: named spans, and a trace of a few steps for `--profile`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import torch

from remend.errors import WriteError

__all__ = ["Profile", "span"]

_SKIPPED, _WARM, _TRACED = 2, 1, 4


@contextmanager
def span(name: str) -> Iterator[None]:
    """Name what runs inside, for the profiler and, on CUDA, as an NVTX range for Nsight.

    Cost: nothing on a processor where nobody listens.
    """
    if not (Profile.listening or _cuda()):
        yield
        return
    with torch.profiler.record_function(name):
        if not _cuda():
            yield
            return
        torch.cuda.nvtx.range_push(name)
        try:
            yield
        finally:
            torch.cuda.nvtx.range_pop()


class Profile:
    """Traces a few steps soon after the start into a file that Perfetto and chrome://tracing open.

    Args:
        path: of the JSON file; None = trace nothing.
        say: told where the trace is.

    Raises:
        WriteError: by ``step``, where the file cannot be written.

    Attributes:
        listening: whether one is at work: spans are named only then.
    """

    listening = False

    def __init__(self, path: Path | None, say: Callable[[str], None]) -> None:
        self.path, self.say = path, say
        self._profiler: Any = None
        if path is not None:
            # Kineto tells stderr when it begins and ends; from this level on it keeps that to itself.
            os.environ.setdefault("KINETO_LOG_LEVEL", "6")
            activities = [torch.profiler.ProfilerActivity.CPU]
            if _cuda():
                activities.append(torch.profiler.ProfilerActivity.CUDA)
            self._profiler = torch.profiler.profile(
                activities=activities,
                schedule=torch.profiler.schedule(wait=_SKIPPED, warmup=_WARM, active=_TRACED, repeat=1),
                on_trace_ready=self._write,
            )
            self._profiler.start()
            Profile.listening = True

    def step(self) -> None:
        """A step is done."""
        if self._profiler is not None:
            self._profiler.step()

    def close(self) -> None:
        """Stop; a trace that was begun is written."""
        if self._profiler is not None:
            self._profiler.stop()
            self._profiler = None
            Profile.listening = False

    def _write(self, profiler: Any) -> None:
        assert self.path is not None
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            profiler.export_chrome_trace(str(self.path))
        except (OSError, RuntimeError) as error:
            raise WriteError(f"the trace {self.path} cannot be written ({error}): make room") from error
        self.say(f"trace of {_TRACED} steps in {self.path}: open it in ui.perfetto.dev")


@cache
def _cuda() -> bool:
    return bool(torch.cuda.is_available())
