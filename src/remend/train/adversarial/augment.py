"""DiffAugment: what the critic sees is altered, real and filled alike, with a gradient through it.

A critic that sees few pictures overfits to them and is then of no use to the net. Alterations that it
cannot learn around, applied to real and filled alike, put that off; they never reach the net's output.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from remend.errors import UsageError

__all__ = ["AUGMENTATIONS", "diff_augment", "kinds_of"]

AUGMENTATIONS = ("colour", "translation", "cutout")
"""What can be altered."""

_NUMBERS = {"colour": 3, "translation": 2, "cutout": 2}  # that a sample draws for each, in this order
_GREY = 0.5


def kinds_of(text: str) -> tuple[str, ...]:
    """The kinds named in a recipe, ``"colour, cutout"``; "" = none.

    Raises:
        UsageError: one of them is unknown.

    >>> kinds_of("translation,colour")
    ('colour', 'translation')
    """
    names = {name.strip() for name in text.split(",") if name.strip()}
    if unknown := names - set(AUGMENTATIONS):
        raise UsageError(
            f"critic.augment has no {', '.join(sorted(unknown))}: choose of {', '.join(AUGMENTATIONS)}"
        )
    return tuple(name for name in AUGMENTATIONS if name in names)


def diff_augment(
    images: Tensor,
    hole: Tensor,
    *,
    kinds: tuple[str, ...],
    generator: np.random.Generator | Sequence[np.random.Generator],
) -> tuple[Tensor, Tensor]:
    """Alter each picture, its filled twin and their hole alike.

    What is moved out of the frame or cut out is grey in both pictures and no hole: there is nothing to tell
    apart, and the critic is not asked to.

    Args:
        images: (N, 3, H, W) in [0, 1], or (2N, 3, H, W): real ones and then their filled twins. Gradients
            pass through.
        hole: (N, 1, H, W), 1 = filled.
        kinds: of ``AUGMENTATIONS``: ``colour`` (brightness ± 0.25, saturation × 0–2, contrast × 0.5–1.5),
            ``translation`` (up to 1/8 of a side), ``cutout`` (a box of half the sides, anywhere).
        generator: seed it by the step, and a resumed run draws the same. Or one for each picture, seeded by
            the sample: then the draw does not depend on how a batch is split.

    Returns:
        ``(images, hole)``, altered; colours are not clamped, as in the paper.

    Reference: Zhao et al., "Differentiable Augmentation for Data-Efficient GAN Training", NeurIPS 2020,
    doi:10.48550/arXiv.2006.10738. There pictures lie in [-1, 1] and 0 fills the gaps.
    """
    count, _, height, width = hole.shape
    numbers = [_NUMBERS[kind] for kind in _NUMBERS if kind in kinds]
    draws = dict(zip((k for k in _NUMBERS if k in kinds), _drawn(generator, count, numbers), strict=True))
    times, device = len(images) // count, hole.device
    if "colour" in kinds:
        # brightness, saturation, contrast
        drawn = (draws["colour"] - (0.5, 0, 0)) * (0.5, 2, 1) + (0, 0, 0.5)
        images = _coloured(images, _sent(np.tile(drawn, (times, 1)).astype(np.float32), device))
    if "translation" in kinds:
        shifts = np.rint((2 * draws["translation"] - 1) * (height / 8, width / 8)).astype(np.int64)
        images = _moved(images, np.tile(shifts, (times, 1)), _GREY)
        hole = _moved(hole, shifts, 0.0)
    if "cutout" in kinds:
        middle = draws["cutout"]
        cut = _box(middle[:, 0], height)[:, None, :, None] & _box(middle[:, 1], width)[:, None, None, :]
        images = images.masked_fill(_sent(np.tile(cut, (times, 1, 1, 1)), device), _GREY)
        hole = hole.masked_fill(_sent(cut, device), 0.0)
    return images, hole


def _drawn(
    generator: np.random.Generator | Sequence[np.random.Generator], count: int, numbers: Sequence[int]
) -> list[NDArray[np.float64]]:
    """(count, n) for each n of ``numbers``, uniform in [0, 1); one draw a sample where each has its own."""
    if isinstance(generator, np.random.Generator):
        drawn = generator.random((count, sum(numbers)))
    else:
        drawn = np.stack([own.random(sum(numbers)) for own in generator])
    return np.split(drawn, np.cumsum(numbers)[:-1], axis=1)


def _coloured(images: Tensor, drawn: Tensor) -> Tensor:
    brightness, saturation, contrast = drawn.T[..., None, None, None]
    images = images + brightness
    images = torch.lerp(images.mean(dim=1, keepdim=True), images, saturation)
    return torch.lerp(images.mean(dim=(1, 2, 3), keepdim=True), images, contrast)


def _sent(numbers: NDArray[Any], device: torch.device) -> Tensor:
    """Numbers on ``device``; the processor does not wait for their arrival."""
    tensor = torch.from_numpy(numbers)
    return tensor if device.type != "cuda" else tensor.pin_memory().to(device, non_blocking=True)


def _moved(planes: Tensor, shifts: NDArray[np.int64], beyond: float) -> Tensor:
    """(N, C, H, W) moved down and right by ``shifts`` (N, 2), all at once; ``beyond`` where nothing was."""
    shape, device = planes.shape, planes.device
    rows, columns = np.arange(shape[2]) - shifts[:, :1], np.arange(shape[3]) - shifts[:, 1:]
    inside_rows, inside_columns = (rows >= 0) & (rows < shape[2]), (columns >= 0) & (columns < shape[3])
    outside = ~(inside_rows[:, None, :, None] & inside_columns[:, None, None, :])
    # Around the frame, so that no place is read twice: the gradient has nothing to add up.
    from_rows = _sent((rows % shape[2])[:, None, :, None], device).expand(shape)
    from_columns = _sent((columns % shape[3])[:, None, None, :], device).expand(shape)
    return planes.gather(2, from_rows).gather(3, from_columns).masked_fill(_sent(outside, device), beyond)


def _box(middle: NDArray[np.float64], length: int) -> NDArray[np.bool_]:
    """Which of ``length`` cells lie in a box of half of them around ``middle`` (N, 0–1): (N, length)."""
    size = length // 2
    first = np.floor(middle * (length + 1)) - size // 2
    cells = np.arange(length)
    return (cells >= first[:, None]) & (cells < first[:, None] + size)
