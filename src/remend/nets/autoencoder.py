"""The convolutional autoencoder: squeezed by strides, drawn anew by transposed convolutions.

Trained on worn pictures it is a denoising autoencoder: Vincent, Larochelle, Bengio, Manzagol, "Extracting
and Composing Robust Features with Denoising Autoencoders", ICML 2008, doi:10.1145/1390156.1390294. There
layers are dense; here they are the convolutions that courses teach. There are no skips, so fine detail is
lost on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from remend.errors import UsageError

__all__ = ["Autoencoder"]


class Autoencoder(nn.Module):
    """The body of ``autoencoder``: planes in, picture out. Wrap it in ``Inpainter``.

    Args:
        widths: channels at 1/2, 1/4, 1/8 … of the size.

    Raises:
        UsageError: no widths.
    """

    residual = False
    takes_prior = False

    def __init__(self, *, widths: Sequence[int] = (64, 128, 256, 512)) -> None:
        super().__init__()
        if not widths:
            raise UsageError("autoencoder needs widths, as [64, 128, 256, 512], got none")
        self.size_multiple = max(16, 2 ** len(widths))  # 16: that of the base fill
        self.encoder = nn.Sequential(*(_down(a, b) for a, b in pairwise((3, *widths))))
        back = tuple(reversed(widths))
        self.decoder = nn.Sequential(*(_up(a, b) for a, b in pairwise(back)))
        self.head = nn.ConvTranspose2d(back[-1], 3, 4, stride=2, padding=1)
        self.taps = {f"encoder.{n}": (2 ** (n + 1),) for n in range(len(widths))}

    def forward(self, planes: Tensor, hole: Tensor) -> Tensor:
        """Draw the picture.

        Args:
            planes: (N, 8, H, W), H and W multiples of ``size_multiple``; of these the picture alone is read,
                mid grey where it has a hole.
            hole: not used.

        Returns:
            (N, 3, H, W) in [0, 1].
        """
        picture: Tensor = self.head(self.decoder(self.encoder(2 * planes[:, :3]))).sigmoid()
        return picture

    def layer_groups(self) -> list[list[nn.Parameter]]:
        """The encoder's parameters, first layer first, so that each may learn at its own rate."""
        return [list(stage.parameters()) for stage in self.encoder]


def _down(inside: int, outside: int) -> nn.Sequential:
    conv = nn.Conv2d(inside, outside, 4, stride=2, padding=1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outside), nn.ReLU(inplace=True))


def _up(inside: int, outside: int) -> nn.Sequential:
    conv = nn.ConvTranspose2d(inside, outside, 4, stride=2, padding=1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outside), nn.ReLU(inplace=True))
