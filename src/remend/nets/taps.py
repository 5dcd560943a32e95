"""Features of a net, recorded by hooks while it runs: what further tasks share with it.

The net itself knows nothing of the hooks: its graph, its weights and its export are what they were.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from remend.errors import UsageError
from remend.nets.inpainter import Inpainter

__all__ = ["FINEST", "feature_hooks", "tap_channels"]

FINEST = 4
"""Maps that are finer than 1/4 are left out: tasks answer at 1/4, and the cost is there."""


@contextmanager
def feature_hooks(net: Inpainter) -> Iterator[dict[int, Tensor]]:
    """Features by scale, (N, C, H / scale, W / scale), of the last forward pass inside.

    >>> from remend.nets.registry import build
    >>> net = build("remend", {"widths": (8, 8, 16), "dilations": (1,)})
    >>> with feature_hooks(net) as features:
    ...     _ = net(torch.rand(1, 3, 32, 32), torch.zeros(1, 1, 32, 32))
    >>> {scale: tuple(feature.shape) for scale, feature in features.items()}
    {4: (1, 8, 8, 8), 8: (1, 16, 4, 4), 16: (1, 16, 2, 2)}
    """
    features: dict[int, Tensor] = {}
    handles = []
    for name, scales in net.taps.items():

        def record(_: nn.Module, __: Any, answer: Any, scales: tuple[int, ...] = scales) -> None:
            maps = [answer] if isinstance(answer, Tensor) else answer
            features.update({s: m for s, m in zip(scales, maps, strict=True) if s >= FINEST})

        handles.append(net.body.get_submodule(name).register_forward_hook(record))
    try:
        yield features
    finally:
        for handle in handles:
            handle.remove()


def tap_channels(net: Inpainter) -> dict[int, int]:
    """Channels of the features by scale; sizes alone are followed, nothing is computed.

    Raises:
        UsageError: the net offers none.
    """
    if not any(scale >= FINEST for scales in net.taps.values() for scale in scales):
        raise UsageError("this net offers no features to further tasks: its body states no taps")
    shadow = copy.deepcopy(net).to("meta").eval()
    side = 2 * net.size_multiple
    with feature_hooks(shadow) as features, torch.no_grad():
        shadow(torch.empty(1, 3, side, side, device="meta"), torch.empty(1, 1, side, side, device="meta"))
    return {scale: feature.shape[1] for scale, feature in sorted(features.items())}
