"""Pairs by number: pictures lie decoded on the device, and the same number gives the same batch there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from remend.train.restorer.wear import Wear, smaller, worn
from remend.train.wear.chance import Chance
from remend.train.wear.resampling import apart, area, cut

__all__ = ["Sampler"]

MARGIN_PX = 16  # a crop is worn with that much around it and cut anew, so that blocks begin anywhere
FLAT_LEVELS = 5.0
_TRIED_PX = 12  # a crop is looked at in so many places a side to tell whether it is flat
_GREY = (0.299, 0.587, 0.114)


class Sampler:
    """Draws batches of pairs.

    Args:
        pictures: (H, W, 3) uint8 each.
        seed: of everything.
        wear: what happens how often.
        halved: what is shown has half the size.
        device: where pictures lie and pairs are made.

    Memory: of all pictures, once, on the device.
    """

    def __init__(
        self,
        pictures: Sequence[NDArray[np.uint8]],
        seed: int,
        wear: Wear,
        *,
        halved: bool = False,
        device: str | torch.device = "cpu",
    ) -> None:
        self.seed, self.wear, self.halved, self.device = seed, wear, halved, torch.device(device)
        sizes = torch.tensor([picture.shape[:2] for picture in pictures])
        areas = sizes.prod(dim=1)
        self.heights, self.widths = sizes.to(self.device).unbind(1)
        self.starts = (areas.cumsum(0) - areas).to(self.device)
        whole = np.concatenate([np.ascontiguousarray(picture).reshape(-1, 3) for picture in pictures])
        self.pixels = torch.from_numpy(whole).to(self.device)

    def batch(self, number: int, count: int, size: int) -> tuple[Tensor, Tensor]:
        """Batch ``number``: (N, 3, S, S) as it was and (N, 3, S', S') as it is shown, uint8 RGB.

        Args:
            number: of the batch.
            count: pairs.
            size: S, a multiple of 16; S' is half of it where the sampler halves.
        """
        chance = Chance(self.seed, number, self.device)
        margin = (2 if self.halved else 1) * MARGIN_PX
        clean = self._crops(chance, count, size + margin)
        top, left = chance.whole(count, MARGIN_PX + 1), chance.whole(count, MARGIN_PX + 1)
        if self.halved:
            shown = cut(smaller(clean, chance, self.wear), top, left, size // 2)
            top, left = 2 * top, 2 * left
        else:
            # The golden ratio's multiples lie evenly between 0 and 1.
            shown = cut(worn(clean, chance, self.wear, (0.618034 * number) % 1), top, left, size)
        return cut(clean, top, left, size).to(torch.uint8), shown.to(torch.uint8)

    def _crops(self, chance: Chance, count: int, size: int) -> Tensor:
        """(N, 3, size, size) in levels, made smaller, mirrored and turned at times; seldom quite flat."""
        wear, which = self.wear, chance.whole(count, len(self.heights))
        heights, widths, starts = (of[which] for of in (self.heights, self.widths, self.starts))
        bears = torch.minimum(heights, widths) / size
        factor = chance.even(count, *wear.shrunk_by)
        factor = torch.where(chance.flip(count, wear.shrunk), factor, torch.ones_like(factor))
        factor = torch.minimum(factor, bears)
        side = (factor * size).ceil().long()
        places = []
        for _ in range(2):
            top = (chance.even(count) * (heights - side + 1)).floor().long().clamp(min=0)
            left = (chance.even(count) * (widths - side + 1)).floor().long().clamp(min=0)
            places.append((top, left))
        few = (torch.arange(_TRIED_PX, device=self.device) * side[:, None]) // _TRIED_PX
        seen = self._pixels(starts, heights, widths, places[0][0][:, None] + few, places[0][1][:, None] + few)
        flat = seen[..., 1].float().flatten(1).std(dim=1) <= FLAT_LEVELS
        top, left = (torch.where(flat, second, first) for first, second in zip(*places, strict=True))
        reach = int(np.ceil(max(1.0, wear.shrunk_by[1]) * size))
        along = torch.arange(reach, device=self.device)
        window = self._pixels(starts, heights, widths, top[:, None] + along, left[:, None] + along)
        shrinking = area(factor, size, reach)
        turned = torch.where(chance.flip(count, 0.5)[:, None, None], shrinking.flip(1), shrinking)
        crops = apart(window.permute(0, 3, 1, 2).float(), shrinking, turned).round()
        crops = torch.where(chance.flip(count, 0.5)[:, None, None, None], crops.mT, crops)
        weights = torch.tensor(_GREY, device=self.device)[:, None, None]
        grey = (crops * weights).sum(dim=1, keepdim=True).round()
        return torch.where(chance.flip(count, wear.grey)[:, None, None, None], grey, crops)

    def _pixels(
        self, starts: Tensor, heights: Tensor, widths: Tensor, rows: Tensor, columns: Tensor
    ) -> Tensor:
        """(N, h, w, 3) uint8 at rows (N, h) and columns (N, w) of each, beyond the edge as at it."""
        rows = torch.minimum(rows, heights[:, None] - 1)
        columns = torch.minimum(columns, widths[:, None] - 1)
        places = starts[:, None, None] + rows[:, :, None] * widths[:, None, None] + columns[:, None]
        return self.pixels[places]
