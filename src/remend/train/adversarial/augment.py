"""DiffAugment: what the critic sees is altered, real and filled alike, with a gradient through it.

A critic that sees few pictures overfits to them and is then of no use to the net. Alterations that it
cannot learn around, applied to real and filled alike, put that off; they never reach the net's output.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
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
    numbers = [_NUMBERS[kind] for kind in _NUMBERS if kind in kinds]
    draws = dict(zip((k for k in _NUMBERS if k in kinds), _drawn(generator, count, numbers), strict=True))
    if "colour" in kinds:
        drawn = _sent(draws["colour"], hole.device).T[..., None, None, None]
        real, filled = (_coloured(image, *drawn) for image in (real, filled))
    if "translation" in kinds:
        reach = torch.tensor([height, width]) / 8
        shifts = _sent(((2 * draws["translation"] - 1) * reach).round().long(), hole.device)
        move = _Move(shifts, height, width)
        real, filled, hole = move(real, _GREY), move(filled, _GREY), move(hole, 0.0)
    if "cutout" in kinds:
        middle = _sent(draws["cutout"], hole.device)
        cut = _box(middle[:, 0], height)[:, None, :, None] & _box(middle[:, 1], width)[:, None, None, :]
        real, filled = (image.masked_fill(cut, _GREY) for image in (real, filled))
        hole = hole.masked_fill(cut, 0.0)
    return real, filled, hole


def _drawn(
    generator: torch.Generator | Sequence[torch.Generator], count: int, numbers: Sequence[int]
) -> Sequence[Tensor]:
    """(count, n) for each n of ``numbers``, uniform in [0, 1); one draw a sample where each has its own."""
    if isinstance(generator, torch.Generator):
        return [torch.rand(count, number, generator=generator) for number in numbers]
    drawn = torch.stack([torch.rand(sum(numbers), generator=own) for own in generator])
    return drawn.split(list(numbers), dim=1)


def _coloured(image: Tensor, brightness: Tensor, saturation: Tensor, contrast: Tensor) -> Tensor:
    image = image + (brightness - 0.5) / 2
    grey = image.mean(dim=1, keepdim=True)
    image = grey + (image - grey) * (2 * saturation)
    mean = image.mean(dim=(1, 2, 3), keepdim=True)
    return mean + (image - mean) * (contrast + 0.5)


def _sent(numbers: Tensor, device: torch.device) -> Tensor:
    """Numbers on ``device``; the processor does not wait for their arrival."""
    if device.type != "cuda":
        return numbers.to(device)
    return numbers.pin_memory().to(device, non_blocking=True)


class _Move:
    """Moves each picture down and right by its own shift, all of them in one gather.

    Args:
        shifts: (N, 2) long, on the pictures' device.
        height, width: of the pictures.
    """

    def __init__(self, shifts: Tensor, height: int, width: int) -> None:
        rows = torch.arange(height, device=shifts.device) - shifts[:, :1]
        columns = torch.arange(width, device=shifts.device) - shifts[:, 1:]
        inside_rows, inside_columns = (rows >= 0) & (rows < height), (columns >= 0) & (columns < width)
        self.beyond = ~(inside_rows[:, None, :, None] & inside_columns[:, None, None, :])
        # Around the frame, so that no place is read twice: the gradient has nothing to add up.
        self.rows = rows.remainder(height)[:, None, :, None]
        self.columns = columns.remainder(width)[:, None, None, :]

    def __call__(self, planes: Tensor, beyond: float) -> Tensor:
        """(N, C, H, W) moved, ``beyond`` where nothing was."""
        shape = planes.shape
        moved = planes.gather(2, self.rows.expand(shape)).gather(3, self.columns.expand(shape))
        return moved.masked_fill(self.beyond, beyond)


def _box(middle: Tensor, length: int) -> Tensor:
    """Which of ``length`` cells lie in a box of half of them around ``middle`` (N, 0–1): (N, length) bool."""
    size = length // 2
    first = (middle * (length + 1)).floor() - size // 2
    cells = torch.arange(length, device=middle.device)
    return (cells >= first[:, None]) & (cells < first[:, None] + size)
