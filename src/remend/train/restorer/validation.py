"""Decibels of a restorer in training, on crops worn in fixed ways."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from remend.nets.restorer import Restorer
from remend.train.restorer.wear import jpeg

__all__ = ["fixed_pairs", "validate"]

SIDE_PX = 176

Rgb = NDArray[np.uint8]


def fixed_pairs(pictures: Sequence[Rgb], *, seed: int = 10_007) -> dict[str, tuple[Rgb, Rgb]]:
    """Clean and worn crops (N, S, S, 3) by the way in which they are worn; S is a multiple of 8.

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


def _middle(picture: Rgb, side: int) -> Rgb:
    top, left = (picture.shape[0] - side) // 2, (picture.shape[1] - side) // 2
    return picture[top : top + side, left : left + side]


@torch.no_grad()
def validate(net: Restorer, pairs: dict[str, tuple[Rgb, Rgb]], *, at_once: int = 8) -> dict[str, float]:
    """Mean decibels by way of wear, and how many more than untreated (``..._gain``).

    Of clean crops: by how many levels they are changed on average (``clean_levels``).
    """
    net.eval()
    row: dict[str, float] = {}
    for name, (clean, shown) in pairs.items():
        answers = []
        for first in range(0, len(shown), at_once):
            image = as_input(torch.from_numpy(shown[first : first + at_once]), net)
            with torch.autocast(image.device.type, torch.bfloat16):
                answers.append((image + net(image)).clamp(0, 1).cpu())
        truth = torch.from_numpy(clean).permute(0, 3, 1, 2).float() / 255
        restored = torch.cat(answers)
        if name == "clean":
            row["clean_levels"] = float((restored - truth).abs().mean() * 255)
            continue
        row[name] = _decibels(restored, truth)
        before = torch.from_numpy(shown).permute(0, 3, 1, 2).float() / 255
        row[f"{name}_gain"] = row[name] - _decibels(before, truth)
    return row


def as_input(pictures: Tensor, net: Restorer) -> Tensor:
    """(N, H, W, 3) uint8 as the net takes it, on its device."""
    there = pictures.to(next(net.parameters()).device)
    return there.permute(0, 3, 1, 2).float() / 255


def _decibels(restored: Tensor, truth: Tensor) -> float:
    error = (restored - truth).square().flatten(1).mean(dim=1).clamp(min=1e-10)
    return float((-10 * error.log10()).mean())
