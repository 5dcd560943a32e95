"""A soft edge lies inside the hole: nothing outside changes, and what is thin is filled in full."""

import numpy as np
import pytest

from remend.errors import UsageError
from remend.finish.feather import SoftEdge
from remend.options import Settings
from remend.picture import Picture
from remend.pipeline import repair_picture


def flat(value: int, dtype: type = np.uint8, size: tuple[int, int] = (60, 1100)) -> Picture:
    return Picture(np.full((*size, 3), value, dtype), "RGB")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_the_fill_fades_in_from_the_edge(dtype):
    picture = flat(100, dtype)
    hole = np.zeros(picture.size, bool)
    hole[10:50, 1000:1050] = True  # over the border of two tiles
    edge = SoftEdge(picture, hole, width_px=4)
    picture.samples[hole] = 50
    edge.lay_over(picture)
    assert (picture.samples[~hole] == 100).all()
    assert picture.samples[30, 999:1007, 0].tolist() == [100, 90, 80, 70, 60, 50, 50, 50]
    assert picture.samples[10:15, 1024, 0].tolist() == [90, 80, 70, 60, 50]


def test_what_is_thin_is_filled_in_full():
    picture = flat(100)
    hole = np.zeros(picture.size, bool)
    hole[:, 20:26] = True  # a scratch
    hole[20:50, 200:240] = True
    edge = SoftEdge(picture, hole, width_px=8)
    picture.samples[hole] = 50
    edge.lay_over(picture)
    assert (picture.samples[:, 20:26] == 50).all()
    assert picture.samples[35, 200, 0] > 90
    assert picture.samples[35, 220, 0] == 50


def test_no_number_is_mixed_into_none():
    picture = flat(100, np.float32)
    picture.samples[30, 201] = np.nan
    hole = np.zeros(picture.size, bool)
    hole[20:50, 200:240] = True
    edge = SoftEdge(picture, hole, width_px=8)
    picture.samples[hole] = 50
    edge.lay_over(picture)
    assert np.isfinite(picture.samples).all()
    assert picture.samples[30, 201, 0] == 50


def test_a_repair_with_a_soft_edge_stays_inside_its_hole():
    y, x = np.mgrid[:80, :100]
    pixels = np.stack([x + y, 2 * x, 255 - y], axis=2).astype(np.uint8)
    thing = np.zeros((80, 100), bool)
    thing[30:50, 40:60] = True
    pixels[thing] = (250, 0, 0)
    hole = np.zeros_like(thing)
    hole[20:60, 30:70] = True
    before = pixels.copy()
    settings = Settings(method="telea", grain=0)
    hard = repair_picture(Picture(pixels.copy(), "RGB"), hole, settings).picture.samples
    soft = repair_picture(
        Picture(pixels.copy(), "RGB"), hole, Settings(method="telea", grain=0, feather_px=6)
    ).picture.samples
    np.testing.assert_array_equal(soft[~hole], before[~hole])
    np.testing.assert_array_equal(soft[thing], hard[thing])
    rim = hole & ~thing
    assert (
        np.abs(soft[rim].astype(int) - before[rim]).mean()
        < np.abs(hard[rim].astype(int) - before[rim]).mean()
    )


def test_blanking_has_no_soft_edge():
    with pytest.raises(UsageError, match="deidentify"):
        Settings(deidentify=True, feather_px=3)
