"""Broken files are repaired, or refused by an error of ours, in time; what is written opens."""

import io
import time
import warnings

import numpy as np
import pytest
from PIL import Image

from broken_files import FORMATS, broken
from remend.budget import Budget
from remend.errors import RemendError
from remend.io import encode_picture, read_picture
from remend.options import Bounds

BOUNDS = Bounds(max_pixels=16_000_000, max_memory=256 << 20)


def opens(data: bytes) -> bool:
    """Whether Pillow opens and decodes a file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            Image.open(io.BytesIO(data)).load()
    except Exception:
        return False
    return True


def tried(format: str, seed: int) -> bool:
    """Read a broken file, change a few pixels, write it, read it again; whether it was read at all."""
    data = broken(format, seed)
    since = time.monotonic()
    try:
        picture = read_picture(data, budget=Budget(BOUNDS))
        changed = np.zeros(picture.size, bool)
        changed[: max(1, picture.height // 3), : max(1, picture.width // 3)] = True
        picture.samples[changed] = picture.samples[-1, -1]
        written = encode_picture(picture, changed=changed).data
    except RemendError as error:
        assert "\n" not in str(error)
        assert time.monotonic() - since < 10
        return False
    assert time.monotonic() - since < 10
    again = read_picture(written, budget=Budget(BOUNDS))
    assert again.size == picture.size
    if opens(data):
        assert opens(written), "Pillow opened the source and cannot open what was written"
    return True


@pytest.mark.parametrize("format", FORMATS)
def test_a_few_broken_files(format):
    read = sum(tried(format, seed) for seed in range(60))
    assert read > 3, "a generator whose files are all refused tests the first check alone"


@pytest.mark.slow
@pytest.mark.parametrize("format", FORMATS)
def test_ten_thousand_broken_files(format):
    for seed in range(60, 1727):
        tried(format, seed)
