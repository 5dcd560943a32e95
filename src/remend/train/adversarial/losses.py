"""Adversarial losses of net and critic: pure functions of scores, features and gradients.

Every mean is taken within a picture and then over pictures, like the other losses: a scratch counts as
much as a large hole, and a batch split over devices needs no exchange of hole areas.

``kind`` is one of ``KINDS``; with s a score, real pictures and filled ones cost the critic

| kind | real | filled | the net pays | reference |
|---|---|---|---|---|
| ``non-saturating`` | softplus(-s) | softplus(s) | softplus(-s) | Goodfellow et al., NeurIPS 2014 |
| ``bce`` | the same, its target 0.9 | softplus(s) | softplus(-s) | Salimans et al., NeurIPS 2016 |
| ``hinge`` | max(0, 1 - s) | max(0, 1 + s) | -s | Lim and Ye, "Geometric GAN", 2017 |
| ``least-squares`` | (s - 1)² / 2 | s² / 2 | (s - 1)² / 2 | Mao et al., ICCV 2017 |
| ``wasserstein`` | -s | s | -s | Arjovsky et al., ICML 2017; it needs ``gradient_penalty`` |

Binary cross entropy on logits *is* the non-saturating pair; what ``bce`` adds, and all it adds, is one-sided
label smoothing, which keeps the critic from growing ever surer of real pictures.
doi: 10.48550/arXiv.1406.2661 · 10.48550/arXiv.1606.03498 · 10.48550/arXiv.1705.02894 ·
10.1109/ICCV.2017.304 · 10.48550/arXiv.1701.07875.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from remend.errors import UsageError
from remend.nets.critics import CriticOutput

__all__ = [
    "KINDS",
    "Cells",
    "balance",
    "critic_loss",
    "feature_matching",
    "generator_loss",
    "soften",
    "target_of",
]

KINDS = ("hinge", "non-saturating", "least-squares", "bce", "wasserstein")
"""The adversarial losses."""

_SMOOTH = 0.9
_LARGEST_WEIGHT = 1e4


def critic_loss(
    kind: str,
    real: CriticOutput,
    filled: CriticOutput,
    hole: Tensor,
    *,
    mask_as_target: bool = True,
    soft_px: float = 0.0,
) -> Tensor:
    """What the critic minimises; mean over its scales.

    Args:
        kind: of ``KINDS``.
        real: of whole pictures.
        filled: of composed ones, computed without a gradient to the net.
        hole: (N, 1, H, W), 1 = filled.
        mask_as_target: a cell of the score map is a fake as far as it was filled, and real as far as it was
            known. Real pictures are judged where their twins were filled, so that at each place both
            sides weigh alike; scores over what was known, which must be "real", are a third term.
            Off: all cells of a filled picture are fakes, all of a real one real.
        soft_px: the hole is softened by a Gaussian of this sigma first: near its edge a cell is partly
            both, as what a score sees there is. Not for the net, which answers for its hole alone.

    Raises:
        UsageError: ``kind`` is unknown.

    Reference for ``mask_as_target``: Suvorov et al., "Resolution-robust Large Mask Inpainting with Fourier
    Convolutions" (LaMa), WACV 2022, doi:10.1109/WACV51458.2022.00323; softened: Zeng et al. (AOT-GAN), TVCG
    2023, doi:10.1109/TVCG.2022.3156949, with sigma 10 at 512². In LaMa cells are averaged over the
    frame, and a critic of small holes does well by calling everything real; here each term is a mean over
    its own area.
    """
    if soft_px and mask_as_target:
        hole = soften(hole, soft_px)
    cells = Cells.of(filled.scores, hole, mask_as_target=mask_as_target)
    made, genuine = cells.flat(filled.scores), cells.flat(real.scores)
    total = cells.mean(_as_real(kind, genuine) + _as_fake(kind, made), cells.share)
    if mask_as_target:
        total = total + cells.mean(_as_real(kind, made), 1 - cells.share)
    return total


def generator_loss(kind: str, filled: CriticOutput, hole: Tensor, *, mask_as_target: bool = True) -> Tensor:
    """What the net minimises: that its fills pass as real; mean over the critic's scales.

    Args:
        kind: of ``KINDS``.
        filled: of composed pictures, with their gradient.
        hole: (N, 1, H, W), 1 = filled.
        mask_as_target: each score weighs as much as its cell was filled, so that the pressure on a fill
            does not depend on how much of the frame it takes. Off: all scores alike.

    Raises:
        UsageError: ``kind`` is unknown.
    """
    cells = Cells.of(filled.scores, hole, mask_as_target=mask_as_target)
    return cells.mean(_as_wanted(kind, cells.flat(filled.scores)), cells.share)


@dataclass(frozen=True)
class Cells:
    """The cells of all score maps of a critic side by side, so that a cost of all is one operation.

    Attributes:
        share: (N, K), how much of each cell was filled.
        counts: of cells on each scale, channels included; K together.
    """

    share: Tensor
    counts: list[int]

    @staticmethod
    def of(scores: Sequence[Tensor], hole: Tensor, *, mask_as_target: bool) -> Cells:
        """Those of ``scores`` (N, C, h, w) each; without ``mask_as_target`` all were filled."""
        counts = [s[0].numel() for s in scores]
        if not mask_as_target:
            return Cells(hole.new_ones(len(hole), sum(counts)), counts)
        return Cells(torch.cat([target_of(hole, s).expand_as(s).flatten(1) for s in scores], dim=1), counts)

    def flat(self, scores: Sequence[Tensor]) -> Tensor:
        """``scores`` as (N, K), float32."""
        return torch.cat([s.flatten(1) for s in scores], dim=1).float()

    def mean(self, cost: Tensor, share: Tensor) -> Tensor:
        """Mean of ``cost`` (N, K) weighted by ``share`` within a picture, then over pictures and scales."""
        sums, sizes = (self.sums(x) for x in (cost * share, share))
        return (sums / sizes.clamp_min(1e-6)).mean()

    def sums(self, values: Tensor) -> Tensor:
        """(…, scales) of (…, K)."""
        return torch.stack([part.sum(dim=-1) for part in values.split(self.counts, dim=-1)], dim=-1)


def target_of(hole: Tensor, scores: Tensor) -> Tensor:
    """The filled share (N, 1, h, w) of each cell of a score map (N, C, h, w), float32."""
    return F.interpolate(hole.float(), size=scores.shape[2:], mode="area")


def soften(hole: Tensor, sigma_px: float) -> Tensor:
    """``hole`` (N, 1, H, W) blurred by a Gaussian cut off at three sigma; edges are repeated."""
    reach = max(1, round(3 * sigma_px))
    place = torch.arange(-reach, reach + 1, device=hole.device, dtype=torch.float32)
    taps = torch.exp(-0.5 * (place / sigma_px).square())
    taps = taps / taps.sum()
    padded = F.pad(hole.float(), (reach, reach, reach, reach), mode="replicate")
    return F.conv2d(F.conv2d(padded, taps.view(1, 1, 1, -1)), taps.view(1, 1, -1, 1))


def feature_matching(filled: CriticOutput, real: CriticOutput) -> Tensor:
    """Mean absolute difference of the critic's features; mean over layers and scales.

    Gradients go to the fill alone. Within each layer of each picture it is divided by the mean size of the
    real features: under spectral norm deep features are a tenth of shallow ones and would not count.

    Reference: Wang et al. (pix2pixHD), CVPR 2018, doi:10.1109/CVPR.2018.00917, without that division.
    """
    total = torch.zeros((), device=filled.scores[0].device)
    layers = 0
    for ours, theirs in zip(filled.features, real.features, strict=True):
        for got, wanted in zip(ours, theirs, strict=True):
            wanted = wanted.detach().float()
            size = wanted.abs().mean(dim=(1, 2, 3)).clamp_min(1e-6)
            total = total + ((got.float() - wanted).abs().mean(dim=(1, 2, 3)) / size).mean()
            layers += 1
    return total / max(layers, 1)


def balance(
    towards: Tensor,
    against: Tensor,
    hole: Tensor,
    share: float,
    *,
    add_up: Callable[[Tensor], Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """The weight at which the adversarial gradient is ``share`` of the reconstruction's, in the holes.

    Gradients are those at the net's output, where the losses meet: that costs no backward through the net.
    Count on what the reconstruction holds: the gradient of a perceptual loss is 30 to 100 times as long as
    that of L1 at the same weight, so beside it a small share is already much.

    Args:
        towards: (N, 3, H, W), gradient of the other losses at the net's output.
        against: (N, 3, H, W), gradient of the adversarial loss there, unweighted.
        hole: (N, 1, H, W): only there can the critic move anything.
        share: wanted ratio of the two norms; 1 = as strong as the reconstruction.
        add_up: sum or mean of a tensor over processes, so that all of them get one weight.

    Returns:
        ``(weight, ratio)``: the weight, at most 10,000; and the ratio of the norms at weight 1.

    Reference: Esser et al., "Taming Transformers for High-Resolution Image Synthesis" (VQGAN), CVPR 2021,
    doi:10.1109/CVPR46437.2021.01268, which takes both gradients at the last layer's weights.
    """
    squares = torch.stack([(gradient.float() * hole).square().sum() for gradient in (towards, against)])
    wanted, got = (add_up(squares) if add_up else squares).sqrt().unbind()
    return (share * wanted / got.clamp_min(1e-12)).clamp_max(_LARGEST_WEIGHT), got / wanted.clamp_min(1e-12)


def _as_real(kind: str, score: Tensor) -> Tensor:
    """What the critic pays for ``score`` where it should say real."""
    match _known(kind):
        case "hinge":
            return F.relu(1 - score)
        case "least-squares":
            return (score - 1).square() / 2
        case "wasserstein":
            return -score
        case "bce":
            return _SMOOTH * F.softplus(-score) + (1 - _SMOOTH) * F.softplus(score)
        case _:
            return F.softplus(-score)


def _as_fake(kind: str, score: Tensor) -> Tensor:
    """What the critic pays for ``score`` where it should say filled."""
    match _known(kind):
        case "hinge":
            return F.relu(1 + score)
        case "least-squares":
            return score.square() / 2
        case "wasserstein":
            return score
        case _:
            return F.softplus(score)


def _as_wanted(kind: str, score: Tensor) -> Tensor:
    """What the net pays for ``score``."""
    match _known(kind):
        case "hinge" | "wasserstein":
            return -score
        case "least-squares":
            return (score - 1).square() / 2
        case _:
            return F.softplus(-score)


def _known(kind: str) -> str:
    if kind not in KINDS:
        raise UsageError(f"no adversarial loss is called {kind!r}: choose one of {', '.join(KINDS)}")
    return kind
