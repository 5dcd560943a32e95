"""A teacher: a net that has learned already, or any model file, whose fills another net learns to follow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from remend.errors import ModelError, UsageError
from remend.nets.weights.trained import load_net

__all__ = ["Teacher"]


class Teacher:
    """Fills as another does; it learns nothing itself.

    Args:
        source: a run's folder, a checkpoint's, or ``best.safetensors``: that run's averaged weights, on the
            device of the run. A model file (``.onnx``, with its card): ONNX Runtime, on the processor.

    Attributes:
        name: of the file or folder.
        size_multiple: sides of what it fills must be multiples of this.

    Raises:
        ModelError: nothing there that can fill.
    """

    def __init__(self, source: str) -> None:
        path = Path(source).expanduser()
        self.name = path.name
        self.net: nn.Module | None = None
        self.file: Any = None
        if path.suffix == ".onnx":
            from remend.fill.model_file import ModelFile

            self.file = ModelFile.open(path)
            self.size_multiple = int(self.file.card.size_multiple)
        else:
            net, _ = load_net(path)
            self.net, self.size_multiple = net, net.size_multiple

    def require(self, side: int) -> None:
        """Refuse crops that it cannot fill.

        Raises:
            UsageError: ``side`` is no multiple of its ``size_multiple``.
        """
        if side % self.size_multiple:
            raise UsageError(
                f"data.crop_px must be a multiple of {self.size_multiple} for the teacher {self.name}, "
                f"got {side}"
            )

    def fill(self, image: Tensor, hole: Tensor) -> Tensor:
        """Its composed fills (N, 3, H, W) in [0, 1]: of nets with noise the middle one, always the same.

        Args:
            image: (N, 3, H, W) in [0, 1]; what lies under the hole is not read.
            hole: (N, 1, H, W), 1 = fill.

        Raises:
            ModelError: the model file fails.

        Cost: a forward pass of the teacher.
        """
        if self.net is None:
            return self._run(image, hole)
        self.net.to(image.device)
        with torch.no_grad():
            filled: Tensor = self.net(image, hole)[0]
            return filled.clamp(0, 1)

    def _run(self, image: Tensor, hole: Tensor) -> Tensor:
        # Picture by picture: files made elsewhere may take one at a time.
        windows = (image * (1 - hole)).permute(0, 2, 3, 1).float().cpu().numpy()
        known = hole[:, 0].cpu().numpy() <= 0.5
        fills = [self.file.run(np.ascontiguousarray(w), k) for w, k in zip(windows, known, strict=True)]
        filled = torch.from_numpy(np.stack(fills)).permute(0, 3, 1, 2).to(image.device)
        if not torch.isfinite(filled).all():
            raise ModelError(f"the teacher {self.name} answered numbers that are not finite")
        return torch.where(hole > 0.5, filled.clamp(0, 1), image)
