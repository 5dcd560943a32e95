"""One work-around: torchvision's CUDA build beside a CPU build of PyTorch.

Its compiled operators cannot be loaded there, and importing it fails with ``operator torchvision::nms
does not exist``, because it registers shapes for operators whose schemas only the compiled part defines.
With the two schemas defined beforehand it imports, and everything but box operators works. ``timm`` and
others import torchvision, so call ``mend_torchvision`` before importing them.
"""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["mend_torchvision"]

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
# A library's definitions vanish with its object.
_library: Any = None


def mend_torchvision() -> None:
    """Make ``import torchvision`` work where only its operators are missing.

    Nothing is changed where torchvision imports as it is, is not installed, or fails for another reason.
    """
    global _library
    if _library is not None:
        return
    try:
        importlib.import_module("torchvision")
    except ModuleNotFoundError:
        return
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            return
        import torch

        _library = torch.library.Library("torchvision", "DEF")
        for schema in _SCHEMAS:
            _library.define(schema)
        importlib.import_module("torchvision")
