"""LaMa: a residual net at 1/8 whose layers see the whole frame by Fourier convolution.

Suvorov, Logacheva, Mashikhin, Remizova, Ashukha, Silvestrov, Kong, Goka, Park, Lempitsky, "Resolution-robust
Large Mask Inpainting with Fourier Convolutions", WACV 2022, doi:10.1109/WACV51458.2022.00323.

What differs: known pixels enter centred. The net itself is LaMa-Fourier of the paper: 9 blocks, three
quarters of the channels global; 18 blocks make it Big LaMa's size. ``nets/fourier.py`` has the layers.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from remend.nets.fourier import FourierConv

__all__ = ["FourierBlock", "Lama"]

_HALVINGS = 3


class FourierBlock(nn.Module):
    """Two Fourier convolutions, added to what came.

    Args:
        near: local channels.
        wide: global channels.
    """

    def __init__(self, near: int, wide: int) -> None:
        super().__init__()
        self.first, self.second = FourierConv(near, wide), FourierConv(near, wide)

    def forward(self, near: Tensor, wide: Tensor) -> tuple[Tensor, Tensor]:
        """(N, near, h, w) and (N, wide, h, w), in and out."""
        more_near, more_wide = self.second(*self.first(near, wide))
        return near + more_near, wide + more_wide


class Lama(nn.Module):
    """The body of ``lama``: planes and hole in, picture out. Wrap it in ``Inpainter``.

    Args:
        width: channels at full size, doubled at each of three halvings.
        blocks: of two Fourier convolutions each, at 1/8.
        wide: share of the channels at 1/8 that is global.
    """

    residual = False
    takes_prior = False
    size_multiple = 16  # that of the base fill

    def __init__(self, *, width: int = 64, blocks: int = 9, wide: float = 0.75) -> None:
        super().__init__()
        deep = width * 2**_HALVINGS
        self.split = (deep - int(wide * deep), int(wide * deep))
        if min(self.split) < 1 or blocks < 1:
            raise ValueError("lama has local and global channels (0 < wide < 1), and one block at least")
        layers = [*_layer(nn.Conv2d(4, width, 7, padding=3, bias=False, padding_mode="reflect"))]
        for step in range(_HALVINGS):
            inside = width * 2**step
            layers += _layer(
                nn.Conv2d(inside, 2 * inside, 3, 2, padding=1, bias=False, padding_mode="reflect")
            )
        self.down = nn.Sequential(*layers)
        self.blocks = nn.ModuleList(FourierBlock(*self.split) for _ in range(blocks))
        layers = []
        for step in reversed(range(_HALVINGS)):
            outside = width * 2**step
            layers += _layer(nn.ConvTranspose2d(2 * outside, outside, 3, 2, padding=1, output_padding=1))
        self.up = nn.Sequential(*layers)
        self.head = nn.Conv2d(width, 3, 7, padding=3, padding_mode="reflect")

    def forward(self, planes: Tensor, hole: Tensor) -> Tensor:
        """Draw the picture.

        Args:
            planes: (N, 8, H, W), H and W multiples of 16; of these the known pixels are read.
            hole: (N, 1, H, W), 1 = fill.

        Returns:
            (N, 3, H, W) in [0, 1].
        """
        near, wide = self.down(torch.cat([2 * planes[:, :3], hole], dim=1)).split(self.split, dim=1)
        for block in self.blocks:
            near, wide = block(near, wide)
        return torch.sigmoid(self.head(self.up(torch.cat([near, wide], dim=1))))


def _layer(conv: nn.Conv2d | nn.ConvTranspose2d) -> list[nn.Module]:
    return [conv, nn.BatchNorm2d(conv.out_channels), nn.ReLU(inplace=True)]
