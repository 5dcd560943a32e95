"""What a model file must do to be trusted with a picture: checked by running it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from remend.errors import ModelError
from remend.fill.model_file import ModelFile

__all__ = ["Verified", "verify_model"]

_SIZES = ((64, 64), (96, 160), (176, 80), (256, 256))


@dataclass(frozen=True, slots=True)
class Verified:
    """A model that does what it must.

    Attributes:
        model: the open file.
        checksum: whether its card gave a SHA-256 to hold it against.
        sizes: (height, width) of the windows that were tried.
    """

    model: ModelFile
    checksum: bool
    sizes: tuple[tuple[int, int], ...]


def verify_model(path: Path, *, trusted: bool = False) -> Verified:
    """Open a model and fill made windows with it: plain and not square, hole inside and at the border.

    Checked: the card and its SHA-256, inputs and outputs, finite answers within reason, known pixels
    returned bit for bit, and the same answer when asked twice.

    Args:
        path: of the ONNX file.
        trusted: see ``ModelFile.open``.

    Raises:
        ModelError: one of these does not hold.

    Cost: about a second for the embedded model.
    """
    model = ModelFile.open(path, trusted=trusted)
    rng = np.random.default_rng(0)
    for height, width in _SIZES:
        rows = np.linspace(0.2, 0.8, height, dtype=np.float32)[:, None, None]
        window = np.clip(rows + 0.1 * rng.standard_normal((height, width, 3), np.float32), 0, 1)
        known = np.ones((height, width), np.bool_)
        known[height // 3 : height // 2, width // 4 : width // 2] = False
        known[:, width - 5 :] = False
        for prior in (None, np.full_like(window, 0.5)) if model.takes_prior else (None,):
            first, second = (model.run(window, known, prior) for _ in range(2))
            where = f"the model {path.name}, asked for a window of {width}×{height},"
            if not np.array_equal(first[known], window[known]):
                raise ModelError(f"{where} changed known pixels: it breaks the contract")
            if not np.array_equal(first, second):
                raise ModelError(f"{where} answered differently the second time")
            if np.abs(first[~known] - 0.5).max() > 2:
                raise ModelError(f"{where} answered far outside of 0 to 1: its weights are damaged")
    return Verified(model, model.card.sha256 is not None, _SIZES)
