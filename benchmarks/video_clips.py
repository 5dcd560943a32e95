"""Clips for `benchmarks.video`: one that is made, and holes of four kinds for any.

The made clip is a camera that pans and zooms over free pictures of scikit-image, something that moves
before it, with exposure that wavers, sensor noise and JPEG.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.synth import make_mask
from remend.picture import Bool

__all__ = ["HOLES", "Clip", "holes", "made_clip", "stored_clip"]

SIZE = (240, 432)
HOLES = ("fixed-logo", "one-frame-dust", "moving-masks", "fixed-strokes")
PICTURES = ("coffee", "rocket", "astronaut")


@dataclass(frozen=True)
class Clip:
    """Frames (T of (H, W, 3) uint8 RGB), and masks of something that moves through them."""

    name: str
    frames: list[NDArray[np.uint8]]
    masks: list[Bool]


def stored_clip(folder: Path, most: int | None = None) -> Clip:
    """A clip from ``frames/`` and ``masks/``."""
    frames = [cv2.imread(str(path))[..., ::-1].copy() for path in sorted((folder / "frames").iterdir())]
    masks = [cv2.imread(str(path), 0) >= 128 for path in sorted((folder / "masks").iterdir())]
    return Clip(folder.name, frames[:most], masks[:most])


def made_clip(count: int = 48, picture: str = "coffee", seed: int = 0) -> Clip:
    """A pan over a picture with something before it; the masks follow that."""
    from skimage import data

    drawn = np.random.default_rng(seed)
    wide = np.ascontiguousarray(np.asarray(getattr(data, picture)())[..., :3])
    wide = cv2.resize(wide, (900, 600), interpolation=cv2.INTER_CUBIC)
    front = cv2.resize(np.ascontiguousarray(data.chelsea()[20:280, 80:380]), (130, 150))
    matte = np.zeros((150, 130), np.float32)
    cv2.ellipse(matte, (65, 75), (52, 66), 0, 0, 360, 1.0, -1)
    matte = cv2.GaussianBlur(matte, (0, 0), 0.8)
    frames, masks = [], []
    height, width = SIZE
    for t in range(count):
        zoom = 1.0 + 0.10 * np.sin(t / 17)
        x = 230 + 170 * np.sin(t / 19 + 0.4) + 1.2 * np.sin(t * 1.7)
        y = 160 + 50 * np.sin(t / 13) + 1.0 * np.sin(t * 2.3)
        view = np.array([[zoom, 0.01, x], [-0.01, zoom, y]], np.float32)
        frame = cv2.warpAffine(
            wide,
            view,
            (width, height),
            flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT,
        ).astype(np.float32)
        angle = 0.15 * np.sin(t / 5)
        px, py = 60 + 4.2 * t + 10 * np.sin(t / 4), 60 + 20 * np.sin(t / 6)
        put = np.array([[np.cos(angle), -np.sin(angle), px], [np.sin(angle), np.cos(angle), py]], np.float32)
        layer = cv2.warpAffine(
            front, put, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
        )
        share = cv2.warpAffine(matte, put, (width, height))[..., None]
        frame = frame * (1 - share) + layer * share
        frame = frame * (1 + 0.015 * np.sin(t * 0.9)) + drawn.normal(0, 2.0, frame.shape)
        coded = cv2.imencode(
            ".jpg", np.clip(np.rint(frame), 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 92]
        )[1]
        frames.append(cv2.imdecode(coded, cv2.IMREAD_UNCHANGED))
        masks.append(
            cv2.dilate((share[..., 0] > 0.1).astype(np.uint8), np.ones((7, 7), np.uint8)).view(np.bool_)
        )
    return Clip(f"made-{picture}", frames, masks)


def holes(clip: Clip, kind: str) -> list[Bool]:
    """Made holes on a clip, a mask a frame; fixed seeds."""
    count, size = len(clip.frames), clip.frames[0].shape[:2]
    if kind == "fixed-logo":
        logo = np.zeros(size, np.uint8)
        cv2.putText(logo, "REMEND", (28, size[0] - 40), cv2.FONT_HERSHEY_DUPLEX, 1.3, 1, 5)
        cv2.circle(logo, (size[1] - 60, 48), 26, 1, -1)
        return [cv2.dilate(logo, np.ones((5, 5), np.uint8)).view(np.bool_)] * count
    if kind == "one-frame-dust":
        return [_dust(size, seed) for seed in range(count)]
    if kind == "moving-masks":
        # Another frame's: half a clip away it hides other things than what it was drawn for.
        return [clip.masks[(t + count // 2) % count] for t in range(count)]
    if kind == "fixed-strokes":
        return [make_mask("free-form", size, seed=11, ratio=(0.08, 0.16))] * count
    raise ValueError(kind)


def _dust(size: tuple[int, int], seed: int) -> Bool:
    drawn = np.random.default_rng([77, seed])
    mask = np.zeros(size, np.uint8)
    for _ in range(60):
        x, y = int(drawn.integers(size[1])), int(drawn.integers(size[0]))
        axes = int(drawn.integers(1, 6)), int(drawn.integers(1, 4))
        cv2.ellipse(mask, (x, y), axes, float(drawn.uniform(0, 180)), 0, 360, 1, -1)
    for _ in range(4):
        start = drawn.uniform((0, 0), (size[1], size[0]))
        steps = np.cumsum(drawn.normal(0, 5, (6, 2)) + drawn.normal(0, 4, 2), axis=0)
        cv2.polylines(mask, [np.rint(start + steps).astype(np.int32)], False, 1, 2)
    return mask.view(np.bool_)
