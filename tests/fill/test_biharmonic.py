import cv2
import numpy as np
import pytest
from skimage import data
from skimage.restoration import inpaint_biharmonic

from remend.errors import UsageError
from remend.fill.biharmonic import Biharmonic, smooth
from remend.fill.filler import Filler
from remend.fill.multigrid import Plate, solve


def _crop(size=96):
    # astronaut: an eye, hair and the collar, public domain (NASA)
    return data.astronaut()[80 : 80 + size, 170 : 170 + size].astype(np.float32) / 255


def _scratches(size=96):
    hole = np.zeros((size, size), np.uint8)
    cv2.line(hole, (5, 12), (size - 8, size - 20), 1, 3)
    cv2.line(hole, (size - 12, 4), (30, size - 1), 1, 2)
    return hole.astype(bool)


def _psnr(filled, truth, hole):
    return -10 * np.log10(np.mean((filled - truth)[hole].astype(np.float64) ** 2))


def _reference(window, hole):
    return inpaint_biharmonic(np.where(hole[..., None], 0, window).astype(np.float64), hole, channel_axis=-1)


def test_scratches_as_scikit_image_fills_them():
    window, hole = _crop(), _scratches()
    filled = Biharmonic().fill(window, hole, usable=~hole).pixels
    expected = _reference(window, hole)
    assert np.sqrt(np.mean((filled - expected)[hole] ** 2)) < 0.004  # one grey level
    assert _psnr(filled, window, hole) > _psnr(expected, window, hole) - 0.1


@pytest.mark.parametrize(
    "where", [np.s_[0:9, 30:90], np.s_[40:49, 30:90], np.s_[87:96, 30:90], np.s_[:30, :20], np.s_[70:, 80:]]
)
def test_converges_to_scikit_image_inside_and_at_the_border(where):
    window = _crop()
    hole = np.zeros((96, 96), bool)
    hole[where] = True
    solved = solve(window, hole, Plate(1, 0), iterations=40, tolerance=1e-6)
    low, high = window[~hole].min(axis=0), window[~hole].max(axis=0)
    np.testing.assert_allclose(np.clip(solved, low, high), _reference(window, hole), atol=3e-3)


@pytest.mark.parametrize("size", [(5, 90), (90, 5), (60, 61)])
def test_a_few_iterations_are_enough_under_tension(size):
    window = _crop()[: size[0], : size[1]]
    hole = np.zeros(size, bool)
    hole[size[0] // 3 :, size[1] // 3 :] = True
    plate = smooth().plate
    converged = solve(window, hole, plate, iterations=100, tolerance=1e-7)
    np.testing.assert_allclose(solve(window, hole, plate), converged, atol=0.01)


@pytest.mark.parametrize("corner", [np.s_[:40, :40], np.s_[60:, :30]])
def test_tension_does_not_run_away_towards_a_corner_that_is_gone(corner):
    window = _crop()
    hole = np.zeros((96, 96), bool)
    hole[corner] = True
    rim = cv2.dilate(hole.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool) & ~hole
    filled = smooth().fill(window, hole, usable=~hole).pixels
    assert (filled[hole] >= window[rim].min(axis=0) - 0.02).all()
    assert (filled[hole] <= window[rim].max(axis=0) + 0.02).all()


def test_a_ramp_is_continued_exactly():
    y, x = np.mgrid[0:64, 0:64].astype(np.float32) / 64
    window = np.stack([x, y, (x + y) / 2], axis=-1)
    hole = np.zeros((64, 64), bool)
    hole[20:44, 16:50] = True
    for filler in (Biharmonic(), smooth(), Biharmonic(tension_px=50)):
        filled = filler.fill(window, hole, usable=~hole).pixels
        np.testing.assert_allclose(filled[hole], window[hole], atol=4e-3)  # one grey level


def test_tension_stretches_the_plate_into_a_membrane():
    """On a profile across an endless slot, tension has a closed form: cosh and a straight line."""
    width, half, length = 81, 20, 4.0
    x = np.arange(width, dtype=np.float64) - width // 2
    profile = np.abs(x) / width  # a slope into the slot on both sides: a plate overshoots below 0
    window = np.repeat(np.repeat(profile[None, :, None], 24, axis=0), 3, axis=2).astype(np.float32)
    hole = np.abs(x) < half
    hole = np.repeat(hole[None], 24, axis=0)
    solved = solve(window, hole, Plate(1, 1 / length**2), iterations=40, tolerance=1e-6)[12, :, 0]
    # u = a + b cosh(rate · x) through the two known pixels on either side; the rate of the grid's own cosh
    rate = 2 * np.arcsinh(1 / (2 * length))
    b = (1 / width) / (np.cosh(rate * (half + 1)) - np.cosh(rate * half))
    expected = half / width + b * (np.cosh(rate * x) - np.cosh(rate * half))
    np.testing.assert_allclose(solved[hole[12]], expected[hole[12]], atol=2e-4)


@pytest.mark.parametrize("filler", [Biharmonic(), smooth()])
def test_never_reads_hole_or_unusable_pixels(filler):
    window, hole = _crop(), _scratches()
    usable = ~hole
    usable[30:50, 40:60] = False  # across a scratch
    usable[3:6, 80:90] = False  # far from all of them
    bad, worse = window.copy(), window.copy()
    bad[~usable], worse[~usable] = np.nan, 1e9
    filled = filler.fill(bad, hole, usable=usable).pixels
    assert np.isfinite(filled[hole]).all()
    assert np.array_equal(filled[hole], filler.fill(worse, hole, usable=usable).pixels[hole])
    assert _psnr(filled, window, hole) > 20


def test_a_crop_around_the_hole_gives_the_fill_of_the_whole_window():
    window = _crop()
    hole = np.zeros((96, 96), bool)
    hole[40:52, 44:60] = True
    usable = ~hole
    whole = smooth().fill(window, hole, usable=usable).pixels[hole]
    part = (slice(30, 62), slice(32, 72))
    near = smooth().fill(window[part], hole[part], usable=usable[part]).pixels[hole[part]]
    np.testing.assert_allclose(near, whole, atol=0.02)


@pytest.mark.parametrize("shape", [(1, 1), (1, 12), (12, 1), (2, 2), (9, 17), (17, 33)])
@pytest.mark.parametrize("filler", [Biharmonic(), smooth()])
def test_windows_of_any_size(filler, shape):
    window = np.random.default_rng(3).random((*shape, 3), dtype=np.float32)
    hole = np.zeros(shape, bool)
    hole[-1, -1] = True
    assert np.isfinite(filler.fill(window, hole, usable=~hole).pixels).all()
    everything = np.ones(shape, bool)
    window[:] = np.nan
    assert np.isfinite(filler.fill(window, everything, usable=~everything).pixels).all()


def test_the_window_is_not_written_to_and_the_same_input_gives_the_same_bytes():
    window, hole = _crop(), _scratches()
    before = window.copy()
    first = smooth().fill(window, hole, usable=~hole, seed=1).pixels
    second = smooth().fill(window, hole, usable=~hole, seed=2).pixels
    assert np.array_equal(window, before)
    assert np.array_equal(first, second)


def test_tension_fills_wide_holes_better_than_a_plate():
    window = _crop()
    hole = np.zeros((96, 96), bool)
    hole[24:72, 24:72] = True
    plate = Biharmonic().fill(window, hole, usable=~hole).pixels
    assert _psnr(smooth().fill(window, hole, usable=~hole).pixels, window, hole) > _psnr(plate, window, hole)


def test_a_grey_picture_is_filled_as_its_one_channel():
    grey = np.repeat(_crop()[..., 1:2], 3, axis=2)
    almost = grey.copy()
    almost[0, 0, 0] += 0.01  # far from the scratches: no longer grey, but the same around them
    hole = _scratches()
    filled = smooth().fill(grey, hole, usable=~hole).pixels
    assert np.array_equal(filled[hole], smooth().fill(almost, hole, usable=~hole).pixels[hole])
    assert filled.shape == grey.shape


def test_the_fill_stays_within_the_range_of_what_is_known():
    window, hole = _crop(), _scratches()
    filled = Biharmonic().fill(window, hole, usable=~hole).pixels
    assert (filled[hole] >= window[~hole].min(axis=0)).all()
    assert (filled[hole] <= window[~hole].max(axis=0)).all()


@pytest.mark.parametrize("tension_px", [0, -1.0, float("nan"), float("inf")])
def test_rejects_a_tension_that_means_nothing(tension_px):
    with pytest.raises(UsageError, match="tension_px"):
        Biharmonic(tension_px=tension_px)


def test_is_a_filler_and_names_itself():
    assert isinstance(Biharmonic(), Filler)
    assert Biharmonic().name == "biharmonic"
    assert smooth().name == "smooth"
