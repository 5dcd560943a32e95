"""A fill's colours stay near those around it, lightness by lightness."""

import cv2
import numpy as np

from remend.finish.colours import keep_colours


def window():
    """Red earthenware from shadow to light, and a hole filled with a blue of the same lightness."""
    rng = np.random.default_rng(0)
    light = np.linspace(0.05, 0.8, 96, dtype=np.float32)[None, :, None]
    image = light * np.array([1.0, 0.35, 0.2], np.float32) + 0.01 * rng.random((96, 96, 3), np.float32)
    hole = np.zeros((96, 96), bool)
    hole[30:66, 30:66] = True
    return image.astype(np.float32), hole


def hues(image):
    return cv2.cvtColor(image, cv2.COLOR_RGB2Lab)


def test_a_veil_of_another_hue_is_drawn_to_those_around():
    image, hole = window()
    filled = image.copy()
    filled[hole] += np.array([-0.2, 0.0, 1.2], np.float32) * filled[hole].mean(axis=1, keepdims=True)
    kept = keep_colours(filled, hole, ~hole)
    wanted, before, after = (hues(one)[hole] for one in (image, filled, kept))
    assert np.abs(after - wanted)[:, 1:].mean() < 0.5 * np.abs(before - wanted)[:, 1:].mean()
    assert np.abs(after - before)[:, 0].max() < 1.5  # lightness is the net's business
    assert np.array_equal(kept[~hole], filled[~hole])


def test_colours_that_are_there_stay_bit_for_bit():
    image, hole = window()
    assert keep_colours(image, hole, ~hole) is image
    moved = image.copy()
    moved[hole] = np.roll(image, 7, axis=0)[hole]
    assert keep_colours(moved, hole, ~hole) is moved


def test_little_that_is_known_says_nothing():
    image, hole = window()
    filled = image.copy()
    filled[hole] = (0.1, 0.2, 0.9)
    usable = np.zeros_like(hole)
    usable[0, :20] = True
    assert keep_colours(filled, hole, usable) is filled
    assert keep_colours(filled, hole, np.zeros_like(hole)) is filled
