"""The moving picture of docs/video.md: a clip of our own with a logo and dirt on it, and the same repaired.

python -m benchmarks.video_sheet -o docs/images/video.webp

The camera pans over scikit-image's coffee (CC0).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import PIL.Image

from remend.video.propagate import propagate

COUNT, SIZE = 20, (132, 200)


def main() -> None:
    """Make, damage, repair, put side by side, write."""
    from skimage import data

    parser = argparse.ArgumentParser()
    parser.add_argument("-o", "--out", type=Path, required=True)
    options = parser.parse_args()
    wide = cv2.resize(np.asarray(data.coffee()), (450, 300), interpolation=cv2.INTER_AREA)
    clean, broken, masks = [], [], []
    for t in range(COUNT):
        view = np.array([[1, 0, 60 + 6.5 * t], [0, 1, 70 + 12 * np.sin(t / 5)]], np.float32)
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        frame = cv2.warpAffine(wide, view, SIZE[::-1], flags=flags)
        logo = np.zeros(SIZE, np.uint8)
        cv2.putText(logo, "LOGO", (112, 112), cv2.FONT_HERSHEY_DUPLEX, 0.9, 1, 3)
        drawn = np.random.default_rng(t)
        for _ in range(12):
            at = int(drawn.integers(SIZE[1])), int(drawn.integers(SIZE[0]))
            axes = int(drawn.integers(1, 5)), int(drawn.integers(1, 3))
            cv2.ellipse(logo, at, axes, float(drawn.uniform(0, 180)), 0, 360, 1, -1)
        mask = cv2.dilate(logo, np.ones((3, 3), np.uint8)).view(bool)
        clean.append(frame)
        masks.append(mask)
        broken.append(np.where(logo[..., None] > 0, np.uint8(245), frame))
    done = [one.pixels for one in propagate(zip(broken, masks, strict=True))]
    gap = np.full((SIZE[0], 4, 3), 255, np.uint8)
    pages = [PIL.Image.fromarray(np.hstack([a, gap, b])) for a, b in zip(broken, done, strict=True)]
    pages += pages[-2:0:-1]
    pages[0].save(
        options.out, save_all=True, append_images=pages[1:], duration=90, loop=0, quality=60, method=6
    )
    print(f"{options.out}: {options.out.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
