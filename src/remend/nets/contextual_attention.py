"""Contextual attention: holes filled with features of the known patches that look most alike.

Patches of 3 × 3 at half of the features' scale are compared; what is copied are the patches of 4 × 4 at full
scale that lie behind them, overlapping by half. All of it is matrix products and shifted slices, so that it
exports with free sizes and every picture of a batch has its own holes.

Reference: Yu, Lin, Yang, Shen, Lu, Huang, "Generative Image Inpainting with Contextual Attention", CVPR 2018,
doi:10.1109/CVPR.2018.00577.

What differs from the released code: patches whose 3 × 3 holds any unknown position take no part in the
softmax (there their score becomes 0, which still takes a share); both sides are normalised, as in the paper;
what is propagated stops at the ends of rows and columns (there rows run into each other); overlapping copies
are divided by their number, at the frame's edge too.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["ContextualAttention"]

_NEVER = -1e4


class ContextualAttention(nn.Module):
    """(N, C, h, w) features and their hole in, features made of known patches out; nothing is learned.

    Args:
        sharpness: the softmax's factor on cosines, 10 in the paper.
        propagate: neighbours should copy from neighbours: scores are summed along rows and then along
            columns, over windows of three, so that they reach from -9 to 9.

    Cost: with P = h · w / 4 patches about 25 · C · P² multiply-adds, and some P² numbers of memory: at 256²
    with features of 128 channels at 1/4, 3.4 GMAC and 4 MB each.
    """

    def __init__(self, *, sharpness: float = 10.0, propagate: bool = True) -> None:
        super().__init__()
        self.sharpness, self.propagate = sharpness, propagate

    def forward(self, x: Tensor, hole: Tensor) -> Tensor:
        """Every position as a mean of known ones; where nothing can be copied, 0.

        Args:
            x: (N, C, h, w), h and w even.
            hole: (N, 1, h, w), above 0 = unknown.

        Returns:
            (N, C, h, w).
        """
        small = x[:, :, ::2, ::2]
        rows, columns = small.shape[2:]
        patches = F.normalize(_around(small).flatten(2).float(), dim=1, eps=1e-4)
        scores = torch.matmul(patches.transpose(1, 2), patches).float()
        if self.propagate:
            scores = _along(_along(scores, rows, columns, down=False), rows, columns, down=True)
        unknown = F.max_pool2d(F.max_pool2d((hole > 0).to(x.dtype), 2), 3, stride=1, padding=1).flatten(2)
        # Finite, so that a picture without a single known patch is no NaN; then everything is 0.
        weights = torch.softmax(torch.where(unknown > 0, _NEVER, self.sharpness * scores), dim=2)
        weights = weights * (1 - unknown.float())
        tiles = _tiles(x)
        copied = torch.matmul(weights.to(x.dtype), tiles.flatten(2).transpose(1, 2)).transpose(1, 2)
        laid = _lay(copied.reshape(-1, tiles.shape[1], rows, columns))
        times = _lay(torch.ones_like(tiles[:1, :16]))
        return laid / times


def _around(x: Tensor) -> Tensor:
    """The 3 × 3 around each position: (N, C, h, w) to (N, 9C, h, w), beyond the frame 0."""
    height, width = x.shape[2:]
    padded = F.pad(x, (1, 1, 1, 1))
    return torch.cat([padded[:, :, i : i + height, j : j + width] for i in range(3) for j in range(3)], dim=1)


def _tiles(x: Tensor) -> Tensor:
    """Tiles of 4 × 4, one each two positions: (N, C, 2h, 2w) to (N, 16C, h, w), beyond the frame 0.

    Tile (i, j) begins at position (2i - 1, 2j - 1); it is four cells of 2 × 2.
    """
    cells = F.pixel_unshuffle(F.pad(x, (1, 1, 1, 1)), 2)
    return torch.cat(
        [cells[:, :, :-1, :-1], cells[:, :, :-1, 1:], cells[:, :, 1:, :-1], cells[:, :, 1:, 1:]], 1
    )


def _lay(tiles: Tensor) -> Tensor:
    """The sum of tiles laid where ``_tiles`` took them: (N, 16C, h, w) to (N, C, 2h, 2w)."""
    first, second, third, fourth = tiles.chunk(4, dim=1)
    cells = F.pad(first, (0, 1, 0, 1)) + F.pad(second, (1, 0, 0, 1))
    cells = cells + F.pad(third, (0, 1, 1, 0)) + F.pad(fourth, (1, 0, 1, 0))
    return F.pixel_shuffle(cells, 2)[:, :, 1:-1, 1:-1]


def _along(scores: Tensor, rows: int, columns: int, *, down: bool) -> Tensor:
    """Scores (N, P, P) and those of the pairs one step before and after, along rows or columns."""
    grid = scores.reshape(-1, rows, columns, rows, columns)
    if down:
        padded = F.pad(grid, (0, 0, 1, 1, 0, 0, 1, 1))
        grid = grid + padded[:, 2:, :, 2:] + padded[:, :-2, :, :-2]
    else:
        padded = F.pad(grid, (1, 1, 0, 0, 1, 1))
        grid = grid + padded[:, :, 2:, :, 2:] + padded[:, :, :-2, :, :-2]
    return grid.reshape(scores.shape)
