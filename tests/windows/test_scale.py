import numpy as np

from remend.picture import Box, Filled
from remend.windows.scale import coarse_to_fine, enlarged, fitting_scale, shrunk
from remend.windows.window import Window


def test_shrinking_averages_usable_pixels_only():
    window = np.full((40, 40, 3), 0.25, np.float32)
    hole = np.zeros((40, 40), bool)
    hole[10:21, 10:21] = True
    window[hole] = 99
    small = shrunk(Window(window, hole, ~hole), 0.5)
    assert small.pixels.shape == (20, 20, 3)
    np.testing.assert_allclose(small.pixels[small.usable], 0.25, rtol=1e-5)
    assert small.hole.sum() == 36
    assert not (small.usable & small.hole).any()


def test_a_lone_known_pixel_is_not_lost():
    hole = np.ones((40, 40), bool)
    hole[7, 7] = False
    small = shrunk(Window(np.full((40, 40, 3), 0.5, np.float32), hole, ~hole), 0.25)
    assert small.usable.any()
    assert not (small.usable & small.hole).any()


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
    window = Window(texture, hole, ~hole)
    filled = enlarged(Filled(small_pixels, source), window)
    # Twelve small pixels are twenty-four large ones.
    assert (filled.source_xy[30:50, 30:50, 0] == np.arange(30, 50)[None] - 24).all()
    assert filled.pixels[hole].std() > 0.2
    blurred = enlarged(Filled(small_pixels), window)
    assert blurred.pixels[hole].std() < 1e-6


def test_a_line_of_a_pixel_survives_any_shrinking():
    lines = np.zeros((97, 61), bool)
    lines[:, 17] = True
    lines[np.arange(61), np.arange(61)] = True
    window = Window(np.zeros((97, 61, 3), np.float32), lines, ~lines, lines)
    for scale in (0.9, 0.5, 0.31, 0.1):
        small = shrunk(window, scale).lines
        assert small.any(axis=1).all()
        assert small.any(axis=0).all()
        assert small.mean() < 0.7


def test_a_window_is_as_large_as_its_filler_was_made_for():
    box = Box(0, 10, 60, 110)
    assert fitting_scale(box, None) == fitting_scale(box, 100) == fitting_scale(box, 500) == 1
    assert fitting_scale(box, 50) == 0.5


def test_a_wide_hole_begins_where_its_radius_is_within_reach():
    hole = np.zeros((300, 400), bool)
    hole[60:200, 60:200] = True  # radius 70
    window = Window(np.zeros((300, 400, 3), np.float32), hole, ~hole)
    assert coarse_to_fine(window, None) == coarse_to_fine(window, 70) == [1]
    assert coarse_to_fine(window, 69) == [0.5, 1]
    assert coarse_to_fine(window, 20) == [0.25, 0.5, 1]
    assert coarse_to_fine(window, 1) == [0.25, 0.5, 1], "no side is shorter than 64"
    assert shrunk(window, 1) is window
