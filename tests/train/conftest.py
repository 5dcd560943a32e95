import importlib.util

import cv2
import numpy as np
import pytest


@pytest.fixture
def photos(tmp_path):
    """A folder of twelve smooth made pictures, 80 × 96."""
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for index in range(12):
        knots = rng.integers(0, 256, (5, 6, 3), np.uint8)
        picture = cv2.resize(knots, (96, 80), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / f"{index:02d}.png"), picture)
    return folder


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Tiny nets gain nothing from threads, and lose a hundredfold where tests run side by side."""
    if importlib.util.find_spec("torch") is not None:
        import torch

        torch.set_num_threads(1)
