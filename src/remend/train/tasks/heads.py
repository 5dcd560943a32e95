"""Heads of further tasks on the features of a net's encoder; no part of what is exported.

One net, several answers: Caruana, "Multitask Learning", Machine Learning 28, 1997. Features of several scales
are joined at 1/4 as in Lin et al., "Feature Pyramid Networks for Object Detection", CVPR 2017.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from remend.errors import UsageError
from remend.nets.inpainter import Inpainter
from remend.nets.precision import CastOnce
from remend.nets.taps import FINEST, feature_hooks, tap_channels
from remend.train.config import Recipe
from remend.train.data.labels import Labels

__all__ = ["RESTORATION", "WEIGHINGS", "Heads", "Together"]

RESTORATION = "restoration"
WEIGHINGS = ("uncertainty", "fixed")

_SLOPE = 0.2
# A heat map begins at a hundredth everywhere, as in Lin et al., "Focal Loss", ICCV 2017: empty cells, nearly
# all, would else rule the first hundred steps.
_RARE = -4.6


class Heads(nn.Module):
    """One head a task, and how much each task counts.

    Args:
        channels: of the features by scale, as ``tap_channels`` says.
        weights: the tasks with their first weights, restoration among them if it is learned.
        classes: how many a picture may show.
        things: how many kinds may be outlined.
        width: channels inside.
        learned_weights: whether the weights are learned.

    Attributes:
        log_variances: (tasks,) the logarithms of the tasks' variances, in the order of ``weights``; None
            where weights are fixed.
    """

    def __init__(
        self,
        channels: Mapping[int, int],
        weights: Mapping[str, float],
        *,
        classes: int,
        things: int,
        width: int = 64,
        learned_weights: bool = True,
    ) -> None:
        super().__init__()
        self.weights = dict(weights)
        # Each scale is brought to unit size: a net without layers that normalise has features of any size.
        self.even = nn.ModuleDict({str(scale): nn.GroupNorm(1, count) for scale, count in channels.items()})
        self.narrow = nn.ModuleDict({str(scale): nn.Conv2d(n, width, 1) for scale, n in channels.items()})
        if "classification" in weights:
            self.classify = nn.Linear(width * len(channels), classes)
        if "segmentation" in weights:
            self.segment = _dense(width, things + 1)
        if "detection" in weights:
            self.locate = _dense(width, things)
            self.measure = _dense(width, 4)
            nn.init.constant_(self.locate[-1].bias, _RARE)  # type: ignore[arg-type]
        first = -torch.log(torch.tensor([float(weight) for weight in weights.values()]))
        self.log_variances = nn.Parameter(first) if learned_weights else None

    @staticmethod
    def of(net: Inpainter, recipe: Recipe, labels: Labels) -> Heads:
        """Fresh heads for a net; torch's generator is left as it was, so that all else is drawn as ever.

        Raises:
            UsageError: the net offers no features, or weights are to be found in a way that there is not.
        """
        tasks = recipe.tasks
        if tasks.weigh not in WEIGHINGS:
            raise UsageError(f"tasks.weigh is {' or '.join(WEIGHINGS)}, got {tasks.weigh!r}")
        restores = bool(recipe.loss.weights() or recipe.critic.name)
        weights = ({RESTORATION: 1.0} if restores else {}) | tasks.weights()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.train.seed)
            return Heads(
                tap_channels(net),
                weights,
                classes=len(labels.classes),
                things=len(labels.things),
                width=tasks.width,
                learned_weights=tasks.weigh == "uncertainty",
            )

    def forward(self, features: Mapping[int, Tensor]) -> dict[str, Tensor]:
        """What each head answers.

        Args:
            features: by scale, (N, C, H / scale, W / scale).

        Returns:
            Those of the tasks that are learned: ``classes`` (N, classes), ``segments`` (N, things + 1, H / 4,
            W / 4), ``heat`` (N, things, H / 4, W / 4), all before softmax or sigmoid; ``box`` (N, 4, H / 4,
            W / 4), as ``remend.train.data.heatmap`` has them; and ``log_variances``, (tasks,).
        """
        maps = {
            scale: F.leaky_relu(self.narrow[str(scale)](self.even[str(scale)](feature)), _SLOPE)
            for scale, feature in features.items()
        }
        answers: dict[str, Tensor] = {}
        if "classification" in self.weights:
            answers["classes"] = self.classify(torch.cat([m.mean(dim=(2, 3)) for m in maps.values()], dim=1))
        if {"segmentation", "detection"} & self.weights.keys():
            joined = torch.stack([_at_quarter(m, scale) for scale, m in maps.items()]).sum(dim=0)
            if "segmentation" in self.weights:
                answers["segments"] = self.segment(joined)
            if "detection" in self.weights:
                answers |= {"heat": self.locate(joined), "box": self.measure(joined)}
        if self.log_variances is not None:
            answers["log_variances"] = self.log_variances * 1.0
        return answers

    def groups(self, recipe: Recipe) -> list[dict[str, object]]:
        """The parameters for an optimiser that holds the net's already: AdamW's kind in every one."""
        decay = recipe.train.weight_decay
        named = [(name, p) for name, p in self.named_parameters() if name != "log_variances"]
        groups: list[dict[str, object]] = [
            {
                "params": [p for _, p in named if (p.ndim > 1) == kernel],
                "factor": 1.0,
                "weight_decay": decay if kernel else 0.0,
                "adam": True,
            }
            for kernel in (True, False)
        ]
        if self.log_variances is not None:
            # Ten times the rate: a weight is to follow its loss, not to lag behind it.
            groups.append({"params": [self.log_variances], "factor": 10.0, "weight_decay": 0.0, "adam": True})
        return groups


class Together(nn.Module):
    """A net and its heads as one module: what a step of several tasks runs, on one device or several.

    Args:
        net: of the run.
        heads: on its features.
    """

    def __init__(self, net: Inpainter, heads: Heads) -> None:
        super().__init__()
        self.net, self.heads, self.cast = net, heads, CastOnce(net)

    def forward(
        self, image: Tensor, hole: Tensor, prior: Tensor | None = None, guide: Tensor | None = None
    ) -> tuple[tuple[Tensor, ...], dict[str, Tensor]]:
        """``(answers of the net, answers of the heads)``; see ``Inpainter`` and ``Heads``."""
        with feature_hooks(self.net) as features:
            outputs = self.cast(image, hole, prior, guide)
        return outputs, self.heads(features)


def _dense(width: int, answers: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(width, width, 3, padding=1), nn.LeakyReLU(_SLOPE), nn.Conv2d(width, answers, 1)
    )


def _at_quarter(x: Tensor, scale: int) -> Tensor:
    if scale == FINEST:
        return x
    return F.interpolate(x, scale_factor=scale / FINEST, mode="bilinear", align_corners=False)
