"""The whole command on a 12-megapixel JPEG with a 40-scratch mask, against a bare OpenCV script.

The script decodes, runs ``cv2.inpaint`` Telea r3 on the whole frame and encodes: what one would write by
hand. Bar: at most twice its time, process start included. Also: how long ``remend --version`` takes.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from skimage import data

from benchmarks.line import print_line

BARE = """
import cv2
image, mask = cv2.imread("photo.jpg"), cv2.imread("mask.png", cv2.IMREAD_GRAYSCALE)
cv2.imwrite("bare.jpg", cv2.inpaint(image, mask, 3, cv2.INPAINT_TELEA), [cv2.IMWRITE_JPEG_QUALITY, 90])
"""
SIZE = (3000, 4000)
RUNS = 7


def photo_and_mask(folder: Path) -> None:
    """A 12-megapixel photo (an enlarged one, with grain) and forty scratches of 3 px across it."""
    photo = cv2.resize(data.astronaut()[..., ::-1], SIZE[::-1], interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(0).normal(0, 4, (*SIZE, 1))
    photo = np.clip(photo + grain, 0, 255).astype(np.uint8)
    cv2.imwrite(str(folder / "photo.jpg"), photo, [cv2.IMWRITE_JPEG_QUALITY, 90])
    rng = np.random.default_rng(1)
    mask = np.zeros(SIZE, np.uint8)
    for _ in range(40):
        start = rng.integers(0, SIZE[::-1])
        points = start + np.cumsum(rng.normal(0, 60, (12, 2)) + rng.normal(0, 60, 2), axis=0)
        cv2.polylines(mask, [np.rint(points).astype(np.int32)], False, 255, 3)
    cv2.imwrite(str(folder / "mask.png"), mask)


def seconds(command: list[str], folder: Path) -> float:
    """Wall time of a process."""
    since = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - since


def main() -> dict[str, object]:
    """Measure in turn, A B A B …, and print."""
    remend = [sys.executable, "-m", "remend"]
    repair = [*remend, "repair", "photo.jpg", "-m", "mask.png", "-o", "out.jpg", "--overwrite"]
    bare = [sys.executable, "-c", BARE]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photo_and_mask(folder)
        pairs = [(seconds(repair, folder), seconds(bare, folder)) for _ in range(RUNS + 1)][1:]
        version = min(seconds([*remend, "--version"], folder) for _ in range(RUNS))
    ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    return print_line(
        "whole_command",
        what="12 MP JPEG, 40 scratches given",
        seconds=round(ours, 3),
        bare_opencv_seconds=round(theirs, 3),
        ratio=round(statistics.median(a / b for a, b in pairs), 2),
        bar="ratio ≤ 2",
        version_seconds=round(version, 3),
        version_bar="≤ 0.25",
    )


if __name__ == "__main__":
    main()
