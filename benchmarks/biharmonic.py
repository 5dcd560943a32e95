"""Our biharmonic filler against scikit-image's: time, hole PSNR and peak memory, side by side.

Each measurement runs in a process of its own; the ratios of one run are what counts. The picture is
scikit-image's astronaut (public domain), the masks are made with fixed seeds. Takes about a minute:
``python benchmarks/biharmonic.py`` prints one line of JSON.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

CASES = {"scratches-512": 512, "irregular-512": 512, "irregular-2048": 2048}
# Each is run until this much time is spent, at least once; its best run counts.
PATIENCE_S = 5.0
METHODS = ("biharmonic", "smooth", "scikit-image")


def make_case(case: str) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The picture, (n, n, 3) uint8, and its hole, (n, n) bool: about 3 % scratches or 25 % strokes."""
    from skimage import data

    from remend.damage.synth import make_mask

    if case.startswith("scratches"):
        hole = make_mask("scratches", (512, 512), seed=5, ratio=(0.025, 0.035))
    else:
        hole = make_mask("lama-medium", (512, 512), seed=5, ratio=(0.24, 0.26))
    size = (CASES[case], CASES[case])
    photo: NDArray[np.uint8] = data.astronaut()  # type: ignore[no-untyped-call]
    image = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    wide = np.asarray(cv2.resize(hole.view(np.uint8), size, interpolation=cv2.INTER_NEAREST), np.uint8)
    return image, wide.view(np.bool_)


def measure(method: str, folder: Path) -> dict[str, float]:
    """Seconds, hole PSNR in dB and MB beyond what lay in memory before, in this process."""
    from skimage.restoration import inpaint_biharmonic

    from remend.fill.biharmonic import Biharmonic, smooth

    image, hole, window = (np.load(folder / f"{name}.npy") for name in ("image", "hole", "window"))
    tiny = np.eye(32, dtype=bool)

    def run(window: NDArray[np.float32], hole: NDArray[np.bool_]) -> NDArray[np.float32]:
        if method == "scikit-image":
            filled: NDArray[np.float32] = inpaint_biharmonic(window, hole, channel_axis=-1)
            return filled
        filler = Biharmonic() if method == "biharmonic" else smooth()
        return filler.fill(window, hole, usable=~hole).pixels

    run(window[:32, :32], tiny)
    before, _ = _resident_mb()
    runs: list[tuple[float, float]] = []
    while True:
        start, busy = time.perf_counter(), time.process_time()
        filled = run(window, hole)
        runs.append((time.perf_counter() - start, time.process_time() - busy))
        if sum(seconds for seconds, _ in runs) > PATIENCE_S:
            break
        del filled
    _, peak = _resident_mb()
    levels = np.clip(np.rint(filled[hole] * 255), 0, 255) - image[hole]
    return {
        "seconds": min(runs)[0],
        "cpu_seconds": min(runs)[1],
        "psnr_db": float(10 * np.log10(255**2 / np.mean(levels.astype(np.float64) ** 2))),
        "peak_mb": peak - before,
    }


def _resident_mb() -> tuple[float, float]:
    """Memory of this process, now and at its peak.

    From Linux' own table: what ``getrusage`` calls the peak begins at the parent's size.
    """
    status = Path("/proc/self/status")
    if status.exists():
        table = dict(line.split(":", 1) for line in status.read_text().splitlines())
        now, peak = (float(table[key].split()[0]) / 1024 for key in ("VmRSS", "VmHWM"))
        return now, peak
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1 << (20 if sys.platform == "darwin" else 10)
    )
    return peak, peak


def _in_own_process(method: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--measure", method, str(folder)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    measured: dict[str, float] = json.loads(answer)
    return measured


def _commit() -> str:
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout.strip() or "unknown"


def main() -> None:
    """Print one line of JSON: the figures of every case and method, and our ratios to scikit-image."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", nargs=2, metavar=("METHOD", "FOLDER"), help="one case, here")
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure[0], Path(options.measure[1]))))
        return
    report: dict[str, Any] = {
        "benchmark": "biharmonic",
        "commit": _commit(),
        "machine": f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}",
    }
    if importlib.util.find_spec("skimage") is None:
        report["skipped"] = "needs scikit-image, which brings the picture and the reference"
        print(json.dumps(report))
        return
    for case in CASES:
        # Made here, so that the making is no part of the measuring process's peak.
        image, hole = make_case(case)
        window = np.where(hole[..., None], np.float32(0), image.astype(np.float32) / 255)
        with tempfile.TemporaryDirectory() as folder:
            for name, array in (("image", image), ("hole", hole), ("window", window)):
                np.save(Path(folder) / f"{name}.npy", array)
            figures = {method: _in_own_process(method, Path(folder)) for method in METHODS}
        theirs = figures["scikit-image"]
        report[case] = {name: {k: round(v, 3) for k, v in f.items()} for name, f in figures.items()}
        for method in METHODS[:2]:
            ours = figures[method]
            report[case][method] |= {
                "times_faster": round(theirs["seconds"] / ours["seconds"], 1),
                "times_less_cpu": round(theirs["cpu_seconds"] / ours["cpu_seconds"], 1),
                "db_better": round(ours["psnr_db"] - theirs["psnr_db"], 3),
                "memory_share": round(ours["peak_mb"] / theirs["peak_mb"], 3),
            }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
