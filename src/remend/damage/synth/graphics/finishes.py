"""What a graphic went through after it was drawn: a scanner, JPEG."""

from __future__ import annotations

from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.synth.graphics.pen import Picture8
from remend.damage.synth.noise import Seed, as_generator, smooth_plane

__all__ = ["FINISHES", "Finish", "compressed", "scanned"]

Finish = Literal["digital", "jpeg", "scan", "enlarged"]

FINISHES: tuple[Finish, ...] = ("digital", "jpeg", "scan", "enlarged")


def scanned(image: Picture8, *, seed: Seed) -> Picture8:
    """A graphic as it comes from paper through a scanner: turned a little, soft, unevenly lit, noisy, JPEG.

    Args:
        image: (H, W, 3) uint8 RGB; not written to.
        seed: an int, or a generator to draw from.
    """
    rng = as_generator(seed, "scanned")
    height, width = image.shape[:2]
    out: NDArray[Any] = image.astype(np.float32)
    if rng.random() < 0.6:
        turn = cv2.getRotationMatrix2D(
            (width / 2, height / 2), float(rng.normal(0, 1.2)), float(rng.uniform(0.97, 1.08))
        )
        out = cv2.warpAffine(
            out, turn, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
    out = cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.3, 1.1)))
    # Ink is never black, paper never white; both have a colour and a shading.
    low, high = rng.uniform(0, 60), rng.uniform(200, 256)
    paper = (
        np.array([1.0, rng.uniform(0.92, 1.0), rng.uniform(0.78, 1.0)]) if rng.random() < 0.6 else np.ones(3)
    )
    out = (low + (high - low) / 255 * out) * paper.astype(np.float32)
    shade = 1 + float(rng.uniform(0, 0.06)) * smooth_plane(
        (height, width), max(height, width) / 2, rng, octaves=1
    )
    fibre = smooth_plane((height, width), float(rng.uniform(1.5, 8)), rng, octaves=2)
    out = out * shade[:, :, None] + float(rng.uniform(0, 3)) * fibre[:, :, None]
    noise = rng.standard_normal((height, width, 1), dtype=np.float32) * float(rng.uniform(0.3, 5))
    picture = np.clip(np.rint(out + noise), 0, 255).astype(np.uint8)
    return compressed(picture, int(rng.integers(45, 97))) if rng.random() < 0.7 else picture


def compressed(image: Picture8, quality: int) -> Picture8:
    """``image`` after JPEG of this quality, 1–100."""
    data = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(
        cv2.cvtColor(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)), cv2.COLOR_BGR2RGB), np.uint8
    )
