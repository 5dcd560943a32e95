"""Finding alone in a 12-megapixel picture: seconds and peak memory, in a process of its own.

Two pictures: a photograph with film marks enlarged, as a fine scan is, and the same laid side by side, as
crisp as a camera's; both with grain.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.finding.bars import Bar, Measured
from benchmarks.finding.lines import LEVELS, scratch
from benchmarks.finding.pictures import clean_photographs

SIZE = (3000, 4000)
RUNS = 3
CODE = """
import json, resource, sys, time
from pathlib import Path
import numpy as np
from remend.damage.find import find_damage

def peak_mb():
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would count the parent's pages too, from before this program was loaded
        line = next(text for text in status.read_text().splitlines() if text.startswith("VmHWM"))
        return int(line.split()[1]) / 1000
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)

imported = peak_mb()
picture = np.load(sys.argv[1])
seconds = []
for _ in range(int(sys.argv[2])):
    since = time.perf_counter()
    regions = find_damage(picture)
    seconds.append(time.perf_counter() - since)
print(json.dumps({
    "first_seconds": round(seconds[0], 3), "seconds": round(min(seconds), 3), "regions": len(regions),
    "peak_mb": round(peak_mb()), "above_imports_mb": round(peak_mb() - imported),
}))
"""


def pictures() -> dict[str, NDArray[np.uint8]]:
    """12 megapixels by name, with three scratches so that there is something to weigh."""
    photo = next(clean_photographs(1)).pixels
    worn = photo.astype(np.float32)
    for spot in (0.2, 0.5, 0.7):
        worn += LEVELS * scratch(photo.shape[:2], spot, 3.0)[..., None]
    worn = np.clip(worn, 0, 255)
    large = cv2.resize(worn, SIZE[::-1], interpolation=cv2.INTER_CUBIC)
    times = (-(-SIZE[0] // worn.shape[0]), -(-SIZE[1] // worn.shape[1]), 1)
    grain = np.random.default_rng(0).normal(0, 4, (*SIZE, 1)).astype(np.float32)
    frames = {"enlarged": large, "side by side": np.tile(worn, times)[: SIZE[0], : SIZE[1]]}
    return {name: np.rint(np.clip(frame + grain, 0, 255)).astype(np.uint8) for name, frame in frames.items()}


def measure(every: int) -> Measured:
    """Search both."""
    del every
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, picture in pictures().items():
            path = Path(folder) / "picture.npy"
            np.save(path, picture)
            command = [sys.executable, "-c", CODE, str(path), str(RUNS)]
            answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            figures[name] = json.loads(answer.stdout)
    bars = [
        Bar(
            "12 MP: seconds of finding",
            max(row["seconds"] for row in figures.values()),
            1.5,
            0.8,
            at_most=True,
        ),
        Bar("12 MP: peak memory, MB", max(row["peak_mb"] for row in figures.values()), 500, at_most=True),
    ]
    return Measured(figures, bars)
