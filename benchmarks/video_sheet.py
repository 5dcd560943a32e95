"""The moving pictures of docs/video.md: clips of our own, damaged and, beside it, repaired.

python -m benchmarks.video_sheet -o docs/images             # all
python -m benchmarks.video_sheet -o docs/images film        # one

Cameras that move over pictures of scikit-image: coffee, chelsea (CC0), astronaut and rocket (public domain).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from remend.video.film import with_damage
from remend.video.live import Live
from remend.video.propagate import propagate
from remend.video.track import follow_mask

COUNT, SIZE = 24, (144, 216)
Frames = list[NDArray[np.uint8]]


def panned(picture: str, corner: tuple[float, float], speed: tuple[float, float]) -> Frames:
    """A camera over a picture, half of it in view; ``corner`` and ``speed`` as (x, y) pixels."""
    from skimage import data

    whole = np.ascontiguousarray(np.asarray(getattr(data, picture)())[..., :3])
    wide = cv2.resize(whole, (450, 300), interpolation=cv2.INTER_AREA)
    frames = []
    for t in range(COUNT):
        at = corner[0] + speed[0] * t, corner[1] + speed[1] * t + 4 * np.sin(t / 5)
        view = np.array([[1, 0, at[0]], [0, 1, at[1]]], np.float32)
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        frames.append(np.asarray(cv2.warpAffine(wide, view, SIZE[::-1], flags=flags), np.uint8))
    return frames


def stamped(frames: Frames, word: str) -> tuple[Frames, NDArray[np.bool_]]:
    """Frames with a word on them, and its mask."""
    logo = np.zeros(SIZE, np.uint8)
    cv2.putText(logo, word, (110, 124), cv2.FONT_HERSHEY_DUPLEX, 0.9, 1, 3)
    mask = cv2.dilate(logo, np.ones((3, 3), np.uint8)).view(bool)
    return [np.where(logo[..., None] > 0, np.uint8(245), frame) for frame in frames], np.asarray(mask)


def logo() -> tuple[Frames, Frames]:
    """A logo over a pan, by frames before and after."""
    broken, mask = stamped(panned("coffee", (60, 70), (6.0, 0.5)), "LOGO")
    return broken, [one.pixels for one in propagate((frame, mask) for frame in broken)]


def live() -> tuple[Frames, Frames]:
    """The same from the frames before alone."""
    broken, mask = stamped(panned("rocket", (40, 90), (5.0, -1.0)), "LIVE")
    repairs = Live()
    return broken, [repairs.mend(frame, mask).pixels for frame in broken]


def film() -> tuple[Frames, Frames]:
    """Dirt and a transport scratch, found and filled."""
    broken = []
    for t, frame in enumerate(panned("astronaut", (20, 20), (3.0, 2.0))):
        drawn = np.random.default_rng(t)
        grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32) * 0.8 + 24
        grey += drawn.normal(0, 4, SIZE)
        for _ in range(9):
            at = int(drawn.integers(SIZE[1])), int(drawn.integers(SIZE[0]))
            axes = int(drawn.integers(2, 6)), int(drawn.integers(1, 4))
            light = float(drawn.choice([15, 245]))
            cv2.ellipse(grey, at, axes, float(drawn.uniform(0, 180)), 0, 360, light, -1)
        grey[:, 140:142] = grey[:, 140:142] * 0.4 + 140
        tinted = np.clip(grey[..., None] * np.array([1.0, 0.95, 0.85]), 0, 255)
        broken.append(tinted.astype(np.uint8))

    def frames() -> Iterator[Any]:
        yield from ((frame, np.zeros(SIZE, np.bool_)) for frame in broken)

    return broken, [one.pixels for one in propagate(with_damage(frames(), ("dust", "scratches")))]


def track() -> tuple[Frames, Frames]:
    """Something that moves, marked in the first frame alone, followed and taken out."""
    from skimage import data

    front = cv2.resize(np.ascontiguousarray(data.chelsea()[40:240, 100:330]), (58, 62))
    matte = np.zeros(front.shape[:2], np.float32)
    cv2.ellipse(matte, (29, 31), (23, 26), 0, 0, 360, 1.0, -1)
    matte = cv2.GaussianBlur(matte, (0, 0), 0.6)
    broken, first = [], np.zeros(SIZE, np.bool_)
    for t, frame in enumerate(panned("coffee", (150, 100), (-2.0, 0.5))):
        put = np.array([[1, 0, 8 + 6.0 * t], [0, 1, 42 + 14 * np.sin(t / 4)]], np.float32)
        layer = cv2.warpAffine(front, put, SIZE[::-1], borderMode=cv2.BORDER_REPLICATE)
        share = cv2.warpAffine(matte, put, SIZE[::-1])
        if not t:
            first = cv2.dilate((share > 0.05).astype(np.uint8), np.ones((5, 5), np.uint8)).view(np.bool_)
        mixed = frame * (1 - share[..., None]) + layer * share[..., None]
        broken.append(np.rint(mixed).astype(np.uint8))
    masks = [mask for mask, _ in follow_mask(iter(broken), 0, lambda pixels: first)]
    return broken, [one.pixels for one in propagate(zip(broken, masks, strict=True))]


CLIPS: dict[str, Callable[[], tuple[Frames, Frames]]] = {
    "logo": logo,
    "film": film,
    "track": track,
    "live": live,
}


def main() -> None:
    """Make, damage, repair, put side by side, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-o", "--out", type=Path, required=True, help="a folder")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(CLIPS))
    options = parser.parse_args()
    gap = np.full((SIZE[0], 4, 3), 255, np.uint8)
    for name in options.names or CLIPS:
        broken, done = CLIPS[name]()
        pages = [PIL.Image.fromarray(np.hstack([a, gap, b])) for a, b in zip(broken, done, strict=True)]
        path = options.out / f"video-{name}.webp"
        pages[0].save(
            path, save_all=True, append_images=pages[1:], duration=100, loop=0, quality=55, method=6
        )
        print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
