"""What is learned against: the section ``[critic]`` of a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Critic"]


@dataclass(frozen=True, slots=True)
class Critic:
    """A critic to learn against; without a name there is none, and it costs nothing.

    Attributes:
        name: ``patch``, ``multiscale``, ``global``, ``sn_patch``, ``global_local``, ``residual`` or
            ``projected`` of ``remend.nets.critics``; "" = no critic.
        options: keyword arguments of the critic.
        loss: ``hinge``, ``non-saturating``, ``least-squares``, ``bce`` or ``wasserstein``.
        weight: of the adversarial loss; not used where ``balance`` is above 0.
        feature_matching: weight of the distance of the critic's features between filled and wanted.
        r1: gamma of the penalty on the critic's gradient at real pictures; 0 = none.
        r1_every: steps of the critic between two penalties, each then counted that many times.
        gp: lambda of the penalty on the critic's gradient between real and filled pictures, at each of its
            steps; ``wasserstein`` needs it, 10 in papers. 0 = none.
        path_length: weight of the penalty on fills that move unevenly with the noise, for nets that take
            noise; 0 = none.
        path_every: steps of the net between two of these, each then counted that many times.
        lr: highest learning rate of the critic; its schedule is the net's.
        betas: of the critic's Adam.
        steps: of the critic at each step of the net at which it learns.
        every: steps of the net between two at which the critic learns.
        from_samples: crops learned from before the critic begins.
        mask_as_target: known patches of a filled picture count as real.
        soft_px: sigma by which the hole is softened for that, for the critic; AOT-GAN's is 10 at 512².
        augment: kinds of DiffAugment, separated by commas: colour, translation, cutout; "" = none.
        balance: size of the adversarial gradient at the net's output, as a share of the
            reconstruction's, held at every step; 0 = take ``weight`` as it is.
    """

    name: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    loss: str = "hinge"
    weight: float = 0.1
    feature_matching: float = 0.0
    r1: float = 0.0
    r1_every: int = 16
    gp: float = 0.0
    path_length: float = 0.0
    path_every: int = 4
    lr: float = 2e-4
    betas: tuple[float, float] = (0.0, 0.99)
    steps: int = 1
    every: int = 1
    from_samples: int = 0
    mask_as_target: bool = True
    soft_px: float = 0.0
    augment: str = ""
    balance: float = 0.0
