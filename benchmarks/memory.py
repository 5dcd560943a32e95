"""Peak memory of the whole command on 100-megapixel pictures with a 300² hole. Bar: 1.2 GB."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

from benchmarks.line import print_line

SIDE = 10_000
HOLE = 300
PLACES = {"corner": (0, 0), "far corner": (SIDE - HOLE, SIDE - HOLE), "middle": (SIDE // 2, SIDE // 2)}
CODE = """
import resource, sys
from remend.cli.main import _run
code = _run(sys.argv[1:])
print(code, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def pictures(folder: Path) -> None:
    """One frame with gradients and grain, as PNG and as JPEG with both kinds of chroma."""
    ramp = np.linspace(0, 200, SIDE, dtype=np.float32)
    tile = np.random.default_rng(0).integers(0, 12, (500, 500, 3), dtype=np.uint8)
    frame = np.tile(tile, (SIDE // 500, SIDE // 500, 1))
    frame[...] += ramp.astype(np.uint8)[None, :, None]
    cv2.imwrite(str(folder / "photo.png"), frame)
    cv2.imwrite(str(folder / "photo-420.jpg"), frame)
    sampling = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    cv2.imwrite(str(folder / "photo-444.jpg"), frame, sampling)


def main() -> dict[str, object]:
    """Measure each picture and place in a process of its own, and print."""
    peaks: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pictures(folder)
        for place, (top, left) in PLACES.items():
            mask = np.zeros((SIDE, SIDE), np.uint8)
            mask[top : top + HOLE, left : left + HOLE] = 255
            cv2.imwrite(str(folder / "mask.png"), mask)
            for photo in sorted(folder.glob("photo*")):
                out = f"out{photo.suffix}"
                command = [
                    sys.executable,
                    "-c",
                    CODE,
                    "repair",
                    photo.name,
                    "-m",
                    "mask.png",
                    "-o",
                    out,
                    "--json",
                ]
                answer = subprocess.run(
                    [*command, "--overwrite"], cwd=folder, check=True, capture_output=True, text=True
                )
                code, peak = answer.stdout.splitlines()[-1].split()
                assert code == "0", answer.stderr
                peaks[f"{photo.name}, {place}"] = round(int(peak) / 1e9, 3)
    return print_line(
        "memory", what="100 MP, 300² hole", peak_gb=peaks, worst_gb=max(peaks.values()), bar="≤ 1.2"
    )


if __name__ == "__main__":
    main()
