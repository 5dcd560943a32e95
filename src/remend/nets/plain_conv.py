"""Four convolutions and a tanh: the generator that courses begin with, on pictures of 64².

No paper; the shape is that of many a tutorial, with an adversarial loss after Goodfellow et al., "Generative
Adversarial Networks", NeurIPS 2014. Nothing is made smaller on the way, so it sees nine pixels across: it can
take off noise and specks, and fills no hole that is wider than that.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from remend.errors import UsageError

__all__ = ["PlainConv"]


class PlainConv(nn.Module):
    """The body of ``gan-cifar``: planes in, picture out. Wrap it in ``Inpainter``.

    Args:
        widths: channels between the picture's three and three again.

    Raises:
        UsageError: no widths.
    """

    residual = False
    takes_prior = False
    size_multiple = 16  # that of the base fill

    def __init__(self, *, widths: Sequence[int] = (64, 128, 64)) -> None:
        super().__init__()
        if not widths:
            raise UsageError("gan-cifar needs widths, as [64, 128, 64], got none")
        layers: list[nn.Module] = []
        for inside, outside in pairwise((3, *widths)):
            layers += [nn.Conv2d(inside, outside, 3, padding=1), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(widths[-1], 3, 3, padding=1), nn.Tanh())

    def forward(self, planes: Tensor, hole: Tensor) -> Tensor:
        """Draw the picture.

        Args:
            planes: (N, 8, H, W); of these the picture alone is read, mid grey where it has a hole.
            hole: not used.

        Returns:
            (N, 3, H, W) in [0, 1].
        """
        picture: Tensor = 0.5 + 0.5 * self.layers(2 * planes[:, :3])  # in and out from -1 to 1
        return picture
