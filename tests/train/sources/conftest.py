import cv2
import numpy as np
import pytest


@pytest.fixture
def plant():
    """Puts a small made picture at a path, its folders with it."""

    def put(path, *, size=(24, 32), seed=0):
        path.parent.mkdir(parents=True, exist_ok=True)
        knots = np.random.default_rng([seed, *path.name.encode()]).integers(0, 256, (4, 4, 3), np.uint8)
        picture = cv2.resize(knots, size[::-1], interpolation=cv2.INTER_CUBIC)
        suffix = ".jpg" if path.suffix == ".JPEG" else path.suffix
        path.write_bytes(cv2.imencode(suffix, picture)[1].tobytes())
        return path

    return put
