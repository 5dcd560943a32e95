"""`exemplar` against PyPatchMatch 2.2, side by side: seconds, hole PSNR and SHARP; and 2048² alone.

The pictures are scikit-image's, the masks LaMa-medium strokes over a quarter of each, with fixed seeds.
PyPatchMatch is not a dependency: set REMEND_PYPATCHMATCH to a Python that can import it (and NumPy), or
install it beside Remend; without it its figures are left out, and the line says so.

python -m benchmarks.exemplar
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.line import print_line
from benchmarks.made_holes import CASES_512, hole_figures, picture, strokes
from remend.fill.exemplar import Exemplar

PEER = """
import sys, time
import numpy as np
from patchmatch import patch_match
case = np.load(sys.argv[1])
patch_match.inpaint(case["image"][:64, :64].copy(), case["hole"][:64, :64].copy(), patch_size=3)
start = time.perf_counter()
filled = patch_match.inpaint(case["image"], case["hole"], patch_size=3)
print(time.perf_counter() - start)
np.save(sys.argv[2], filled)
"""


def ours(image: NDArray[np.uint8], hole: NDArray[np.bool_]) -> tuple[float, NDArray[np.float32]]:
    """Seconds, and the filled picture in 0 … 255."""
    window = image.astype(np.float32) / 255
    window[hole] = np.nan  # a filler that reads the answer would show it
    start = time.perf_counter()
    filled = Exemplar().fill(window, hole, usable=~hole)
    return time.perf_counter() - start, filled.pixels * 255


def theirs(image: NDArray[np.uint8], hole: NDArray[np.bool_]) -> tuple[float, NDArray[np.float32]] | None:
    """The same from PyPatchMatch, None where it cannot be imported."""
    python = os.environ.get("REMEND_PYPATCHMATCH", sys.executable)
    blank = image.copy()
    blank[hole] = 127
    with tempfile.TemporaryDirectory() as folder:
        case, answer = Path(folder, "case.npz"), Path(folder, "filled.npy")
        np.savez(case, image=blank, hole=hole)
        command = [python, "-c", PEER, str(case), str(answer)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if "No module named 'patchmatch'" in run.stderr:
            return None
        if run.returncode:
            sys.exit(f"PyPatchMatch failed in {python}: {run.stderr.strip().splitlines()[-1]}")
        return float(run.stdout.split()[-1]), np.load(answer).astype(np.float32)


def main() -> None:
    """Print the line."""
    ours(picture("astronaut", 64), strokes(64, seed=1))  # libraries load
    cases: dict[str, Any] = {}
    for name, seed in CASES_512:
        image, hole = picture(name, 512), strokes(512, seed=seed)
        seconds, filled = ours(image, hole)
        figures = {"seconds": seconds, **hole_figures(filled, image, hole)}
        peer = theirs(image, hole)
        if peer is not None:
            other = {"seconds": peer[0], **hole_figures(peer[1], image, hole)}
            figures |= {f"pypatchmatch_{key}": value for key, value in other.items()}
        cases[f"{name}_{seed}"] = {key: round(value, 3) for key, value in figures.items()}
    mean = {
        key: round(float(np.mean([case[key] for case in cases.values()])), 3) for key in cases["astronaut_11"]
    }
    if "pypatchmatch_seconds" in mean:
        mean["times_faster"] = round(mean["pypatchmatch_seconds"] / mean["seconds"], 2)
    large = cv2.resize(picture("astronaut", 512), (2048, 2048), interpolation=cv2.INTER_CUBIC)
    hole = cv2.resize(strokes(512, seed=1).view(np.uint8), (2048, 2048), interpolation=cv2.INTER_NEAREST)
    seconds_2048, _ = ours(large, hole.view(np.bool_))
    print_line(
        "exemplar",
        peer="PyPatchMatch" if "times_faster" in mean else "skipped: PyPatchMatch cannot be imported",
        mean=mean,
        seconds_2048=round(seconds_2048, 3),
        **cases,
    )


if __name__ == "__main__":
    main()
