"""Models from outside, run in a process of their own: what one of them does to memory, time or itself ends
there, and is told in one line.

A graph can loop for ever, reserve terabytes with a few bytes, or make ONNX Runtime end the process; none of
it can be stopped from inside. Only pixels go over, as bytes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import weakref
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remend.errors import ModelError
from remend.fill.outside_process import read_exactly, read_message, write_message

__all__ = ["MEMORY_VARIABLE", "TIME_VARIABLE", "Budget", "Outside"]

GiB = 1 << 30
USUAL_AREA = 512 * 512
PROBE_SHARE = 0.5  # of `seconds`, for the small window that is tried first
# A probe is small and holds what a run costs whatever its size, so this says the time of a window generously.
OF_PROBE = 40.0
MOST_OF_LIMIT = 10.0  # times `seconds` is the most that a slow probe can ask for
LOAD_SECONDS = 5.0
_SIZES = {"float32": 4, "uint8": 1}  # bytes of what an answer may be
LOADED_PER_SECOND = 20 << 20
MEMORY_VARIABLE, TIME_VARIABLE = "REMEND_MODEL_GIB", "REMEND_MODEL_SECONDS"


@dataclass(frozen=True, slots=True)
class Budget:
    """What a model from outside may use.

    Attributes:
        memory_bytes: beside the libraries; not held on Windows and macOS.
        seconds: for a window of 512² pixels, or longer where the model was slow on a small one; larger
            windows get more by their area.
    """

    memory_bytes: int = 3 * GiB // 2
    seconds: float = 6.0

    @staticmethod
    def stated() -> Budget:
        """The usual one, or what the environment says.

        Raises:
            ModelError: the environment says something that is no number.
        """
        usual = Budget()
        return Budget(
            int(_number(MEMORY_VARIABLE, usual.memory_bytes / GiB) * GiB),
            _number(TIME_VARIABLE, usual.seconds),
        )


def _number(variable: str, usual: float) -> float:
    given = os.environ.get(variable, "")
    try:
        number = float(given) if given else usual
    except ValueError:
        number = 0.0
    if not 0 < number < 1e6:
        raise ModelError(f"{variable} is {given!r}: give a number above 0, or leave it out")
    return number


@dataclass(frozen=True, slots=True)
class _Value:
    """A name, a shape and a type, as ONNX Runtime's sessions list them."""

    name: str
    shape: list[Any]
    type: str = ""


class Outside:
    """Looks like an ``onnxruntime.InferenceSession`` as far as `remend.fill.model_file` uses one.

    Args:
        content: of the ONNX file.
        name: what messages call it.
        threads: of one run.
        budget: what it may use.

    Raises:
        ModelError: it cannot be loaded within the budget.

    Cost: a process, half a second to start; of a run, the copying of its windows.
    """

    def __init__(self, content: bytes, *, name: str, threads: int, budget: Budget) -> None:
        self.name, self.budget = name, budget
        self._content, self._threads = content, threads
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._late = False
        self._probed = 0.0  # seconds a pixel
        with self._lock:
            self._load()

    def get_inputs(self) -> list[_Value]:
        """Names, shapes and types."""
        return [_Value(name, shape, kind) for name, (shape, kind) in self._inputs.items()]

    def get_outputs(self) -> list[_Value]:
        """Names; shapes are not told."""
        return [_Value(name, []) for name in self._outputs]

    def probe(self, feed: dict[str, NDArray[Any]], output: str = "filled") -> NDArray[Any] | str:
        """Run it on a small window, so that one that never ends is known before a picture waits for it.

        An answer that is wrong, or a complaint about the size, is given back: the run will tell.

        Raises:
            ModelError: it takes too long, or ends its process.
        """
        area = _area(feed)
        share = PROBE_SHARE if area < USUAL_AREA else 1.0  # what takes no small window gets the whole time
        since = time.monotonic()
        answer = self._run(feed, share * self.budget.seconds * max(1.0, area / USUAL_AREA), output)
        self._probed = (time.monotonic() - since) / area
        return answer

    def run(self, outputs: list[str], feed: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """As the session's, for one output of the picture's shape.

        Raises:
            ModelError: over budget, or its process ended.
            RuntimeError: what ONNX Runtime complained of.
        """
        area = _area(feed)
        most = self.budget.seconds * max(1.0, area / USUAL_AREA)
        seconds = max(most, min(MOST_OF_LIMIT * most, OF_PROBE * self._probed * area))
        answer = self._run(feed, seconds, outputs[0])
        if isinstance(answer, str):
            raise RuntimeError(answer)
        return [answer]

    def _run(self, feed: dict[str, NDArray[Any]], seconds: float, output: str) -> NDArray[Any] | str:
        """The output, or ONNX Runtime's complaint."""
        with self._lock:
            if self._process is None:
                self._load()
            listed = [[name, list(array.shape), array.dtype.name] for name, array in feed.items()]
            header = {"feed": listed, "output": output}
            blobs = [np.ascontiguousarray(array).data.cast("B") for array in feed.values()]
            height, width = feed["image"].shape[2:]
            reply, data = self._ask(
                header, blobs, seconds, f"on a window of {width}×{height}", feed["image"].size
            )
        if "error" in reply:
            return str(reply["error"])
        if data is None:
            given = reply.get("type")
            wanted = list(feed["image"].shape)
            return f"its output {output} is {given} {reply.get('shape')}, expected float32 {wanted}"
        return np.frombuffer(data, reply["type"]).reshape(feed["image"].shape)

    def _load(self) -> None:
        path = os.pathsep.join(place for place in sys.path if place)
        process = subprocess.Popen(
            [
                sys.executable, "-P", "-m", "remend.fill.outside_process", str(self.budget.memory_bytes),
                str(self._threads), self.name, str(os.getpid()),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path, "MALLOC_ARENA_MAX": "2"},
        )  # fmt: skip
        self._process, self._late = process, False
        self._end = weakref.finalize(self, _kill, process)
        seconds = LOAD_SECONDS + len(self._content) / LOADED_PER_SECOND
        reply, _ = self._ask(
            {"bytes": len(self._content)}, [self._content], seconds, "while it was loaded", 0
        )
        if "error" in reply:
            self._stop()
            raise ModelError(str(reply["error"])[:600])
        self._inputs: dict[str, tuple[list[Any], str]] = dict(reply["inputs"])
        self._outputs: list[str] = list(reply["outputs"])

    def _ask(
        self, header: dict[str, Any], blobs: list[Any], seconds: float, where: str, expected: int
    ) -> tuple[dict[str, Any], bytearray | None]:
        """One question and its answer; ``expected`` numbers follow it where it says what they are."""
        process = self._process
        assert process is not None and process.stdin is not None and process.stdout is not None
        timer = threading.Timer(seconds, self._too_long)
        timer.daemon = True
        timer.start()
        try:
            write_message(process.stdin, header, *blobs)
            reply = read_message(process.stdout)
            itemsize = _SIZES.get(str(reply.get("type")), 0)
            followed = expected and itemsize and "error" not in reply
            shape = [] if not followed else reply.get("shape", [])
            whole = followed and int(np.prod(shape, dtype=object)) == expected
            return reply, read_exactly(process.stdout, itemsize * expected) if whole else None
        except (OSError, EOFError):
            self._stop()
            if self._late:
                raise ModelError(
                    f"the model {self.name} was stopped after {seconds:.0f} s {where}: use another method, "
                    f"or set {TIME_VARIABLE} above {self.budget.seconds:g}"
                ) from None
            raise ModelError(
                f"the model {self.name} ended the process that it ran in, {where}, most likely for more than "
                f"{self.budget.memory_bytes / GiB:.1f} GiB of memory: use another method, "
                f"or set {MEMORY_VARIABLE}"
            ) from None
        finally:
            timer.cancel()

    def _too_long(self) -> None:
        self._late = True
        if self._process is not None:
            self._process.kill()

    def _stop(self) -> None:
        self._end()
        self._process = None


def _kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):  # what was not sent any more
                pipe.close()
    process.wait()


def _area(feed: dict[str, NDArray[np.float32]]) -> int:
    return int(np.prod(feed["image"].shape[2:]))
