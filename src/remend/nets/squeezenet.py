"""SqueezeNet v1.1: a small backbone whose features judge likeness; its weights are given by the user."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from remend.errors import ModelError

__all__ = ["TAPS", "SqueezeNet"]

TAPS = ("conv1", "fire3", "fire5", "fire6", "fire7", "fire8", "fire9")
"""The layers whose output after ReLU is handed out, fine to coarse: at 1/2, 1/4, 1/8 and then 1/16."""

# fire number: (squeezed channels, channels of each expansion)
_FIRES = {2: (16, 64), 3: (16, 64), 4: (32, 128), 5: (32, 128), 6: (48, 192), 7: (48, 192), 8: (64, 256)}
_FIRES[9] = _FIRES[8]
_POOL_BEFORE = {2, 4, 6}
_BGR_MEANS = (103.939, 116.779, 123.68)


class _Conv(nn.Conv2d):
    """A convolution that, once frozen, keeps its weights in autocast's precision: autocast itself keeps only
    those that learn, and casts the others at every call."""

    _kept: tuple[object, Tensor, Tensor] | None = None

    def forward(self, x: Tensor) -> Tensor:
        kind, weight, bias = x.device.type, self.weight, self.bias
        if kind == "meta" or bias is None or weight.requires_grad or not torch.is_autocast_enabled(kind):
            return super().forward(x)
        key = (torch.get_autocast_dtype(kind), weight.data_ptr(), weight._version)
        if self._kept is None or self._kept[0] != key:
            with torch.inference_mode(False), torch.no_grad():
                self._kept = (key, weight.to(key[0]), bias.to(key[0]))
        return F.conv2d(x, self._kept[1], self._kept[2], self.stride, self.padding)


class _Fire(nn.Module):
    def __init__(self, inside: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze1x1 = _Conv(inside, squeezed, 1)
        self.expand1x1 = _Conv(squeezed, expanded, 1)
        self.expand3x3 = _Conv(squeezed, expanded, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.squeeze1x1(x))
        return F.relu(torch.cat([self.expand1x1(x), self.expand3x3(x)], dim=1))


class SqueezeNet(nn.Module):
    """The convolutions of SqueezeNet v1.1, without the classifier.

    Convolutions have no padding except the 3 × 3 expansions, pooling none at all, as in the Keras
    weights. Make one with ``SqueezeNet.load``.

    Reference: Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters", 2016.
    """

    means: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = _Conv(3, 64, 3, stride=2)
        channels = 64
        for number, (squeezed, expanded) in _FIRES.items():
            setattr(self, f"fire{number}", _Fire(channels, squeezed, expanded))
            channels = 2 * expanded
        self.register_buffer("means", torch.tensor(_BGR_MEANS).view(1, 3, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Features of ``TAPS``, fine to coarse.

        Args:
            image: (N, 3, H, W) RGB in [0, 1], H and W at least 32.
        """
        return self.features(image.flip(1) * 255 - self.means)

    def features(self, x: Tensor, *, padding: int = 0) -> list[Tensor]:
        """The same of what ``conv1`` takes; ``padding`` is that of the poolings."""
        x = F.relu(self.conv1(x))
        features = [x]
        for number in _FIRES:
            if number in _POOL_BEFORE:
                x = F.max_pool2d(x, 3, stride=2, padding=padding)
            x = getattr(self, f"fire{number}")(x)
            if f"fire{number}" in TAPS:
                features.append(x)
        return features

    @staticmethod
    def load(path: Path) -> SqueezeNet:
        """Read the Keras weights (``…_tf_kernels_notop.h5``), frozen and ready for use.

        Raises:
            ModelError: the file is missing, no HDF5, or not of this net; or h5py is not installed.
        """
        try:
            import h5py
        except ModuleNotFoundError as error:
            raise ModelError("Keras weights need h5py: pip install 'remend[train]'") from error
        net = SqueezeNet()
        try:
            with h5py.File(path, "r") as file:
                for name, module in net.named_modules():
                    if isinstance(module, nn.Conv2d):
                        _fill(module, file[name.replace(".", "/")])
        except (OSError, KeyError, ValueError, RuntimeError) as error:
            reason = str(error).splitlines()[0].strip("'\"")
            raise ModelError(
                f"{path} does not hold SqueezeNet v1.1 ({reason}): give the Keras file without top, "
                "squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5"
            ) from error
        net.eval().requires_grad_(False)
        return net


def _fill(conv: nn.Conv2d, group: Any) -> None:
    """Copy the group's kernel (height, width, in, out) and bias, however they are named and nested."""
    arrays: list[Any] = []
    group.visititems(lambda _, item: arrays.append(item[()]) if hasattr(item, "shape") else None)
    (kernel,) = (a for a in arrays if a.ndim == 4)
    (bias,) = (a for a in arrays if a.ndim == 1)
    assert conv.bias is not None
    with torch.no_grad():
        conv.weight.copy_(torch.from_numpy(kernel).permute(3, 2, 0, 1))
        conv.bias.copy_(torch.from_numpy(bias))
