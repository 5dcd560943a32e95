"""Decibels of a restorer in training, on crops worn in fixed ways."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from remend.nets.enlarger import Enlarger

__all__ = ["Pairs", "as_input", "fixed_pairs", "halved_pairs", "restored_by", "validate"]

SIDE_PX = 176

Rgb = NDArray[np.uint8]
Pairs = dict[str, tuple[Rgb, Rgb]]
"""Clean and worn crops, (N, S, S, 3) each, by the way in which they are worn."""


def fixed_pairs(pictures: Sequence[Rgb], *, seed: int = 10_007) -> Pairs:
    """What a restorer is judged by; S is a multiple of 8.

    Args:
        pictures: none that the net learned from.
        seed: of the noise.
    """
    side = min(SIDE_PX, *(min(picture.shape[:2]) for picture in pictures)) // 8 * 8
    clean = np.stack([_middle(picture, side) for picture in pictures])
    rng = np.random.default_rng(seed)
    pairs = {"clean": (clean, clean)}
    for sigma in (15, 25, 50):
        noise = rng.standard_normal(clean.shape, dtype=np.float32) * sigma
        pairs[f"noise_{sigma}"] = clean, np.clip(np.rint(clean + noise), 0, 255).astype(np.uint8)
    for quality in (10, 20, 40):
        pairs[f"jpeg_{quality}"] = clean, np.stack([jpeg(one, quality, halved=True) for one in clean])
    twice = []
    for one in clean:
        moved = np.roll(jpeg(one, 75, halved=True), (-4, -4), axis=(0, 1))
        twice.append(np.roll(jpeg(moved, 30, halved=True), (4, 4), axis=(0, 1)))
    pairs["double"] = clean, np.stack(twice)
    return pairs


def halved_pairs(pictures: Sequence[Rgb]) -> Pairs:
    """What an enlarger is judged by: crops (N, S, S, 3), and half as large by Pillow's cubic kernel."""
    side = min(SIDE_PX, *(min(picture.shape[:2]) for picture in pictures)) // 8 * 8
    clean = np.stack([_middle(picture, side) for picture in pictures])
    size, cubic = (side // 2, side // 2), Image.Resampling.BICUBIC
    small = np.stack([np.asarray(Image.fromarray(one).resize(size, cubic)) for one in clean])
    return {
        "twice": (clean, small),
        "twice_jpeg_75": (clean, np.stack([jpeg(one, 75, halved=True) for one in small])),
    }


def jpeg(crop: Rgb, quality: int, *, halved: bool) -> Rgb:
    """Compressed and decoded; ``halved``: colours at half size."""
    sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420 if halved else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
    told = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    _, data = cv2.imencode(".jpg", crop[..., ::-1], told)
    return np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[..., ::-1])


def restored_by(net: nn.Module, image: Tensor) -> Tensor:
    """What the net makes of pictures; a restorer answers what is to be added to them."""
    answer: Tensor = net(image)
    return answer if isinstance(net, Enlarger) else image + answer


def _middle(picture: Rgb, side: int) -> Rgb:
    top, left = (picture.shape[0] - side) // 2, (picture.shape[1] - side) // 2
    return picture[top : top + side, left : left + side]


@torch.no_grad()
def validate(net: nn.Module, pairs: Pairs, *, at_once: int = 8) -> dict[str, float]:
    """Mean decibels by way of wear, and how many more than untreated (``..._gain``).

    Of clean crops: by how many levels they are changed on average (``clean_levels``).
    """
    net.eval()
    device = next(net.parameters()).device
    row: dict[str, float] = {}
    for name, (clean, shown) in pairs.items():
        answers = []
        for first in range(0, len(shown), at_once):
            image = as_input(_planes(shown[first : first + at_once]).to(device))
            with torch.autocast(device.type, torch.bfloat16):
                answers.append(restored_by(net, image).clamp(0, 1).cpu())
        truth = as_input(_planes(clean))
        restored = torch.cat(answers)
        if name == "clean":
            row["clean_levels"] = float((restored - truth).abs().mean() * 255)
            continue
        row[name] = _decibels(restored, truth)
        before = as_input(_planes(shown))
        if before.shape != truth.shape:
            before = Enlarger().base(before).clamp(0, 1)
        row[f"{name}_gain"] = row[name] - _decibels(before, truth)
    return row


def as_input(planes: Tensor) -> Tensor:
    """(N, 3, H, W) uint8 as a net takes it."""
    return planes.contiguous(memory_format=torch.channels_last).float() / 255


def _planes(pictures: Rgb) -> Tensor:
    return torch.from_numpy(pictures).permute(0, 3, 1, 2)


def _decibels(restored: Tensor, truth: Tensor) -> float:
    error = (restored - truth).square().flatten(1).mean(dim=1).clamp(min=1e-10)
    return float((-10 * error.log10()).mean())
