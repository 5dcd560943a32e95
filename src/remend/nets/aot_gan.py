"""AOT-GAN: blocks that look at four distances at once, and a gate a pixel that says what to change.

Zeng, Fu, Chao, Guo, "Aggregated Contextual Transformations for High-Resolution Image Inpainting", IEEE
Transactions on Visualization and Computer Graphics 29 (7), 2023, doi:10.1109/TVCG.2022.3156949; first
2021, doi:10.48550/arXiv.2104.01431.

What differs: edges are repeated, not mirrored, so that windows smaller than the widest dilation can be
filled; resizing keeps pixel centres. The normalisation of the gate is that of the released code; the paper
does not speak of it. Its critic is ``patch`` with ``critic.mask_as_target``, softened.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from remend.nets.blocks import resize_up

__all__ = ["AotGan", "ContextBlock"]

_STEEPNESS = 10.0
_OFFSET = 5.0


class ContextBlock(nn.Module):
    """Aggregated contextual transformations: (N, width, h, w) in and out.

    A 3 × 3 convolution for each dilation gives its share of the channels; together they are fused and
    mixed with what came by a gate in [0, 1] for each pixel and channel.

    Args:
        width: channels, a multiple of the number of dilations.
        dilations: distances to look at.
        edges: what is read beyond the frame, ``replicate`` or ``reflect``.
    """

    def __init__(self, width: int, dilations: Sequence[int], edges: str = "replicate") -> None:
        super().__init__()
        if not dilations or width % len(dilations):
            raise ValueError(f"{width} channels cannot be split over {len(dilations)} dilations")
        share = width // len(dilations)
        self.look = nn.ModuleList(_conv(width, share, dilation=d, edges=edges) for d in dilations)
        self.fuse = _conv(width, width, edges=edges)
        self.gate = _conv(width, width, edges=edges)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        seen = self.fuse(torch.cat([torch.relu(look(x)) for look in self.look], dim=1))
        gate = torch.sigmoid(_normalised(self.gate(x)))
        return x + gate * (seen - x)


class AotGan(nn.Module):
    """The body of ``aot_gan``: planes and hole in, picture out. Wrap it in ``Inpainter``.

    Args:
        width: channels at full size; four times that at 1/4.
        blocks: at 1/4.
        dilations: of each block.
        as_released: mirror edges and align corners when resizing, as the authors' code: for their weights.
            Windows are 48 px at least then.
    """

    residual = False
    takes_prior = False
    size_multiple = 16  # that of the base fill

    def __init__(
        self,
        *,
        width: int = 64,
        blocks: int = 8,
        dilations: Sequence[int] = (1, 2, 4, 8),
        as_released: bool = False,
    ) -> None:
        super().__init__()
        edges = "reflect" if as_released else "replicate"
        self.aligned = as_released
        self.down = nn.Sequential(
            _conv(4, width, 7, edges=edges),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(2 * width, 4 * width, 4, stride=2, padding=1),
            nn.ReLU(inplace=True),
        )
        self.blocks = nn.Sequential(*(ContextBlock(4 * width, dilations, edges) for _ in range(blocks)))
        self.to_half = nn.Conv2d(4 * width, 2 * width, 3, padding=1)
        self.to_full = nn.Conv2d(2 * width, width, 3, padding=1)
        self.head = nn.Conv2d(width, 3, 3, padding=1)

    def forward(self, planes: Tensor, hole: Tensor) -> Tensor:
        """Draw the picture.

        Args:
            planes: (N, 8, H, W), H and W multiples of 16; of these the known pixels are read.
            hole: (N, 1, H, W), 1 = fill.

        Returns:
            (N, 3, H, W) in [0, 1].
        """
        x = self.blocks(self.down(torch.cat([2 * planes[:, :3], hole], dim=1)))
        x = torch.relu(self.to_half(self._doubled(x)))
        x = torch.relu(self.to_full(self._doubled(x)))
        return 0.5 + 0.5 * torch.tanh(self.head(x))

    def _doubled(self, x: Tensor) -> Tensor:
        if self.aligned:
            return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=True)
        return resize_up(x)


def _conv(
    inside: int, outside: int, kernel: int = 3, *, dilation: int = 1, edges: str = "replicate"
) -> nn.Conv2d:
    return nn.Conv2d(
        inside,
        outside,
        kernel,
        padding=dilation * (kernel // 2),
        dilation=dilation,
        padding_mode=edges,
    )


def _normalised(gate: Tensor) -> Tensor:
    """Each channel of each picture brought to mean -5 and spread 10: gates are nearly open or shut."""
    mean = gate.mean(dim=(2, 3), keepdim=True)
    count = gate.shape[2] * gate.shape[3]
    variance = (gate - mean).square().mean(dim=(2, 3), keepdim=True) * (count / (count - 1))
    spread = variance.add(1e-12).sqrt()
    return _STEEPNESS * (gate - mean) / spread - _OFFSET
