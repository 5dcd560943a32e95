"""PD: how unlike two fillings are to a small trained net, in the hole."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch  # noqa: TID253  # this package is only imported where somebody asked for learned metrics
from numpy.typing import NDArray
from torch import Tensor  # noqa: TID253

from remend.evaluation.features import Map, maps_apart
from remend.metrics import checked
from remend.nets.squeezenet import TAPS, SqueezeNet
from remend.picture import Bool

__all__ = ["PerceptualDistance", "SqueezeNetFeatures", "as_batch", "sha256_of"]

Image = NDArray[np.uint8]

LEAST_PX = 32
"""The smallest side that leaves anything of fire9."""

_EPSILON = 1e-10


class PerceptualDistance:
    """PD over the hole; 0 = equal. A ``PictureMetric``.

    Both pictures go through SqueezeNet v1.1; conv1, fire3, fire5, fire6, fire7, fire8 and fire9 after ReLU
    are unit-normalised over channels at each position; their squared differences are averaged with the
    hole, area-averaged to the map's size, as weight; the seven means are averaged.

    When to use it: to rank fillings by structure where PSNR would choose fog. When not: alone. A mirrored
    picture and added noise both please it (docs/evaluation.md has figures); look at the pictures.

    Args:
        weights: the Keras file that ``SqueezeNet.load`` reads.

    Raises:
        ModelError: it cannot be read.

    Cost: two passes, about 0.4 s a megapixel and core; the truth's is kept for the next method.

    Reference: of the kind of Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual
    Metric", CVPR 2018, without learned weights.
    """

    names: tuple[str, ...] = ("pd",)

    def __init__(self, weights: Path) -> None:
        self._net = SqueezeNet.load(weights)
        self._truth: tuple[Image, list[Map]] | None = None
        self.rules = {
            "pd": "SqueezeNet v1.1, BGR minus means, valid convolutions; " + " ".join(TAPS) + " after ReLU, "
            "unit over channels, squared difference weighted by the area-averaged hole, mean of maps; "
            f"weights sha256 {sha256_of(weights)}"
        }

    def measure(self, output: Image, target: Image, hole: Bool) -> dict[str, float]:
        """``{"pd": …}`` of (H, W, 3) uint8 pictures; NaN below 32 px a side, or without a hole.

        Raises:
            EvaluationError: shapes or types differ.
        """
        checked(output, target, hole)
        if min(target.shape[:2]) < LEAST_PX or not hole.any():
            return {"pd": float("nan")}
        if self._truth is None or self._truth[0] is not target:
            self._truth = (target, self._maps(target))
        return {"pd": maps_apart(self._maps(output), self._truth[1], hole)}

    def _maps(self, image: Image) -> list[Map]:
        with torch.inference_mode():
            return [_unit(features)[0].numpy() for features in self._net(as_batch(image))]


class SqueezeNetFeatures:
    """Vectors for FID and its kin: fire9 after ReLU, averaged over positions. A ``FeatureNet``.

    Each position is unit-normalised over channels first, as PD does, and the mean is scaled by √512: the
    raw features' sizes differ so much between pictures that KID's cubic kernel would see little else.
    Figures made with it are named after it, since they compare with no paper's: those use Inception.

    Args:
        weights: the Keras file that ``SqueezeNet.load`` reads.

    Raises:
        ModelError: it cannot be read.
    """

    name = "squeezenet_fire9"

    def __init__(self, weights: Path) -> None:
        self._net = SqueezeNet.load(weights)
        self.rules = {
            f"features_{self.name}": "SqueezeNet v1.1, BGR minus means, valid convolutions, fire9 "
            "after ReLU, unit over channels, mean over positions times the root of 512; "
            f"weights sha256 {sha256_of(weights)}"
        }

    def features(self, image: Image) -> NDArray[np.float32]:
        """(512,) float32 of a (H, W, 3) uint8 picture, at its own size.

        Raises:
            EvaluationError: a side below 32 px.
        """
        checked(image, image, least_px=LEAST_PX)
        with torch.inference_mode():
            mean = _unit(self._net(as_batch(image))[-1]).mean(dim=(2, 3))[0]
        return np.asarray(mean.numpy() * np.sqrt(np.float32(mean.numel())), np.float32)


def _unit(features: Tensor) -> Tensor:
    return features / (features.norm(dim=1, keepdim=True) + _EPSILON)


def as_batch(image: Image) -> Tensor:
    """(H, W, 3) uint8 as (1, 3, H, W) float32 in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))).float().div(255)[None]


def sha256_of(path: Path) -> str:
    """Of a file's content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
