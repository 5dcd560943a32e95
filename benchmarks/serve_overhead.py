"""What serving adds to the library: a 512² repair over HTTP against `repair_file` on the same bytes.

Both begin with the file's bytes and end with the repaired file's; in turn, A B A B …, on one connection.
`around_the_work` is the answer's time without what the worker says it spent in the library: a busy machine
blurs it less. The library runs in this process with as many threads as the server's worker has.
Bar: ≤ 15 ms, median.
"""

from __future__ import annotations

import io
import statistics
import time

import cv2
import httpx
import numpy as np
from skimage import data

from benchmarks.line import print_line
from benchmarks.serve_process import serving
from remend.repairing import repair_file

RUNS = 60


def photo_and_mask() -> tuple[bytes, bytes]:
    """The astronaut with ten scratches, as PNG files."""
    photo = data.astronaut()[..., ::-1].copy()
    mask = np.zeros(photo.shape[:2], np.uint8)
    rng = np.random.default_rng(0)
    for _ in range(10):
        start, end = rng.integers(0, 512, (2, 2))
        cv2.line(mask, start.tolist(), end.tolist(), 255, 3)
    photo[mask > 0] = 255
    return cv2.imencode(".png", photo)[1].tobytes(), cv2.imencode(".png", mask)[1].tobytes()


def main() -> dict[str, object]:
    """Measure and print."""
    photo, mask = photo_and_mask()

    def library() -> bytes:
        out = io.BytesIO()
        repair_file(io.BytesIO(photo), out, mask=io.BytesIO(mask))
        return out.getvalue()

    with serving("--workers", "1") as server, httpx.Client(base_url=server.address, timeout=60) as client:

        def served() -> bytes:
            answer = client.post("/v1/repair", files={"image": ("a.png", photo), "mask": ("m.png", mask)})
            answer.raise_for_status()
            stages = [
                float(part.partition("dur=")[2]) for part in answer.headers["server-timing"].split(", ")
            ]
            inside.append(sum(stages[1:]) / 1000)  # the first is the queue
            return answer.content

        inside: list[float] = []  # seconds that the worker spent in the library
        assert served() == library(), "the same bytes"
        [(_seconds(served), _seconds(library)) for _ in range(5)]
        before = server.own_seconds()
        pairs = [(_seconds(served), _seconds(library)) for _ in range(RUNS)]
        around = [whole - work for (whole, _), work in zip(pairs, inside[-RUNS:], strict=True)]
        own = (server.own_seconds() - before) / RUNS
    ours, theirs = zip(*pairs, strict=True)
    return print_line(
        "serve_overhead",
        what="512² PNG, ten scratches given",
        served_ms=round(1000 * statistics.median(ours), 1),
        library_ms=round(1000 * statistics.median(theirs), 1),
        overhead_ms=round(1000 * statistics.median(a - b for a, b in pairs), 1),
        fastest_overhead_ms=round(1000 * (min(ours) - min(theirs)), 1),
        around_the_work_ms=round(1000 * statistics.median(around), 1),
        least_around_the_work_ms=round(1000 * min(around), 1),
        server_processor_ms=round(1000 * own, 1),
        bar="overhead ≤ 15 ms",
    )


def _seconds(work: object) -> float:
    assert callable(work)
    since = time.perf_counter()
    work()
    return time.perf_counter() - since


if __name__ == "__main__":
    main()
