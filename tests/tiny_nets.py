"""Options that make a net small enough for a test; without a row it is tried as it is."""

from collections import defaultdict
from typing import Any

TINY: defaultdict[str, dict[str, Any]] = defaultdict(
    dict,
    {
        "remend": {"widths": (8, 8, 16), "dilations": (1, 2)},
        "unet": {"widths": (8, 8, 8, 8, 16)},
        "context_encoder": {"widths": (8, 8, 8, 16), "reach": 3},
        "transfer_unet": {"encoder": "squeezenet", "widths": (8, 8, 8)},
        "partial_conv": {"widths": (8, 8, 8)},
        "lama": {"width": 4, "blocks": 2},
        "aot_gan": {"width": 8, "blocks": 2},
        "migan": {"widths": (8, 8, 16), "branches": 2},
        "deepfill_v1": {"width": 4},
        "deepfill_v2": {"width": 4, "guide": True},
        "edge_connect": {"width": 4, "blocks": 1},
        "autoencoder": {"widths": (8, 8, 16)},
        "gan-cifar": {"widths": (8, 16, 8)},
        "comod_gan": {"widths": (8, 8, 8, 16, 16), "noise": 6, "code": 12, "mapping": 2},
    },
)
