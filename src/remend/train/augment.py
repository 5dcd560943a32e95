"""DiffAugment: what the critic sees is altered, real and filled alike, with a gradient through it.

A critic that sees few pictures learns them by heart and is then of no use to the net. Alterations that it
cannot learn around, applied to both sides of the game, put that off; they never reach the net's output.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from remend.errors import UsageError

__all__ = ["AUGMENTATIONS", "diff_augment", "kinds_of"]

AUGMENTATIONS = ("colour", "translation", "cutout")
"""What can be altered."""

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
    real: Tensor,
    filled: Tensor,
    hole: Tensor,
    *,
    kinds: tuple[str, ...],
    generator: torch.Generator | Sequence[torch.Generator],
) -> tuple[Tensor, Tensor, Tensor]:
    """Alter each real picture, its filled twin and their hole alike.

    What is moved out of the frame or cut out is grey in both pictures and no hole: there is nothing to tell
    apart, and the critic is not asked to.

    Args:
        real, filled: (N, 3, H, W) in [0, 1]; the gradient of ``filled`` passes through.
        hole: (N, 1, H, W), 1 = filled.
        kinds: of ``AUGMENTATIONS``: ``colour`` (brightness ± 0.25, saturation × 0–2, contrast × 0.5–1.5),
            ``translation`` (up to 1/8 of a side), ``cutout`` (a box of half the sides, anywhere).
        generator: on the CPU; seed it by the step, and a resumed run draws the same. Or one for each
            picture, seeded by the sample: then the draw does not depend on how a batch is split.

    Returns:
        ``(real, filled, hole)``, altered; colours are not clamped, as in the paper.

    Reference: Zhao et al., "Differentiable Augmentation for Data-Efficient GAN Training", NeurIPS 2020,
    doi:10.48550/arXiv.2006.10738. There pictures lie in [-1, 1] and 0 fills the gaps.
    """
    count, _, height, width = hole.shape
    if "colour" in kinds:
        drawn = _drawn(generator, count, 3).T[..., None, None, None].to(hole.device)
        real, filled = (_coloured(image, *drawn) for image in (real, filled))
    if "translation" in kinds:
        reach = torch.tensor([height, width]) / 8
        shifts = ((2 * _drawn(generator, count, 2) - 1) * reach).round().int().tolist()
        real, filled = (_moved(image, shifts, _GREY) for image in (real, filled))
        hole = _moved(hole, shifts, 0.0)
    if "cutout" in kinds:
        middle = _drawn(generator, count, 2).to(hole.device)
        cut = _box(middle[:, 0], height)[:, None, :, None] & _box(middle[:, 1], width)[:, None, None, :]
        real, filled = (torch.where(cut, image.new_tensor(_GREY), image) for image in (real, filled))
        hole = torch.where(cut, hole.new_tensor(0.0), hole)
    return real, filled, hole


def _drawn(generator: torch.Generator | Sequence[torch.Generator], count: int, numbers: int) -> Tensor:
    """(count, numbers), uniform in [0, 1)."""
    if isinstance(generator, torch.Generator):
        return torch.rand(count, numbers, generator=generator)
    return torch.stack([torch.rand(numbers, generator=own) for own in generator])


def _coloured(image: Tensor, brightness: Tensor, saturation: Tensor, contrast: Tensor) -> Tensor:
    image = image + (brightness - 0.5) / 2
    grey = image.mean(dim=1, keepdim=True)
    image = grey + (image - grey) * (2 * saturation)
    mean = image.mean(dim=(1, 2, 3), keepdim=True)
    return mean + (image - mean) * (contrast + 0.5)


def _moved(planes: Tensor, shifts: list[list[int]], beyond: float) -> Tensor:
    """Each picture moved down and right by its shift."""
    height, width = planes.shape[2:]
    moved = []
    for picture, (down, right) in zip(planes.split(1), shifts, strict=True):
        sides = (max(right, 0), max(-right, 0), max(down, 0), max(-down, 0))
        padded = F.pad(picture, sides, value=beyond)
        top, left = max(-down, 0), max(-right, 0)
        moved.append(padded[:, :, top : top + height, left : left + width])
    return torch.cat(moved)


def _box(middle: Tensor, length: int) -> Tensor:
    """Which of ``length`` cells lie in a box of half of them around ``middle`` (N, 0–1): (N, length) bool."""
    size = length // 2
    first = (middle * (length + 1)).floor() - size // 2
    cells = torch.arange(length, device=middle.device)
    return (cells >= first[:, None]) & (cells < first[:, None] + size)
