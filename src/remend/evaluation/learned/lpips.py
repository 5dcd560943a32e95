"""LPIPS with the backbone and linear weights that the user gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch  # noqa: TID253  # this package is only imported where somebody asked for learned metrics
import torch.nn.functional as F  # noqa: N812, TID253
from numpy.typing import NDArray
from torch import Tensor  # noqa: TID253

from remend.errors import ModelError
from remend.evaluation.learned.perceptual import as_batch, sha256_of
from remend.metrics import checked
from remend.picture import Bool

__all__ = ["TRUNKS", "Lpips"]

Image = NDArray[np.uint8]
State = dict[str, Tensor]

LEAST_PX = 64
"""Below, AlexNet and VGG have nothing left at their last layer."""

# What follows what, by torchvision's numbers in ``features``: a convolution with stride and padding, a
# fire module, a pooling with side, stride and whether it rounds up; "tap" hands out what is there.
_SQUEEZE = (
    "conv 0 2 0, tap, pool 3 2 1, fire 3, fire 4, tap, pool 3 2 1, fire 6, fire 7, tap, "
    "pool 3 2 1, fire 9, tap, fire 10, tap, fire 11, tap, fire 12, tap"
)
_ALEX = (
    "conv 0 4 2, tap, pool 3 2 0, conv 3 1 2, tap, pool 3 2 0, conv 6 1 1, tap, conv 8 1 1, tap, "
    "conv 10 1 1, tap"
)
_VGG = (
    "conv 0 1 1, conv 2 1 1, tap, pool 2 2 0, conv 5 1 1, conv 7 1 1, tap, pool 2 2 0, conv 10 1 1, "
    "conv 12 1 1, conv 14 1 1, tap, pool 2 2 0, conv 17 1 1, conv 19 1 1, conv 21 1 1, tap, pool 2 2 0, "
    "conv 24 1 1, conv 26 1 1, conv 28 1 1, tap"
)
TRUNKS: dict[str, str] = {"squeeze": _SQUEEZE, "alex": _ALEX, "vgg": _VGG}
"""The layers of torchvision's squeezenet1_1, alexnet and vgg16 that the lpips package taps."""

_SHIFT = (-0.030, -0.088, -0.188)
_SCALE = (0.458, 0.448, 0.450)
_EPSILON = 1e-10


class Lpips:
    """LPIPS of the whole composed picture; 0 = equal, lower is better. A ``PictureMetric``.

    Input in [-1, 1], features unit-normalised over channels, squared differences weighted by the linear
    layers, mean over positions, sum over layers: as version 0.1 of the lpips package. Which of the three
    backbones the files hold is seen from their shapes, and is part of the metric's name: values of different
    backbones do not compare.

    Args:
        backbone: a safetensors file of torchvision's ``squeezenet1_1``, ``alexnet`` or ``vgg16``, with
            ImageNet weights, under torchvision's names.
        linear: a safetensors file of the lpips package's weights for it (``lin0.model.1.weight`` …).

    Raises:
        ModelError: a file cannot be read, or holds something else.

    Cost: two passes of the backbone; squeeze 0.5 s, VGG 8 s a megapixel and core.

    Reference: Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric",
    CVPR 2018.
    """

    def __init__(self, backbone: Path, linear: Path) -> None:
        self._backbone, self._lines = _read(backbone), _linear(linear)
        self.kind = _kind(self._backbone, self._lines, backbone, linear)
        self.names: tuple[str, ...] = (f"lpips_{self.kind}",)
        self.rules = {
            self.names[0]: f"LPIPS 0.1, backbone {self.kind}, whole picture, input [-1, 1]; "
            f"backbone sha256 {sha256_of(backbone)}; linear sha256 {sha256_of(linear)}"
        }
        self._truth: tuple[Image, list[Tensor]] | None = None

    def measure(self, output: Image, target: Image, hole: Bool) -> dict[str, float]:
        """By name, of (H, W, 3) uint8 pictures; NaN below 64 px a side.

        Raises:
            EvaluationError: shapes or types differ.
        """
        checked(output, target, hole)
        if min(target.shape[:2]) < LEAST_PX:
            return {self.names[0]: float("nan")}
        if self._truth is None or self._truth[0] is not target:
            self._truth = (target, self._maps(target))
        total = 0.0
        for a, b, line in zip(self._maps(output), self._truth[1], self._lines, strict=True):
            total += float(((a - b).square() * line).sum(dim=1).mean())
        return {self.names[0]: total}

    def _maps(self, image: Image) -> list[Tensor]:
        """Unit-normalised features of the taps."""
        with torch.inference_mode():
            x = as_batch(image) * 2 - 1
            x = (x - torch.tensor(_SHIFT).view(1, 3, 1, 1)) / torch.tensor(_SCALE).view(1, 3, 1, 1)
            return [m / (m.norm(dim=1, keepdim=True) + _EPSILON) for m in _run(self.kind, self._backbone, x)]


def _run(kind: str, state: State, x: Tensor) -> list[Tensor]:
    taps = []
    for layer in TRUNKS[kind].split(", "):
        word, *numbers = layer.split()
        if word == "tap":
            taps.append(x)
        elif word == "pool":
            side, stride, ceil = map(int, numbers)
            x = F.max_pool2d(x, side, stride, ceil_mode=bool(ceil))
        elif word == "conv":
            index, stride, padding = map(int, numbers)
            x = _conv(state, f"features.{index}", x, stride, padding)
        else:
            name = f"features.{numbers[0]}"
            x = _conv(state, f"{name}.squeeze", x)
            wide = _conv(state, f"{name}.expand3x3", x, padding=1)
            x = torch.cat([_conv(state, f"{name}.expand1x1", x), wide], dim=1)
    return taps


def _conv(state: State, name: str, x: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    weight, bias = state[f"{name}.weight"], state[f"{name}.bias"]
    return F.relu(F.conv2d(x, weight, bias, stride=stride, padding=padding))


def _read(path: Path) -> State:
    try:
        from safetensors.torch import load_file

        return {name: tensor.float() for name, tensor in load_file(path).items()}
    except ModuleNotFoundError as error:
        raise ModelError("LPIPS needs safetensors: pip install 'remend[train]'") from error
    except Exception as error:  # safetensors raises its own and OSErrors, all of them about this file
        reason = str(error).splitlines()[0]
        raise ModelError(
            f"{path} is no safetensors file ({reason}): docs/evaluation.md says how to make one of a .pth"
        ) from error


def _linear(path: Path) -> list[Tensor]:
    """The (1, C, 1, 1) weights of each layer, fine to coarse."""
    state = _read(path)
    names = [f"lin{index}.model.1.weight" for index in range(len(state))]
    if not names or sorted(names) != sorted(state):
        raise ModelError(f"{path} holds {', '.join(sorted(state)[:3])} …, expected lin0.model.1.weight …")
    return [state[name].view(1, -1, 1, 1) for name in names]


def _kind(state: State, lines: list[Tensor], backbone: Path, linear: Path) -> str:
    """Which backbone it is: the one that answers a small picture with maps as wide as the linear layers."""
    for kind in TRUNKS:
        try:
            with torch.inference_mode():
                maps = _run(kind, state, torch.zeros(1, 3, LEAST_PX, LEAST_PX))
        except (KeyError, RuntimeError):
            continue
        if [m.shape[1] for m in maps] == [line.shape[1] for line in lines]:
            return kind
        raise ModelError(f"{backbone} is a backbone {kind}, but {linear} holds the linear weights of another")
    raise ModelError(
        f"{backbone} holds none of torchvision's squeezenet1_1, alexnet, vgg16 under their names"
    )
