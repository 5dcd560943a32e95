"""The inside of the process that runs a model from outside; see `remend.fill.outside`.

Messages both ways: four bytes of length, a JSON object, then the bytes of the arrays that it lists. No
pickle: what comes back may be a hostile model's.
"""

from __future__ import annotations

import json
import os
import struct
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["main", "read_exactly", "read_message", "write_message"]

LONGEST_HEADER = 1 << 20


def write_message(file: IO[bytes], header: dict[str, Any], *blobs: memoryview | bytes) -> None:
    """Send one message.

    Raises:
        OSError: the other side is gone.
    """
    text = json.dumps(header).encode()
    file.write(struct.pack("<I", len(text)) + text)
    for blob in blobs:
        file.write(blob)
    file.flush()


def read_message(file: IO[bytes]) -> dict[str, Any]:
    """The next header; arrays that it lists follow it.

    Raises:
        EOFError: the other side is gone, or says what is no message.
    """
    (length,) = struct.unpack("<I", read_exactly(file, 4))
    if length > LONGEST_HEADER:
        raise EOFError
    try:
        header = json.loads(bytes(read_exactly(file, length)))
    except ValueError:
        raise EOFError from None
    if not isinstance(header, dict):
        raise EOFError
    return header


def read_exactly(file: IO[bytes], count: int) -> bytearray:
    """So many bytes.

    Raises:
        EOFError: the other side is gone.
    """
    data = bytearray(count)
    view, at = memoryview(data), 0
    while at < count:
        got = file.readinto(view[at:])  # type: ignore[attr-defined]
        if not got:
            raise EOFError
        at += got
    return data


def main(memory_bytes: int, threads: int, name: str, parent: int) -> None:
    """Load the model that comes first, then answer windows until the other side is gone."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not come between the answers
    questions = sys.stdin.buffer
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    with suppress(EOFError, OSError):
        content = bytes(read_exactly(questions, read_message(questions)["bytes"]))
        from remend.errors import ModelError
        from remend.runtime import load_onnxruntime, open_session

        load_onnxruntime()  # before memory is counted
        _limit(memory_bytes)
        try:
            session = open_session(content, name=name, threads=threads)
        except ModelError as error:
            write_message(answers, {"error": str(error)})
            return
        del content
        inputs = {entry.name: [list(entry.shape), entry.type] for entry in session.get_inputs()}
        outputs = [entry.name for entry in session.get_outputs()]
        write_message(answers, {"inputs": inputs, "outputs": outputs})
        while True:
            _answer(session, questions, answers)


def _answer(session: Any, questions: IO[bytes], answers: IO[bytes]) -> None:
    import numpy as np

    feed: dict[str, NDArray[Any]] = {}
    asked = read_message(questions)
    for key, shape, kind in asked["feed"]:
        dtype = np.dtype(kind)
        blob = read_exactly(questions, dtype.itemsize * int(np.prod(shape)))
        feed[key] = np.frombuffer(blob, dtype).reshape(shape)
    try:
        (filled,) = session.run([asked["output"]], feed)
    except Exception as error:  # ONNX Runtime raises a dozen classes of its own
        write_message(answers, {"error": str(error).partition("\n")[0][:500] or type(error).__name__})
        return
    if not isinstance(filled, np.ndarray):
        write_message(answers, {"shape": None, "type": type(filled).__name__})
    elif filled.dtype not in (np.float32, np.uint8) or filled.shape != feed["image"].shape:
        write_message(answers, {"shape": list(filled.shape), "type": filled.dtype.name})
    else:
        whole = np.ascontiguousarray(filled)
        write_message(answers, {"shape": list(whole.shape), "type": whole.dtype.name}, whole.data.cast("B"))


def _limit(memory_bytes: int) -> None:
    """Bound what this process may reserve from now on, and forbid it to write files."""
    with suppress(ImportError, OSError, ValueError):  # Windows has none, macOS not all of them
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        most = pages * resource.getpagesize() + memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _end_with(parent: int) -> None:
    """A run that does not end does not hear that nobody waits for it any more."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
