"""What `--check` finds among made near-duplicates, and what it takes for one wrongly.

    python -m benchmarks.near_duplicates [--pictures 200]

Pictures are made by code, random fields with shapes over them, and scikit-image's photographs join them
where it is installed. Of each one copy a change is made: resized, recompressed, toned, grey, cropped by up
to a share of each side, mirrored. ``found`` is the share of copies that are paired with their original;
``false`` counts pairs of different pictures, over all changes. Mirrored copies and wide crops are not looked
for; their share says how blind the method is there. Bars: what is looked for is found in 95 %, and there is
no false alarm.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.line import print_line
from remend.train.data.sources.likeness import fingerprint, near_pairs

Picture = NDArray[np.uint8]

PHOTOGRAPHS = (
    "astronaut",
    "chelsea",
    "coffee",
    "rocket",
    "camera",
    "coins",
    "moon",
    "page",
    "hubble_deep_field",
)
LOOKED_FOR = ("resized", "jpeg 30", "brighter", "grey", "cropped 2 %", "resized, jpeg, cropped 2 %")
BAR = 0.95


def made(count: int, seed: int = 0) -> list[Picture]:
    """Pictures of 240 × 320: a random field as photographs have them, with a few shapes laid over it."""
    rng = np.random.default_rng(seed)
    pictures = []
    for _ in range(count):
        field = np.zeros((240, 320, 3), np.float32)
        for cells in (3, 6, 12, 24, 48):
            knots = rng.normal(0, 70 / np.sqrt(cells), (cells, cells * 4 // 3, 3)).astype(np.float32)
            field += cv2.resize(knots, (320, 240), interpolation=cv2.INTER_CUBIC)
        picture = np.clip(field + rng.uniform(70, 180, 3), 0, 255).astype(np.uint8)
        for _ in range(int(rng.integers(2, 7))):
            centre = (int(rng.integers(320)), int(rng.integers(240)))
            axes = (int(rng.integers(8, 70)), int(rng.integers(8, 70)))
            colour = tuple(int(c) for c in rng.integers(0, 256, 3))
            cv2.ellipse(picture, centre, axes, float(rng.uniform(0, 180)), 0, 360, colour, -1, cv2.LINE_AA)
        pictures.append(picture)
    return pictures


def photographs() -> list[Picture]:
    """scikit-image's, at most 320 px wide."""
    try:
        from skimage import data
    except ModuleNotFoundError:
        return []
    found = []
    for name in PHOTOGRAPHS:
        picture = getattr(data, name)()
        if picture.ndim == 2:
            picture = np.repeat(picture[..., None], 3, axis=2)
        height, width = picture.shape[:2]
        scale = min(1.0, 320 / width)
        size = (round(scale * width), round(scale * height))
        small = cv2.resize(np.ascontiguousarray(picture[..., :3]), size, interpolation=cv2.INTER_AREA)
        found.append(np.asarray(small, np.uint8))
    return found


def resized(picture: Picture, factor: float = 0.55) -> Picture:
    """Made smaller."""
    return np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)


def compressed(picture: Picture, quality: int) -> Picture:
    """Through JPEG and back."""
    data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB), np.uint8)


def cropped(picture: Picture, share: float, rng: np.random.Generator) -> Picture:
    """Up to ``share`` cut off each side."""
    height, width = picture.shape[:2]
    top, bottom = (int(rng.uniform(0, share) * height) for _ in range(2))
    left, right = (int(rng.uniform(0, share) * width) for _ in range(2))
    return picture[top : height - bottom, left : width - right]


def changes(seed: int = 0) -> dict[str, Callable[[Picture], Picture]]:
    """Every change by name; crops draw from one generator."""
    rng = np.random.default_rng(seed)
    return {
        "resized": resized,
        "jpeg 30": lambda p: compressed(p, 30),
        "brighter": lambda p: np.clip(p.astype(np.float32) * 1.15 + 12, 0, 255).astype(np.uint8),
        "grey": lambda p: np.repeat(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2),
        "cropped 2 %": lambda p: cropped(p, 0.02, rng),
        "resized, jpeg, cropped 2 %": lambda p: compressed(resized(cropped(p, 0.02, rng)), 50),
        "cropped 4 %": lambda p: cropped(p, 0.04, rng),
        "cropped 8 %": lambda p: cropped(p, 0.08, rng),
        "mirrored": lambda p: np.ascontiguousarray(p[:, ::-1]),
    }


def measure(pictures: list[Picture]) -> dict[str, object]:
    """Recall by change, and false alarms among the originals and between them and all copies."""
    originals = [fingerprint(picture) for picture in pictures]
    false = len(near_pairs(originals))
    found: dict[str, float] = {}
    for name, change in changes().items():
        copies = [fingerprint(change(picture)) for picture in pictures]
        pairs = near_pairs(originals, copies)
        right = {pair.first for pair in pairs if pair.first == pair.second}
        false += sum(pair.first != pair.second for pair in pairs)
        found[name] = len(right) / len(pictures)
    compared = len(pictures) * (len(pictures) - 1) // 2 + len(found) * len(pictures) * (len(pictures) - 1)
    return {"found": found, "false": false, "pairs_of_different_pictures": compared}


def main() -> dict[str, object]:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pictures", type=int, default=200)
    options = parser.parse_args()
    photos = photographs()
    pictures = made(options.pictures) + photos
    since = time.process_time()
    figures = measure(pictures)
    found = figures["found"]
    assert isinstance(found, dict)
    return print_line(
        "near_duplicates",
        what=f"{options.pictures} made pictures and {len(photos)} of scikit-image's, a copy of each a change",
        **figures,
        ms_a_picture=1000 * (time.process_time() - since) / (len(pictures) * (1 + len(found))),
        bar=f"found ≥ {BAR} of {', '.join(LOOKED_FOR)}; no false alarm",
        met=all(found[name] >= BAR for name in LOOKED_FOR) and figures["false"] == 0,
    )


if __name__ == "__main__":
    main()
