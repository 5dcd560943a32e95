"""Small clips of our own making: a camera that pans over a texture."""

import cv2
import numpy as np

__all__ = ["panned", "texture"]


def texture(size=(160, 260), seed=0, finest=4):
    """(H, W, 3) uint8 with detail at several scales, the same for a seed."""
    drawn = np.random.default_rng(seed)
    total = np.zeros((*size, 3), np.float32)
    for step in (finest, 9, 20, 50):
        coarse = drawn.normal(0, 1, (size[0] // step + 2, size[1] // step + 2, 3)).astype(np.float32)
        total += cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC) * 14 * step**0.3
    return np.clip(128 + total, 0, 255).astype(np.uint8)


def panned(count=10, size=(72, 96), speed=(3.0, 1.25), seed=0, gain=0.0, noise=0.0, finest=4):
    """Frames of a camera that moves ``speed`` (x, y) pixels a frame, its exposure wavering by ``gain``."""
    wide, drawn = texture(seed=seed, finest=finest), np.random.default_rng(seed)
    frames = []
    for t in range(count):
        view = np.array([[1, 0, 20 + speed[0] * t], [0, 1, 20 + speed[1] * t]], np.float32)
        frame = cv2.warpAffine(
            wide,
            view,
            size[::-1],
            flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT,
        ).astype(np.float32)
        frame = frame * (1 + gain * np.sin(t)) + drawn.normal(0, noise, frame.shape)
        frames.append(np.clip(np.rint(frame), 0, 255).astype(np.uint8))
    return frames
