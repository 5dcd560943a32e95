import numpy as np

from remend.picture import Filled
from remend.scale import enlarge, shrink, shrink_lines


def test_shrinking_averages_usable_pixels_only():
    window = np.full((40, 40, 3), 0.25, np.float32)
    hole = np.zeros((40, 40), bool)
    hole[10:21, 10:21] = True
    window[hole] = 99
    small, small_hole, usable = shrink(window, hole, ~hole, 0.5)
    assert small.shape == (20, 20, 3)
    np.testing.assert_allclose(small[usable], 0.25, rtol=1e-5)
    assert small_hole.sum() == 36
    assert not (usable & small_hole).any()


def test_a_lone_known_pixel_is_not_lost():
    hole = np.ones((40, 40), bool)
    hole[7, 7] = False
    _, small_hole, usable = shrink(np.full((40, 40, 3), 0.5, np.float32), hole, ~hole, 0.25)
    assert usable.any()
    assert not (usable & small_hole).any()


def test_copied_places_bring_full_detail_back():
    rng = np.random.default_rng(0)
    texture = rng.random((80, 80, 3)).astype(np.float32)
    hole = np.zeros((80, 80), bool)
    hole[30:50, 30:50] = True
    small_pixels = np.full((40, 40, 3), 0.5, np.float32)
    source = np.full((40, 40, 2), -1, np.int32)
    yy, xx = np.mgrid[15:25, 15:25]
    source[15:25, 15:25, 0] = xx - 12
    source[15:25, 15:25, 1] = yy
    filled = enlarge(Filled(small_pixels, source), texture, hole, ~hole)
    # Twelve small pixels are twenty-four large ones.
    assert (filled.source_xy[30:50, 30:50, 0] == np.arange(30, 50)[None] - 24).all()
    assert filled.pixels[hole].std() > 0.2
    blurred = enlarge(Filled(small_pixels), texture, hole, ~hole)
    assert blurred.pixels[hole].std() < 1e-6


def test_a_line_of_a_pixel_survives_any_shrinking():
    lines = np.zeros((97, 61), bool)
    lines[:, 17] = True
    lines[np.arange(61), np.arange(61)] = True
    window = np.zeros((97, 61, 3), np.float32)
    for scale in (0.9, 0.5, 0.31, 0.1):
        small = shrink_lines(lines, scale)
        assert small.shape == shrink(window, lines, ~lines, scale)[1].shape
        assert small.any(axis=1).all()
        assert small.any(axis=0).all()
        assert small.mean() < 0.7
