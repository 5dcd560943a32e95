import numpy as np
import pytest

from remend.finish.tone import keep_tone

SEPIA = np.float32([0.08, 0.0, -0.08])


def scene(size=48):
    """Brightness with texture, and a hole in its middle."""
    rng = np.random.default_rng(3)
    ramp = np.linspace(0.2, 0.8, size, dtype=np.float32)
    brightness = ramp[None, :] + rng.normal(0, 0.05, (size, size)).astype(np.float32)
    hole = np.zeros((size, size), bool)
    hole[16:32, 16:32] = True
    return brightness[..., None], hole


@pytest.mark.parametrize("tone", [np.zeros(3, np.float32), SEPIA])
def test_a_stain_of_colour_takes_the_tone_of_the_picture(tone):
    brightness, hole = scene()
    window = brightness + tone * 4 * brightness * (1 - brightness)  # strongest in the middle, as in prints
    stained = np.where(hole[..., None], window + np.float32([0.1, -0.05, -0.05]), window)
    kept = keep_tone(stained, hole, ~hole)
    assert np.abs(kept - window)[hole].max() < 0.02
    np.testing.assert_array_equal(kept[~hole], stained[~hole])


def test_brightness_that_is_nowhere_around_takes_the_nearest_tone():
    brightness, hole = scene()
    window = 0.5 + 0.1 * (brightness - 0.5) + SEPIA
    stained = np.where(hole[..., None], np.float32([0.9, 1.0, 1.0]), window)
    kept = keep_tone(stained, hole, ~hole)[hole]
    np.testing.assert_allclose(
        kept - kept.mean(axis=1, keepdims=True), np.broadcast_to(SEPIA, kept.shape), atol=0.01
    )


def test_a_picture_in_colours_is_left_alone():
    brightness, hole = scene()
    window = np.concatenate([brightness, brightness[:, ::-1], brightness], axis=2)
    assert keep_tone(window, hole, ~hole) is window


def test_too_little_to_judge_by_is_no_tone():
    brightness, hole = scene()
    window = np.repeat(brightness, 3, axis=2)
    few = np.zeros_like(hole)
    few[:8, :8] = True
    assert keep_tone(window, hole, few) is window


def test_what_may_not_be_read_is_not_read():
    brightness, hole = scene()
    window = np.repeat(brightness, 3, axis=2).astype(np.float32)
    window[hole] += np.float32([0.1, 0, 0])
    usable = ~hole
    usable[:8] = False
    window[:8] = np.nan
    kept = keep_tone(window, hole, usable)[hole]
    assert np.isfinite(kept).all()
    assert np.ptp(kept, axis=1).max() < 1e-6
