"""Small folders of pairs."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

Save = Callable[..., Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """``save("a/x.png", array)`` under the test's folder; RGB or grey."""

    def write(name: str, array: np.ndarray) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), array[:, :, ::-1] if array.ndim == 3 else array)
        return path

    return write


@pytest.fixture
def picture() -> Callable[[int], np.ndarray]:
    """A 24×32 picture by seed."""
    return lambda seed: np.random.default_rng(seed).integers(0, 256, (24, 32, 3), np.uint8)


@pytest.fixture
def hole() -> np.ndarray:
    """(24, 32) uint8 mask, white = hole, one eighth of the picture."""
    mask = np.zeros((24, 32), np.uint8)
    mask[6:18, 8:16] = 255
    return mask
