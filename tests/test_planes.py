"""Planes that are not in memory answer as arrays do."""

import numpy as np
import pytest

from remend.options import Settings
from remend.picture import Picture, check_mask
from remend.pipeline import repair_picture
from remend.planes import BLOCK_PX, LazyPlane, count_marked, marks

SIZE = (300, 530)


@pytest.fixture
def array():
    return np.random.default_rng(0).integers(1, 255, (*SIZE, 3), dtype=np.uint8)


def lazy(array):
    asked = []

    def read(top, left, bottom, right):
        asked.append((bottom - top) * (right - left))
        return array[top:bottom, left:right].copy()

    plane = LazyPlane(array.shape, array.dtype, read)
    return plane, asked


def test_parts_are_read_and_written_as_in_an_array(array):
    plane, _ = lazy(array)
    wanted = array.copy()
    rng = np.random.default_rng(1)
    for _ in range(20):
        top, left = rng.integers(0, SIZE[0] - 40), rng.integers(0, SIZE[1] - 60)
        here = slice(top, top + 40), slice(left, left + 60)
        values = rng.integers(0, 255, (40, 60, 3), dtype=np.uint8)
        plane[here] = values
        wanted[here] = values
        y, x = rng.integers(0, SIZE[0], 9), rng.integers(0, SIZE[1], 9)
        plane[y, x] = 7
        wanted[y, x] = 7
    assert (plane[0 : SIZE[0], 0 : SIZE[1]] == wanted).all()
    grid = np.ix_([5, 260, 7], [500, 3])
    assert (plane[grid] == wanted[grid]).all()
    assert (plane[250:270, 200:300, 1:2] == wanted[250:270, 200:300, 1:2]).all()
    assert not (array == wanted).all()


def test_a_copy_is_written_to_by_itself(array):
    plane, _ = lazy(array)
    plane[0:4, 0:4] = 0
    other = plane.copy()
    other[0:4, 0:4] = 9
    assert not plane[0:4, 0:4].any()


def test_a_mask_holds_what_is_marked_alone():
    mask = LazyPlane((100_000, 100_000), bool)
    mask[90_000:90_010, 5:9] = True
    mask[10:20, 10:20] = False
    assert len(list(mask.blocks())) == 1
    assert count_marked(mask) == 40
    assert marks(mask, slice(90_005, 90_006), slice(0, 6))
    assert not marks(mask, slice(90_005, 90_006), slice(0, 5))
    assert check_mask(mask, (100_000, 100_000)) is mask


@pytest.mark.parametrize("quality", ["fast", "balanced"])
def test_a_repair_is_the_same_and_reads_windows_alone(quality):
    rng = np.random.default_rng(2)
    y, x = np.mgrid[:1400, :1500]
    base = 100 + 50 * np.sin(x / 40) + 30 * np.cos(y / 25)
    array = np.clip(base[..., None] + rng.normal(0, 6, (1400, 1500, 3)), 0, 255).astype(np.uint8)
    mask = np.zeros((1400, 1500), bool)
    mask[40:70, 50:90] = mask[1000:1003, 200:420] = mask[1370:1400, 1490:1500] = True
    whole = repair_picture(Picture(array.copy(), "RGB"), mask, Settings(quality=quality)).picture.samples
    plane, asked = lazy(array)
    sparse = LazyPlane(mask.shape, bool)
    sparse[0:1400, 0:1500] = mask
    restored = repair_picture(Picture(plane, "RGB"), sparse, Settings(quality=quality))
    assert (restored.picture.samples[0:1400, 0:1500] == whole).all()
    assert max(asked[:-1]) < 500 * 500
    assert len(list(plane.blocks())) * BLOCK_PX**2 < mask.size / 2
