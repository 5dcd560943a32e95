import numpy as np
import pytest

from remend.finish.seam import heal_seam


def offset_patch():
    rng = np.random.default_rng(0)
    truth = (0.5 + 0.05 * rng.standard_normal((80, 80, 3))).astype(np.float32)
    hole = np.zeros((80, 80), bool)
    hole[20:60, 20:60] = True
    pixels = truth.copy()
    pixels[hole] += 0.1
    return truth, pixels, hole


def test_the_step_at_the_rim_shrinks_and_known_pixels_stay():
    truth, pixels, hole = offset_patch()
    healed = heal_seam(pixels, hole, ~hole)
    np.testing.assert_array_equal(healed[~hole], pixels[~hole])
    rim = slice(20, 22), slice(24, 56)
    before = (pixels - truth)[rim].mean()
    after = (healed - truth)[rim].mean()
    assert after < 0.7 * before
    # Deep inside nothing happens.
    np.testing.assert_allclose(healed[38:42, 38:42], pixels[38:42, 38:42], atol=0.01)


def test_a_fill_that_fits_is_left_alone():
    truth, _, hole = offset_patch()
    assert np.abs(heal_seam(truth, hole, ~hole) - truth).max() < 0.03


@pytest.mark.parametrize("usable", [np.zeros((80, 80), bool), None])
def test_nothing_to_compare_with_changes_nothing(usable):
    _, pixels, hole = offset_patch()
    far = np.zeros_like(hole)
    far[0, 0] = True
    np.testing.assert_array_equal(heal_seam(pixels, hole, far if usable is None else usable), pixels)
