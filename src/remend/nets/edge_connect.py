"""EdgeConnect: first the edges that the hole must have held, then the picture that they outline.

Nazeri, Ng, Joseph, Qureshi, Ebrahimi, "EdgeConnect: Structure Guided Image Inpainting using Edge Prediction",
ICCV Workshops 2019, doi:10.1109/ICCVW.2019.00408; longer as arXiv:1901.00212.

It is trained in two runs. ``stage = "edges"`` learns to go on with the known edges: what is drawn, wanted
and judged are edge maps. ``stage = "picture"`` starts from its weights, holds them as they are, and learns to
paint along its lines, or along those that somebody drew.

What differs: edges are found by ``remend.nets.edges``, inside the graph; the critic of edges sees the hole
beside them, not the grey picture.
"""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from remend.errors import UsageError
from remend.nets.edges import edges_of, grey_of
from remend.nets.spectral import norms_in_fp32, spectral_norm

__all__ = ["EdgeConnect", "Painter", "ResidualBlock"]

_STAGES = ("edges", "picture")


class ResidualBlock(nn.Module):
    """``x + norm(conv(relu(norm(dilated(x)))))``, padded by mirroring: (N, width, h, w) in and out.

    Args:
        width: channels.
        dilation: of the first convolution.
        spectral: normalise weights by their largest singular value.
    """

    def __init__(self, width: int, dilation: int = 2, *, spectral: bool = False) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReflectionPad2d(dilation),
            _conv(width, width, 3, dilation=dilation, spectral=spectral),
            nn.InstanceNorm2d(width),
            nn.ReLU(inplace=True),
            nn.ReflectionPad2d(1),
            _conv(width, width, 3, spectral=spectral),
            nn.InstanceNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        residual: Tensor = self.layers(x)
        return x + residual


class Painter(nn.Sequential):
    """The shape of both nets: (N, inside, H, W) to (N, outside, H, W), by residual blocks at 1/4.

    Args:
        inside: channels that come.
        outside: channels that go, without activation.
        width: channels at full size; four times that at 1/4.
        blocks: how many residual blocks.
        spectral: normalise weights by their largest singular value.
    """

    def __init__(self, inside: int, outside: int, *, width: int, blocks: int, spectral: bool) -> None:
        conv = partial(_conv, spectral=spectral)
        super().__init__(
            nn.ReflectionPad2d(3),
            conv(inside, width, 7),
            *_normed(width),
            conv(width, 2 * width, 4, stride=2, padding=1),
            *_normed(2 * width),
            conv(2 * width, 4 * width, 4, stride=2, padding=1),
            *_normed(4 * width),
            *(ResidualBlock(4 * width, spectral=spectral) for _ in range(blocks)),
            conv(4 * width, 2 * width, 4, stride=2, padding=1, up=True),
            *_normed(2 * width),
            conv(2 * width, width, 4, stride=2, padding=1, up=True),
            *_normed(width),
            nn.ReflectionPad2d(3),
            _conv(width, outside, 7, spectral=False),
        )


class EdgeConnect(nn.Module):
    """The body of ``edge_connect``: planes and hole in, picture out. Wrap it in ``Inpainter``.

    Args:
        stage: ``edges`` draws edge maps, on three channels alike; ``picture`` draws pictures, with an edge
            net that does not learn any more: give its weights.
        width: channels at full size.
        blocks: residual blocks at 1/4.
        sigma: of the edge detector's blur, in pixels.
        as_released: show both nets the picture in [0, 1] with white holes, as the authors' code: for their
            weights.

    Attributes:
        draws: what it is to draw of a picture; None = the picture.
        needs_weights: of which other run it cannot do without; "" = of none.

    Raises:
        UsageError: there is no such stage.
    """

    residual = False
    takes_prior = False
    size_multiple = 16  # that of the base fill

    def __init__(
        self,
        *,
        stage: str = "picture",
        width: int = 64,
        blocks: int = 8,
        sigma: float = 2.0,
        as_released: bool = False,
    ) -> None:
        super().__init__()
        if stage not in _STAGES:
            raise UsageError(f"edge_connect has the stages {', '.join(_STAGES)}, got {stage!r}")
        self.takes_guide, self.sigma, self.white_holes = stage == "picture", sigma, as_released
        self.draws = None if self.takes_guide else self._lines
        self.edges = Painter(3, 1, width=width, blocks=blocks, spectral=True)
        self.picture = Painter(5, 3, width=width, blocks=blocks, spectral=False) if self.takes_guide else None
        self.needs_weights = "" if self.picture is None else "edge_connect_edges"
        self.edges.requires_grad_(self.picture is None)
        self.train()

    def train(self, mode: bool = True) -> EdgeConnect:
        """As every module's, but the edge net of the second stage stays as it is: its norms' vectors too."""
        super().train(mode)
        if self.picture is not None:
            self.edges.eval()
        return self

    def forward(self, planes: Tensor, hole: Tensor, guide: Tensor | None = None) -> Tensor:
        """Draw.

        Args:
            planes: (N, 8, H, W); of these the known pixels are read.
            hole: (N, 1, H, W), 1 = fill.
            guide: (N, 1, H, W) in [0, 1], lines that the hole is to hold. A picture that has some in its
                hole is painted along them instead of the edge net's.

        Returns:
            (N, 3, H, W) in [0, 1].
        """
        known = edges_of(planes[:, :3] + 0.5, hole, sigma=self.sigma)
        seen = planes[:, :3] + 0.5 + 0.5 * hole if self.white_holes else 2 * planes[:, :3]
        grey = grey_of(seen)
        with norms_in_fp32(self.edges, planes):
            edges = torch.sigmoid(self.edges(torch.cat([grey, known, hole], dim=1)).float())
        if self.picture is None:
            return edges.expand(-1, 3, -1, -1)
        if guide is not None:
            drawn = F.adaptive_max_pool2d(guide * hole, 1) > 0
            edges = torch.where(drawn, guide, edges)
        lines = known + hole * edges
        picture = self.picture(torch.cat([seen, lines, hole], dim=1))
        return 0.5 + 0.5 * torch.tanh(picture)

    def _lines(self, picture: Tensor) -> Tensor:
        """What the first stage is to draw of a picture (N, 3, H, W): its edges, on three channels."""
        return edges_of(picture, sigma=self.sigma).expand_as(picture)


def _conv(
    inside: int,
    outside: int,
    kernel: int,
    *,
    spectral: bool,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    up: bool = False,
) -> nn.Module:
    conv: nn.Module
    if up:
        conv = nn.ConvTranspose2d(inside, outside, kernel, stride=stride, padding=padding)
    else:
        conv = nn.Conv2d(inside, outside, kernel, stride=stride, padding=padding, dilation=dilation)
    assert isinstance(conv, nn.Conv2d | nn.ConvTranspose2d)
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    assert conv.bias is not None
    nn.init.zeros_(conv.bias)
    return spectral_norm(conv) if spectral else conv


def _normed(width: int) -> tuple[nn.Module, nn.Module]:
    return nn.InstanceNorm2d(width), nn.ReLU(inplace=True)
