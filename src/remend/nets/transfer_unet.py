"""A U-Net whose encoder was trained elsewhere: any convolutional backbone of ``timm``, or SqueezeNet.

Idea: Iglovikov & Shvets, "TernausNet: U-Net with VGG11 encoder pre-trained on ImageNet for image
segmentation", 2018. There the decoder segments; here it predicts what to add to the base fill, the encoder
sees the picture with its base fill (which looks like a picture, unlike one with a flat hole), and the hole
enters through a stem of its own and again at every scale of the decoder.

The decoder adds what its stages find, by residual blocks, to what comes up and across; nothing on its way is
rectified. A decoder of convolution and ReLU died within two hundred steps: losses on known pixels want a
residual of 0 and push that way coherently, until the last ReLU lets nothing through.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from remend.errors import UsageError
from remend.nets.blocks import resize_up, start_at_zero
from remend.nets.encoders import build_encoder, widen_stem
from remend.nets.remend import ResidualBlock

__all__ = ["TransferUnet"]

_RGB = slice(3, 6)  # of the planes: the base fill, the picture itself where known
_HOLE_AND_FLAG = slice(6, 8)


class TransferUnet(nn.Module):
    """The body of ``transfer_unet``: planes and hole in, residual out. Wrap it in ``Inpainter``.

    A fresh net has random weights. ``load_encoder`` takes pretrained ones, once, at the start of a run
    (``transfer.weights`` of a recipe); from then on a checkpoint holds them, so nothing else has to be there
    to go on or to export.

    Args:
        encoder: ``squeezenet``, or timm's name of a convolutional backbone.
        widths: channels of the decoder, coarse to fine; as many are used as the encoder has scales less one.
        batch_statistics: batch norm in the encoder follows the batches while training. Left out, it keeps
            the statistics that came with the weights, which is better below some twenty pictures a batch.

    Raises:
        UsageError: no such encoder, or too few widths.

    Attributes:
        encoder: what was learned elsewhere, and nothing else.
    """

    residual = True

    def __init__(
        self,
        *,
        encoder: str = "resnet18",
        widths: tuple[int, ...] = (256, 128, 64, 48, 32),
        batch_statistics: bool = False,
    ) -> None:
        super().__init__()
        self.encoder = build_encoder(encoder)
        self.hole_stem = widen_stem(self.encoder, 2)
        reductions, channels = self.encoder.reductions, self.encoder.channels
        if len(widths) < len(reductions) - 1:
            raise UsageError(
                f"the encoder {encoder} has {len(reductions)} scales: give its decoder {len(reductions) - 1} "
                f"widths, got {len(widths)}"
            )
        self.size_multiple = max(16, reductions[-1])  # 16: that of the base fill
        self._batch_statistics = batch_statistics
        self._reductions = reductions
        self.taps = {"encoder": tuple(reductions)}
        self.register_buffer("gains", torch.ones(len(channels)))
        self.narrow, self.join, self.stages = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        inside = channels[-1]
        for skip, width in zip(channels[-2::-1], widths, strict=False):
            self.narrow.append(nn.Conv2d(inside, width, 1))
            self.join.append(nn.Conv2d(skip + 1, width, 1))
            self.stages.append(nn.Sequential(ResidualBlock(width), ResidualBlock(width)))
            inside = width
        self.head = start_at_zero(nn.Conv2d(inside, 3 * reductions[0] ** 2, 3, padding=1))
        self._measure_gains()
        self.train()

    def forward(self, planes: Tensor, hole: Tensor) -> Tensor:
        """Predict what to add to the base fill.

        Args:
            planes: (N, 8, H, W), H and W multiples of ``size_multiple``.
            hole: (N, 1, H, W), 1 = fill.

        Returns:
            (N, 3, H, W).
        """
        picture = self.encoder.normalise(planes[:, _RGB] + 0.5)
        features = self.encoder(torch.cat([picture, planes[:, _HOLE_AND_FLAG]], dim=1))
        *skips, x = [feature * self.gains[i] for i, feature in enumerate(features)]
        coarse_to_fine = list(pairwise(reversed(self._reductions)))
        for (coarse, fine), skip, narrow, join, stage in zip(
            coarse_to_fine, reversed(skips), self.narrow, self.join, self.stages, strict=True
        ):
            # 1 × 1 before the resizing: both commute, and this order costs a quarter.
            up = resize_up(narrow(x), coarse // fine)
            x = stage(up + join(torch.cat([skip, F.avg_pool2d(hole, fine)], dim=1)))
        residual: Tensor = F.pixel_shuffle(self.head(x), self._reductions[0])
        return residual

    def load_encoder(self, source: str) -> None:
        """Give the encoder the weights it was trained to elsewhere.

        Args:
            source: a file: of ``squeezenet`` the Keras file without top, of timm's backbones the
                ``model.safetensors`` of that very backbone; or ``pretrained``: timm downloads it.

        Raises:
            UsageError: another kind of file.
            ModelError: missing, damaged, or of another net.
        """
        self.encoder.load_weights(source)
        self._measure_gains()

    def layer_groups(self) -> list[list[nn.Parameter]]:
        """The encoder's parameters, stem first, so that each may learn at its own rate."""
        return self.encoder.layer_groups()

    def train(self, mode: bool = True) -> TransferUnet:
        """As usual, but that the encoder's batch norms keep their statistics unless told otherwise."""
        super().train(mode)
        if not self._batch_statistics:
            for module in self.encoder.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self

    @torch.no_grad()
    def _measure_gains(self) -> None:
        """Bring the features of each scale to unit size, whatever range the encoder's weights have.

        Measured once, on a picture of 1/f noise, the spectrum of photographs; a factor each, so that
        contrast is kept. Reference: Krähenbühl et al., "Data-dependent initializations", ICLR 2016.
        """
        was_training = self.training
        self.eval()
        side = 4 * self.size_multiple
        noise = torch.randn(3, side, side, generator=torch.Generator().manual_seed(0))
        frequency = torch.hypot(torch.fft.fftfreq(side)[:, None], torch.fft.rfftfreq(side)[None])
        spectrum = torch.fft.rfft2(noise) / frequency.clamp_min(1 / side)
        picture = torch.fft.irfft2(spectrum, s=(side, side))
        picture = (0.5 + 0.2 * picture / picture.std()).clamp(0, 1)[None]
        x = torch.cat([self.encoder.normalise(picture), torch.zeros(1, 2, side, side)], dim=1)
        for i, feature in enumerate(self.encoder(x)):
            self.gains[i] = feature.square().mean().sqrt().clamp_min(1e-6).reciprocal()
        self.train(was_training)
